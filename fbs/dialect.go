package fbs

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gazpacho/engine/api"
)

// schemas holds one file per dialect, named by the first release of mediasoup that the file is valid for.
//
//go:embed schema/*.fbsc
var schemas embed.FS

// Dialect is the wire format of one or more consecutive releases of mediasoup. It is immutable and safe for concurrent use.
type Dialect struct {
	release string
	root    *tablePlan // FBS.Message.Message as an api.Message
}

// Release returns the first release of mediasoup that speaks the dialect, such as "3.27.1".
func (d *Dialect) Release() string { return d.release }

// Load returns the dialect of a release of mediasoup, such as "3.27.1": the newest one that is not newer than the
// release. So a release that is younger than all known dialects gets the newest of them. The error tells that release is
// no version number, or older than all dialects. Dialects are compiled on first use and shared.
func Load(release string) (*Dialect, error) {
	wanted, err := parseVersion(release)
	if err != nil {
		return nil, err
	}
	var best string
	names, _ := fs.Glob(schemas, "schema/*.fbsc") // the pattern is right, and that is the only error
	var bestVersion version
	for _, name := range names {
		v, err := parseVersion(strings.TrimSuffix(strings.TrimPrefix(name, "schema/"), ".fbsc"))
		if err != nil {
			panic(fmt.Sprintf("fbs: the embedded schema %s is not named by a release: %v", name, err))
		}
		if v.compare(wanted) <= 0 && (best == "" || v.compare(bestVersion) > 0) {
			best, bestVersion = name, v
		}
	}
	if best == "" {
		return nil, fmt.Errorf("mediasoup %s is older than every release that this worker speaks", release)
	}
	return loadFile(best), nil
}

// loaded keeps the compiled dialects by file name.
var loaded sync.Map

// loadFile compiles an embedded schema. One that does not fit the Go types is a mistake of the build.
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
	c := compiler{schema: s, tables: map[tableKey]*tablePlan{}, enums: map[enumKey]*enumPlan{}, unions: map[unionKey]*unionPlan{}}
	root, err := c.table(s.root, reflect.TypeFor[api.Message]())
	if err != nil {
		return nil, err
	}
	return &Dialect{release: s.release, root: root}, nil
}

// version is a release number: major, minor, patch.
type version [3]int

var errVersion = errors.New("not a release of mediasoup, such as 3.27.1")

func parseVersion(s string) (version, error) {
	var v version
	parts := strings.Split(s, ".")
	if len(parts) != len(v) {
		return v, fmt.Errorf("%q: %w", s, errVersion)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return v, fmt.Errorf("%q: %w", s, errVersion)
		}
		v[i] = int(n)
	}
	return v, nil
}

func (v version) compare(o version) int {
	return slices.CompareFunc(v[:], o[:], cmp.Compare[int])
}
