package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// spawnCluster starts a worker that is a front, whose socket is in a folder.
func spawnCluster(t *testing.T, folder string) *process {
	t.Helper()
	env := append(os.Environ(), versionEnv+"=3.27.1", clusterEnv+"=local:2", "GAZPACHO_RUN_DIR="+folder)
	return launchAs(t, binaryPath, "3.27.1", env, "--logLevel=error")
}

// A front can be asked for other applications' producers as soon as it runs, by a socket that its parent finds, and that goes with it.
func TestImportSocket(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run")
	p := spawnCluster(t, folder)
	p.notification(api.EventWorkerRunning)
	socket := filepath.Join(folder, fmt.Sprint(os.Getpid(), ".", p.cmd.Process.Pid, ".sock"))
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	ask := func(routerID string) string {
		c, err := net.Dial("unix", socket)
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		_, err = fmt.Fprintf(c, `{"import":{"routerId":"%s","producerId":"p"}}`+"\n", routerID)
		require.NoError(t, err)
		line, err := bufio.NewReader(c).ReadString('\n')
		require.NoError(t, err)
		return line
	}
	require.Contains(t, ask("nothing"), `"code":"ROUTER_NOT_FOUND"`)
	p.send(&api.Request{ID: 1, Method: api.MethodWorkerCreateRouter, Body: &api.WorkerCreateRouterRequest{RouterID: "r"}})
	require.True(t, p.response().Accepted)
	require.Contains(t, ask("r"), `"code":"UNSUPPORTED"`)

	require.NoError(t, p.to.Close())
	code, _ := p.exit()
	require.Equal(t, exitOK, code)
	require.NoFileExists(t, socket)
}

// A folder that others may enter is not used. Calls go on.
func TestFolderOfImportSocketThatIsOpen(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.Mkdir(folder, 0o700))
	require.NoError(t, os.Chmod(folder, 0o755))
	p := spawnCluster(t, folder)
	p.log("producers of other applications cannot be asked for [error:" + folder + " may be entered by others")
	p.dump(1)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// The header extensions that an application is told are those that its release has words for.
func TestHeaderExtensionsOfReleases(t *testing.T) {
	for release, has := range map[string]bool{"3.13.0": false, fbs.Newest(): true} {
		d, err := fbs.Load(release)
		require.NoError(t, err)
		require.True(t, hasURI(d, api.RTPHeaderExtensionURIMid), release)
		require.Equal(t, has, hasURI(d, api.RTPHeaderExtensionURIDependencyDescriptor), release)
		require.Equal(t, !has, hasURI(d, api.RTPHeaderExtensionURIFrameMarking), release)
	}
}
