// Command gen writes the schema files that package fbs embeds: it reads the FlatBuffers schemas of unpacked mediasoup npm
// packages, one folder each, and writes one file per dialect and the table of releases.
//
//	go run ./fbs/gen -packages build/npm/releases -inferred fbs/gen/inferred -out fbs/schema
//
// Releases with the same schema share a file, named after the first of them: <release>.fbsc, in the format that package
// fbs/source describes. The table, releases.txt, has a line for each release: its number, that of its file, and how that is
// known. Releases that are not among the packages are taken from the folder of inferred ones; see its releases.txt.
//
// With -drift, it writes nothing, and reports instead how the package in a folder differs from the dialects known, and what to
// do about it:
//
//	go run ./fbs/gen -drift build/npm/releases/3.27.1
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	packages := flag.String("packages", "", "folder of folders with unpacked mediasoup npm packages")
	inferred := flag.String("inferred", "", "folder of what is known of other releases")
	out := flag.String("out", "", "folder to write the schema files to")
	drift := flag.String("drift", "", "folder of one unpacked mediasoup npm package, to compare with what is known")
	flag.Parse()
	var err error
	if *drift != "" {
		err = reportDrift(*drift, os.Stdout)
	} else {
		err = generate(*packages, *inferred, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
