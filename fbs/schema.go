package fbs

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// schema is the content of a schema file, in the format that fbs/source describes.
type schema struct {
	release string
	root    string
	enums   map[string]*enumDef
	unions  map[string]*unionDef
	tables  map[string]*tableDef
}

// enumDef is an enum: the numbers of its members on the wire.
type enumDef struct {
	name   string
	base   string // the scalar type on the wire
	values map[string]uint8
}

// unionDef is a union: the number and the table of each member.
type unionDef struct {
	name    string
	members map[string]unionMemberDef
}

type unionMemberDef struct {
	tag   uint8
	table string
}

// tableDef is a table with its fields in the order of their slots.
type tableDef struct {
	name   string
	fields []fieldDef
}

// fieldDef is a field of a table. A union's slot is that of its value; its type has the slot before.
type fieldDef struct {
	name     string
	slot     int
	typ      string // scalar, "string", or the full name of a table, enum or union: of the elements in a vector
	vector   bool
	required bool
	optional bool // a scalar without default
	def      string
}

// maxSlots is the number of slots for which a table's 16-bit vtable size leaves room.
const maxSlots = (1<<16 - 1 - 4) / 2

// schemaParser reads a schema file line by line; an indented line belongs to the definition above it.
type schemaParser struct {
	schema *schema
	add    func(words []string) error // takes the indented lines of the definition at hand
}

// parseSchema reads the text of a schema file.
func parseSchema(text string) (*schema, error) {
	p := schemaParser{schema: &schema{enums: map[string]*enumDef{}, unions: map[string]*unionDef{}, tables: map[string]*tableDef{}}}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if err := p.line(words, strings.HasPrefix(line, " ")); err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", n, line, err)
		}
	}
	if p.schema.release == "" || p.schema.tables[p.schema.root] == nil {
		return nil, fmt.Errorf("the schema lacks its release or its root table")
	}
	return p.schema, lines.Err()
}

func (p *schemaParser) line(words []string, indented bool) error {
	if indented {
		if p.add == nil {
			return fmt.Errorf("belongs to no definition")
		}
		return p.add(words)
	}
	p.add = nil
	s := p.schema
	switch {
	case words[0] == "release" && len(words) == 2:
		s.release = words[1]
	case words[0] == "root" && len(words) == 2:
		s.root = words[1]
	case words[0] == "enum" && len(words) == 3:
		e := &enumDef{name: words[1], base: words[2], values: map[string]uint8{}}
		s.enums[e.name], p.add = e, e.add
	case words[0] == "union" && len(words) == 2:
		u := &unionDef{name: words[1], members: map[string]unionMemberDef{}}
		s.unions[u.name], p.add = u, u.add
	case words[0] == "table" && len(words) == 2:
		t := &tableDef{name: words[1]}
		s.tables[t.name], p.add = t, t.add
	case words[0] == "extend" && len(words) == 2 && s.tables[words[1]] != nil:
		p.add = s.tables[words[1]].add
	default:
		return fmt.Errorf("unknown definition")
	}
	return nil
}

// add reads "value name".
func (e *enumDef) add(words []string) error {
	if len(words) != 2 {
		return fmt.Errorf("an enum member is a value and a name")
	}
	value, err := strconv.ParseUint(words[0], 10, 8)
	e.values[words[1]] = uint8(value)
	return err
}

// add reads "tag name table".
func (u *unionDef) add(words []string) error {
	if len(words) != 3 {
		return fmt.Errorf("a union member is a tag, a name and a table")
	}
	tag, err := strconv.ParseUint(words[0], 10, 8)
	u.members[words[1]] = unionMemberDef{uint8(tag), words[2]}
	return err
}

// add reads "slot name type", then nothing, "required", "= null" or "= default".
func (t *tableDef) add(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("a field is a slot, a name and a type")
	}
	slot, err := strconv.ParseUint(words[0], 10, 16)
	if err != nil || slot >= maxSlots {
		return fmt.Errorf("slot %s is no number below %d", words[0], maxSlots)
	}
	f := fieldDef{name: words[1], slot: int(slot), typ: words[2]}
	if inner, ok := strings.CutPrefix(f.typ, "["); ok {
		f.typ, f.vector = strings.TrimSuffix(inner, "]"), true
	}
	switch rest := words[3:]; {
	case len(rest) == 0:
	case len(rest) == 1 && rest[0] == "required":
		f.required = true
	case len(rest) == 2 && rest[0] == "=" && rest[1] == "null":
		f.optional = true
	case len(rest) == 2 && rest[0] == "=":
		f.def = rest[1]
	default:
		return fmt.Errorf("unknown attribute %q", strings.Join(rest, " "))
	}
	t.fields = append(t.fields, f)
	return nil
}
