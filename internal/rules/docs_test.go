package rules_test

import (
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

// The tests named in docs/security.md exist.
func TestTestsOfTheSecurityPageExist(t *testing.T) {
	test := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	folderOrTest := regexp.MustCompile("`([^`]+)`|\\b((?:Test|Fuzz)[A-Z]\\w*)")
	testsOf := map[string][]string{}
	tests := func(folder string) []string {
		if _, known := testsOf[folder]; !known {
			files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*_test.go"))
			require.NoError(t, err)
			for _, file := range files {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				for _, m := range test.FindAllStringSubmatch(string(text), -1) {
					testsOf[folder] = append(testsOf[folder], m[1])
				}
			}
			require.NotEmpty(t, testsOf[folder], "docs/security.md: no tests in %s", folder)
		}
		return testsOf[folder]
	}
	named := 0
	for _, row := range strings.Split(readPage(t, "docs/security.md"), "\n") {
		cells := strings.Split(row, "|")
		if len(cells) != 5 {
			continue
		}
		folder := ""
		for _, m := range folderOrTest.FindAllStringSubmatch(cells[3], -1) {
			switch {
			case m[1] != "":
				folder = m[1]
			default:
				named++
				if !slices.Contains(tests(folder), m[2]) {
					t.Errorf("docs/security.md: %s is not in %s", m[2], folder)
				}
			}
		}
	}
	require.Greater(t, named, 100, "the page names more tests: the search is broken")
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
