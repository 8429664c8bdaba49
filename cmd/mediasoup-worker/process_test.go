package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

func TestDump(t *testing.T) {
	p := spawn(t)
	require.Equal(t, uint32(p.cmd.Process.Pid), p.dump(1).PID)
}

func TestExits(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(p *process)
		code   int
		stderr string
	}{
		"SIGTERM":            {end: func(p *process) { _ = p.cmd.Process.Signal(syscall.SIGTERM) }},
		"SIGINT":             {end: func(p *process) { _ = p.cmd.Process.Signal(syscall.SIGINT) }},
		"close notification": {end: func(p *process) { p.send(&api.Notification{Event: api.EventWorkerClose}) }},
		"end of file": {
			end:    func(p *process) { _ = p.to.Close() },
			stderr: "mediasoup-worker: channel closed by the application's side\n",
		},
		"both ends closed": {
			end:    func(p *process) { _ = p.to.Close(); _ = p.from.Close() },
			stderr: "mediasoup-worker: channel closed by the application's side\n",
		},
		"frame too long": {
			end:  func(p *process) { p.write([]byte{0xff, 0xff, 0xff, 0xff}) },
			code: exitBrokenChannel,
			stderr: "mediasoup-worker: the channel is out of step, nothing after this can be understood: frame too long: " +
				"4294967295 bytes announced, 8388604 allowed\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := spawn(t)
			c.end(p)
			code, stderr := p.exit()
			require.Equal(t, c.code, code)
			require.Equal(t, c.stderr, stderr)
		})
	}
}

func TestIgnoredSignals(t *testing.T) {
	p := spawn(t)
	for i, s := range []syscall.Signal{
		syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2,
	} {
		require.NoError(t, p.cmd.Process.Signal(s))
		p.dump(uint32(i + 1))
	}
}

func TestWrongSettings(t *testing.T) {
	for arg, want := range map[string]string{
		"--logLevel=chicken":                  "wrong settings: invalid value 'chicken' for logLevel",
		"--rtcMaxPort=9":                      "wrong settings: rtcMaxPort (9) cannot be less than rtcMinPort (10000)",
		"--dtlsCertificateFile=/notfound.pem": "wrong settings: missing dtlsPrivateKeyFile",
		"--chicken=1":                         "wrong settings: unknown option 'chicken'",
	} {
		code, stderr := launch(t, arg).exit()
		require.Equal(t, exitWrongSettings, code)
		require.Equal(t, "mediasoup-worker: "+want+"\n", stderr)
	}
}

func TestOldSettingsAreAccepted(t *testing.T) {
	p := spawn(t, "--logLevel=warn", "--logTag=info", "--logTags=", "--disableLiburing=true", "--libwebrtcFieldTrials=x/")
	p.dump(1)
}

// TestByHand starts the program as one does from a shell.
func TestByHand(t *testing.T) {
	for name, c := range map[string]struct {
		args           []string
		release        string
		code           int
		stdout, stderr string // what they contain
	}{
		"nothing": {
			code: exitWrongSettings, stderr: "the environment variable MEDIASOUP_VERSION is missing\nThis worker (" + version + ") serves all releases of mediasoup since 3.13.0; ",
		},
		"no descriptors": {
			release: "3.27.1", code: exitBrokenChannel, stderr: "file descriptor 3 is n",
		},
		"old release": {
			release: "3.12.16", code: exitWrongSettings,
			stderr: "mediasoup 3.12.16 is older than 3.13.0, the oldest release that this worker speaks (named by MEDIASOUP_VERSION)\nThis worker",
		},
		"no release": {
			release: "newest", code: exitWrongSettings, stderr: "\"newest\": not a release of mediasoup, such as 3.27.1 (named by MEDIASOUP_VERSION)\nThis worker",
		},
		"dialects": {args: []string{"dialects"}, stdout: "\n\ndialect 3.13.23: 3.13.20 3.13.21 3.13.22 3.13.23 3.13.24\n    table FBS.WebRtcTransport.WebRtcTransportOptions: +ice_consent_timeout uint8 = 30\n\ndialect 3.14.1:"},
		"one dialect": {
			args:   []string{"dialects", "3.26.0"},
			stdout: "mediasoup 3.26.0 speaks the dialect of 3.24.1.\nbitrates (until 3.26.0): bitrates of 32 bits; larger ones are sent as 4294967295\n",
		},
		"unknown dialect":   {args: []string{"dialects", "9.0.0"}, stdout: "This worker does not know mediasoup 9.0.0. It speaks the schema of the application's package, or if it does not find that, the dialect of 3.27.0.\nFrom 9.0.0 to"},
		"inferred dialect":  {args: []string{"dialects", "3.17.1"}, stdout: "mediasoup 3.17.1 speaks the dialect of 3.18.0 (placed: docs/releases.md explains the word).\n"},
		"dialects' help":    {args: []string{"dialects", "--help"}, stdout: dialectsUsage},
		"two dialects":      {args: []string{"dialects", "3.26.0", "3.25.0"}, stdout: "From 3.26.0 to 3.25.0:\n  nothing\n"},
		"old dialect":       {args: []string{"dialects", "3.12.0"}, code: exitWrongSettings, stderr: "mediasoup 3.12.0 is older than 3.13.0"},
		"too many dialects": {args: []string{"dialects", "1", "2", "3"}, code: exitWrongSettings, stderr: dialectsUsage},
		"help":              {args: []string{"--help"}, stdout: helpText},
		"version":           {args: []string{"--version"}, stdout: "mediasoup-worker " + version + " (gazpacho), serves mediasoup 3.13.0 to 3.27.1, go"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			cmd := exec.Command(binaryPath, c.args...)
			cmd.Env = []string{versionEnv + "=" + c.release}
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			require.Equal(t, c.code, cmd.ProcessState.ExitCode())
			require.Contains(t, stdout.String(), c.stdout)
			require.Contains(t, stderr.String(), c.stderr)
			require.Equal(t, c.stdout == "", stdout.Len() == 0)
			require.Equal(t, c.stderr == "", stderr.Len() == 0)
		})
	}
}

