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

// pkg is what go list tells of a package.
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

// roomOf returns the innermost room that a path lies in.
func roomOf(path string) (found room, ok bool) {
	for _, r := range rooms {
		if (path == r.folder || strings.HasPrefix(path, r.folder+"/")) && len(r.folder) > len(found.folder) {
			found, ok = r, true
		}
	}
	return found, ok
}

func TestEveryPackageHasARoom(t *testing.T) {
	for _, p := range packages(t) {
		_, ok := roomOf(p.path())
		require.True(t, ok, "%s: add its folder to rooms_test.go and say why in docs/architecture.md", p.ImportPath)
	}
}

func TestImportsPointUpwards(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := roomOf(p.path())
		for _, imported := range p.Imports {
			path, inside := strings.CutPrefix(imported, module+"/")
			if !inside {
				continue
			}
			to, ok := roomOf(path)
			require.True(t, ok, path)
			allowed := slices.Contains(from.may, to.folder) || (to.folder == from.folder && from.folder != "engine/wire")
			require.True(t, allowed, "%s must not import %s", p.ImportPath, imported)
		}
	}
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := roomOf(p.path())
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
			require.True(t, allowed, "%s must not import %s (rooms_test.go lists who may)", p.ImportPath, imported)
		}
	}
}

func TestRoomsAreExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	require.NoError(t, err)
	for _, p := range packages(t) {
		r, _ := roomOf(p.path())
		if r.folder == "internal/rules" {
			continue
		}
		if !strings.Contains(string(page), "`"+r.folder+"/") {
			t.Errorf("docs/architecture.md does not say what lives in %s", r.folder)
		}
	}
}
