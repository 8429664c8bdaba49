package main

import (
	"fmt"
	"io"

	"gazpacho/fbs"
	"gazpacho/fbs/source"
)

// reportDrift writes what a maintainer has to know of the package in a folder: whether its schema is that of a dialect
// known, and otherwise what is new in it and whether the Go types have it.
func reportDrift(folder string, w io.Writer) error {
	release, text, err := source.Read(folder)
	if err != nil {
		return err
	}
	drift, err := fbs.CheckDrift(string(text))
	if err != nil {
		return err
	}
	switch {
	case drift.Known && drift.SameAs != "":
		fmt.Fprintf(w, "mediasoup %s is known. It speaks the dialect of %s.\n", release, drift.SameAs)
	case drift.SameAs != "":
		fmt.Fprintf(w, "mediasoup %s speaks the dialect of %s.\n\n"+
			"make generate adds it to fbs/schema/releases.txt; nothing else has to be done for the protocol.\n",
			release, drift.SameAs)
	default:
		fmt.Fprintf(w, "mediasoup %s speaks a new dialect. Against that of %s, the nearest:\n\n", release, drift.Nearest)
		for _, line := range drift.Changes {
			fmt.Fprintln(w, "  "+line)
		}
	}
	section(w, "Not in engine/api, so it is dropped when received and never sent (add it to the Go type):", drift.Unknown)
	section(w, "In engine/api, but not in this dialect (give its meaning for this release in a compat rule of fbs, if it has one):", drift.Gone)
	if drift.Refusal != nil {
		fmt.Fprintf(w, "\nThe codec refuses this schema until this is solved:\n  %v\n", drift.Refusal)
	}
	return nil
}

func section(w io.Writer, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, line := range lines {
		fmt.Fprintln(w, "  "+line)
	}
}
