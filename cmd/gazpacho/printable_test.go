package main

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/remote"
)

// TestTextsOfOthersDoNothingToTheTerminal: neither an id that an application has chosen, nor what a node says of itself, nor an error.
func TestTextsOfOthersDoNothingToTheTerminal(t *testing.T) {
	const evil = "\x1b[2J\x1b]0;root\a\u009b31m"
	var out bytes.Buffer
	require.NoError(t, printPlaces(&out, []remote.Place{{Node: "a", Tenant: evil, Application: evil, Router: evil}}, false))
	require.NoError(t, printStatus(&out, []nodeRow{{"a:7000", remote.NodeStatus{Status: &remote.Status{
		Name: evil, Fronts: []remote.FrontStatus{{Application: evil}}, Links: []remote.LinkStatus{{To: evil}}, Directory: &remote.DirectoryStatus{},
	}}}}))
	require.NotZero(t, run([]string{"find", "--cluster", evil, evil}, &out, &out))
	require.Contains(t, out.String(), "?[2J")
	require.NotRegexp(t, regexp.MustCompile(`[\x00-\x09\x0b-\x1f\x{7f}-\x{9f}]`), out.String())
}
