package fbs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Release is a release of mediasoup and the dialect that serves it.
type Release struct {
	Version  string // such as "3.27.1"
	Dialect  string // the release that the dialect is named after
	Evidence string // how that is known: a word that schema/releases.txt explains
}

// FromPackage is the evidence of a release whose npm package was read.
const FromPackage = "package"

// Releases returns all known releases, oldest first.
func Releases() []Release { return slices.Clone(releaseTable()) }

// Newest returns the newest known release.
func Newest() string {
	table := releaseTable()
	return table[len(table)-1].Version
}

// Oldest returns the oldest release served.
func Oldest() string { return releaseTable()[0].Version }

// IsKnown reports whether a release is in the table. Of others, forks included, the schema can only be guessed.
func IsKnown(release string) bool {
	return slices.ContainsFunc(releaseTable(), func(r Release) bool { return r.Version == release })
}

// ServedLike returns the release of the table whose dialect [Load] gives a release: itself if it is known.
func ServedLike(release string) (Release, error) { return find(release) }

// releaseTable reads the table that fbs/gen wrote, once.
var releaseTable = sync.OnceValue(func() []Release {
	text, err := schemas.ReadFile("schema/releases.txt")
	if err != nil {
		panic(fmt.Sprintf("fbs: the table of releases is not embedded: %v", err))
	}
	var table []Release
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 3 && words[0] != "#" {
			table = append(table, Release{words[0], words[1], words[2]})
		}
	}
	return table
})

// find returns the release of the table that has the number of the one wanted, or the nearest.
func find(wanted string) (Release, error) {
	var older, younger Release
	for _, r := range releaseTable() {
		order, err := CompareReleases(r.Version, wanted)
		switch {
		case err != nil:
			return Release{}, err
		case order == 0:
			return r, nil
		case order < 0:
			older = r
		case younger.Version == "":
			younger = r
		}
	}
	if older.Version == "" {
		return older, fmt.Errorf("mediasoup %s is older than %s, the oldest release that this worker speaks", wanted, Oldest())
	}
	return nearest(older, younger), nil
}

// nearest returns which of two consecutive releases of the table serves one in between: the older, unless it would refuse or
// misread messages of the younger. Then the one in between would fail with the older if it has the change, and most have, as
// changes of the schema come early in a minor release.
func nearest(older, younger Release) Release {
	if younger.Version == "" || older.Dialect == younger.Dialect {
		return older
	}
	if embedded(older.Dialect).misreads(embedded(younger.Dialect)) {
		return younger
	}
	return older
}

// version is a release number: major, minor, patch.
type version [3]int

var errVersion = errors.New("not a release of mediasoup, such as 3.27.1")

// CompareReleases returns a negative number when a is the older release, 0 when both are the same, and a positive number
// when a is the younger one. What follows a hyphen, as in 3.28.0-rc.1, does not count.
func CompareReleases(a, b string) (int, error) {
	va, errA := parseVersion(a)
	vb, errB := parseVersion(b)
	return slices.CompareFunc(va[:], vb[:], cmp.Compare[int]), cmp.Or(errA, errB)
}

func parseVersion(s string) (version, error) {
	var v version
	number, _, _ := strings.Cut(s, "-")
	parts := strings.Split(number, ".")
	if len(parts) != len(v) {
		return v, fmt.Errorf("%q: %w", s, errVersion)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return v, fmt.Errorf("%q: %w", s, errVersion)
		}
		v[i] = int(n)
	}
	return v, nil
}
