package imports_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/imports"
)

// The folder is the one that the environment says, made for this user only.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GAZPACHO_RUN_DIR", "")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	folder, err := imports.Folder()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "gazpacho"), folder)
	info, err := os.Stat(folder)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	t.Setenv("GAZPACHO_RUN_DIR", filepath.Join(dir, "own"))
	folder, err = imports.Folder()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "own"), folder)

	require.Equal(t, fmt.Sprint(folder, "/", os.Getppid(), ".", os.Getpid(), ".sock"), imports.Socket(folder))
}

// A folder that others may enter, or that is somebody else's, or none, is refused.
func TestFoldersThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	refused := func(name, why string) {
		t.Helper()
		t.Setenv("GAZPACHO_RUN_DIR", filepath.Join(dir, name))
		_, err := imports.Folder()
		require.ErrorContains(t, err, why)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "open"), 0o700))
	require.NoError(t, os.Chmod(filepath.Join(dir, "open"), 0o750))
	refused("open", "may be entered by others")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	refused("file", "not a directory")
	refused("file/below", "not a directory")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "real"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "link")))
	refused("link", "is no folder")
	if os.Getuid() == 0 {
		require.NoError(t, os.Mkdir(filepath.Join(dir, "theirs"), 0o700))
		require.NoError(t, os.Chown(filepath.Join(dir, "theirs"), 1, 1))
		refused("theirs", "belongs to another user")
	}
}

// Sockets of processes that were killed are removed, and nothing else.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	listen := func(name string) (net.Listener, string) {
		path := filepath.Join(dir, name)
		l, err := net.Listen("unix", path)
		require.NoError(t, err)
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		return l, path
	}
	left := func(name string) string { // as a process that was killed leaves it
		l, path := listen(name)
		require.NoError(t, l.Close())
		return path
	}
	stale := left("1.2.sock")
	alive, served := listen("1.3.sock")
	defer alive.Close()
	file := filepath.Join(dir, "1.4.sock")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	kept := []string{served, left("other.sock"), left("1.x.sock"), file}
	imports.Sweep(dir)
	require.NoFileExists(t, stale)
	for _, path := range kept {
		_, err := os.Lstat(path)
		require.NoError(t, err)
	}
	imports.Sweep(filepath.Join(dir, "nowhere"))
}
