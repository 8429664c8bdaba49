package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// licenceFile is a file that has to go with the library.
type licenceFile struct {
	name string // within the module
	text string
}

var (
	licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([-._].*)?$`)
	noticeName  = regexp.MustCompile(`(?i)^(notice|patents)([-._].*)?$`)
)

// enough is the part of a licence file, in per cent, that must be a known licence: the rest is names and years.
const enough = 75

// read adds the licences and notices of a package: those in its folder, and in those above it up to the module's root.
func (l *library) read(root, folder string) error {
	for {
		for _, dir := range []string{folder, filepath.Join(folder, "LICENSES")} { // the second by the REUSE specification
			entries, err := os.ReadDir(dir)
			if err != nil && !os.IsNotExist(err) {
				return err
			}
			for _, e := range entries {
				if e.Type().IsRegular() {
					if err := l.readFile(root, dir, e.Name()); err != nil {
						return err
					}
				}
			}
		}
		if folder == root {
			return nil
		}
		folder = filepath.Dir(folder)
	}
}

func (l *library) readFile(root, dir, name string) error {
	isLicence := licenceName.MatchString(name) || filepath.Base(dir) == "LICENSES"
	if !isLicence && !noticeName.MatchString(name) || strings.HasSuffix(name, ".go") {
		return nil
	}
	within, err := filepath.Rel(root, filepath.Join(dir, name))
	if err != nil || slices.ContainsFunc(l.files, func(f licenceFile) bool { return f.name == within }) {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	l.files = append(l.files, licenceFile{name: within, text: string(text)})
	if !isLicence {
		return nil
	}
	ids, err := classify(text)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", l.id(), within, err)
	}
	for _, id := range ids {
		if !slices.Contains(l.licences, id) {
			l.licences = append(l.licences, id)
		}
	}
	slices.Sort(l.licences)
	return nil
}

// classify returns which licences a file consists of.
func classify(text []byte) (ids []string, err error) {
	coverage := licensecheck.Scan(text)
	for _, m := range coverage.Match {
		if !m.IsURL {
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == 0 || coverage.Percent < enough {
		return nil, fmt.Errorf("the licence is not known (%.0f %% of the text are)", coverage.Percent)
	}
	return ids, nil
}

// check fails if the library has no licence, or one that is not allowed.
func (l *library) check(allowed []string) error {
	if len(l.licences) == 0 {
		return fmt.Errorf("%s has no licence", l.id())
	}
	for _, id := range l.licences {
		if !slices.Contains(allowed, id) {
			return fmt.Errorf("%s: the licence %s is not allowed", l.id(), id)
		}
	}
	return nil
}

// notices returns a table of the libraries, and all licences and notices. Those that several share are written once.
func notices(libraries []*library) string {
	var b strings.Builder
	b.WriteString("The programs of Gazpacho contain these libraries. Their licences and notices follow.\n\n")
	var texts []string
	of := map[string][]string{} // by text: the files
	for _, l := range libraries {
		fmt.Fprintf(&b, "  %-60s %s\n", l.path+" "+l.version, strings.Join(l.licences, " AND "))
		for _, f := range l.files {
			if of[f.text] == nil {
				texts = append(texts, f.text)
			}
			of[f.text] = append(of[f.text], l.path+": "+f.name)
		}
	}
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(of[text], "\n"), strings.TrimRight(text, "\n"))
	}
	return b.String()
}
