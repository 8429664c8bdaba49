package netio

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

var loopback4 = netip.MustParseAddr("127.0.0.1")

func newPortTable() *portTable { return &portTable{used: make(map[netip.AddrPort]int)} }

func TestRangeIsTriedFromARandomStartAndWraps(t *testing.T) {
	var tried []uint16
	choice := portChoice{"udp", loopback4, 0, 100, 103, func(n int) int { require.Equal(t, 4, n); return 1 }}
	_, claim, err := bind(newPortTable(), choice, func(port uint16) (uint16, error) {
		tried = append(tried, port)
		if len(tried) < 4 {
			return 0, fmt.Errorf("bind: %w", syscall.EADDRINUSE)
		}
		return port, nil
	})
	require.NoError(t, err)
	require.Equal(t, []uint16{102, 103, 100, 101}, tried)
	require.Equal(t, netip.AddrPortFrom(loopback4, 101), claim)
}

func TestRangeGivesNoPortTwice(t *testing.T) {
	table := newPortTable()
	choice := portChoice{"udp", loopback4, 0, 65534, 65535, func(int) int { return 0 }}
	open := func(port uint16) (uint16, error) { return port, nil } // the system allows everything
	_, first, err := bind(table, choice, open)
	require.NoError(t, err)
	_, second, err := bind(table, choice, open)
	require.NoError(t, err)
	require.NotEqual(t, first, second)

	_, _, err = bind(table, choice, open)
	require.EqualError(t, err, "no more available ports [protocol:udp, ip:'127.0.0.1', numAttempt:2]")

	other := choice
	other.address = netip.MustParseAddr("127.0.0.2")
	_, _, err = bind(table, other, open)
	require.NoError(t, err, "another address has its own ports")

	table.release(first)
	_, again, err := bind(table, choice, open)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Len(t, table.used, 3)
}

func TestBindErrors(t *testing.T) {
	for name, test := range map[string]struct {
		port, min, max uint16
		cause          error
		reason         BindReason
		text           string
	}{
		"invalid range": {0, 10, 9, nil, BindInvalidRange, "maxPort cannot be less than minPort"},
		"fixed port taken": {
			7, 0, 0, syscall.EADDRINUSE, BindFailed,
			"port bind failed [protocol:udp, ip:'127.0.0.1', port:7]: address already in use",
		},
		"fixed port, foreign address": {
			7, 0, 0, syscall.EADDRNOTAVAIL, BindAddressNotAvailable,
			"port bind failed due to address not available [protocol:udp, ip:'127.0.0.1', port:7]",
		},
		"range, foreign address": {
			0, 20, 21, syscall.EADDRNOTAVAIL, BindAddressNotAvailable,
			"port bind failed due to address not available [protocol:udp, ip:'127.0.0.1', port:21, attempt:1/2]",
		},
		"range, no descriptors": {
			0, 20, 21, syscall.EMFILE, BindTooManyOpenFiles,
			"port bind failed due to too many open files [protocol:udp, ip:'127.0.0.1', port:21, attempt:1/2]",
		},
		"range, all taken": {
			0, 20, 21, syscall.EADDRINUSE, BindNoMorePorts,
			"no more available ports [protocol:udp, ip:'127.0.0.1', numAttempt:2]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := newPortTable()
			choice := portChoice{"udp", loopback4, test.port, test.min, test.max, func(int) int { return 0 }}
			_, _, err := bind(table, choice, func(uint16) (int, error) { return 0, test.cause })
			var bindErr *BindError
			require.True(t, errors.As(err, &bindErr))
			require.Equal(t, test.reason, bindErr.Reason)
			require.EqualError(t, err, test.text)
			require.Empty(t, table.used, "a refused bind leaves no claim")
		})
	}
}
