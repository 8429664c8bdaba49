package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// wallClock are methods and functions that take the time of day from a time, which steps when the machine's clock is set. Times that
// are compared, subtracted or waited for without them count what has passed.
var wallClock = []string{"Unix", "UnixNano", "UnixMilli", "UnixMicro", "UTC", "AddDate", "Date"}

// timeOfDay are the files that may use it.
var timeOfDay = map[string]string{
	"cmd/gazpacho/node.go":            "shown: since when the process runs",
	"cmd/gazpacho/status.go":          "shown: since when there is a signal",
	"cmd/mediasoup-worker/monitor.go": "shown: since when the process runs",
	"compat-tests/testcert/main.go":   "a number that differs each time",
	"engine/look.go":                  "shown in the monitor",
	"engine/shard/clock.go":           "where a clock begins that counts what passes",
	"monitor/overview.go":             "shown",
	"monitor/room.go":                 "shown",
	"monitor/rooms.go":                "shown",
	"monitor/trend.go":                "the axis of what is shown",
	"monitor/watched/watched.go":      "likewise",
	"scaling/identity/issue.go":       "certificates are valid from one time of day to another",
	"scaling/steering/steerer.go":     "shown: since when there is a signal",
	"scaling/steering/webhook.go":     "shown, and signed, so that a call cannot be repeated later",
}

// A step of the machine's clock must change nothing: no process decides by the time of day.
func TestNothingDecidesByTheTimeOfDay(t *testing.T) {
	checked, used := 0, map[string]bool{}
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			file := path.Join(p.path(), name)
			set := token.NewFileSet()
			syntax, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, node := range timesOfDay(syntax) {
				used[file] = true
				if timeOfDay[file] == "" {
					t.Errorf("%s: %s is the time of day, which may step", set.Position(node.Pos()), node.Sel.Name)
				}
			}
			checked++
		}
	}
	require.Greater(t, checked, 200, "there are more files: the search is broken")
	for file := range timeOfDay {
		require.True(t, used[file], "%s does not use the time of day any more", file)
	}
}

// timesOfDay returns the calls that take the time of day, if the file knows package time.
func timesOfDay(file *ast.File) (found []*ast.SelectorExpr) {
	if !slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == `"time"` }) {
		return nil
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok {
			if name, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(wallClock, name.Sel.Name) {
				found = append(found, name)
			}
		}
		return true
	})
	return found
}

func TestTimesOfDayAreFound(t *testing.T) {
	for source, want := range map[string]int{
		"import \"time\"\nvar a = time.Now().Unix()":            1,
		"import \"time\"\nvar a = time.Since(time.Unix(0, 0))":  1,
		"import \"time\"\nvar a = time.Since(begun)":            0,
		"import \"time\"\nfunc f() bool { return a.Before(b) }": 0,
		"var a = net.Unix()":                                    0,
	} {
		syntax, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+source, parser.SkipObjectResolution)
		require.NoError(t, err)
		require.Len(t, timesOfDay(syntax), want, source)
	}
}
