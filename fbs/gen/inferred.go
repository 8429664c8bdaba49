package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gazpacho/fbs"
)

// addInferred adds the releases that the folder's releases.txt lists, unless their packages have been read. A line is
//
//	<release> <the release whose schema it has> <evidence>
//
// with the words for evidence that tableHeader explains. A release with a schema of its own names itself; its file <release>.txt
// says how it differs from that of another release.
func addInferred(schemas []releaseSchema, folder string) ([]releaseSchema, error) {
	text, err := os.ReadFile(filepath.Join(folder, "releases.txt"))
	if err != nil {
		return nil, err
	}
	known := map[string][]byte{}
	for _, s := range schemas {
		known[s.release] = s.text
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) != 3 {
			return nil, fmt.Errorf("releases.txt: %q is not a release, another one and its evidence", line)
		}
		s := releaseSchema{release: words[0], like: words[1], evidence: words[2]}
		if _, err := fbs.CompareReleases(s.release, s.release); err != nil {
			return nil, err
		}
		if known[s.release] != nil {
			continue
		}
		if s.like == s.release {
			if err := s.derive(folder, known); err != nil {
				return nil, fmt.Errorf("%s.txt: %w", s.release, err)
			}
		}
		schemas = append(schemas, s)
	}
	sortReleases(schemas)
	return schemas, nil
}

// derive makes the schema by the release's file, which begins with "base <release>" and goes on with whole definitions in the
// format of schema files, in place of those of the base, and with lines "remove <kind> <name>".
func (s *releaseSchema) derive(folder string, known map[string][]byte) error {
	edits, err := os.ReadFile(filepath.Join(folder, s.release+".txt"))
	if err != nil {
		return err
	}
	var base string
	var definitions []definition
	for _, edit := range split(edits) {
		if base == "" {
			var ok bool
			if base, ok = strings.CutPrefix(edit.head, "base "); !ok || known[base] == nil {
				return fmt.Errorf("%q does not name the base, a release whose package was read", edit.head)
			}
			definitions = split(known[base])
			continue
		}
		name, remove := strings.CutPrefix(edit.head, "remove ")
		i := slices.IndexFunc(definitions, func(d definition) bool { return d.head == name })
		switch {
		case i < 0:
			return fmt.Errorf("%s has no %q", base, name)
		case remove:
			definitions = slices.Delete(definitions, i, i+1)
		default:
			definitions[i] = edit
		}
	}
	if base == "" {
		return errors.New("it is empty")
	}
	definitions[0].head = "release " + s.release
	s.made = fmt.Sprintf("%s's schema and fbs/gen/inferred/%s.txt", base, s.release)
	for _, d := range definitions {
		s.text = fmt.Appendf(s.text, "%s\n%s", d.head, d.members)
	}
	return nil
}

// definition is a line of a schema file that is not indented, and the indented ones that follow.
type definition struct{ head, members string }

// split splits the text of a schema file, without comments.
func split(text []byte) (all []definition) {
	for line := range bytes.Lines(text) {
		switch {
		case line[0] == '#' || line[0] == '\n':
		case line[0] == ' ' && len(all) > 0:
			all[len(all)-1].members += string(line)
		default:
			all = append(all, definition{head: strings.TrimSpace(string(line))})
		}
	}
	return all
}
