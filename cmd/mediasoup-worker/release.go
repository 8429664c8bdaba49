package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"gazpacho/fbs"
)

// version is this worker's own, independent of mediasoup's.
const version = "0.1.0"

// Where a release can be named.
const (
	// versionEnv is set by the Node library to its release.
	versionEnv = "MEDIASOUP_VERSION"
	// ownVersionEnv is for clients that cannot set the other.
	ownVersionEnv = "GAZPACHO_MEDIASOUP_VERSION"
	// versionFlag is an option of the command line.
	versionFlag = "mediasoupVersion"

	// anyRelease is what the Go client (jiyeyuran/mediasoup-go) sets MEDIASOUP_VERSION to, whatever it speaks.
	anyRelease = "default"

	binaryName = "mediasoup-worker"
)

// sources are all that may name the release the application speaks. Empty: not named.
type sources struct {
	flag     string   // of the command line
	env      string   // MEDIASOUP_VERSION
	ownEnv   string   // GAZPACHO_MEDIASOUP_VERSION
	programs []string // paths of the running binary: as it was called, perhaps by a link, and as it is

	packageFolder string // GAZPACHO_MEDIASOUP_PACKAGE
	parent        string // the folder in /proc of the process that started this one
}

// choice is the release that counts, and what named it.
type choice struct {
	release string
	source  string // for messages
}

// choose finds the release. What an operator sets for this process counts first, then what the application says of itself, then
// the installation. "default" names no release, but is enough to get the newest.
func (s sources) choose() (choice, error) {
	for _, c := range []choice{{s.flag, "--" + versionFlag}, {s.env, versionEnv}, {s.ownEnv, ownVersionEnv}} {
		if c.release != "" && c.release != anyRelease {
			return c, nil
		}
	}
	for _, program := range s.programs {
		if c, err := installed(program); err != nil || c.release != "" {
			return c, err
		}
	}
	if source := cmp.Or(s.flag, s.env, s.ownEnv); source != "" {
		return choice{fbs.Newest(), "the newest known"}, nil
	}
	return choice{}, fmt.Errorf("no release of mediasoup named: the environment variable %s is missing", versionEnv)
}

// programs returns the paths of the running binary, which was called by the name arg0.
func programs(arg0 string) []string {
	var paths []string
	if path, err := exec.LookPath(arg0); err == nil {
		paths = append(paths, path)
	}
	if path, err := os.Executable(); err == nil {
		paths = append(paths, path)
	}
	return paths
}

// installed returns the release that the name of a binary ends with, as in mediasoup-worker-3.19.22, or that a file beside it
// holds, which has the same name followed by .version.
func installed(program string) (choice, error) {
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	if release, ok := strings.CutPrefix(name, binaryName+"-"); ok && startsWithDigit(release) {
		return choice{release, "the name of the binary, " + name}, nil
	}
	file := filepath.Join(filepath.Dir(program), name+".version")
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return choice{}, nil
	case err != nil:
		return choice{}, fmt.Errorf("the release of mediasoup cannot be read: %w", err)
	}
	return choice{strings.TrimSpace(string(text)), file}, nil
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// supported returns a line about the releases served.
func supported() string {
	return fmt.Sprintf("This worker (%s) serves all releases of mediasoup since %s; the newest it knows is %s.",
		version, fbs.Oldest(), fbs.Newest())
}
