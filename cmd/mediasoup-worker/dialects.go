package main

import (
	"fmt"
	"io"
	"strings"

	"gazpacho/fbs"
)

// dialectsCommand is the argument that lists what is spoken, in place of the options.
const dialectsCommand = "dialects"

const dialectsUsage = `usage: mediasoup-worker dialects                the releases served, and what changed from dialect to dialect
       mediasoup-worker dialects <release>      what this release says differently from the newest
       mediasoup-worker dialects <from> <to>    what changed from one release to another
`

// listDialects carries out the command and returns the exit code.
func listDialects(args []string, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) == 0:
		err = listAll(stdout)
	case args[0] == "--help" || args[0] == "-h":
		fmt.Fprint(stdout, dialectsUsage)
	case len(args) == 1:
		err = listRelease(stdout, args[0])
	case len(args) == 2:
		err = listChanges(stdout, args[0], args[1])
	default:
		fmt.Fprint(stderr, dialectsUsage)
		return exitWrongSettings
	}
	if err != nil {
		fmt.Fprintf(stderr, "mediasoup-worker: %v\n%s\n", err, supported())
		return exitWrongSettings
	}
	return exitOK
}

// listAll lists every dialect with its releases and what changed from the one before.
func listAll(w io.Writer) error {
	releases := map[string][]string{}
	var order []string
	for _, r := range fbs.Releases() {
		if r.Version == r.Dialect {
			order = append(order, r.Dialect)
		}
		releases[r.Dialect] = append(releases[r.Dialect], r.Version)
	}
	fmt.Fprintf(w, "%s\n%d releases, %d dialects.\n", supported(), len(fbs.Releases()), len(order))
	for i, dialect := range order {
		fmt.Fprintf(w, "\ndialect %s: %s\n", dialect, strings.Join(releases[dialect], " "))
		if i == 0 {
			continue
		}
		if err := printDifferences(w, order[i-1], dialect); err != nil {
			return err
		}
	}
	return nil
}

// listRelease lists the compat rules that a release has and the newest has not, and the differences of its schema.
func listRelease(w io.Writer, release string) error {
	d, err := fbs.Load(release)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "mediasoup %s speaks the dialect of %s.\n", release, d.Release())
	like, err := fbs.ServedLike(release)
	switch {
	case err != nil:
		return err
	case fbs.IsNewer(release):
		fmt.Fprintln(w, "It is newer than all that this worker knows, so that is a guess.")
	case like.Version != release:
		fmt.Fprintf(w, "It is not one that npm offers, and is served like %s, so that is a guess.\n", like.Version)
	}
	for _, rule := range fbs.CompatRules() {
		if order, _ := fbs.CompareReleases(release, rule.Until); order <= 0 { // both are releases
			fmt.Fprintf(w, "%s (until %s): %s\n", rule.Name, rule.Until, rule.Text)
		}
	}
	return listChanges(w, release, fbs.Newest())
}

func listChanges(w io.Writer, from, to string) error {
	fmt.Fprintf(w, "From %s to %s:\n", from, to)
	return printDifferences(w, from, to)
}

func printDifferences(w io.Writer, from, to string) error {
	lines, err := fbs.Differences(from, to)
	for _, line := range lines {
		fmt.Fprintln(w, "  "+line)
	}
	if err == nil && len(lines) == 0 {
		fmt.Fprintln(w, "  nothing")
	}
	return err
}
