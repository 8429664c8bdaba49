package sctp_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
)

// exchange is a peer's address: what is sent there reaches whoever has it at the time.
type exchange struct {
	mu sync.Mutex
	to *end
}

func (x *exchange) give(e *end) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.to = e
}

func (x *exchange) send(p []byte) {
	x.mu.Lock()
	to := x.to
	x.mu.Unlock()
	if to != nil {
		to.HandlePacket(p)
	}
}

// mortal is an association, and the address of its peer, which may die without a word.
func mortal(t *testing.T, cfg sctp.Config) (survivor *end, peer *exchange) {
	t.Helper()
	survivor, peer = newEnd(cfg), &exchange{}
	survivor.run(t, peer.send)
	return survivor, peer
}

// reborn is another process at the peer's address.
func (x *exchange) reborn(t *testing.T, survivor *end) *end {
	t.Helper()
	e := newEnd(sctp.Config{})
	link(t, e, survivor, nil)
	x.give(e)
	e.MayConnect()
	e.awaitState(t, api.SCTPStateConnected)
	return e
}

// A process that was replaced knows nothing of the association: it begins a new one, and the application need not care.
func TestPeerRestarts(t *testing.T) {
	survivor, peer := mortal(t, sctp.Config{})
	for round := range 3 {
		e := peer.reborn(t, survivor)
		survivor.awaitState(t, api.SCTPStateConnected)
		require.NoError(t, survivor.Send(sctp.Message{StreamID: 1, PPID: 51, Data: []byte("hello")}, ordered))
		for _, m := range e.awaitMessages(t, round+1) {
			require.Contains(t, []string{"hello", "nobody reads this yet"}, string(m.Data))
		}
		require.NoError(t, e.Send(sctp.Message{StreamID: 2, PPID: 51, Data: []byte("hi")}, ordered))
		require.Equal(t, "hi", string(survivor.awaitMessages(t, 1)[0].Data))
		e.ResetStreams(2)
		survivor.awaitReset(t, 2)
		survivor.ResetStreams(1)
		e.awaitReset(t, 1)

		peer.give(nil) // and it is gone; what waits for it here is for the next one
		big := bytes.Repeat([]byte("x"), 200000)
		require.NoError(t, survivor.Send(sctp.Message{StreamID: 3, PPID: 53, Data: big}, ordered))
		for range round + 1 {
			require.NoError(t, survivor.Send(sctp.Message{StreamID: 1, PPID: 51, Data: []byte("nobody reads this yet")}, ordered))
		}
		survivor.ResetStreams(3)
	}
	require.Equal(t, []api.SCTPState{api.SCTPStateConnecting, api.SCTPStateConnected}, survivor.seen().States)
}

// initOf is an INIT with a tag of its own.
func initOf(tag uint32) []byte {
	c := []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 7}
	binary.BigEndian.PutUint32(c[4:], tag)
	return raw(0, c)
}

// Whoever can forge the peer's address can make us answer an INIT, and nothing else.
func TestForgedRestart(t *testing.T) {
	a, b := newEnd(sctp.Config{}), newEnd(sctp.Config{})
	var answers wiretap
	link(t, a, b, answers.see)
	link(t, b, a, nil)
	connect(t, a, b)
	for tag := range uint32(1000) {
		a.HandlePacket(initOf(tag + 1))
	}
	ackOf := func(tag uint32) (ack []byte) {
		answers.mu.Lock()
		defer answers.mu.Unlock()
		for _, p := range answers.packets {
			if p[12] == 2 && binary.BigEndian.Uint32(p[4:]) == tag {
				ack = p
			}
		}
		return ack
	}
	eventually(t, "answer", func() bool { return ackOf(1) != nil })
	ack := ackOf(1)
	require.GreaterOrEqual(t, a.Counters().UnexpectedInit, uint64(900), "one connection at a time")
	own := binary.BigEndian.Uint32(ack[16:])
	a.HandlePacket(initOf(1))
	a.HandlePacket(raw(own, append([]byte{10, 0, 0, 0}, bytes.Repeat([]byte{7}, 32)...))) // the wrong cookie
	a.HandlePacket(raw(own, []byte{0, 3, 0, 0, 0, 0, 0, 7, 0, 1, 0, 0, 0, 0, 0, 51, 'x'}))
	a.HandlePacket(raw(own, []byte{6, 0, 0, 0}))
	stillWorks(t, a, b)
	require.Empty(t, a.seen().Messages)
	eventually(t, "the end of the connection", func() bool {
		before := a.Counters().VerificationTag
		a.HandlePacket(raw(own, []byte{4, 0, 0, 0}))
		return a.Counters().VerificationTag > before
	})
	stillWorks(t, b, a)
}