// TestWrongDescriptors passes descriptors that cannot be a channel.
func TestWrongDescriptors(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer func() { _ = errors.Join(r.Close(), w.Close(), null.Close()) }()
	for want, files := range map[string][]*os.File{
		"file descriptor 3 is neither a socket nor a pipe":   {null, w},
		"file descriptor 4 is neither a socket nor a pipe":   {r, null},
		"file descriptor 3 is open in the wrong direction\n": {w, w},
		"file descriptor 4 is open in the wrong direction\n": {r, r},
	} {
		var stderr bytes.Buffer
		cmd := exec.Command(binaryPath)
		cmd.Env = []string{versionEnv + "=3.27.1"}
		cmd.ExtraFiles, cmd.Stderr = files, &stderr
		_ = cmd.Run()
		require.Equal(t, exitBrokenChannel, cmd.ProcessState.ExitCode())
		require.Contains(t, stderr.String(), want)
	}
}

func TestUpdateSettings(t *testing.T) {
	p := spawn(t, "--logLevel=debug", "--logTag=info")
	p.send(&api.Request{
		ID: 1, Method: api.MethodWorkerUpdateSettings,
		Body: &api.WorkerUpdateSettingsRequest{LogLevel: "chicken"},
	})
	p.log("request refused [method:WORKER_UPDATE_SETTINGS, id:1, error:invalid value 'chicken' for logLevel]")
	require.Equal(t, &api.Response{ID: 1, Error: "TypeError", Reason: "invalid value 'chicken' for logLevel"}, p.response())
	p.send(&api.Request{
		ID: 2, Method: api.MethodWorkerUpdateSettings,
		Body: &api.WorkerUpdateSettingsRequest{LogLevel: "debug", LogTags: []string{"info", "svc"}},
	})
	p.log("Dinfo | settings [logLevel:debug, logTags:info,svc, rtcMinPort:10000, rtcMaxPort:59999")
	require.Equal(t, &api.Response{ID: 2, Accepted: true}, p.response())
}

// TestSlowReader sends thousands of requests while it reads the answers one by one.
func TestSlowReader(t *testing.T) {
	const requests = 30_000
	p := spawn(t)
	encoder := p.dialect.NewEncoder()
	sent := make(chan error, 1)
	go func() {
		var err error
		for id := uint32(1); id <= requests && err == nil; id++ {
			var b []byte
			if b, err = encoder.AppendMessage(nil, &api.Request{ID: id, Method: api.MethodWorkerDump}); err == nil {
				_, err = p.to.Write(b)
			}
		}
		sent <- err
	}()
	for id := uint32(1); id <= requests; id++ {
		require.Equal(t, id, p.response().ID)
	}
	require.NoError(t, <-sent)
}

func TestGarbageAndPieces(t *testing.T) {
	p := spawn(t)
	p.write([]byte{0, 0, 0, 0})
	p.log("message discarded [bytes:0")
	p.write([]byte("\x07\x00\x00\x00garbage"))
	p.log("message discarded [bytes:7")
	frame, err := p.encoder.AppendMessage(nil, &api.Request{ID: 1, Method: api.MethodWorkerDump})
	require.NoError(t, err)
	for i := range frame {
		p.write(frame[i : i+1])
	}
	require.Equal(t, uint32(1), p.response().ID)
	p.write(bytes.Repeat(frame, 100))
	for range 100 {
		require.Equal(t, uint32(1), p.response().ID)
	}
}

// TestWrongResourceUsage sets an environment variable that only the engine can check.
func TestWrongResourceUsage(t *testing.T) {
	p := launchAs(t, binaryPath, "3.27.1", append(os.Environ(), versionEnv+"=3.27.1", usageEnv+"=chicken"))
	code, stderr := p.exit()
	require.Equal(t, exitWrongSettings, code)
	require.Equal(t, "mediasoup-worker: wrong settings: "+usageEnv+": invalid value 'chicken': want share, process or machine\n", stderr)
}
