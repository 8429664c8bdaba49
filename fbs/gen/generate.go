package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gazpacho/fbs"
)

// packageSchema is what one package gives.
type packageSchema struct {
	release string
	text    []byte
}

// content returns the text without the lines that name the release.
func (p *packageSchema) content() []byte {
	rest := p.text
	for range 2 {
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	return rest
}

// generate writes the files of all packages in the folders within a folder, and removes schema files of before.
func generate(packages, out string) error {
	schemas, err := readPackages(packages)
	if err != nil {
		return err
	}
	stale, _ := filepath.Glob(filepath.Join(out, "*.fbsc")) // the pattern is right, and that is the only error
	for _, name := range stale {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	var table bytes.Buffer
	fmt.Fprintln(&table, "# Made by fbs/gen from the npm packages of mediasoup: each release, and the one whose schema file is its own.")
	var dialects []packageSchema
	for _, p := range schemas {
		i := slices.IndexFunc(dialects, func(d packageSchema) bool { return bytes.Equal(d.content(), p.content()) })
		if i < 0 {
			i = len(dialects)
			dialects = append(dialects, p)
			if err := os.WriteFile(filepath.Join(out, p.release+".fbsc"), p.text, 0o644); err != nil {
				return err
			}
		}
		fmt.Fprintln(&table, p.release, dialects[i].release)
	}
	return os.WriteFile(filepath.Join(out, "releases.txt"), table.Bytes(), 0o644)
}

// readPackages reads the schemas of all packages, oldest release first.
func readPackages(folder string) ([]packageSchema, error) {
	folders, err := filepath.Glob(filepath.Join(folder, "*", "package.json"))
	if err != nil || len(folders) == 0 {
		return nil, fmt.Errorf("no package in the folders of %s (%v)", folder, err)
	}
	var schemas []packageSchema
	for _, name := range folders {
		release, text, err := readSchema(filepath.Dir(name))
		if err != nil {
			return nil, err
		}
		if _, err := fbs.CompareReleases(release, release); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		schemas = append(schemas, packageSchema{release, text})
	}
	slices.SortFunc(schemas, func(a, b packageSchema) int {
		order, _ := fbs.CompareReleases(a.release, b.release) // both have been checked
		return order
	})
	return schemas, nil
}
