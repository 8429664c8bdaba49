package dtls_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

func TestCloseInEachState(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, prepare := range map[string]func(*pair){
		"new":                     func(*pair) {},
		"waiting for ClientHello": func(p *pair) { require.NoError(t, p.server.Start(dtls.Server, sha256Of(p.client.cert))) },
		"connecting":              func(p *pair) { p.start(t) },
		"in the middle": func(p *pair) {
			p.start(t)
			p.until(t, "the server's flight", func() bool { return p.counts[p.server] > 0 })
		},
		"connected": func(p *pair) { p.connect(t) },
		"failed": func(p *pair) {
			require.NoError(t, p.server.Start(dtls.Server, sha256Of(generate())))
			require.NoError(t, p.client.Start(dtls.Client, sha256Of(p.server.cert)))
			p.until(t, "failure", func() bool {
				return p.client.reached(api.DTLSStateFailed) && p.server.reached(api.DTLSStateFailed)
			})
		},
		"closed by the peer": func(p *pair) {
			p.connect(t)
			p.client.Close()
			p.move()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, dtls.Settings{}, dtls.Settings{})
			prepare(p)
			for _, s := range []*side{p.client, p.server} {
				s.Close()
				select {
				case <-s.woken:
				default:
				}
				s.poll()
				require.ErrorIs(t, s.Write([]byte("x")), dtls.ErrNotConnected)
				s.HandleDatagram(garbage([]byte{1, 2})[3])
			}
			noNewGoroutines(t, before+2) // those of the subtest
			require.Empty(t, p.client.woken, "no wake after Close")
			require.Empty(t, p.server.woken, "no wake after Close")
			require.Empty(t, p.client.poll())
			require.Empty(t, p.server.poll())
		})
	}
	noNewGoroutines(t, before)
}

func TestManyTransportsLeaveNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	limits := dtls.NewLimits(16, 8)
	for i := range 1000 {
		s := newSide(t, dtls.Settings{Limits: limits})
		switch i % 4 {
		case 0:
			require.NoError(t, s.Start(dtls.Client, sha256Of(s.cert)))
		case 1:
			require.NoError(t, s.Start(dtls.Client, sha256Of(s.cert)))
			<-s.woken
		case 2:
			require.NoError(t, s.Start(dtls.Server, sha256Of(s.cert)))
		}
		s.Close()
	}
	noNewGoroutines(t, before)
	require.Eventually(t, func() bool { return limits.Running() == 0 }, patience, time.Millisecond)
	require.Zero(t, limits.Waiting())
}

func TestHandshakesAtOnceAreLimited(t *testing.T) {
	limits := dtls.NewLimits(1, 1)
	blocker := newSide(t, dtls.Settings{Limits: limits})
	require.NoError(t, blocker.Start(dtls.Client, sha256Of(blocker.cert)))
	<-blocker.woken

	first := newPair(t, dtls.Settings{}, dtls.Settings{Limits: limits})
	second := newPair(t, dtls.Settings{FlightInterval: 20 * time.Millisecond}, dtls.Settings{Limits: limits})
	for _, p := range []*pair{first, second} {
		p.start(t)
		p.until(t, "the ClientHello", func() bool { return p.counts[p.client] > 0 })
	}
	require.Equal(t, 1, limits.Waiting())
	require.EqualValues(t, second.counts[second.client], second.server.Counters().Overload, "each ClientHello, retransmissions included")
	outgoing := newSide(t, dtls.Settings{Limits: limits}) // a client is never refused
	require.NoError(t, outgoing.Start(dtls.Client, sha256Of(blocker.cert)))
	require.Equal(t, 2, limits.Waiting())

	blocker.Close()
	first.untilConnected(t)
	outgoing.Close()
	second.untilConnected(t) // after the client's retransmission
	first.exchange(t, "first")
	second.exchange(t, "second")
}

// wake is called without the lock that Poll needs.
func TestWakeMayPoll(t *testing.T) {
	peer := newSide(t, dtls.Settings{})
	done := make(chan int, 10)
	var s *dtls.Transport
	s = dtls.New(testCertificate, func() {
		var out dtls.Output
		s.Poll(&out)
		done <- len(out.Datagrams)
	})
	t.Cleanup(s.Close)
	require.NoError(t, s.Start(dtls.Client, sha256Of(peer.cert)))
	require.Equal(t, 1, <-done)
}
