package sctp_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/sctp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

// patience is how long anything with pion may take; its timers are real ones.
const patience = 30 * time.Second

// host runs an association in real time, as a shard does: one call after the other.
type host struct {
	mu  sync.Mutex
	a   *sctp.Association
	out sctp.Output
	to  func(packet []byte)

	timer    *time.Timer
	messages []sctp.Message
	at       []unit.Time // when each message came
	resets   []uint16
	changed  chan struct{}
}

func clock() unit.Time { return unit.Time(time.Now().UnixNano()) }

func newHost(t *testing.T) *host {
	h := &host{a: sctp.New(sctp.Config{}), to: func([]byte) {}, changed: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer = time.AfterFunc(time.Hour, func() { h.do(func(now unit.Time) { h.a.HandleTimeout(now) }) })
	t.Cleanup(func() {
		h.do(func(unit.Time) { h.a.Close() })
		h.timer.Stop()
	})
	return h
}

// do calls the association and drains it.
func (h *host) do(f func(now unit.Time)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(clock())
	for h.a.Poll(&h.out); !h.out.Empty(); h.a.Poll(&h.out) {
		for _, p := range h.out.Packets {
			h.to(bytes.Clone(p))
		}
		h.messages = append(h.messages, h.out.Messages...)
		for range h.out.Messages {
			h.at = append(h.at, clock())
		}
		h.resets = append(h.resets, h.out.StreamsReset...)
	}
	if next := h.a.NextTimeout(); next != unit.Never {
		h.timer.Reset(next.Sub(clock()))
	}
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

func (h *host) send(t *testing.T, m sctp.Message, o sctp.SendOptions) {
	t.Helper()
	h.do(func(now unit.Time) { require.NoError(t, h.a.Send(now, m, o)) })
}

// await waits until ok holds.
func (h *host) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		h.mu.Lock()
		done := ok()
		h.mu.Unlock()
		if done {
			return
		}
		select {
		case <-h.changed:
		case <-deadline:
			require.FailNow(t, "waited in vain for "+what, "%v %+v", h.a.State(), h.a.Counters())
		}
	}
}

func (h *host) connected() bool { return h.a.State() == api.SCTPStateConnected }

// pionConn is pion's end of a link.
type pionConn struct {
	in   chan []byte
	once sync.Once
	done chan struct{}
	to   func(packet []byte)
}

func newPionConn() *pionConn {
	return &pionConn{in: make(chan []byte, 4096), done: make(chan struct{})}
}

// link connects a host to one end of pion's.
func link(h *host) *pionConn {
	c := newPionConn()
	c.to = h.arrive
	h.mu.Lock()
	defer h.mu.Unlock()
	h.to = c.arrive
	return c
}

func (h *host) arrive(p []byte) { h.do(func(now unit.Time) { h.a.HandlePacket(now, p) }) }

func (c *pionConn) arrive(p []byte) {
	select {
	case c.in <- p:
	default: // the network loses it
	}
}

func (c *pionConn) Read(b []byte) (int, error) {
	select {
	case p := <-c.in:
		return copy(b, p), nil
	case <-c.done:
		return 0, io.EOF
	}
}

func (c *pionConn) Write(b []byte) (int, error) {
	select {
	case <-c.done:
		return 0, io.EOF
	default:
	}
	c.to(b)
	return len(b), nil
}

func (c *pionConn) Close() error {
	c.once.Do(func() { close(c.done) })
	return nil
}

func (*pionConn) LocalAddr() net.Addr              { return nil }
func (*pionConn) RemoteAddr() net.Addr             { return nil }
func (*pionConn) SetDeadline(time.Time) error      { return nil }
func (*pionConn) SetReadDeadline(time.Time) error  { return nil }
func (*pionConn) SetWriteDeadline(time.Time) error { return nil }

func asServer(c *pionConn) (*pion.Association, error) {
	return pion.ServerWithOptions(pion.WithNetConn(c))
}

func asClient(c *pionConn) (*pion.Association, error) {
	return pion.ClientWithOptions(pion.WithNetConn(c))
}

