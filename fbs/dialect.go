package fbs

import (
	"embed"
	"fmt"
	"slices"
	"sync"
)

// schemas holds one file per dialect, named after a release of mediasoup that speaks it, and the table of releases.
//
//go:embed schema/*.fbsc schema/releases.txt session.txt
var schemas embed.FS

// Dialect is the wire format of one or more releases of mediasoup. It is immutable and safe for concurrent use.
type Dialect struct {
	release string
	root    *tablePlan // FBS.Message.Message as an api.Message
}

// Release returns the release of mediasoup that the dialect is named after, such as "3.27.0".
func (d *Dialect) Release() string { return d.release }

// Load returns the dialect of a release of mediasoup, such as "3.27.1". A release that is not known gets that of the nearest
// older one, or of the nearest younger one if the older would refuse or misread its messages; one newer than all gets the
// newest. It fails if release is not a version number, or is older than all dialects. Dialects are compiled on first use and
// shared.
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

// newDialect compiles an embedded schema file. The Go types must have every required field.
func newDialect(text string) (*Dialect, error) {
	d, lacking, err := Compile(text)
	if err == nil {
		err = missing(lacking)
	}
	return d, err
}

// Compile compiles the text of a schema file, as package fbs/source writes it, against the Go types. lacking names the required
// fields that the Go types do not have; messages are sent without them, and the Node library reads them as null. It fails if
// the text is not a schema, or one that does not fit the Go types.
func Compile(text string) (d *Dialect, lacking []string, err error) {
	s, err := parseSchema(text)
	if err != nil {
		return nil, nil, err
	}
	c := newCompiler(s)
	root, err := c.root()
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(c.lacking)
	return &Dialect{release: s.release, root: root}, c.lacking, nil
}
