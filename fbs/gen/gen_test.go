package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/fuzzseed"
)

const inner = `
namespace A.Inner;
/* The first value is not zero. */
enum E: ubyte { ONE = 1, TWO, TEN = 10, ELEVEN }
enum Empty: int8 {}
union U { T, Other: A.B.Outer, A.B.Outer, }
table T {}
root_type T;
`

const outer = `include "inner.fbs"; // read once
include "inner.fbs";
namespace A.B;
table Outer {
    id: string (required);
    choice: A.Inner.U (required);
    many: [Inner.E];
    bytes: [ubyte] (required);
    none: float64 = null;
    flag: bool = true;
    off: bool = false;
    number: short = -5;
    zero: uint32 = 0;
    half: float = 0.5;
    named: A.Inner.E = TWO;
    numbered: A.Inner.E = 11;
    self: Outer;
}
root_type Outer;
`

const formatted = `# Made by fbs/gen from the npm package mediasoup 1.2.3. Do not edit.
release 1.2.3
root A.B.Outer
enum A.Inner.E uint8
  1 ONE
  2 TWO
  10 TEN
  11 ELEVEN
enum A.Inner.Empty int8
union A.Inner.U
  1 T A.Inner.T
  2 Other A.B.Outer
  3 A_B_Outer A.B.Outer
table A.B.Outer
  0 id string required
  2 choice A.Inner.U required
  3 many [A.Inner.E]
  4 bytes [uint8] required
  5 none float64 = null
  6 flag bool = true
  7 off bool
  8 number int16 = -5
  9 zero uint32
  10 half float32 = 0.5
  11 named A.Inner.E = 2
  12 numbered A.Inner.E = 11
  13 self A.B.Outer
table A.Inner.T
`

// writePackage lays out an npm package with the given files.
func writePackage(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	return dir
}

// TestDialectsShareAFile gives three releases of two dialects, the youngest first in the order of names.
func TestDialectsShareAFile(t *testing.T) {
	dir := writePackage(t, map[string]string{
		"a/package.json":           `{"name": "mediasoup", "version": "1.10.0"}`,
		"a/worker/fbs/message.fbs": "table A {} root_type A;",
		"b/package.json":           `{"name": "mediasoup", "version": "1.2.3"}`,
		"b/worker/fbs/message.fbs": outer,
		"b/worker/fbs/inner.fbs":   inner,
		"c/package.json":           `{"name": "mediasoup", "version": "1.2.4"}`,
		"c/worker/fbs/message.fbs": outer,
		"c/worker/fbs/inner.fbs":   inner,
	})
	out := writePackage(t, map[string]string{"0.9.0.fbsc": "stale"})
	require.NoError(t, generate(dir, out))
	text, err := os.ReadFile(filepath.Join(out, "1.2.3.fbsc"))
	require.NoError(t, err)
	require.Equal(t, formatted, string(text))
	table, err := os.ReadFile(filepath.Join(out, "releases.txt"))
	require.NoError(t, err)
	require.Contains(t, string(table), "\n1.2.3 1.2.3\n1.2.4 1.2.3\n1.10.0 1.10.0\n")
	files, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Len(t, files, 3)
}

// TestDriftIsReported compares a made-up release with those known; nothing of it is like them.
func TestDriftIsReported(t *testing.T) {
	var page strings.Builder
	dir := writePackage(t, map[string]string{
		"package.json":           `{"name": "mediasoup", "version": "3.1000.0"}`,
		"worker/fbs/message.fbs": "namespace FBS.Message; table Message { what: string (required); } root_type Message;",
	})
	require.NoError(t, reportDrift(dir, &page))
	require.Contains(t, page.String(), "mediasoup 3.1000.0 speaks a new dialect. Against that of 3.")
	require.Contains(t, page.String(), "+what string required")
	require.Contains(t, page.String(), "The codec refuses this schema until this is solved:\n  api.Message lacks what of FBS.Message.Message")

	dir = writePackage(t, map[string]string{
		"package.json":           `{"name": "mediasoup", "version": "3.12.0"}`,
		"worker/fbs/message.fbs": "table Message {} root_type Message;",
	})
	require.ErrorContains(t, reportDrift(dir, &page), "older than")
}

