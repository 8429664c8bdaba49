// Command gen writes the schema files that package fbs embeds: it reads the FlatBuffers schemas (worker/fbs/*.fbs) of
// unpacked mediasoup npm packages, one folder each, and writes one file per dialect and the table of releases.
//
//	go run ./fbs/gen -packages build/npm/releases -out fbs/schema
//
// Releases with the same schema share a file, named by the first of them: <release>.fbsc. The table, releases.txt, has a
// line for each release: its number and that of its file. With -drift, it writes nothing, and says instead in what the
// package in the folder differs from the dialects known, and what has to be done about it:
//
//	go run ./fbs/gen -drift build/npm/releases/3.27.1
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
	packages := flag.String("packages", "", "folder of folders with unpacked mediasoup npm packages")
	out := flag.String("out", "", "folder to write the schema files to")
	drift := flag.String("drift", "", "folder of one unpacked mediasoup npm package, to compare with what is known")
	flag.Parse()
	var err error
	if *drift != "" {
		err = reportDrift(*drift, os.Stdout)
	} else {
		err = generate(*packages, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// readSchema returns the release of the package in a folder, and the text of its schema file.
func readSchema(folder string) (release string, text []byte, err error) {
	release, err = readRelease(filepath.Join(folder, "package.json"))
	if err != nil {
		return "", nil, err
	}
	s, err := parseFiles(os.DirFS(filepath.Join(folder, "worker", "fbs")), "message.fbs")
	if err != nil {
		return "", nil, err
	}
	text, err = format(s, release)
	return release, text, err
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
