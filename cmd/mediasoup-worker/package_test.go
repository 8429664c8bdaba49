package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/fbs/source"
)

// future is a release that no worker knows.
const future = "3.99.0"

// install puts a mediasoup package into an application's folder: the one from npm, as another release, with its schema edited by
// pairs of old and new text.
func install(t *testing.T, app, release string, edits ...string) (folder string) {
	t.Helper()
	folder = filepath.Join(app, "node_modules", "mediasoup")
	schemas := filepath.Join(folder, "worker", "fbs")
	require.NoError(t, os.CopyFS(schemas, os.DirFS("../../build/npm/node_modules/mediasoup/worker/fbs")), "run fbs/gen/npm.sh")
	manifest := `{"name": "mediasoup", "version": "` + release + `"}`
	require.NoError(t, os.WriteFile(filepath.Join(folder, "package.json"), []byte(manifest), 0o644))
	edited := 0
	require.NoError(t, filepath.WalkDir(schemas, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		replaced := strings.NewReplacer(edits...).Replace(string(text))
		if replaced != string(text) {
			edited++
		}
		return os.WriteFile(name, []byte(replaced), 0o644)
	}))
	require.Equal(t, len(edits)/2, edited)
	return folder
}

// renumber gives all methods and events other numbers.
var renumber = []string{
	"    WORKER_DUMP = 0,\n", "    WORKER_NEW = 0,\n    WORKER_DUMP,\n",
	"    WORKER_CLOSE = 0,\n", "    WORKER_NEW = 0,\n    WORKER_CLOSE,\n",
}

// dialectOf compiles the schema of a package.
func dialectOf(t *testing.T, folder string) *fbs.Dialect {
	t.Helper()
	_, text, err := source.Read(folder)
	require.NoError(t, err)
	dialect, _, err := fbs.Compile(string(text))
	require.NoError(t, err)
	return dialect
}

// startIn starts a worker in a folder, for a release.
func startIn(t *testing.T, folder, release string, dialect *fbs.Dialect, env ...string) *process {
	t.Helper()
	cmd := exec.Command(binaryPath, "--logLevel=warn")
	cmd.Dir, cmd.Env = folder, append(env, versionEnv+"="+release)
	return start(t, cmd, dialect)
}

// TestSchemaOfThePackage: the schema of a release that the worker does not know is found in a folder above the working
// directory.
func TestSchemaOfThePackage(t *testing.T) {
	app := t.TempDir()
	folder := install(t, app, future, renumber...)
	below := filepath.Join(app, "src", "server")
	require.NoError(t, os.MkdirAll(below, 0o755))
	p := startIn(t, below, future, dialectOf(t, folder))
	p.log("Wthis worker does not know mediasoup's release: it speaks the schema of its package, and behaves like the nearest release " +
		"known [version:3.99.0, like:" + fbs.Newest() + ", package:" + folder + "]")
	require.Equal(t, uint32(p.cmd.Process.Pid), p.dump(1).PID)
	p.send(&api.Notification{Event: api.EventWorkerClose})
	code, stderr := p.exit()
	require.Equal(t, exitOK, code, stderr)
}

// TestSchemaOfTheNamedPackage: the variable counts for a known release, too, as a fork may keep the number.
func TestSchemaOfTheNamedPackage(t *testing.T) {
	folder := install(t, t.TempDir(), "3.27.1", renumber...)
	p := startIn(t, "", "3.27.1", dialectOf(t, folder), packageEnv+"="+folder)
	require.Equal(t, uint32(p.cmd.Process.Pid), p.dump(1).PID)
}

func TestNamedPackageIsWrong(t *testing.T) {
	folder := install(t, t.TempDir(), future)
	newest, err := fbs.Load(fbs.Newest())
	require.NoError(t, err)
	code, stderr := startIn(t, "", "3.27.1", newest, packageEnv+"="+folder).exit()
	require.Equal(t, exitWrongSettings, code)
	require.Contains(t, stderr, packageEnv+": "+folder+" holds mediasoup 3.99.0, but the application speaks 3.27.1 (named by "+versionEnv+")")
	code, stderr = startIn(t, "", "3.27.1", newest, packageEnv+"=/nothing").exit()
	require.Equal(t, exitWrongSettings, code)
	require.Contains(t, stderr, packageEnv+": open /nothing: no such file or directory")
}

