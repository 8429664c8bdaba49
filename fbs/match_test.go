package fbs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

func read(t *testing.T, release string) (*schema, string) {
	t.Helper()
	text, err := os.ReadFile("schema/" + release + ".fbsc")
	require.NoError(t, err)
	s, err := parseSchema(string(text))
	require.NoError(t, err)
	return s, string(text)
}

// compiled returns the compiler after it has gone through everything, by way of the root.
func compiled(t *testing.T, s *schema) *compiler {
	t.Helper()
	c := &compiler{schema: s, tables: map[tableKey]*tablePlan{}, enums: map[enumKey]*enumPlan{}, unions: map[unionKey]*unionPlan{}}
	_, err := c.table(s.root, reflect.TypeFor[api.Message]())
	require.NoError(t, err)
	return c
}

// TestSchemaAndGoHaveTheSame lists what the newest schema has and Go has not, and the other way round.
func TestSchemaAndGoHaveTheSame(t *testing.T) {
	s, _ := read(t, "3.27.1")
	c := compiled(t, s)
	var differences []string
	goNames := map[string]bool{}
	seen := map[string]bool{}

	for key, plan := range c.tables {
		goNames[key.goType.Name()], seen[key.name] = true, true
		differences = append(differences, tableDifferences(s.tables[key.name], plan)...)
	}
	for key, plan := range c.enums {
		goNames[key.goType.Name()], seen[key.name] = true, true
		differences = append(differences, enumDifferences(s.enums[key.name], plan, key.goType)...)
	}
	for key, plan := range c.unions {
		goNames[key.goType.Name()], seen[key.name] = true, true
		if n := len(goUnions[key.goType]); len(plan.byTag) != len(s.unions[key.name].members) || len(plan.tags) != n {
			differences = append(differences, key.name+" and "+key.goType.Name()+" differ in members")
		}
	}
	for _, name := range s.names() {
		if !seen[name] {
			differences = append(differences, name+" is not in Go")
		}
	}
	for _, name := range declared(t) {
		if !goNames[name] {
			differences = append(differences, "api."+name+" is not in the schema")
		}
	}
	// Nothing in the schema refers to this table, so no message can hold it.
	require.Equal(t, []string{"FBS.Common.StringUint8 is not in Go"}, differences)
}

// names returns all that the schema defines.
func (s *schema) names() []string {
	var names []string
	for name := range s.tables {
		names = append(names, name)
	}
	for name := range s.enums {
		names = append(names, name)
	}
	for name := range s.unions {
		names = append(names, name)
	}
	return names
}

func tableDifferences(def *tableDef, plan *tablePlan) []string {
	var differences []string
	planned, indices := map[string]bool{}, map[int]bool{}
	for _, f := range plan.fields {
		planned[f.name], indices[f.index] = true, true
	}
	for _, f := range def.fields {
		if !planned[f.name] {
			differences = append(differences, def.name+"."+f.name+" is not in "+plan.goType.Name())
		}
	}
	for i := range plan.goType.NumField() {
		if !indices[i] {
			differences = append(differences, plan.goType.Name()+"."+plan.goType.Field(i).Name+" is not in "+def.name)
		}
	}
	return differences
}

// enumDifferences compares members by name and value: the constants in Go are those of the newest release.
func enumDifferences(def *enumDef, plan *enumPlan, t reflect.Type) []string {
	var differences []string
	names := reflect.Zero(t).Interface().(namedEnum).EnumNames()
	for name, value := range def.values {
		if int(value) >= len(names) || names[value] != name || plan.toGo[value] != int16(value) {
			differences = append(differences, def.name+"."+name+" is another one in Go")
		}
	}
	for value, name := range names {
		if _, ok := def.values[name]; name != "" && (!ok || plan.toWire[value] != int16(value)) {
			differences = append(differences, t.Name()+"."+name+" is not in "+def.name)
		}
	}
	return differences
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
