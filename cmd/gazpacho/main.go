// Command gazpacho runs and looks after media nodes: hosts that carry the transports of mediasoup applications on other hosts.
// The application's worker, cmd/mediasoup-worker, is their client.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit codes. 2 is what most programs end with when they are called wrongly.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// command is one of the program's commands.
type command struct {
	name, summary string
	run           func(args []string, stdout, stderr io.Writer) error
}

var commands = []command{
	{"node", "run a media node", runNode},
	{"status", "show nodes, their load, and the applications on them", runStatus},
	{"find", "say where a producer is", runFind},
	{"monitor", "serve a page that shows nodes or workers, rooms and transports", runMonitor},
	{"drain", "have a node end as soon as it is empty", runDrain},
	{"undrain", "have a node that drains take new transports again", runUndrain},
	{"certificates", "make the certificates of a cluster", runCertificates},
}

// version is what packagers set with -ldflags "-X main.version=…".
var version = "0.1.0"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the whole program, up to the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage())
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage())
		return exitOK
	case "version", "-v", "-version", "--version":
		fmt.Fprintln(stdout, "gazpacho", version)
		return exitOK
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		err := c.run(args[1:], stdout, stderr)
		switch {
		case err == nil, err == errHelp:
			return exitOK
		case isUsage(err):
			fmt.Fprintf(printable{stderr}, "gazpacho %s: %v\nRun 'gazpacho %s --help' for what it takes.\n", c.name, err, c.name)
			return exitUsage
		}
		fmt.Fprintf(printable{stderr}, "gazpacho %s: %v\n", c.name, err)
		return exitFailed
	}
	fmt.Fprintf(stderr, "gazpacho: there is no command %q\n\n%s", args[0], usage())
	return exitUsage
}

func usage() string {
	var b strings.Builder
	b.WriteString("Usage: gazpacho COMMAND [OPTION…]\n\nCommands:\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-14s %s\n", c.name, c.summary)
	}
	fmt.Fprintf(&b, "  %-14s %s\n", "version", "print the version")
	b.WriteString("\n'gazpacho COMMAND --help' says what a command takes.\n")
	return b.String()
}
