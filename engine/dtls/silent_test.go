package dtls_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// silentSides starts n handshakes as client whose peers never say a word.
func silentSides(t *testing.T, limits dtls.Limits, n int) (silent []*side) {
	for range n {
		s := newSide(t, dtls.Settings{Limits: limits})
		require.NoError(t, s.Start(dtls.Client, sha256Of(s.cert)))
		silent = append(silent, s)
	}
	return silent
}

// One handshake more than may run at once, and all peers are silent: those whose peers speak wait no longer than it takes to be
// sure of that, in either role.
func TestTheSilentMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := dtls.DefaultLimits()
		silent := silentSides(t, limits, dtls.MaxRunning+1)
		require.Equal(t, dtls.MaxRunning, limits.Running())
		require.Equal(t, 1, limits.Waiting())

		began := time.Now()
		incoming := newPair(t, dtls.Settings{}, dtls.Settings{Limits: limits})
		incoming.connect(t)
		t.Logf("the peer of an incoming handshake waited for %v", time.Since(began))
		require.LessOrEqual(t, time.Since(began), dtls.MaxSilence)
		began = time.Now()
		outgoing := newPair(t, dtls.Settings{Limits: limits}, dtls.Settings{})
		outgoing.connect(t)
		t.Logf("that of an outgoing one for %v", time.Since(began))
		require.LessOrEqual(t, time.Since(began), dtls.MaxSilence)
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
	})
}

// Nobody is displaced as long as nobody waits.
func TestTheSilentMayStayAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := dtls.DefaultLimits()
		silent := silentSides(t, limits, dtls.MaxRunning)
		time.Sleep(2 * dtls.MaxSilence)
		require.Equal(t, dtls.MaxRunning, limits.Running())
		for _, s := range silent {
			require.Zero(t, s.Counters().Displaced)
			s.Close()
		}
	})
}
