package main

import (
	"fmt"
	"io"
	"strings"

	"gazpacho/fbs"
)

// dialectsCommand is the argument that lists the dialects, in place of options.
const dialectsCommand = "dialects"

const dialectsUsage = `usage: mediasoup-worker dialects                the releases served, and what changed from dialect to dialect
       mediasoup-worker dialects <release>      what this release says differently from the newest
       mediasoup-worker dialects <from> <to>    what changed from one release to another
`

// listDialects runs the command and returns the exit code.
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
		if releases[r.Dialect] == nil {
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

// listRelease lists how a release differs from the newest: its compat rules and its schema.
func listRelease(w io.Writer, release string) error {
	d, err := fbs.Load(release)
	if err != nil {
		return err
	}
	like, err := fbs.ServedLike(release)
	switch {
	case err != nil:
		return err
	case !fbs.IsKnown(release):
		fmt.Fprintf(w, "This worker does not know mediasoup %s. It speaks the schema of the application's package, or if it does not find that, "+
			"the dialect of %s.\n", release, d.Release())
	case like.Evidence != fbs.FromPackage:
		fmt.Fprintf(w, "mediasoup %s speaks the dialect of %s (%s: docs/releases.md explains the word).\n", release, d.Release(), like.Evidence)
	default:
		fmt.Fprintf(w, "mediasoup %s speaks the dialect of %s.\n", release, d.Release())
	}
	for _, rule := range fbs.CompatRules() {
		if applies, _ := rule.AppliesTo(release); applies { // the release is valid
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