func TestWithPion(t *testing.T) {
	for name, tt := range map[string]struct {
		start   func(*pionConn) (*pion.Association, error)
		connect bool
	}{
		"server": {asServer, true}, "client": {asClient, false}, "both clients": {asClient, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			c := link(h)
			defer c.Close()
			if tt.connect {
				h.do(func(now unit.Time) { h.a.MayConnect(now) })
			}
			peer, err := tt.start(c)
			require.NoError(t, err)
			h.await(t, "the association", h.connected)
			talkWithPion(t, h, peer)
			h.do(func(unit.Time) { h.a.Close() })
			_, err = peer.AcceptStream()
			require.ErrorIs(t, err, io.EOF, "our ABORT ended it")
		})
	}
}

// talkWithPion sends small and large messages both ways and resets the stream.
func talkWithPion(t *testing.T, h *host, peer *pion.Association) {
	t.Helper()
	s, err := peer.OpenStream(5, pion.PayloadTypeWebRTCBinary)
	require.NoError(t, err)
	b := make([]byte, 1<<19)
	for i, n := range []int{1, 1000, 64 << 10, 256 << 10, 0} {
		data := append(bytes.Repeat([]byte{byte(i)}, n), "end"...)
		data = data[:min(len(data), 256<<10)]
		for done := 0; done < len(data); {
			part := data[done:min(done+65536, len(data))] // pion takes no more
			_, err = s.WriteSCTP(part, pion.PayloadTypeWebRTCBinary)
			require.NoError(t, err)
			done += len(part)
		}
		h.send(t, sctp.Message{StreamID: 5, PPID: 53, Data: data}, ordered)
		got, ppid, err := s.ReadSCTP(b)
		require.NoError(t, err)
		require.Equal(t, pion.PayloadTypeWebRTCBinary, ppid)
		require.True(t, bytes.Equal(data, b[:got]))
		h.await(t, "message", func() bool {
			total := 0
			for _, m := range h.messages {
				total += len(m.Data)
			}
			if total != len(data) {
				return false
			}
			h.messages = nil
			return true
		})
	}
	require.NoError(t, s.Close())
	h.await(t, "reset", func() bool {
		done := slices.Equal(h.resets, []uint16{5})
		if done {
			h.resets = nil
		}
		return done
	})
	h.do(func(now unit.Time) { h.a.ResetStreams(now, 5) })
	_, err = s.Read(b)
	require.ErrorIs(t, err, io.EOF)
}

// pion is replaced by another one, and by another one, at the same address.
func TestPionRestarts(t *testing.T) {
	h := newHost(t)
	for round := range 3 {
		c := link(h)
		peer, err := asClient(c)
		require.NoError(t, err)
		h.await(t, "the association", h.connected)
		talkWithPion(t, h, peer)
		require.NoError(t, c.Close(), "round %d", round)
	}
	h.do(func(unit.Time) { require.EqualValues(t, 2, h.a.Counters().PeerRestarts) })
}

// Messages that are sent once arrive if nothing is lost, both ways.
func TestPartialReliabilityWithPion(t *testing.T) {
	h := newHost(t)
	c := link(h)
	defer c.Close()
	h.do(func(now unit.Time) { h.a.MayConnect(now) })
	peer, err := asServer(c)
	require.NoError(t, err)
	h.await(t, "the association", h.connected)
	s, err := peer.OpenStream(1, pion.PayloadTypeWebRTCBinary)
	require.NoError(t, err)
	s.SetReliabilityParams(true, pion.ReliabilityTypeRexmit, 0)
	for i := range 200 {
		_, err = s.WriteSCTP(fmt.Appendf(nil, "%d", i), pion.PayloadTypeWebRTCBinary)
		require.NoError(t, err)
		h.send(t, text(1, "%d", i), sctp.SendOptions{MaxRetransmits: ptr[uint16](0)})
	}
	h.await(t, "messages", func() bool { return len(h.messages) == 200 })
	b := make([]byte, 100)
	for range 200 {
		_, err = s.Read(b)
		require.NoError(t, err)
	}
}
