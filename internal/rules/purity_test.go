package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// forbiddenImports are packages that the core must not import, because they reach the outside world.
var forbiddenImports = []string{"net", "net/http", "os", "os/exec", "os/signal", "log", "syscall", "golang.org/x/sys/unix"}

// forbiddenNames are names of other packages that the core must not use. sync.Pool and sync/atomic are allowed: received
// packets are shared between shards by reference count.
var forbiddenNames = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"sync": {"Mutex", "RWMutex", "WaitGroup", "Cond", "Once", "Map"},
}

func TestCoreIsPure(t *testing.T) {
	checked := 0
	for _, p := range packages(t) {
		if r, _ := ruleOf(p.path()); r.impure {
			continue
		}
		for _, name := range p.GoFiles {
			file := filepath.Join(p.Dir, name)
			set := token.NewFileSet()
			syntax, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, found := range impurities(syntax) {
				t.Errorf("%s: the engine's core must not use %s", set.Position(found.pos), found.what)
			}
			checked++
		}
	}
	require.Greater(t, checked, 20, "the core has more files: the search is broken")
}

type impurity struct {
	pos  token.Pos
	what string
}

func impurities(file *ast.File) (found []impurity) {
	add := func(node ast.Node, what string) { found = append(found, impurity{node.Pos(), what}) }
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if slices.Contains(forbiddenImports, path) {
			add(spec, "import "+path)
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GoStmt:
			add(node, "a goroutine")
		case *ast.ChanType:
			if node.Dir != ast.RECV { // of which one can only wait for the end, as of api.Worker.Done
				add(node, "a channel")
			}
		case *ast.SendStmt, *ast.SelectStmt:
			add(node, "a channel")
		case *ast.SelectorExpr:
			if of, ok := node.X.(*ast.Ident); ok && slices.Contains(forbiddenNames[of.Name], node.Sel.Name) {
				add(node, of.Name+"."+node.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestImpuritiesAreFound(t *testing.T) {
	for source, what := range map[string]string{
		"import \"net\"":                             "import net",
		"import \"time\"\nvar now = time.Now()":      "time.Now",
		"import \"sync\"\nvar mu sync.Mutex":         "sync.Mutex",
		"func f() { go f() }":                        "a goroutine",
		"var c chan int":                             "a channel",
		"func f() { select {} }":                     "a channel",
		"type w interface{ Done() <-chan struct{} }": "",
		"import \"sync\"\nvar p sync.Pool":           "",
		"import \"time\"\nvar second = time.Second":  "",
	} {
		syntax, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+source, parser.SkipObjectResolution)
		require.NoError(t, err)
		found := impurities(syntax)
		if what == "" {
			require.Empty(t, found, source)
			continue
		}
		require.Len(t, found, 1, source)
		require.Equal(t, what, found[0].what)
	}
}
