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

// Release is a release of mediasoup that npm offers, and the dialect that it speaks.
type Release struct {
	Version string // such as "3.27.1"
	Dialect string // the first release that speaks the same
}

// Releases returns the releases known, oldest first.
func Releases() []Release { return slices.Clone(releaseTable()) }

// Newest returns the newest release known.
func Newest() string {
	table := releaseTable()
	return table[len(table)-1].Version
}

// Oldest returns the oldest release served.
func Oldest() string { return releaseTable()[0].Version }

// IsNewer reports whether release is newer than all that are known, so that its dialect is a guess.
func IsNewer(release string) bool {
	order, err := CompareReleases(release, Newest())
	return err == nil && order > 0
}

// ServedLike returns the release of the table like which a release is served: itself when it is known, otherwise the youngest
// known that is not younger. The error is that of [Load].
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
		if len(words) == 2 {
			table = append(table, Release{words[0], words[1]})
		}
	}
	return table
})

// find returns the youngest release of the table that is not younger than the one wanted.
func find(wanted string) (Release, error) {
	var found Release
	for _, r := range releaseTable() {
		order, err := CompareReleases(r.Version, wanted)
		if err != nil {
			return Release{}, err
		}
		if order <= 0 {
			found = r
		}
	}
	if found.Version == "" {
		return found, fmt.Errorf("mediasoup %s is older than %s, the oldest release that this worker speaks", wanted, Oldest())
	}
	return found, nil
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
