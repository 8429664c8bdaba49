package rules_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var root = filepath.Join("..", "..")

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}

// The tests named in docs/security.md exist: in the folder that is named before them in the same line, else in any.
func TestTestsOfTheSecurityPageExist(t *testing.T) {
	folderOrTest := regexp.MustCompile("`([^`]+)`|\\b((?:Test|Fuzz|Benchmark)[A-Z]\\w*)")
	all := testsByFolder(t)
	named := 0
	for _, line := range strings.Split(readPage(t, "docs/security.md"), "\n") {
		folder := ""
		for _, m := range folderOrTest.FindAllStringSubmatch(line, -1) {
			switch {
			case m[2] == "":
				if all[m[1]] != nil {
					folder = m[1]
				}
			case folder != "":
				named++
				require.True(t, all[folder][m[2]], "docs/security.md: %s is not in %s", m[2], folder)
			default:
				named++
				anywhere := slices.ContainsFunc(slices.Collect(maps.Values(all)), func(tests map[string]bool) bool { return tests[m[2]] })
				require.True(t, anywhere, "docs/security.md: there is no %s", m[2])
			}
		}
	}
	require.Greater(t, named, 150, "the page names more tests: the search is broken")
}

// testsByFolder returns the names of all Go tests, fuzz targets and benchmarks.
func testsByFolder(t *testing.T) map[string]map[string]bool {
	t.Helper()
	test := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	all := map[string]map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || len(entry.Name()) > 2 && entry.Name()[0] == '.'):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		folder = filepath.ToSlash(folder)
		for _, m := range test.FindAllStringSubmatch(string(text), -1) {
			if all[folder] == nil {
				all[folder] = map[string]bool{}
			}
			all[folder][m[1]] = true
		}
		return err
	}))
	return all
}

// docs/dependencies.md explains every module in go.mod.
func TestDependenciesAreExplained(t *testing.T) {
	required := regexp.MustCompile(`(?m)^\t(\S+?)(?:/v\d+)? v`).FindAllStringSubmatch(readPage(t, "go.mod"), -1)
	require.Greater(t, len(required), 10, "go.mod requires more: the search is broken")
	page := readPage(t, "docs/dependencies.md")
	for _, m := range required {
		if !strings.Contains(page, m[1]) {
			t.Errorf("docs/dependencies.md does not explain %s", m[1])
		}
	}
}

// Links point to files that exist.
func TestLinksOfThePages(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	require.NotEmpty(t, pages)
	for _, file := range append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(file), filepath.FromSlash(m[1])))
			require.NoError(t, err, filepath.Base(file))
		}
	}
}

// The walks through the code in docs/architecture.md name files that exist, in the packages that they name.
func TestFilesOfTheWalksExist(t *testing.T) {
	quoted := regexp.MustCompile("`([^`]+)`")
	var files []string
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			files = append(files, "/"+p.path()+"/"+name)
		}
	}
	exists := func(name string) bool {
		return slices.ContainsFunc(files, func(file string) bool { return strings.HasSuffix(file, "/"+name) })
	}
	named := 0
	for _, row := range strings.Split(readPage(t, "docs/architecture.md"), "\n") {
		cells := strings.Split(row, "|")
		if len(cells) != 6 {
			continue
		}
		folders := quoted.FindAllStringSubmatch(cells[2], -1)
		for _, m := range quoted.FindAllStringSubmatch(cells[3]+cells[4], -1) {
			file := m[1]
			if !strings.HasSuffix(file, ".go") {
				continue
			}
			named++
			if !exists(file) || !strings.Contains(file, "/") && !slices.ContainsFunc(folders, func(f []string) bool { return exists(f[1] + "/" + file) }) {
				t.Errorf("docs/architecture.md: there is no file %s in %s", file, cells[2])
			}
		}
	}
	require.Greater(t, named, 25, "the walks name more files: the search is broken")
}
