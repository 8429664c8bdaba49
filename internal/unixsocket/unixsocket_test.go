package unixsocket_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/unixsocket"
)

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := unixsocket.Listen(path)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	l := listen(t, path)
	require.Equal(t, path, l.Addr().String())
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, os.ModeSocket|0o600, info.Mode())
	require.False(t, unixsocket.IsStale(path))

	require.NoError(t, l.Close())
	require.NoFileExists(t, path)
	require.False(t, unixsocket.IsStale(path), "what is not there")
	require.ErrorIs(t, l.Close(), net.ErrClosed)
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Empty(t, files)
}

// What a killed process leaves is stale, and is replaced.
func TestWhatIsLeftBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	for _, name := range []string{path, path + "~"} {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
		require.NoError(t, err)
		l.SetUnlinkOnClose(false)
		require.NoError(t, l.Close())
		require.True(t, unixsocket.IsStale(name))
	}
	listen(t, path)
	require.False(t, unixsocket.IsStale(path))
	require.NoFileExists(t, path+"~")
}

// From the moment at which it is found, it answers: whoever sweeps meanwhile does not take it for one that is left.
func TestNobodyFindsASocketThatRefuses(t *testing.T) {
	dir := t.TempDir()
	for i := range 200 {
		path := filepath.Join(dir, fmt.Sprint(i))
		var looking sync.WaitGroup
		var found error
		looking.Go(func() {
			for {
				c, err := net.Dial("unix", path)
				if errors.Is(err, os.ErrNotExist) {
					continue
				}
				if found = err; err == nil {
					c.Close()
				}
				return
			}
		})
		l := listen(t, path)
		looking.Wait()
		require.NoError(t, found)
		require.NoError(t, l.Close())
	}
}

func TestAFolderThatIsNotThere(t *testing.T) {
	_, err := unixsocket.Listen(filepath.Join(t.TempDir(), "nowhere", "a.sock"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A folder in its place cannot be replaced, and nothing is left of the attempt.
func TestAFolderByThatName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	require.NoError(t, os.Mkdir(path, 0o700))
	_, err := unixsocket.Listen(path)
	require.Error(t, err)
	require.NoFileExists(t, path+"~")
}
