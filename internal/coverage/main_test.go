package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const source = `package p

func F() int {
	if false {
		return 1
	}
	return 2
}

func (t *T[K]) M() {
	println("reached")
}
`

// check runs the gate over a module with the source above, of which a profile and a list say these lines.
func check(t *testing.T, profile, list string) (output string, ok bool, err error) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		return file
	}
	write("p/p.go", source)
	var out strings.Builder
	ok, err = run(&out, write("profile", "mode: atomic\n"+profile), write("list", list), dir)
	return out.String(), ok, err
}

const (
	condition = "m/p/p.go:3.14,4.11 1 1\n"
	missed    = "m/p/p.go:4.11,6.3 1 0\n"
	rest      = "m/p/p.go:7.2,7.10 1 7\nm/p/p.go:10.20,12.2 1 1\n"
	profile   = condition + missed + rest
)

func TestGate(t *testing.T) {
	for name, tt := range map[string]struct {
		profile, list string
		want          []string // lines of the output, beside the figures
	}{
		"listed":                  {profile, "# reasons\n\np/p.go:F 1 never true\n", nil},
		"not listed":              {profile, "", []string{"not covered: p/p.go:F 1 (listed: 0)"}},
		"covered meanwhile":       {condition + rest, "p/p.go:F 1 never true\n", []string{"covered, but listed: p/p.go:F 0 (listed: 1)"}},
		"gone":                    {condition + rest, "p/p.go:G 1 never true\n", []string{"listed, but gone: p/p.go:G"}},
		"more than listed":        {profile + "m/p/p.go:5.3,5.9 2 0\n", "p/p.go:F 1 x\n", []string{"not covered: p/p.go:F 3 (listed: 1)"}},
		"by chance, reached":      {condition + rest, "p/p.go:F 0-1 timing\n", nil},
		"by chance, not reached":  {profile, "p/p.go:F 0-1 timing\n", nil},
		"reached by other tests":  {profile + "m/p/p.go:4.11,6.3 1 3\n", "", nil},
		"a method":                {"m/p/p.go:10.20,12.2 1 0\n", "", []string{"not covered: p/p.go:T.M 1 (listed: 0)"}},
		"a method that is listed": {"m/p/p.go:10.20,12.2 1 0\n", "p/p.go:T.M 1 never called\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			output, ok, err := check(t, tt.profile, tt.list)
			require.NoError(t, err)
			lines := strings.Split(strings.TrimSpace(output), "\n")
			require.Contains(t, lines[0], "statements  p")
			require.ElementsMatch(t, tt.want, lines[1:])
			require.Equal(t, tt.want == nil, ok)
		})
	}
}

func TestFigures(t *testing.T) {
	output, _, err := check(t, profile, "p/p.go:F 1 never true\n")
	require.NoError(t, err)
	require.Equal(t, " 75.00 % of     4 statements  p\n", output)
}

func TestListsThatAreRefused(t *testing.T) {
	for list, want := range map[string]string{
		"p/p.go:F 1\n":                  "a reason",
		"p/p.go:F never true\n":         "a number of statements",
		"p/p.go:F 0 never true\n":       "above 0",
		"p/p.go:F 2-1 never true\n":     "above 0 or a range",
		"p/p.go:F 1 x\np/p.go:F 1 y\n":  "listed twice",
		"p/p.go:F 1 x\n p/p.go:M 1 y\n": "line 2",
	} {
		_, _, err := check(t, profile, list)
		require.ErrorContains(t, err, want, list)
	}
	_, _, err := check(t, "garbage\n", "")
	require.ErrorContains(t, err, "no line of a profile")
	_, _, err = check(t, "m/p/q.go:1.1,2.2 1 1\n", "")
	require.ErrorContains(t, err, "q.go")
}
