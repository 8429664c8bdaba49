package rules_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "gazpacho"

// pkg is a package as reported by go list.
type pkg struct {
	Dir, ImportPath  string
	Imports, GoFiles []string
}

func (p pkg) path() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

// list runs go list once for all tests.
var list = sync.OnceValues(func() (all []pkg, err error) {
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Imports,GoFiles", "./...")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := list()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// ruleOf returns the rule of the innermost folder that contains path.
func ruleOf(path string) (found rule, ok bool) {
	for _, r := range rules {
		if (path == r.folder || strings.HasPrefix(path, r.folder+"/")) && len(r.folder) > len(found.folder) {
			found, ok = r, true
		}
	}
	return found, ok
}

func TestEveryPackageHasARule(t *testing.T) {
	for _, p := range packages(t) {
		_, ok := ruleOf(p.path())
		require.True(t, ok, "%s: add its folder to table_test.go and explain it in docs/architecture.md", p.ImportPath)
	}
}

func TestImportsPointUpwards(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := ruleOf(p.path())
		for _, imported := range p.Imports {
			path, inside := strings.CutPrefix(imported, module+"/")
			if !inside {
				continue
			}
			to, ok := ruleOf(path)
			require.True(t, ok, path)
			allowed := slices.Contains(from.may, to.folder) || (to.folder == from.folder && from.folder != "engine/wire")
			require.True(t, allowed, "%s must not import %s", p.ImportPath, imported)
		}
	}
}

func TestLibrariesAreImportedWhereAllowed(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := ruleOf(p.path())
		for _, imported := range p.Imports {
			if host, _, _ := strings.Cut(imported, "/"); !strings.Contains(host, ".") {
				continue // The standard library and the module itself.
			}
			allowed := false
			for library, users := range libraries {
				if imported == library || strings.HasPrefix(imported, library+"/") {
					allowed = slices.Contains(users, from.folder)
				}
			}
			require.True(t, allowed, "%s must not import %s (table_test.go lists what may)", p.ImportPath, imported)
		}
	}
}

// Only nodes talk to each other over the bus, and operators look at the page by gazpacho. Each application has a worker, which is to be small, and is told by nodes what it must know.
func TestTheWorkerIsSmall(t *testing.T) {
	deps := func(of string) string {
		cmd := exec.Command("go", "list", "-deps", of)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err)
		return string(out)
	}
	require.NotContains(t, deps("./cmd/mediasoup-worker"), "nats")
	require.Contains(t, deps("./cmd/gazpacho"), "github.com/nats-io/nats.go", "the search is broken")
	require.NotContains(t, deps("./cmd/mediasoup-worker"), "gazpacho/monitor\n", "the monitor's page is in gazpacho only")
	require.Contains(t, deps("./cmd/gazpacho"), "gazpacho/monitor\n", "the search is broken")
}

func TestPackagesAreExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	require.NoError(t, err)
	for _, p := range packages(t) {
		r, _ := ruleOf(p.path())
		if r.folder == "internal/rules" {
			continue
		}
		if !strings.Contains(string(page), "`"+r.folder+"/") {
			t.Errorf("docs/architecture.md does not explain %s", r.folder)
		}
	}
}