// Heartbeats are tested in synctest's time, in which no goroutine is late: on a busy machine, answers to heartbeats that follow
// each other within milliseconds may not come in time.

// An answer that the peer does not take up is given up in the end, while the association goes on.
func TestForgedRestartIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connected(t, sctp.Config{HeartbeatInterval: time.Second})
		for tag := range uint32(20) {
			a.HandlePacket(initOf(2*tag + 1))
			require.EqualValues(t, tag, a.Counters().UnexpectedInit, "there is room for one")
			a.HandlePacket(initOf(2*tag + 2))
			require.EqualValues(t, tag+1, a.Counters().UnexpectedInit, "and for one only")
			time.Sleep(3 * time.Second)
		}
		stillWorks(t, a, b)
	})
}

func TestForgedRestartsLeaveNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 50 {
		a, b := newEnd(sctp.Config{}), newEnd(sctp.Config{})
		link(t, a, b, nil)
		link(t, b, a, nil)
		connect(t, a, b)
		a.HandlePacket(initOf(7))
		a.halt()
		b.halt()
	}
	awaitGoroutines(t, before)
}

func TestDeadPeerIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		survivor, peer := mortal(t, sctp.Config{HeartbeatInterval: time.Second})
		peer.reborn(t, survivor)
		survivor.awaitState(t, api.SCTPStateConnected)
		peer.give(nil)
		survivor.awaitState(t, api.SCTPStateClosed)
	})
}

// A peer that has nothing to say stays, because it answers.
func TestSilentPeerStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newEnd(sctp.Config{HeartbeatInterval: time.Second}), newEnd(sctp.Config{})
		var mu sync.Mutex
		heartbeats := 0
		link(t, a, b, func(p []byte) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			if p[12] == 4 {
				heartbeats++
			}
			return [][]byte{p}
		})
		link(t, b, a, nil)
		connect(t, a, b)
		time.Sleep(time.Minute)
		mu.Lock()
		require.Greater(t, heartbeats, 25, "one for each second in which nothing came")
		mu.Unlock()
		stillWorks(t, a, b)
	})
}

// A peer may be started long after us.
func TestPeerComesLate(t *testing.T) {
	survivor, peer := mortal(t, sctp.Config{MaxRTO: time.Millisecond})
	var inits wiretap
	survivor.send = func(p []byte) { inits.see(p); peer.send(p) }
	survivor.MayConnect()
	tags := map[uint32]bool{}
	eventually(t, "more than one attempt", func() bool {
		inits.mu.Lock()
		defer inits.mu.Unlock()
		for _, p := range inits.packets {
			tags[binary.BigEndian.Uint32(p[16:])] = true
		}
		return len(tags) > 3
	})
	require.Equal(t, api.SCTPStateConnecting, survivor.State())
	e := peer.reborn(t, survivor)
	survivor.awaitState(t, api.SCTPStateConnected)
	stillWorks(t, survivor, e)
}

func TestPeerNeverComes(t *testing.T) {
	before := runtime.NumGoroutine()
	survivor, _ := mortal(t, sctp.Config{MaxRTO: time.Millisecond, InitTimeout: 20 * time.Millisecond})
	survivor.MayConnect()
	survivor.awaitState(t, api.SCTPStateFailed)
	survivor.halt()
	awaitGoroutines(t, before)
}
