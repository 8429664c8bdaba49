package fbs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Differences returns what changed from the dialect of one release to that of another, one line per definition: names that
// were added (+), removed (-) or changed their type (~). Those that only changed their number on the wire are counted.
func Differences(from, to string) ([]string, error) {
	var both [2]*schema
	for i, release := range []string{from, to} {
		r, err := find(release)
		if err != nil {
			return nil, err
		}
		both[i] = embedded(r.Dialect)
	}
	return both[0].differences(both[1]), nil
}

// embedded returns the schema of a dialect.
func embedded(dialect string) *schema {
	text, err := schemas.ReadFile(schemaFile(dialect))
	if err == nil {
		var s *schema
		if s, err = parseSchema(string(text)); err == nil {
			return s
		}
	}
	panic(fmt.Sprintf("fbs: embedded schema of %s: %v", dialect, err))
}

// member is an entry of a definition: its number and the rest.
type member struct {
	number int
	text   string
}

// definitions returns all that a schema defines, with the entries of each by name.
func (s *schema) definitions() map[string]map[string]member {
	all := map[string]map[string]member{}
	for name, e := range s.enums {
		entries := map[string]member{}
		for n, value := range e.values {
			entries[n] = member{int(value), ""}
		}
		all["enum "+name] = entries
	}
	for name, u := range s.unions {
		entries := map[string]member{}
		for n, m := range u.members {
			entries[n] = member{int(m.tag), " " + m.table}
		}
		all["union "+name] = entries
	}
	for name, t := range s.tables {
		entries := map[string]member{}
		for _, f := range t.fields {
			entries[f.name] = member{f.slot, " " + f.String()}
		}
		all["table "+name] = entries
	}
	return all
}

const requiredSuffix = " required"

// String returns the field's type and attributes as in a schema file.
func (f fieldDef) String() string {
	typ := f.typ
	if f.vector {
		typ = "[" + typ + "]"
	}
	switch {
	case f.required:
		typ += requiredSuffix
	case f.optional:
		typ += " = null"
	case f.def != "":
		typ += " = " + f.def
	}
	return typ
}

// differences returns the lines for what changed from s to o.
func (s *schema) differences(o *schema) []string {
	was, is := s.definitions(), o.definitions()
	names := maps.Clone(was)
	maps.Copy(names, is)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		switch {
		case was[name] == nil:
			lines = append(lines, "+ "+name+": "+strings.Join(changes(nil, is[name]), ", "))
		case is[name] == nil:
			lines = append(lines, "- "+name)
		default:
			if c := changes(was[name], is[name]); c != nil {
				lines = append(lines, "  "+name+": "+strings.Join(c, ", "))
			}
		}
	}
	return lines
}

// misreads reports whether messages of the dialect o would be refused, or read as something else, in the dialect s.
func (s *schema) misreads(o *schema) bool {
	theirs := o.definitions()
	for name, entries := range s.definitions() {
		names := map[int]string{}
		for n, m := range theirs[name] {
			names[m.number] = n
		}
		for n, m := range entries {
			their, ok := theirs[name][n]
			switch {
			case ok && their != m:
				return true
			case !ok && (names[m.number] != "" || strings.HasSuffix(m.text, requiredSuffix)):
				return true
			}
		}
	}
	return false
}

// changes returns what changed in the entries of a definition.
func changes(was, is map[string]member) []string {
	names := maps.Clone(is)
	if names == nil {
		names = map[string]member{}
	}
	maps.Copy(names, was)
	var list []string
	moved := 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, old := was[name]
		after, young := is[name]
		switch {
		case !old:
			list = append(list, "+"+name+after.text)
		case !young:
			list = append(list, "-"+name+before.text)
		case before.text != after.text:
			list = append(list, "~"+name+before.text+" ->"+after.text)
		case before.number != after.number:
			moved++
		}
	}
	if moved > 0 {
		list = append(list, fmt.Sprintf("%d renumbered", moved))
	}
	return list
}
