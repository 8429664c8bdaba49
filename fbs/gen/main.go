// Command gen writes the schema file of a dialect: it reads the FlatBuffers schemas (worker/fbs/*.fbs) of an unpacked
// mediasoup npm package and writes fbs/schema/<release>.fbsc, which package fbs embeds.
//
//	go run ./fbs/gen -mediasoup build/npm/node_modules/mediasoup -out fbs/schema
//
// A schema file is plain text, one definition or member per line, sorted by name so that releases can be compared with
// diff. All types are written by their full names, and all numbers that the wire carries are written out:
//
//	release 3.27.1
//	root FBS.Message.Message
//	enum FBS.Transport.Protocol uint8
//	  1 UDP
//	union FBS.Transport.TraceInfo
//	  1 BweTraceInfo FBS.Transport.BweTraceInfo
//	table FBS.Transport.TraceNotification
//	  0 type FBS.Transport.TraceEventType
//	  4 info FBS.Transport.TraceInfo
//
// A field is its slot in the vtable (of a union: the slot of its value; the slot before is its type's), its name, its type
// (in brackets: a vector of it), and where they apply "required", "= null" for a scalar that may be absent, or the
// default of a scalar when that is not zero.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	mediasoup := flag.String("mediasoup", "", "folder of the unpacked mediasoup npm package")
	out := flag.String("out", "", "folder to write the schema file to")
	flag.Parse()
	if err := run(*mediasoup, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes the schema file of the package in the folder mediasoup to the folder out.
func run(mediasoup, out string) error {
	release, err := readRelease(filepath.Join(mediasoup, "package.json"))
	if err != nil {
		return err
	}
	s, err := parseFiles(os.DirFS(filepath.Join(mediasoup, "worker", "fbs")), "message.fbs")
	if err != nil {
		return err
	}
	text, err := format(s, release)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, release+".fbsc"), text, 0o644)
}

// readRelease returns the version in a package.json.
func readRelease(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	var pkg struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	if err := json.Unmarshal(data, &pkg); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if pkg.Name != "mediasoup" || pkg.Version == "" {
		return "", fmt.Errorf("%s is not the one of mediasoup", name)
	}
	return pkg.Version, nil
}