// TestDriftOfAKnownRelease asks about one that the table of releases has.
func TestDriftOfAKnownRelease(t *testing.T) {
	var page strings.Builder
	require.NoError(t, reportDrift("../../build/npm/node_modules/mediasoup", &page))
	require.Equal(t, "mediasoup 3.27.1 is known. It speaks the dialect of 3.27.0.\n", page.String())
}

func TestGenerationNeedsReleases(t *testing.T) {
	require.ErrorContains(t, generate(t.TempDir(), t.TempDir()), "no package")
	dir := writePackage(t, map[string]string{
		"a/package.json": `{"name": "mediasoup", "version": "newest"}`, "a/worker/fbs/message.fbs": "table A {} root_type A;",
	})
	require.ErrorContains(t, generate(dir, t.TempDir()), "not a release of mediasoup")
	dir = writePackage(t, map[string]string{"a/package.json": "{"})
	require.Error(t, generate(dir, t.TempDir()))
}

func TestAPackageIsNeeded(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no package.json": {},
		"no JSON":         {"package.json": "{"},
		"another package": {"package.json": `{"name": "other", "version": "1.2.3"}`},
		"no version":      {"package.json": `{"name": "mediasoup"}`},
		"no schemas":      {"package.json": `{"name": "mediasoup", "version": "1.2.3"}`},
		"bad schema": {
			"package.json":           `{"name": "mediasoup", "version": "1.2.3"}`,
			"worker/fbs/message.fbs": "table T { a: B; }",
		},
	} {
		_, _, err := readSchema(writePackage(t, files))
		require.Error(t, err, name)
		require.Error(t, reportDrift(writePackage(t, files), io.Discard), name)
	}
}

func TestWrongSchemas(t *testing.T) {
	for text, reason := range map[string]string{
		"struct S {}":                           `"struct" is not known here`,
		"table":                                 `want a name, not ""`,
		"table T":                               `want "{", not ""`,
		"table T {":                             `want a name, not ""`,
		"table T { 5: int; }":                   `want a name, not "5"`,
		"table T { a int; }":                    `want ":", not "int"`,
		"table T { a: [int; }":                  `want "]", not ";"`,
		"table T { a: int = ; }":                `want a value, not ";"`,
		"table T { a: int = - }":                `want a value, not "}"`,
		"table T { a: int (deprecated); }":      `want "required", not "deprecated"`,
		"table T { a: A.; }":                    `want a name, not ";"`,
		"table T { a: Gone; }":                  "T: a: Gone is not defined",
		"union U { Gone }":                      "U: Gone is not defined",
		"union U { A B }":                       `want ",", not "B"`,
		"enum E: string { A }":                  "E is based on string, which is no scalar",
		"enum E: int8 { A = B }":                "invalid syntax",
		"enum E: int8 { A } table T { e: E=B;}": "T: e: E has no member B",
		"include gone;":                         `want a string, not "gone"`,
		`include "gone.fbs";`:                   "gone.fbs: file does not exist",
		"namespace ;":                           `want a name, not ";"`,
		"/* open":                               "comment not terminated",
	} {
		s, err := parseFiles(fstest.MapFS{"message.fbs": {Data: []byte(text)}}, "message.fbs")
		if err == nil {
			_, err = format(s, "1.2.3")
		}
		require.ErrorContains(t, err, reason, text)
	}
}

func TestErrorsSayWhere(t *testing.T) {
	_, err := parseFiles(fstest.MapFS{
		"message.fbs": {Data: []byte(`include "other.fbs";`)},
		"other.fbs":   {Data: []byte("table T {\n  a;\n}")},
	}, "message.fbs")
	require.ErrorContains(t, err, "other.fbs:2:")
}

func FuzzParse(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add(inner)
	f.Add(strings.ReplaceAll(outer, "include", "//"))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseFiles(fstest.MapFS{"message.fbs": {Data: []byte(text)}}, "message.fbs")
		if err != nil {
			return
		}
		first, err := format(s, "1.2.3")
		if err != nil {
			return
		}
		second, err := format(s, "1.2.3")
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
}
