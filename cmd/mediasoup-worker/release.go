package main

import (
	"fmt"
	"strings"

	"gazpacho/fbs"
)

// version is this worker's own, which has nothing to do with mediasoup's.
const version = "0.1.0"

// dialects maps the releases of mediasoup that are served to the release whose dialect they speak.
var dialects = []struct{ prefix, dialect string }{
	{"3.27.", "3.27.1"},
}

// chooseDialect returns the dialect for a release as MEDIASOUP_VERSION tells it.
func chooseDialect(release string) (*fbs.Dialect, error) {
	var served []string
	for _, d := range dialects {
		if strings.HasPrefix(release, d.prefix) {
			return fbs.Load(d.dialect)
		}
		served = append(served, d.prefix+"x")
	}
	return nil, fmt.Errorf("this worker (%s) does not serve mediasoup '%s', which MEDIASOUP_VERSION names; it serves %s",
		version, release, strings.Join(served, ", "))
}
