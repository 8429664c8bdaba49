// Command bom says what is linked into a release's programs, by what the linker has written into them: a bill of materials
// (CycloneDX) and a file with all licences and notices. It fails if a licence is not known or not in the list of those allowed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	version := flag.String("version", "", "`version` of the release")
	licence := flag.String("licence", "ISC", "`id` of the project's own licence (SPDX)")
	allowed := flag.String("allow", "MIT,ISC,BSD-2-Clause,BSD-3-Clause,Apache-2.0,CC0-1.0", "`ids` of licences that libraries may have (SPDX)")
	source := flag.String("source", ".", "`folder` of the module that the programs were built from")
	out := flag.String("out", ".", "`folder` for bom.cdx.json and THIRD-PARTY.txt")
	flag.Parse()
	if err := run(*version, *licence, strings.Split(*allowed, ","), *source, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bom:", err)
		os.Exit(1)
	}
}

func run(version, licence string, allowed []string, source, out string, binaries []string) error {
	programs, err := readPrograms(binaries)
	if err != nil {
		return err
	}
	libraries, err := readLibraries(programs, source)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range libraries {
		errs = append(errs, l.check(allowed))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "THIRD-PARTY.txt"), []byte(notices(libraries)), 0o644); err != nil {
		return err
	}
	return writeBOM(filepath.Join(out, "bom.cdx.json"), version, licence, programs, libraries)
}
