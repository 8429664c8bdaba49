package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"gazpacho/channel"
	"gazpacho/engine"
)

// config is the parsed command line.
type config struct {
	help, version bool
	logLevel      string // empty if not given
	logTags       []string
	rtcMinPort    uint16
	rtcMaxPort    uint16
	dtlsCertFile  string
	dtlsKeyFile   string
	// mediasoupVersion is the release of the application; empty if not given.
	mediasoupVersion string
	ignored          []string // arguments without effect, for the log
}

// option is one command line option.
type option struct {
	name string
	flag bool // takes no value
	set  func(c *config, value string) error
}

// options are those of the C++ worker in the releases 3.13.0 to 3.27.1, and three more: help, version and mediasoupVersion.
var options = []option{
	{name: "help", flag: true, set: func(c *config, _ string) error { c.help = true; return nil }},
	{name: "version", flag: true, set: func(c *config, _ string) error { c.version = true; return nil }},
	{name: versionFlag, set: func(c *config, v string) error { c.mediasoupVersion = v; return nil }},
	{name: "logLevel", set: setLogLevel},
	{name: "logTags", set: func(c *config, v string) error { c.logTags = append(c.logTags, v); return nil }},
	{name: "rtcMinPort", set: func(c *config, v string) error { return setPort(&c.rtcMinPort, "rtcMinPort", v) }},
	{name: "rtcMaxPort", set: func(c *config, v string) error { return setPort(&c.rtcMaxPort, "rtcMaxPort", v) }},
	{name: "dtlsCertificateFile", set: func(c *config, v string) error { c.dtlsCertFile = v; return nil }},
	{name: "dtlsPrivateKeyFile", set: func(c *config, v string) error { c.dtlsKeyFile = v; return nil }},
	// From here on, options that select parts of the C++ worker which this worker does not have.
	{name: "libwebrtcFieldTrials", set: func(c *config, v string) error { return c.ignore("libwebrtcFieldTrials", v) }},
	{name: "disableLiburing", set: func(c *config, v string) error { return ignoreBool(c, "disableLiburing", v) }},
	{name: "useBuiltInSctpStack", set: func(c *config, v string) error { return ignoreBool(c, "useBuiltInSctpStack", v) }},
}

// parseFlags parses the command line like the C++ worker, that is, like getopt_long_only(3) when every option has an
// optional value: --name=value or -name=value, where name may be an unambiguous prefix (the Node library sends --logTag).
// Unlike the C++ worker, it refuses numbers with trailing characters or out of range.
func parseFlags(args []string) (*config, error) {
	c := &config{rtcMinPort: engine.DefaultRTCMinPort, rtcMaxPort: engine.DefaultRTCMaxPort}
	for i, arg := range args {
		if arg == "--" {
			c.ignored = append(c.ignored, args[i+1:]...)
			break
		}
		if err := c.parse(arg); err != nil {
			return nil, err
		}
	}
	if c.help || c.version {
		return c, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// parse parses one argument.
func (c *config) parse(arg string) error {
	text, dashed := strings.CutPrefix(arg, "-")
	if !dashed || text == "" {
		c.ignored = append(c.ignored, arg)
		return nil
	}
	name, value, given := strings.Cut(strings.TrimPrefix(text, "-"), "=")
	opt, err := findOption(name)
	switch {
	case err != nil:
		return err
	case opt.flag && given:
		return fmt.Errorf("option --%s takes no value", opt.name)
	case !opt.flag && !given:
		return fmt.Errorf("missing value of option --%s: write --%s=<value>", opt.name, opt.name)
	}
	return opt.set(c, value)
}

// findOption returns the option with that name, or the only one with that prefix.
func findOption(name string) (*option, error) {
	var found []string
	var opt *option
	for i := range options {
		if options[i].name == name {
			return &options[i], nil
		}
		if name != "" && strings.HasPrefix(options[i].name, name) {
			opt = &options[i]
			found = append(found, "--"+opt.name)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("unknown option '%s'", name)
	case 1:
		return opt, nil
	default:
		return nil, fmt.Errorf("ambiguous option '%s': it could be %s", name, strings.Join(found, ", "))
	}
}

// check validates options that depend on each other, and the files.
func (c *config) check() error {
	if c.rtcMaxPort < c.rtcMinPort {
		return fmt.Errorf("rtcMaxPort (%d) cannot be less than rtcMinPort (%d)", c.rtcMaxPort, c.rtcMinPort)
	}
	switch {
	case c.dtlsCertFile == "" && c.dtlsKeyFile == "":
		return nil
	case c.dtlsKeyFile == "":
		return fmt.Errorf("missing dtlsPrivateKeyFile")
	case c.dtlsCertFile == "":
		return fmt.Errorf("missing dtlsCertificateFile")
	}
	if err := checkFile(c.dtlsCertFile); err != nil {
		return fmt.Errorf("dtlsCertificateFile: %w", err)
	}
	if err := checkFile(c.dtlsKeyFile); err != nil {
		return fmt.Errorf("dtlsPrivateKeyFile: %w", err)
	}
	return nil
}

// checkFile checks that path is a regular file that can be read. It opens nothing else: a named pipe would block.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot read file '%s': %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("'%s' is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read file '%s': %w", path, err)
	}
	return f.Close()
}

// setLogLevel checks the level at once, so that a wrong one is reported before the worker starts.
func setLogLevel(c *config, value string) error {
	c.logLevel = value
	return channel.NewSettings().SetLogLevel(value)
}

func setPort(to *uint16, name, value string) error {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return fmt.Errorf("invalid value '%s' for %s: want a number between 0 and 65535", value, name)
	}
	*to = uint16(n)
	return nil
}

// ignoreBool accepts a boolean option of older releases; their Node library only sends "true".
func ignoreBool(c *config, name, value string) error {
	if _, err := strconv.ParseBool(value); err != nil {
		return fmt.Errorf("invalid value '%s' for %s: want true or false", value, name)
	}
	return c.ignore(name, value)
}

func (c *config) ignore(name, value string) error {
	c.ignored = append(c.ignored, "--"+name+"="+value)
	return nil
}
