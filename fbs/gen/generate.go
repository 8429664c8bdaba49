package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gazpacho/fbs"
	"gazpacho/fbs/source"
)

// fromPackage is how the schema of a release is known when its npm package was read.
const fromPackage = "package"

// releaseSchema is the schema of one release, or that of the release whose schema it shares.
type releaseSchema struct {
	release  string
	evidence string // how it is known: fromPackage, or what the list of inferred releases says
	made     string // of what the schema file was made
	like     string // an inferred release: the one whose schema it has
	text     []byte // the schema; nil if like is another release
}

// content returns the schema without the line that names the release.
func (s *releaseSchema) content() []byte {
	_, rest, _ := bytes.Cut(s.text, []byte("\n"))
	return rest
}

// generate writes the files of all packages in the folders within a folder and of all inferred releases, and removes those of
// before.
func generate(packages, inferred, out string) error {
	schemas, err := readPackages(packages)
	if err != nil {
		return err
	}
	if inferred != "" {
		if schemas, err = addInferred(schemas, inferred); err != nil {
			return err
		}
	}
	stale, _ := filepath.Glob(filepath.Join(out, "*.fbsc")) // the pattern is valid, and that is the only error
	for _, name := range stale {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	dialects, err := writeDialects(schemas, out)
	if err != nil {
		return err
	}
	return writeTable(schemas, dialects, filepath.Join(out, "releases.txt"))
}

// writeDialects writes a file for each schema that no older release has, and returns the dialect of each release that has a
// schema of its own.
func writeDialects(schemas []releaseSchema, out string) (map[string]string, error) {
	dialects := map[string]string{}
	var written []releaseSchema
	for _, s := range schemas {
		if s.text == nil {
			continue
		}
		i := slices.IndexFunc(written, func(w releaseSchema) bool { return bytes.Equal(w.content(), s.content()) })
		if i < 0 {
			i = len(written)
			written = append(written, s)
			text := fmt.Appendf(nil, "# Made by fbs/gen from %s. Do not edit.\n%s", s.made, s.text)
			if err := os.WriteFile(filepath.Join(out, s.release+".fbsc"), text, 0o644); err != nil {
				return nil, err
			}
		}
		dialects[s.release] = written[i].release
	}
	return dialects, nil
}

const tableHeader = `# Made by fbs/gen. Each release of mediasoup, the one whose schema file serves it, and how that is known:
#   package        its npm package was read
#   repository     its tag was read in mediasoup's repository
#   enclosed       the releases before and after it have the same schema
#   placed         the change log names the one change between its neighbours
#   reconstructed  by the change log, from several changes between two known schemas
#   compatible     its own schema is another one, but this one serves it: what differs, applications do not read
`

// writeTable writes the table of releases.
func writeTable(schemas []releaseSchema, dialects map[string]string, name string) error {
	table := bytes.NewBufferString(tableHeader)
	for _, s := range schemas {
		dialect := dialects[s.release]
		if s.text == nil {
			dialect = dialects[s.like]
		}
		if dialect == "" {
			return fmt.Errorf("%s is like %s, which has no schema", s.release, s.like)
		}
		fmt.Fprintln(table, s.release, dialect, s.evidence)
	}
	return os.WriteFile(name, table.Bytes(), 0o644)
}

// readPackages reads the schemas of all packages, oldest release first.
func readPackages(folder string) ([]releaseSchema, error) {
	folders, err := filepath.Glob(filepath.Join(folder, "*", "package.json"))
	if err != nil || len(folders) == 0 {
		return nil, fmt.Errorf("no package in the folders of %s (%v)", folder, err)
	}
	var schemas []releaseSchema
	for _, name := range folders {
		release, text, err := source.Read(filepath.Dir(name))
		if err != nil {
			return nil, err
		}
		if _, err := fbs.CompareReleases(release, release); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		schemas = append(schemas, releaseSchema{
			release: release, evidence: fromPackage, made: "the npm package mediasoup " + release, text: text,
		})
	}
	sortReleases(schemas)
	return schemas, nil
}

// sortReleases puts the oldest release first. All are valid.
func sortReleases(schemas []releaseSchema) {
	slices.SortFunc(schemas, func(a, b releaseSchema) int {
		order, _ := fbs.CompareReleases(a.release, b.release)
		return order
	})
}
