package source

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
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

const formatted = `release 1.2.3
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
		_, _, err := Read(writePackage(t, files))
		require.Error(t, err, name)
	}
}

func TestWrongSchemas(t *testing.T) {
	for text, reason := range map[string]string{
		"struct S {}":                           `"struct" is not supported`,
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
		"enum E: string { A }":                  "E is based on string, which is not a scalar",
		"enum E: int8 { A = B }":                "invalid syntax",
		"enum E: int8 { A } table T { e: E=B;}": "T: e: E has no member B",
		"include gone;":                         `want a string, not "gone"`,
		`include "gone.fbs";`:                   "gone.fbs: file does not exist",
		"namespace ;":                           `want a name, not ";"`,
		"table T {} enum T: int8 {}":            "T is defined twice",
		"table T { a: int; a: int; }":           "a second field a",
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

// TestRead compares the whole text.
func TestRead(t *testing.T) {
	release, text, err := Read(writePackage(t, map[string]string{
		"package.json":           `{"name": "mediasoup", "version": "1.2.3"}`,
		"worker/fbs/message.fbs": outer,
		"worker/fbs/inner.fbs":   inner,
	}))
	require.NoError(t, err)
	require.Equal(t, "1.2.3", release)
	require.Equal(t, formatted, string(text))
}

// TestBounds gives schemas that are valid but for their size.
func TestBounds(t *testing.T) {
	many := func(n int, text string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(text, "#", strconv.Itoa(i)))
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		text   string
		reason string
	}{
		"bytes":       {many(maxBytes/16+1, "// 456789012345\n"), "message.fbs: the files are too large"},
		"files":       {many(maxFiles+1, `include "#.fbs";`), "more than 128 files"},
		"definitions": {many(maxDefinitions+1, "table T# {}"), "more than 1024 definitions"},
		"fields":      {"table T {" + many(maxMembers+1, "f#: int;") + "}", "more than 8192 fields and members"},
		"members":     {"enum A: uint8 {" + many(maxMembers+1, "m#,") + "}", "more than 8192 fields and members"},
		"word":        {"table " + strings.Repeat("A", maxNameLen+1) + " {}", "a word of 257 bytes"},
		"path":        {"namespace " + many(99, "A#.") + "A;", "a name of 257 bytes"},
		"full name":   {"namespace " + strings.Repeat("A", 200) + "; table " + strings.Repeat("B", 200) + " {}", "a name of 401 bytes"},
		"default":     {"table T { a: int = " + strings.Repeat("1", 300) + "; }", "a word of 300 bytes"},
	} {
		files := fstest.MapFS{"message.fbs": {Data: []byte(c.text)}}
		for i := range maxFiles + 1 {
			files[strconv.Itoa(i)+".fbs"] = &fstest.MapFile{}
		}
		_, err := parseFiles(files, "message.fbs")
		require.ErrorContains(t, err, c.reason, name)
	}
}

// TestFilesThatIncludeEachOther: a chain and a circle of files both end.
func TestFilesThatIncludeEachOther(t *testing.T) {
	files := fstest.MapFS{"message.fbs": {Data: []byte(`include "0.fbs"; table T {} root_type T;`)}}
	for i := range 50 {
		files[strconv.Itoa(i)+".fbs"] = &fstest.MapFile{Data: []byte(`include "` + strconv.Itoa((i+1)%50) + `.fbs";`)}
	}
	s, err := parseFiles(files, "message.fbs")
	require.NoError(t, err)
	require.Equal(t, "T", s.root)
}

// TestStrangeFiles: what is not a regular file inside the package is not read.
func TestStrangeFiles(t *testing.T) {
	outside := writePackage(t, map[string]string{"message.fbs": outer})
	manifest := map[string]string{"package.json": `{"name": "mediasoup", "version": "1.2.3"}`, "worker/fbs/other": ""}
	for name, make := range map[string]func(path string) error{
		"pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link":   func(path string) error { return os.Symlink(filepath.Join(outside, "message.fbs"), path) },
		"device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"folder": func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		dir := writePackage(t, manifest)
		require.NoError(t, make(filepath.Join(dir, "worker", "fbs", "message.fbs")), name)
		_, _, err := Read(dir)
		require.Error(t, err, name)
	}
	dir := writePackage(t, map[string]string{"package.json": strings.Repeat(" ", maxManifest+1)})
	_, err := Release(dir)
	require.ErrorContains(t, err, "too large")
	dir = writePackage(t, map[string]string{"package.json": `{"name": "mediasoup", "version": "1.2.3\nroot B"}`})
	_, err = Release(dir)
	require.ErrorContains(t, err, "not that of a release")
}

// FuzzCompile reads arbitrary schemas. What is understood gives the same text each time, and a dialect or an error; whatever
// the dialect, it encodes, and decodes what it encoded.
func FuzzCompile(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add(inner)
	f.Add(strings.ReplaceAll(outer, "include", "//"))
	f.Add(small)
	f.Add(strings.Replace(small, "data: string", "data: [uint8] = 5", 1))
	f.Add(strings.Replace(small, "accepted: bool", "id: string", 1))
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
		dialect, _, err := fbs.Compile(string(first))
		if err != nil {
			return
		}
		speak(t, dialect)
	})
}

// small is a schema that compiles: little more than what package fbs asks for.
const small = `namespace FBS;
enum Method: uint8 { WORKER_DUMP }
table Dump { pid: uint32; channel_message_handlers: H; }
table H { channel_request_handlers: [string]; numbers: [uint8]; }
union Body { Worker_DumpResponse: Dump }
table Request { id: uint32; method: Method; handler_id: string (required); body: Body; }
table Response { id: uint32; accepted: bool; body: Body; error: string; }
table Notification { handler_id: string; }
table Log { data: string (required); }
union MessageBody { Request, Response, Notification, Log }
table Message { data: MessageBody (required); }
root_type Message;
`

func speak(t *testing.T, dialect *fbs.Dialect) {
	t.Helper()
	encoder := dialect.NewEncoder()
	for _, m := range []api.MessageBody{
		&api.Request{ID: 1, Method: api.MethodWorkerDump, HandlerID: "h"},
		&api.Response{ID: 2, Accepted: true, Body: &api.WorkerDumpResponse{PID: 3, ChannelMessageHandlers: &api.ChannelMessageHandlers{
			ChannelRequestHandlers: []string{"a", "b"},
		}}},
		&api.Notification{HandlerID: "h", Event: api.EventWorkerRunning},
		&api.Log{Data: "D"},
	} {
		frame, err := encoder.AppendMessage(nil, m)
		if err == nil {
			_, err = dialect.DecodeMessage(frame[4:])
		}
		_ = err // no panic is what counts: a schema may require what these messages lack
	}
}

func TestSmallSchemaCompiles(t *testing.T) {
	s, err := parseFiles(fstest.MapFS{"message.fbs": {Data: []byte(small)}}, "message.fbs")
	require.NoError(t, err)
	text, err := format(s, "1.2.3")
	require.NoError(t, err)
	dialect, lacking, err := fbs.Compile(string(text))
	require.NoError(t, err)
	require.Empty(t, lacking)
	speak(t, dialect)
}
