package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
	"gazpacho/fbs"
)

func TestChoice(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "mediasoup-worker")
	withFile := filepath.Join(dir, "with", "mediasoup-worker")
	require.NoError(t, os.Mkdir(filepath.Dir(withFile), 0o755))
	require.NoError(t, os.WriteFile(withFile+".version", []byte("3.16.0\n"), 0o644))
	named := filepath.Join(dir, "mediasoup-worker-3.19.22")
	for name, c := range map[string]struct {
		from sources
		want string
	}{
		"the Node library":          {sources{env: "3.21.0", ownEnv: "3.24.1", programs: []string{named, withFile}}, "3.21.0"},
		"the operator overrides it": {sources{flag: "3.18.0", env: "3.21.0"}, "3.18.0"},
		"the flag names none":       {sources{flag: "default", env: "3.21.0"}, "3.21.0"},
		"the client names none":     {sources{env: "default", ownEnv: "3.24.1", programs: []string{named}}, "3.24.1"},
		"the variable alone":        {sources{ownEnv: "3.24.1"}, "3.24.1"},
		"the binary's name":         {sources{env: "default", programs: []string{named, withFile}}, "3.19.22"},
		"the name alone":            {sources{programs: []string{named + ".exe"}}, "3.19.22"},
		"a file beside the binary":  {sources{env: "default", programs: []string{plain, withFile}}, "3.16.0"},
		"nothing names one":         {sources{env: "default", programs: []string{plain}}, fbs.Newest()},
		"another name":              {sources{env: "default", programs: []string{plain + "-go"}}, fbs.Newest()},
	} {
		got, err := c.from.choose()
		require.NoError(t, err, name)
		require.Equal(t, c.want, got.release, name)
	}
	_, err := sources{programs: []string{plain}}.choose()
	require.EqualError(t, err, "no release of mediasoup named: the environment variable MEDIASOUP_VERSION is missing")
	require.NoError(t, os.Mkdir(plain+".version", 0o755))
	_, err = sources{env: "default", programs: []string{plain}}.choose()
	require.ErrorContains(t, err, "the release of mediasoup cannot be read")
	_, err = choice{"3.1.0", "the test"}.protocol("", nil)
	require.ErrorContains(t, err, "(named by the test)")
}

// TestClientThatNamesNoRelease starts the worker as the Go client does, by a link whose name ends with the release.
func TestClientThatNamesNoRelease(t *testing.T) {
	link := filepath.Join(t.TempDir(), "mediasoup-worker-3.19.22")
	require.NoError(t, os.Symlink(binaryPath, link))
	p := launchAs(t, link, "3.19.22", []string{versionEnv + "=default"}, "--logLevel=debug", "--logTags=info", "--logTags=")
	p.notification(api.EventWorkerRunning)
	require.Equal(t, uint32(p.cmd.Process.Pid), p.dump(1).PID)
}

// TestEveryDialect asks a worker for its dump in each dialect, and ends it as applications of that release do.
func TestEveryDialect(t *testing.T) {
	for _, r := range fbs.Releases() {
		if r.Version != r.Dialect {
			continue
		}
		p := launchAs(t, binaryPath, r.Version, []string{versionEnv + "=" + r.Version})
		p.notification(api.EventWorkerRunning)
		require.Equal(t, uint32(p.cmd.Process.Pid), p.dump(1).PID, r.Version)
	}
}

// TestCompatFollowsTheRelease: an application of 3.19.22 cannot read as much in one message as one of 3.27.1.
func TestCompatFollowsTheRelease(t *testing.T) {
	id := strings.Repeat("x", channel.SmallPayloadLen*3/4) // dumps have it twice
	for release, accepted := range map[string]bool{"3.19.22": false, "3.27.1": true} {
		p := launchAs(t, binaryPath, release, []string{versionEnv + "=" + release})
		require.True(t, p.createServer(id).Accepted, release)
		p.send(&api.Request{ID: 2, Method: api.MethodWorkerDump})
		require.Equal(t, accepted, p.response().Accepted, release)
	}
}

func TestEngineOptions(t *testing.T) {
	compat := api.Compat{TemporalLimitAtPreferredOnly: true}
	options, err := engineOptions(&config{rtcMinPort: 5, rtcMaxPort: 6}, compat)
	require.NoError(t, err)
	require.Equal(t, compat, options.Compat)
	require.Equal(t, []uint16{5, 6}, []uint16{options.RTCMinPort, options.RTCMaxPort})
	t.Setenv(usageEnv, "chicken")
	_, err = engineOptions(&config{}, compat)
	require.ErrorContains(t, err, usageEnv)
}
