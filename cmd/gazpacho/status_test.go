package main

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/membership"
	"gazpacho/scaling/reach"
	"gazpacho/scaling/remote"
)

// Status names the nodes between which UDP is blocked, and what to open.
func TestStatusNamesFirewalls(t *testing.T) {
	row := func(name string, unheard ...reach.Unheard) nodeRow {
		return nodeRow{name + ":7000", remote.NodeStatus{
			Row:    membership.Row{Node: membership.Node{Name: name}, Condition: membership.Alive},
			Status: &remote.Status{Name: name, Unheard: unheard, Ports: "10000-59999"},
		}}
	}
	var b bytes.Buffer
	require.NoError(t, printStatus(&b, []nodeRow{row("a"), row("b")}))
	require.NotContains(t, b.String(), "UDP")
	b.Reset()
	from := netip.MustParseAddr("10.0.0.2")
	require.NoError(t, printStatus(&b, []nodeRow{
		row("a", reach.Unheard{Node: "b", From: from, To: netip.MustParseAddr("10.0.0.1")}), row("b"),
		row("c", reach.Unheard{Node: "b", From: from, To: netip.MustParseAddr("10.0.0.3")}),
	}))
	require.Contains(t, b.String(), `
Media between these nodes takes another way, or none, since UDP does not arrive. Open it in the firewalls between them:
from 10.0.0.2 (node b) to 10.0.0.1 (node a), UDP ports 10000-59999
from 10.0.0.2 (node b) to 10.0.0.3 (node c), UDP ports 10000-59999
`)
}

// Status shows what lasts, as the node that tells has it.
func TestStatusShowsSignals(t *testing.T) {
	tells := nodeRow{"a:7000", remote.NodeStatus{Row: membership.Row{Condition: membership.Alive, Node: membership.Node{Name: "a", Tells: true, Signals: []membership.Signal{
		{Kind: membership.CapacityShort, Region: "eu"},
		{Kind: membership.NodeIdle, Region: "us", Node: "c"},
		{Kind: membership.CapacityShort},
		{Kind: membership.NodeIdle, Node: "d", Over: true},
	}}}}}
	var b bytes.Buffer
	require.NoError(t, printStatus(&b, []nodeRow{tells}))
	require.Regexp(t, "\ncapacity-short: region eu, since .*\nnode-idle: c, since .*\ncapacity-short: region without a name, since .*\n$", b.String())
	require.NotContains(t, b.String(), "d, since")
}
