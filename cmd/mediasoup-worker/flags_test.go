package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pem")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	for name, c := range map[string]struct {
		args []string
		want func(c *config)
	}{
		"none": {nil, func(*config) {}},
		"as the Node library sends them": {
			[]string{
				"--logLevel=debug", "--logTag=info", "--logTag=ice", "--rtcMinPort=1000", "--rtcMaxPort=2000",
				"--dtlsCertificateFile=" + file, "--dtlsPrivateKeyFile=" + file,
				"--libwebrtcFieldTrials=WebRTC-Bwe-AlrLimitedBackoff/Enabled/",
			},
			func(c *config) {
				c.logLevel, c.logTags = "debug", []string{"info", "ice"}
				c.rtcMinPort, c.rtcMaxPort = 1000, 2000
				c.dtlsCertFile, c.dtlsKeyFile = file, file
				c.ignored = []string{"--libwebrtcFieldTrials=WebRTC-Bwe-AlrLimitedBackoff/Enabled/"}
			},
		},
		"as the Go client sends them": {
			[]string{"--logLevel=warn", "--logTags=info", "--logTags="},
			func(c *config) { c.logLevel, c.logTags = "warn", []string{"info", ""} },
		},
		"of older releases": {
			[]string{"--disableLiburing=true", "--useBuiltInSctpStack=false"},
			func(c *config) { c.ignored = []string{"--disableLiburing=true", "--useBuiltInSctpStack=false"} },
		},
		"one dash":          {[]string{"-logLevel=none"}, func(c *config) { c.logLevel = "none" }},
		"level in capitals": {[]string{"--logLevel=ERROR"}, func(c *config) { c.logLevel = "ERROR" }},
		"empty files":       {[]string{"--dtlsCertificateFile=", "--dtlsPrivateKeyFile="}, func(*config) {}},
		"last one counts":   {[]string{"--rtcMinPort=1", "--rtcMinPort=2"}, func(c *config) { c.rtcMinPort = 2 }},
		"equal ports": {
			[]string{"--rtcMinPort=65535", "--rtcMaxPort=65535"},
			func(c *config) { c.rtcMinPort, c.rtcMaxPort = 65535, 65535 },
		},
		"stray arguments": {
			[]string{"stray", "-", "--rtcMinPort=1", "--", "--chicken"},
			func(c *config) { c.rtcMinPort, c.ignored = 1, []string{"stray", "-", "--chicken"} },
		},
		"help wins over ports": {
			[]string{"--help", "--rtcMaxPort=1"}, func(c *config) { c.help, c.rtcMaxPort = true, 1 },
		},
		"version": {[]string{"--version"}, func(c *config) { c.version = true }},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseFlags(c.args)
			require.NoError(t, err)
			want := &config{rtcMinPort: 10000, rtcMaxPort: 59999}
			c.want(want)
			require.Equal(t, want, got)
		})
	}
}

func TestParseFlagsRefuses(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "pem"), filepath.Join(dir, "pipe")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	cert, key := "--dtlsCertificateFile=", "--dtlsPrivateKeyFile="
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown":             {[]string{"--chicken=1"}, "unknown option 'chicken'"},
		"unknown flag":        {[]string{"--chicken"}, "unknown option 'chicken'"},
		"no name":             {[]string{"--=1"}, "unknown option ''"},
		"other case":          {[]string{"--LOGLEVEL=debug"}, "unknown option 'LOGLEVEL'"},
		"ambiguous":           {[]string{"--rtc=1"}, "ambiguous option 'rtc': it could be --rtcMinPort, --rtcMaxPort"},
		"missing value":       {[]string{"--rtcMinPort", "1000"}, "missing value of option --rtcMinPort: write --rtcMinPort=<value>"},
		"value of a flag":     {[]string{"--help=1"}, "option --help takes no value"},
		"level":               {[]string{"--logLevel=chicken"}, "invalid value 'chicken' for logLevel"},
		"empty level":         {[]string{"--logLevel="}, "invalid value '' for logLevel"},
		"port: word":          {[]string{"--rtcMinPort=chicken"}, "invalid value 'chicken' for rtcMinPort: want a number between 0 and 65535"},
		"port: empty":         {[]string{"--rtcMaxPort="}, "invalid value '' for rtcMaxPort: want a number between 0 and 65535"},
		"port: too large":     {[]string{"--rtcMaxPort=65536"}, "invalid value '65536' for rtcMaxPort: want a number between 0 and 65535"},
		"port: negative":      {[]string{"--rtcMinPort=-1"}, "invalid value '-1' for rtcMinPort: want a number between 0 and 65535"},
		"port: with tail":     {[]string{"--rtcMinPort=10x"}, "invalid value '10x' for rtcMinPort: want a number between 0 and 65535"},
		"ports reversed":      {[]string{"--rtcMinPort=1000", "--rtcMaxPort=999"}, "rtcMaxPort (999) cannot be less than rtcMinPort (1000)"},
		"switch":              {[]string{"--disableLiburing=maybe"}, "invalid value 'maybe' for disableLiburing: want true or false"},
		"certificate alone":   {[]string{cert + file}, "missing dtlsPrivateKeyFile"},
		"key alone":           {[]string{key + file}, "missing dtlsCertificateFile"},
		"certificate missing": {[]string{cert + "/none", key + file}, "dtlsCertificateFile: cannot read file '/none': stat /none: no such file or directory"},
		"key missing":         {[]string{cert + file, key + "/none"}, "dtlsPrivateKeyFile: cannot read file '/none': stat /none: no such file or directory"},
		"key is a directory":  {[]string{cert + file, key + dir}, "dtlsPrivateKeyFile: '" + dir + "' is not a regular file"},
		"key is a pipe":       {[]string{cert + file, key + pipe}, "dtlsPrivateKeyFile: '" + pipe + "' is not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseFlags(c.args)
			require.EqualError(t, err, c.want)
			require.Nil(t, got)
		})
	}
}

func TestHelpNamesEveryOption(t *testing.T) {
	for _, o := range options {
		require.Contains(t, helpText, "--"+o.name)
	}
}
