package source

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// schema holds the definitions of a set of .fbs files by full name. The names inside a definition are as written, to be
// resolved in its namespace.
type schema struct {
	root   string
	enums  map[string]*enum
	unions map[string]*union
	tables map[string]*table
}

type enum struct {
	base    string
	members []member
}

type member struct {
	name  string
	value int
}

type union struct {
	namespace string
	members   []unionMember // numbered from 1 on
}

type unionMember struct{ name, table string }

type table struct {
	namespace string
	fields    []field
}

type field struct {
	name, typ, def           string
	vector, required, isNull bool
}

// Chosen here: bounds of what is read. The schemas of mediasoup 3.27.1 are 28 files with 40 KB, 200 definitions and 900 members.
const (
	maxFiles       = 128
	maxBytes       = 1 << 20 // of all files together
	maxDefinitions = 1024    // tables, enums and unions
	maxMembers     = 1 << 13 // fields and members of all of them
	maxNameLen     = 256     // of a word, and of a full name
)

// parser reads .fbs files: the subset of FlatBuffers' schema language that mediasoup uses.
type parser struct {
	*lexer
	*budget
	files     fs.FS
	seen      map[string]bool
	namespace string
	schema    *schema
}

// budget is what may still be read of all files.
type budget struct{ bytes, definitions, members int }

// parseFiles reads a file and all it includes. The root is that of the file itself.
func parseFiles(files fs.FS, name string) (*schema, error) {
	p := parser{
		budget: &budget{maxBytes, maxDefinitions, maxMembers}, files: files, seen: map[string]bool{},
		schema: &schema{enums: map[string]*enum{}, unions: map[string]*union{}, tables: map[string]*table{}},
	}
	err := p.file(name)
	return p.schema, err
}

// file reads a file once. Included files come first, so that its own root replaces theirs.
func (p *parser) file(name string) error {
	if p.seen[name] {
		return nil
	}
	if p.seen[name] = true; len(p.seen) > maxFiles {
		return fmt.Errorf("%s: more than %d files", name, maxFiles)
	}
	text, err := readFile(p.files, name, p.bytes)
	if err != nil {
		return err
	}
	p.bytes -= len(text)
	inner := parser{lexer: newLexer(name, string(text)), budget: p.budget, files: p.files, seen: p.seen, schema: p.schema}
	for inner.token != "" {
		if err := inner.definition(); err != nil {
			return err
		}
	}
	return inner.err
}

func (p *parser) definition() error {
	switch keyword := p.next(); keyword {
	case "include":
		name := p.quoted()
		p.expect(";")
		if p.err == nil {
			return p.file(name)
		}
	case "namespace":
		p.namespace = p.path()
		p.expect(";")
	case "root_type":
		p.schema.root = p.full(p.path())
		p.expect(";")
	case "table":
		p.table()
	case "enum":
		p.enum()
	case "union":
		p.union()
	default:
		p.fail("%q is not supported", keyword)
	}
	return nil
}

// full returns the full name of a definition in the current namespace.
func (p *parser) full(name string) string {
	return strings.TrimPrefix(p.namespace+"."+name, ".")
}

// define reads the name of a definition, and returns it in full.
func (p *parser) define() string {
	name := p.full(p.word())
	p.definitions--
	switch {
	case p.definitions < 0:
		p.fail("more than %d definitions", maxDefinitions)
	case len(name) > maxNameLen:
		p.fail("a name of %d bytes", len(name))
	case p.schema.has(name):
		p.fail("%s is defined twice", name)
	}
	return name
}

// more reports whether another field or member of a definition follows the last one.
func (p *parser) more() bool {
	if p.err != nil || p.accept("}") {
		return false
	}
	if p.members--; p.members < 0 {
		p.fail("more than %d fields and members", maxMembers)
	}
	return p.err == nil
}

func (p *parser) table() {
	t := &table{namespace: p.namespace}
	p.schema.tables[p.define()] = t
	p.expect("{")
	for p.more() {
		f := p.field()
		if slices.ContainsFunc(t.fields, func(o field) bool { return o.name == f.name }) {
			p.fail("a second field %s", f.name)
		}
		t.fields = append(t.fields, f)
	}
}

// field reads "name: type = default (required);".
func (p *parser) field() field {
	f := field{name: p.word()}
	p.expect(":")
	if f.vector = p.accept("["); f.vector {
		f.typ = p.path()
		p.expect("]")
	} else {
		f.typ = p.path()
	}
	if p.accept("=") {
		if f.isNull = p.accept("null"); !f.isNull {
			f.def = p.value()
		}
	}
	if p.accept("(") {
		p.expect("required")
		p.expect(")")
		f.required = true
	}
	p.expect(";")
	return f
}

// enum reads "name: type { A = 1, B, }". A member without a value gets its predecessor's plus one.
func (p *parser) enum() {
	e := &enum{}
	p.schema.enums[p.define()] = e
	p.expect(":")
	e.base = p.word()
	p.expect("{")
	for next := 0; p.more(); next++ {
		m := member{name: p.word()}
		if p.accept("=") {
			var err error
			if next, err = strconv.Atoi(p.value()); err != nil {
				p.fail("%v", err)
			}
		}
		m.value = next
		e.members = append(e.members, m)
		p.separator()
	}
}

// union reads "name { A, Alias: B, }". A member without an alias is named after its type, with underscores for dots.
func (p *parser) union() {
	u := &union{namespace: p.namespace}
	p.schema.unions[p.define()] = u
	p.expect("{")
	for p.more() {
		m := unionMember{table: p.path()}
		m.name = strings.ReplaceAll(m.table, ".", "_")
		if p.accept(":") {
			m.table = p.path()
		}
		u.members = append(u.members, m)
		p.separator()
	}
}

// separator reads the comma after a member, optional after the last.
func (p *parser) separator() {
	if p.token != "}" {
		p.expect(",")
	}
}

// has reports whether a full name is defined.
func (s *schema) has(full string) bool {
	return s.tables[full] != nil || s.enums[full] != nil || s.unions[full] != nil
}

// resolve returns the full name of what a name refers to in a namespace: the innermost definition.
func (s *schema) resolve(namespace, name string) (string, error) {
	for {
		full := strings.TrimPrefix(namespace+"."+name, ".")
		if s.has(full) {
			return full, nil
		}
		if namespace == "" {
			return "", fmt.Errorf("%s is not defined", name)
		}
		namespace = namespace[:max(strings.LastIndex(namespace, "."), 0)]
	}
}
