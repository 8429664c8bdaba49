package metrics

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

// page is where the families are explained to operators.
var page = filepath.Join("..", "docs", "metrics.md")

const introduction = `# Metrics

<!-- Made from the code by: go test ./metrics -run TestPage -update -->

What a worker shows at the address in ` + "`GAZPACHO_METRICS`" + `, and a node always ([operations.md](operations.md#metrics) says how Prometheus
finds them). Names follow Prometheus' conventions: base units, ` + "`_total`" + ` for what only grows. Labels have few values and never hold ids.
What a closed transport, producer or consumer counted stays counted. Besides these there are ` + "`go_*`" + ` and ` + "`process_*`" + ` of
Prometheus' client: garbage collection, scheduling, memory, CPU time, descriptors.

`

// The page says what the code does. The explanations of reasons and events are the comments of the fields that count them.
func TestPageIsMadeFromTheCode(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(introduction)
	var explained []any
	for _, g := range append([]group{{title: "Process and requests", families: []family{buildInfo, requestsTotal, requestDuration}}}, groups...) {
		fmt.Fprintf(&b, "## %s\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n", g.title)
		for _, f := range g.families {
			var labels []string
			for _, l := range f.labels {
				values := l.values
				if l.fields != nil {
					values = "[see below](#" + anchor(l.fields) + ")"
					explained = append(explained, l.fields)
				}
				labels = append(labels, fmt.Sprintf("`%s`: %s", l.name, values))
			}
			fmt.Fprintf(&b, "| `%s%s` | %s | %s | %s |\n", prefix, f.name, f.kind, strings.Join(labels, "; "), f.help)
		}
		b.WriteString("\n")
	}
	for _, counters := range explained {
		explain(t, &b, counters)
	}
	want := strings.TrimRight(b.String(), "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644))
	}
	have, err := os.ReadFile(page)
	require.NoError(t, err)
	require.True(t, want == string(have), "docs/metrics.md is out of date; run: go test ./metrics -run TestPage -update")
}

// title names a struct of counters: its package and type.
func title(counters any) string { return strings.TrimPrefix(reflect.TypeOf(counters).String(), "*") }

func anchor(counters any) string {
	return strings.ToLower(strings.ReplaceAll(title(counters), ".", ""))
}

// explain writes what the fields of a struct of counters mean.
func explain(t *testing.T, b *bytes.Buffer, counters any) {
	t.Helper()
	typ := reflect.TypeOf(counters)
	comments := fieldComments(t, strings.TrimPrefix(typ.PkgPath(), "gazpacho/"), typ.Name())
	fmt.Fprintf(b, "## %s\n\n| value | meaning |\n|---|---|\n", title(counters))
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		comment := strings.TrimSpace(strings.ReplaceAll(comments[name], "\n", " "))
		comment = strings.TrimPrefix(comment, name+": ")
		if comment == "" { // the name says it
			comment = strings.ReplaceAll(snakeCase(name), "_", " ")
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", snakeCase(name), comment)
	}
	b.WriteString("\n")
}

// fieldComments returns the comments of a struct's fields.
func fieldComments(t *testing.T, folder, name string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(folder), "*.go"))
	require.NoError(t, err)
	comments := map[string]string{}
	for _, file := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(syntax, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			require.True(t, ok)
			for _, field := range fields.Fields.List {
				for _, n := range field.Names {
					comments[n.Name] = field.Doc.Text() + field.Comment.Text()
				}
			}
			return false
		})
	}
	require.NotEmpty(t, comments, "no %s in %s", name, folder)
	return comments
}

func TestSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"DataBufferFull": "data_buffer_full", "NACKsUnsent": "nacks_unsent", "RTPMalformed": "rtp_malformed", "DTX": "dtx",
		"RoleConflicts": "role_conflicts", "NoStream": "no_stream", "SCTPUnexpected": "sctp_unexpected",
	} {
		require.Equal(t, want, snakeCase(name))
	}
}
