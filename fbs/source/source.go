// Package source reads the FlatBuffers schemas of an unpacked mediasoup npm package, worker/fbs/*.fbs, and writes them in the
// format that package fbs compiles. The generator uses it for the releases that the binary embeds, the binary itself for those
// that it does not know.
//
// Files are bounded in number, size and content: whatever they hold, [Read] returns a schema or an error.
//
// The format is plain text, one definition or member per line, sorted by name so that releases can be compared with diff. All
// types are written by their full names, and all numbers that the wire carries are written out:
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
// A field is its slot in the vtable (of a union: the slot of its value; the slot before is its type's), its name, its type (in
// brackets: a vector of it), and where they apply "required", "= null" for a scalar that may be absent, or the default of a
// scalar when that is not zero.
package source

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// maxManifest bounds a package.json, in bytes. Chosen here.
const maxManifest = 1 << 18

// rootFile is the schema that includes all others.
const rootFile = "message.fbs"

// Read returns the release of the mediasoup package in a folder, and its schema in the format above. It fails if the folder does
// not hold such a package, or if its schemas cannot be understood.
func Read(folder string) (release string, text []byte, err error) {
	root, err := os.OpenRoot(folder) // links must not lead out of it
	if err != nil {
		return "", nil, err
	}
	defer root.Close()
	if release, err = readRelease(root.FS()); err != nil {
		return "", nil, fmt.Errorf("%s: %w", folder, err)
	}
	schemas, err := root.OpenRoot(filepath.Join("worker", "fbs"))
	if err != nil {
		return "", nil, err
	}
	defer schemas.Close()
	s, err := parseFiles(schemas.FS(), rootFile)
	if err == nil {
		text, err = format(s, release)
	}
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", folder, err)
	}
	return release, text, nil
}

// Release returns the release of the mediasoup package in a folder. It fails if the folder does not hold one.
func Release(folder string) (string, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", err
	}
	defer root.Close()
	return readRelease(root.FS())
}

// validRelease keeps versions out of schemas that would be several words or lines. Few workers need it, and compiling it takes a
// millisecond of each one's start.
var validRelease = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Za-z.+-]{1,64}$`) })

// readRelease returns the version in a package.json.
func readRelease(pkg fs.FS) (string, error) {
	data, err := readFile(pkg, "package.json", maxManifest)
	if err != nil {
		return "", err
	}
	var manifest struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return "", fmt.Errorf("package.json: %w", err)
	}
	if manifest.Name != "mediasoup" || !validRelease().MatchString(manifest.Version) {
		return "", fmt.Errorf("package.json is not that of a release of mediasoup")
	}
	return manifest.Version, nil
}

// readFile returns the content of a regular file of at most limit bytes. files must be able to tell without opening it: a named
// pipe would block.
func readFile(files fs.FS, name string, limit int) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("%s: the files are too large", name)
	}
	return text, err
}