// TestNoPackage: a release without a package is served like the nearest one known, and the log says what to do.
func TestNoPackage(t *testing.T) {
	for release, like := range map[string]string{future: fbs.Newest(), "3.19.23": "3.20.0", "3.27.1-acme.2": "3.27.1"} {
		dialect, err := fbs.Load(release)
		require.NoError(t, err)
		p := startIn(t, t.TempDir(), release, dialect)
		p.log("Wthis worker does not know mediasoup's release, and did not find its package: it is served like the nearest release " +
			"known; set " + packageEnv + " to the folder of the package [version:" + release + ", like:" + like + "]")
		p.dump(1)
	}
}

// TestHostilePackage: a schema that cannot be used does not keep the worker from starting.
func TestHostilePackage(t *testing.T) {
	for name, c := range map[string]struct{ edit, reason string }{
		"not a schema":   {"struct S {}", `"struct" is not supported`},
		"too large":      {strings.Repeat("// comment\n", 1<<17), "the files are too large"},
		"another schema": {"table T {} root_type T;", "FBS.Message.T cannot hold a Request"},
	} {
		app := t.TempDir()
		folder := install(t, app, future, "root_type Message;", c.edit)
		dialect, err := fbs.Load(future)
		require.NoError(t, err)
		p := startIn(t, app, future, dialect)
		line := p.log("Wthis worker does not know mediasoup's release, and cannot use the schema of its package: it is served like the nearest")
		require.Contains(t, line, folder, name)
		require.Contains(t, line, c.reason, name)
		p.dump(1)
	}
}

// TestFieldsThatTheWorkerLacks: a schema that requires more in messages is used without.
func TestFieldsThatTheWorkerLacks(t *testing.T) {
	app := t.TempDir()
	folder := install(t, app, future, "    pid: uint32;\n", "    mood: string (required);\n    pid: uint32;\n")
	p := startIn(t, app, future, dialectOf(t, folder))
	p.log("Wmediasoup's schema requires fields that this worker does not have: they stay absent [version:3.99.0, fields:FBS.Worker.DumpResponse.mood]")
	require.Equal(t, uint32(p.cmd.Process.Pid), p.dump(1).PID)
}

func TestApplicationFolders(t *testing.T) {
	app, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	cwd, scripts, tool := filepath.Join(app, "run"), filepath.Join(app, "app", "src"), filepath.Join(app, "tool")
	for _, folder := range []string{cwd, scripts, tool} {
		require.NoError(t, os.MkdirAll(folder, 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(scripts, "main.js"), nil, 0o644))
	require.NoError(t, os.Symlink(filepath.Join(scripts, "main.js"), filepath.Join(cwd, "link.js")))
	proc := t.TempDir()
	require.NoError(t, os.Symlink(cwd, filepath.Join(proc, "cwd")))
	own, err := os.Getwd()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		arguments []string
		want      []string // before those of every process
	}{
		"script":       {[]string{"node", "../app/src/main.js", "--port=1"}, []string{scripts}},
		"absolute":     {[]string{"node", "--require", scripts + "/hook.js", "main.js"}, []string{scripts, cwd}},
		"link":         {[]string{"node", "link.js"}, []string{scripts}},
		"folder":       {[]string{"node", "../app"}, []string{filepath.Dir(scripts)}},
		"no script":    {[]string{"node"}, nil},
		"no arguments": {nil, nil},
		"too many":     {append(append([]string{"node"}, make([]string, maxArguments)...), "../app/src/main.js"), nil},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(proc, "cmdline"), []byte(strings.Join(c.arguments, "\x00")+"\x00"), 0o644))
		want := append(c.want, cwd, own, tool)
		require.Equal(t, want, applicationFolders(proc, []string{filepath.Join(tool, "mediasoup-worker")}), name)
	}
	require.Equal(t, []string{own}, applicationFolders(filepath.Join(proc, "gone"), nil))
}

// TestFindPackage: the nearest package of the release counts, whatever lies on the way.
func TestFindPackage(t *testing.T) {
	app := t.TempDir()
	outer := install(t, app, future)
	inner := install(t, filepath.Join(app, "a"), "3.98.0")
	below := filepath.Join(app, "a", "b", "c")
	require.NoError(t, os.MkdirAll(below, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(below, "package.json"), []byte("{"), 0o644))
	require.Equal(t, outer, findPackage(future, []string{below}))
	require.Equal(t, inner, findPackage("3.98.0", []string{"/", below}))
	require.Equal(t, inner, findPackage("3.98.0", []string{filepath.Join(inner, "node", "lib", "test")}), "from inside the package")
	require.Empty(t, findPackage("3.97.0", []string{below}))
	require.Empty(t, findPackage(future, nil))
}
