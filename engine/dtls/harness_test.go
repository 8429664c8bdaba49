package dtls_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// patience bounds the wait for what must happen; it is generous because the machine may be busy.
const patience = 25 * time.Second

// testCertificate is every side's. It is made before any test runs: one made lazily could be made in a synctest bubble, whose
// clock stands in the year 2000, and would then be valid at another time than the tests outside.
var testCertificate = generate()

func generate() *dtls.Certificate {
	c, err := dtls.GenerateCertificate()
	if err != nil {
		panic(err)
	}
	return c
}

// side is one Transport and everything it has put out.
type side struct {
	*dtls.Transport
	cert   *dtls.Certificate
	woken  chan struct{}
	states []dtls.StateChange
	data   []string
	sent   [][]byte
}

func newSide(tb testing.TB, s dtls.Settings) *side { return newSideWith(tb, testCertificate, s) }

func newSideWith(tb testing.TB, cert *dtls.Certificate, s dtls.Settings) *side {
	x := &side{cert: cert, woken: make(chan struct{}, 1)}
	if s.FlightInterval == 0 {
		s.FlightInterval = 10 * time.Second // no retransmission unless a test sets it
	}
	x.Transport = dtls.NewWith(x.cert, func() {
		select {
		case x.woken <- struct{}{}:
		default:
		}
	}, s)
	tb.Cleanup(x.Close)
	return x
}

// poll drains the transport and returns what it sent.
func (s *side) poll() [][]byte {
	var out dtls.Output
	s.Poll(&out)
	s.states = append(s.states, out.States...)
	for _, d := range out.Data {
		s.data = append(s.data, string(d))
	}
	s.sent = append(s.sent, out.Datagrams...)
	return out.Datagrams
}

func (s *side) reached(state api.DTLSState) bool {
	return slices.ContainsFunc(s.states, func(c dtls.StateChange) bool { return c.State == state })
}

func (s *side) change(tb testing.TB, state api.DTLSState) dtls.StateChange {
	i := slices.IndexFunc(s.states, func(c dtls.StateChange) bool { return c.State == state })
	require.GreaterOrEqual(tb, i, 0, "state %s was never reached", state)
	return s.states[i]
}

func (s *side) names() []string {
	names := make([]string, len(s.states))
	for i, c := range s.states {
		names[i] = c.State.String()
	}
	return names
}

// pair is two transports and the network between them. link, if set, is called for the n-th datagram (from 0) of a side and
// returns what the other side receives.
type pair struct {
	client, server *side
	link           func(from *side, n int, b []byte) [][]byte
	counts         map[*side]int
}

func newPair(tb testing.TB, client, server dtls.Settings) *pair {
	return &pair{client: newSide(tb, client), server: newSide(tb, server), counts: map[*side]int{}}
}

func (p *pair) start(tb testing.TB) {
	require.NoError(tb, p.server.Start(dtls.Server, sha256Of(p.client.cert)))
	require.NoError(tb, p.client.Start(dtls.Client, sha256Of(p.server.cert)))
}

func sha256Of(c *dtls.Certificate) []api.Fingerprint { return c.Fingerprints()[2:3] }

// move carries what both sides have to send. It reports whether there was anything.
func (p *pair) move() bool {
	moved := p.carry(p.client, p.server)
	return p.carry(p.server, p.client) || moved
}

func (p *pair) carry(from, to *side) bool {
	datagrams := from.poll()
	for _, b := range datagrams {
		n := p.counts[from]
		p.counts[from]++
		if p.link == nil {
			to.HandleDatagram(b)
			continue
		}
		for _, b := range p.link(from, n, b) {
			to.HandleDatagram(b)
		}
	}
	return len(datagrams) > 0
}

// until moves datagrams until done returns true.
func (p *pair) until(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	deadline := time.After(patience)
	for {
		moved := p.move()
		if done() {
			return
		}
		if moved {
			continue
		}
		select {
		case <-p.client.woken:
		case <-p.server.woken:
		case <-deadline:
			require.FailNow(tb, "timeout waiting for "+what, "client %v, server %v", p.client.states, p.server.states)
		}
	}
}

func (p *pair) connect(tb testing.TB) {
	tb.Helper()
	p.start(tb)
	p.untilConnected(tb)
}

func (p *pair) untilConnected(tb testing.TB) {
	tb.Helper()
	p.until(tb, "both to connect", func() bool {
		require.False(tb, p.client.reached(api.DTLSStateFailed) || p.server.reached(api.DTLSStateFailed),
			"client %v, server %v", p.client.states, p.server.states)
		return p.client.reached(api.DTLSStateConnected) && p.server.reached(api.DTLSStateConnected)
	})
	p.move()
}

// connected returns a pair after its handshake.
func connected(tb testing.TB) *pair {
	p := newPair(tb, dtls.Settings{}, dtls.Settings{})
	p.connect(tb)
	return p
}

// exchange checks that data flows in both directions.
func (p *pair) exchange(tb testing.TB, text string) {
	tb.Helper()
	require.NoError(tb, p.client.Write([]byte(text)))
	require.NoError(tb, p.server.Write([]byte(text+" back")))
	p.move()
	p.move()
	require.Equal(tb, text, p.server.data[len(p.server.data)-1])
	require.Equal(tb, text+" back", p.client.data[len(p.client.data)-1])
}

// noNewGoroutines waits until the number of goroutines is back to what it was.
func noNewGoroutines(tb testing.TB, before int) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			stacks = stacks[:runtime.Stack(stacks, true)]
			require.FailNow(tb, "goroutines remain", "%d before, %d now\n%s", before, runtime.NumGoroutine(), stacks)
		}
		runtime.Gosched()
	}
}
