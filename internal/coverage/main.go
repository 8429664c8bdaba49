// Coverage checks that tests reach every statement, but for what a list names with reasons:
//
//	coverage PROFILE LIST
//
// PROFILE is what go test -coverprofile writes. A line of LIST names a function, how many of its statements no test reaches, and why:
//
//	scaling/identity/issue.go:writeFile 2 the disk is not full in tests
//	scaling/remote/worker.go:Worker.serve 0-1 only on a slow machine
//
// A range is for statements that tests reach by chance only. Coverage fails if a function has other numbers than the list says, so
// whoever covers what is listed, or removes it, has to take it off the list. It is run from the folder of the module.
package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: coverage PROFILE LIST")
		os.Exit(2)
	}
	ok, err := run(os.Stdout, os.Args[1], os.Args[2], ".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run prints the figures of each package and what is wrong, and reports whether nothing is.
func run(w io.Writer, profile, list, module string) (ok bool, err error) {
	functions, err := readProfile(profile, module)
	if err != nil {
		return false, err
	}
	exceptions, err := readList(list)
	if err != nil {
		return false, err
	}
	report(w, functions)
	complaints := compare(functions, exceptions)
	for _, c := range complaints {
		fmt.Fprintln(w, c)
	}
	return len(complaints) == 0, nil
}

// counts are statements of a function or package.
type counts struct{ statements, missed int }

// report prints the figures of each package.
func report(w io.Writer, functions map[string]counts) {
	packages := map[string]counts{}
	for name, c := range functions {
		p := packages[path.Dir(name)]
		packages[path.Dir(name)] = counts{p.statements + c.statements, p.missed + c.missed}
	}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		p := packages[name]
		fmt.Fprintf(w, "%6.2f %% of %5d statements  %s\n", 100*float64(p.statements-p.missed)/float64(p.statements), p.statements, name)
	}
}

// compare returns what differs from the list.
func compare(functions map[string]counts, exceptions map[string]exception) (complaints []string) {
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		e, missed := exceptions[name], functions[name].missed
		switch {
		case missed > e.most:
			complaints = append(complaints, fmt.Sprintf("not covered: %s %d (listed: %d)", name, missed, e.most))
		case missed < e.least:
			complaints = append(complaints, fmt.Sprintf("covered, but listed: %s %d (listed: %d)", name, missed, e.least))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exceptions)) {
		if _, known := functions[name]; !known {
			complaints = append(complaints, fmt.Sprintf("listed, but gone: %s", name))
		}
	}
	return complaints
}
