package fbs

import (
	"embed"
	"fmt"
	"sync"
)

// schemas holds one file per dialect, named by the first release of mediasoup that speaks it, and the table of releases.
//
//go:embed schema/*.fbsc schema/releases.txt
var schemas embed.FS

// Dialect is the wire format of one or more consecutive releases of mediasoup. It is immutable and safe for concurrent use.
type Dialect struct {
	release string
	root    *tablePlan // FBS.Message.Message as an api.Message
}

// Release returns the release of mediasoup that the dialect is named after, such as "3.27.0".
func (d *Dialect) Release() string { return d.release }

// Load returns the dialect of a release of mediasoup, such as "3.27.1". A release that is not known gets the dialect of
// the youngest one known that is not younger, so one that is newer than all gets the newest dialect. The error tells that
// release is no version number, or older than all dialects. Dialects are compiled on first use and shared.
func Load(release string) (*Dialect, error) {
	r, err := find(release)
	if err != nil {
		return nil, err
	}
	return loadFile(schemaFile(r.Dialect)), nil
}

// schemaFile returns the name of the embedded file of a dialect.
func schemaFile(dialect string) string { return "schema/" + dialect + ".fbsc" }

// loaded keeps the compiled dialects by file name.
var loaded sync.Map

// loadFile compiles an embedded schema. One that does not fit the Go types is a build error, caught by tests.
func loadFile(name string) *Dialect {
	if d, ok := loaded.Load(name); ok {
		return d.(*Dialect)
	}
	text, err := schemas.ReadFile(name)
	if err == nil {
		var d *Dialect
		if d, err = newDialect(string(text)); err == nil {
			actual, _ := loaded.LoadOrStore(name, d)
			return actual.(*Dialect)
		}
	}
	panic(fmt.Sprintf("fbs: embedded schema %s: %v", name, err))
}

// newDialect compiles the text of a schema file against the Go types.
func newDialect(text string) (*Dialect, error) {
	s, err := parseSchema(text)
	if err != nil {
		return nil, err
	}
	c := newCompiler(s)
	root, err := c.root()
	if err == nil {
		err = c.missing()
	}
	if err != nil {
		return nil, err
	}
	return &Dialect{release: s.release, root: root}, nil
}
