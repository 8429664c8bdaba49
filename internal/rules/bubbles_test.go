package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// If tests of a package run in synctest bubbles, its tests must not share variables that are initialised at first use: in a
// shuffled order the first use may be in a bubble, where the clock shows the year 2000 and channels cannot be used from outside.
func TestNoLazySharedVariablesWithBubbles(t *testing.T) {
	bubbles := 0
	for _, p := range packages(t) {
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		require.NoError(t, err)
		set, hasBubbles, lazy := token.NewFileSet(), false, []ast.Node(nil)
		for _, file := range files {
			syntax, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, spec := range syntax.Imports {
				hasBubbles = hasBubbles || spec.Path.Value == `"testing/synctest"`
			}
			lazy = append(lazy, lazyVariables(syntax)...)
		}
		if !hasBubbles {
			continue
		}
		bubbles++
		for _, node := range lazy {
			t.Errorf("%s: initialised at its first use, which may be in a synctest bubble", set.Position(node.Pos()))
		}
	}
	require.Positive(t, bubbles, "tests run in bubbles: the search is broken")
}

// lazyVariables returns the uses of sync.Once, sync.OnceValue and the like in package variables.
func lazyVariables(file *ast.File) (found []ast.Node) {
	for _, decl := range file.Decls {
		vars, ok := decl.(*ast.GenDecl)
		if !ok || vars.Tok != token.VAR {
			continue
		}
		ast.Inspect(vars, func(node ast.Node) bool {
			if name, ok := node.(*ast.SelectorExpr); ok {
				if of, ok := name.X.(*ast.Ident); ok && of.Name == "sync" && strings.HasPrefix(name.Sel.Name, "Once") {
					found = append(found, node)
				}
			}
			return true
		})
	}
	return found
}

func TestLazyVariablesAreFound(t *testing.T) {
	for source, want := range map[string]int{
		"var a = sync.OnceValue(f)":                 1,
		"var once sync.Once; var m sync.Map":        1,
		"type t struct { once sync.Once }":          0,
		"var pool = sync.Pool{New: f}":              0,
		"func f() { var once sync.Once; _ = once }": 0,
	} {
		syntax, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+source, parser.SkipObjectResolution)
		require.NoError(t, err)
		require.Len(t, lazyVariables(syntax), want, source)
	}
}
