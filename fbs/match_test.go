package fbs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// read returns the schema of a release, and its text.
func read(t *testing.T, release string) (*schema, string) {
	t.Helper()
	r, err := find(release)
	require.NoError(t, err)
	text, err := schemas.ReadFile(schemaFile(r.Dialect))
	require.NoError(t, err)
	s, err := parseSchema(string(text))
	require.NoError(t, err)
	return s, string(text)
}

// compiled returns the compiler after it has gone through everything, by way of the root.
func compiled(t *testing.T, s *schema) *compiler {
	t.Helper()
	c := newCompiler(s)
	_, err := c.root()
	require.NoError(t, err)
	return c
}

// TestSchemaAndGoHaveTheSame compares the newest dialect with the Go types: what one has, the other has too, with the same
// numbers and sizes.
func TestSchemaAndGoHaveTheSame(t *testing.T) {
	s, text := read(t, Newest())
	drift, err := CheckDrift(text)
	require.NoError(t, err)
	require.Equal(t, &Drift{Known: true, SameAs: s.release, Nearest: s.release}, drift)

	c := compiled(t, s)
	var differences []string
	goNames, seen := map[string]bool{}, map[string]bool{}
	for key, plan := range c.tables {
		goNames[key.goType.Name()], seen[key.name] = true, true
		require.Nil(t, plan.oldTable, key.name)
		for _, f := range plan.fields {
			require.Equal(t, f.scalar, f.goKind, "%s.%s", key.name, f.name)
		}
	}
	for key, plan := range c.enums {
		goNames[key.goType.Name()], seen[key.name] = true, true
		for wire, value := range plan.toGo {
			if value >= 0 && int(value) != wire {
				differences = append(differences, key.name+" has other numbers in Go")
			}
		}
	}
	for key := range c.unions {
		goNames[key.goType.Name()], seen[key.name] = true, true
	}
	for name := range s.definitions() {
		if _, name, _ = strings.Cut(name, " "); !seen[name] {
			differences = append(differences, name+" is not in Go")
		}
	}
	for _, name := range declared(t) {
		if !goNames[name] && ast.IsExported(name) {
			differences = append(differences, "api."+name+" is not in the schema")
		}
	}
	slices.Sort(differences)
	// The schema never refers to the first, so no message can hold it; the next two and api.Objects are not part of a
	// message; api.NumSCTPStreams belongs to older dialects, the last to that of sessions.
	require.Equal(t, []string{
		"FBS.Common.StringUint8 is not in Go", "api.Compat is not in the schema", "api.Load is not in the schema",
		"api.NumSCTPStreams is not in the schema", "api.Objects is not in the schema", "api.TransportRestore is not in the schema",
	}, differences)
}

// TestEveryDialectIsUnderstood lists all that the older dialects have and the Go types have not.
func TestEveryDialectIsUnderstood(t *testing.T) {
	dropped := map[string]string{
		"FBS.Worker.DumpResponse.liburing FBS.LibUring.Dump":            "a library of the C++ worker",
		"FBS.SctpParameters.SctpParameters.sctp_buffered_amount uint32": "a snapshot, for display",
	}
	met := map[string]bool{}
	for _, r := range Releases() {
		if r.Version != r.Dialect {
			continue
		}
		_, text := read(t, r.Version)
		drift, err := CheckDrift(text)
		require.NoError(t, err)
		require.NoError(t, drift.Refusal)
		require.Equal(t, r.Dialect, drift.SameAs)
		for _, name := range drift.Unknown {
			require.Contains(t, dropped, name, r.Version)
			met[name] = true
		}
	}
	require.Len(t, met, len(dropped))
}

// TestRetiredNamesExist checks that whatever the newest dialect lacks is in an older one.
func TestRetiredNamesExist(t *testing.T) {
	missing := maps.Clone(retired)
	for _, r := range Releases() {
		s, _ := read(t, r.Version)
		for key, plan := range compiled(t, s).tables {
			for _, f := range plan.fields {
				if plan.oldTable == nil {
					delete(missing, key.goType.String()+"."+key.goType.Field(f.index).Name)
				} else {
					delete(missing, "api."+key.goType.Name()+"."+plan.oldTable.old.Field(f.index).Name)
				}
			}
		}
		for key, plan := range compiled(t, s).enums {
			for value, name := range reflect.Zero(key.goType).Interface().(namedEnum).EnumNames() {
				if plan.toWire[value] >= 0 {
					delete(missing, key.goType.String()+"."+name)
				}
			}
		}
	}
	require.Empty(t, missing)
}

// declared returns the names of engine/api's types that are part of the protocol.
func declared(t *testing.T) []string {
	t.Helper()
	files, err := os.ReadDir("../engine/api")
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file.Name(), "_test.go") || !strings.HasSuffix(file.Name(), ".go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), "../engine/api/"+file.Name(), nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				names = append(names, spec.Name.Name)
			}
			return true
		})
	}
	require.Greater(t, len(names), 150)
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains([]string{"UnionMember", "Error", "ErrorKind", "Worker", "Emitter"}, name)
	})
}
