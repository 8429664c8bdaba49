package dtls_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// Handshakes whose peers never say a word do not keep out those whose peers do, in either role.
func TestTheSilentMakeRoom(t *testing.T) {
	limits := dtls.NewLimitsOfTheSilent(2, 10)
	var silent []*side
	for range 6 {
		s := newSide(t, dtls.Settings{Limits: limits})
		require.NoError(t, s.Start(dtls.Client, sha256Of(s.cert)))
		silent = append(silent, s)
	}
	require.Equal(t, 2, limits.Running())
	require.Equal(t, 4, limits.Waiting())

	incoming := newPair(t, dtls.Settings{}, dtls.Settings{Limits: limits})
	incoming.connect(t)
	outgoing := newPair(t, dtls.Settings{Limits: limits}, dtls.Settings{})
	outgoing.connect(t)
	incoming.exchange(t, "in")
	outgoing.exchange(t, "out")

	displaced := uint64(0)
	for _, s := range silent {
		displaced += s.Counters().Displaced
		s.poll()
		require.False(t, s.reached(api.DTLSStateFailed), "they go on waiting")
		s.Close()
	}
	require.NotZero(t, displaced)
}

// Nobody is displaced as long as nobody waits.
func TestTheSilentMayStayAlone(t *testing.T) {
	limits := dtls.NewLimitsOfTheSilent(1, 10)
	s := newSide(t, dtls.Settings{Limits: limits})
	require.NoError(t, s.Start(dtls.Client, sha256Of(s.cert)))
	p := newPair(t, dtls.Settings{}, dtls.Settings{})
	p.connect(t)
	require.Zero(t, s.Counters().Displaced)
	require.Equal(t, 1, limits.Running())
	s.Close()
}
