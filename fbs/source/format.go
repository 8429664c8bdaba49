package source

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// scalars gives the scalar types of the schema language one name each: Go's.
var scalars = map[string]string{
	"bool": "bool", "byte": "int8", "ubyte": "uint8", "short": "int16", "ushort": "uint16", "int": "int32",
	"uint": "uint32", "long": "int64", "ulong": "uint64", "float": "float32", "double": "float64",
	"int8": "int8", "uint8": "uint8", "int16": "int16", "uint16": "uint16", "int32": "int32", "uint32": "uint32",
	"int64": "int64", "uint64": "uint64", "float32": "float32", "float64": "float64",
}

// format returns the text of a schema file, from the release on.
func format(s *schema, release string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "release %s\nroot %s\n", release, s.root)
	for _, name := range slices.Sorted(maps.Keys(s.enums)) {
		e := s.enums[name]
		base := scalars[e.base]
		if base == "" {
			return nil, fmt.Errorf("%s is based on %s, which is not a scalar", name, e.base)
		}
		fmt.Fprintf(&b, "enum %s %s\n", name, base)
		for _, m := range e.members {
			fmt.Fprintf(&b, "  %d %s\n", m.value, m.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.unions)) {
		if err := s.formatUnion(&b, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		if err := s.formatTable(&b, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return b.Bytes(), nil
}

func (s *schema) formatUnion(b *bytes.Buffer, name string) error {
	u := s.unions[name]
	fmt.Fprintf(b, "union %s\n", name)
	for i, m := range u.members {
		table, err := s.resolve(u.namespace, m.table)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "  %d %s %s\n", i+1, m.name, table)
	}
	return nil
}

func (s *schema) formatTable(b *bytes.Buffer, name string) error {
	t := s.tables[name]
	fmt.Fprintf(b, "table %s\n", name)
	slot := 0
	for _, f := range t.fields {
		typ, err := s.fieldType(t.namespace, f.typ)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if s.unions[typ] != nil {
			slot++ // the union's type goes before its value
		}
		attributes, err := s.attributes(f, typ)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if f.vector {
			typ = "[" + typ + "]"
		}
		fmt.Fprintf(b, "  %d %s %s%s\n", slot, f.name, typ, attributes)
		slot++
	}
	return nil
}

func (s *schema) fieldType(namespace, name string) (string, error) {
	if name == "string" {
		return name, nil
	}
	if scalar := scalars[name]; scalar != "" {
		return scalar, nil
	}
	return s.resolve(namespace, name)
}

// attributes returns the text after the type of a field.
func (s *schema) attributes(f field, typ string) (string, error) {
	switch e := s.enums[typ]; {
	case f.required:
		return " required", nil
	case f.isNull:
		return " = null", nil
	case f.def == "":
		return "", nil
	case e != nil:
		for _, m := range e.members {
			if m.name == f.def || strconv.Itoa(m.value) == f.def {
				return nonZero(strconv.Itoa(m.value)), nil
			}
		}
		return "", fmt.Errorf("%s has no member %s", typ, f.def)
	}
	return nonZero(f.def), nil
}

// nonZero returns the text of a default, "" for zero.
func nonZero(def string) string {
	if zero, err := strconv.ParseFloat(def, 64); def == "false" || (err == nil && zero == 0) {
		return ""
	}
	return " = " + def
}
