// Directorybench measures the directory of producers: five nodes, each a process with the server of gazpacho node, three of them with a
// server of the bus, all over TLS on the loopback interface. Workers that accept everything stand in for engines, so that what the processes
// take is what sessions, bus and directory take.
//
//	directorybench [-producers 100000] [-node NAME …]
//
// It prints a table in Markdown. docs/benchmarks.md shows the results.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	producers := flag.Int("producers", 100_000, "how many producers are registered")
	var c nodeConfig
	flag.StringVar(&c.name, "node", "", "be the node of this `name`: for the program itself")
	flag.StringVar(&c.folder, "tls-dir", "", "of a node")
	flag.StringVar(&c.listen, "listen", "", "of a node")
	flag.StringVar(&c.bus, "bus-address", "", "of a node")
	flag.StringVar(&c.join, "join", "", "of a node")
	flag.Parse()
	err := error(nil)
	if c.name != "" {
		err = c.run()
	} else {
		err = measure(*producers, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "directorybench:", err)
		os.Exit(1)
	}
}
