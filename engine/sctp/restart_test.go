package sctp_test

import (
	be "encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

// A process that was replaced knows nothing of the association: it begins a new one, and the application need not care. What
// waits is for the new one.
func TestPeerRestarts(t *testing.T) {
	for _, loss := range []float64{0, 0.2} {
		w := newWorld(t, 1)
		c := simnet.Conditions{Delay: 5 * time.Millisecond, Loss: loss}
		survivor := w.end(sctp.Config{})
		for round := range 3 {
			e := w.end(sctp.Config{})
			w.wire(survivor, e, c)
			w.wire(e, survivor, c)
			e.connect()
			w.Advance(20 * time.Second)
			require.Equal(t, api.SCTPStateConnected, e.State())
			survivor.mustSay(text(1, "hello"), ordered)
			w.Advance(20 * time.Second)
			got := e.take()
			if round > 0 {
				require.Len(t, got, 3)
				require.Len(t, got[0].Data, 200000, "of which only a part had been sent")
				require.Equal(t, "nobody reads this yet", string(got[1].Data))
				got = got[2:]
			}
			require.Equal(t, []string{"hello"}, texts(got))
			e.mustSay(text(2, "hi"), ordered)
			w.Advance(20 * time.Second)
			require.Equal(t, []string{"hi"}, texts(survivor.take()))
			e.resetStreams(2)
			survivor.resetStreams(1)
			w.Advance(20 * time.Second)
			require.Equal(t, []uint16{2}, survivor.takeResets())
			require.Equal(t, []uint16{1, 3}[:1+min(round, 1)], e.takeResets(), "that of stream 3 waited too")

			survivor.send, e.send = func([]byte) {}, func([]byte) {} // and it is gone
			survivor.mustSay(binary(3, 200000), ordered)
			survivor.mustSay(text(3, "nobody reads this yet"), ordered)
			survivor.resetStreams(3)
		}
		require.Equal(t, []api.SCTPState{api.SCTPStateConnecting, api.SCTPStateConnected}, survivor.states)
	}
}

// Whoever can forge the peer's address can make us answer an INIT, and nothing else.
func TestForgedRestart(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	for tag := range uint32(1000) {
		s.handle(initOf(tag+1, 7))
	}
	require.Len(t, s.packets, 1000)
	own := be.BigEndian.Uint32(s.find(2)[16:])
	s.handle(raw(own, append([]byte{10, 0, 0, 0}, make([]byte, 57)...))) // the wrong cookie
	s.handle(raw(own, rawData(3, 7, 1, 0, "x")))
	s.handle(raw(own, []byte{6, 0, 0, 0}))
	require.Empty(t, s.take())
	require.Zero(t, s.Counters().PeerRestarts)
	s.stillWorks()
}

func TestDeadPeerIsNoticed(t *testing.T) {
	for _, busy := range []bool{false, true} {
		w, a, b := quiet(t, sctp.Config{})
		a.send, b.send = func([]byte) {}, func([]byte) {}
		if busy {
			a.mustSay(binary(1, 10000), ordered)
		}
		w.Advance(5 * time.Minute)
		require.Equal(t, api.SCTPStateConnected, a.State())
		w.Advance(2 * time.Minute)
		require.Equal(t, api.SCTPStateClosed, a.State())
	}
}

// A peer that has nothing to say stays, because it answers.
func TestSilentPeerStays(t *testing.T) {
	w, a, b := quiet(t, sctp.Config{})
	heartbeats := 0
	a.observed(func(_ unit.Time, p []byte) {
		eachChunk(p, func(typ byte, c []byte) {
			if typ == 4 {
				heartbeats++
				require.Greater(t, len(c), 8, "with information: RFC 9260 section 3.3.5")
			}
		})
	})
	w.Advance(time.Hour)
	require.Greater(t, heartbeats, 30)
	a.mustSay(text(1, "still here"), ordered)
	w.Advance(time.Second)
	require.Equal(t, []string{"still here"}, texts(b.take()))
}

// A peer may be started long after us, and answer nothing but an INIT.
func TestPeerComesLate(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.end(sctp.Config{}), w.end(sctp.Config{})
	w.wire(b, a, simnet.Conditions{})
	a.connect()
	w.Advance(8 * time.Minute)
	require.Equal(t, api.SCTPStateConnecting, a.State())
	w.wire(a, b, simnet.Conditions{})
	w.Advance(10 * time.Second)
	require.Equal(t, api.SCTPStateConnected, a.State())
	require.Equal(t, api.SCTPStateConnected, b.State())
}

func TestPeerNeverComes(t *testing.T) {
	w := newWorld(t, 1)
	a := w.end(sctp.Config{})
	inits := 0
	a.observed(func(unit.Time, []byte) { inits++ })
	a.connect()
	w.Advance(510 * time.Second)
	require.Equal(t, api.SCTPStateConnecting, a.State())
	w.Advance(10 * time.Second)
	require.Equal(t, api.SCTPStateFailed, a.State())
	require.Equal(t, unit.Never, a.NextTimeout())
	require.InDelta(t, 105, inits, 5)
}

// A peer whose answer to our INIT is of another time does not keep us: the handshake begins anew.
func TestCookieThatIsNotTaken(t *testing.T) {
	w := newWorld(t, 1)
	a := w.end(sctp.Config{})
	var packets [][]byte
	a.observed(func(_ unit.Time, p []byte) { packets = append(packets, append([]byte(nil), p...)) })
	a.connect()
	tag := be.BigEndian.Uint32(packets[0][16:])
	a.handle(raw(tag, words(2, 0, 9, 1<<20, 9<<16|9, 7))) // without a cookie
	require.EqualValues(t, 1, a.Counters().Malformed)
	a.handle(raw(tag, append(append(words(2, 0, 9, 1<<20, 9<<16|9, 7), 0, 7, 8, 4), make([]byte, 2048)...))) // one that fits into no packet
	require.EqualValues(t, 2, a.Counters().Malformed)
	packets = nil
	a.handle(raw(tag, append(words(2, 0, 9, 1<<20, 9<<16|9, 7), 0, 7, 0, 8, 'c', 'o', 'o', 'k')))
	w.Advance(time.Minute)
	types := map[byte]int{}
	for _, p := range packets {
		types[p[12]]++
	}
	require.Equal(t, 6, types[10])
	require.NotZero(t, types[1])
}

// A peer that shuts down gets what waits, and the answers of RFC 9260 section 9.2.
func TestPeerShutsDown(t *testing.T) {
	for _, answers := range []bool{true, false} {
		w := newWorld(t, 1)
		s := w.stranger(sctp.Config{}, plainExtensions)
		s.mustSay(text(1, "last"), ordered)
		last := be.BigEndian.Uint32(s.find(0)[16:])
		s.packets = nil
		s.chunks(words(7, 0, last-1))
		require.ErrorIs(t, s.say(text(1, "more"), ordered), sctp.ErrNotConnected)
		require.Nil(t, s.find(8), "not all is acknowledged")
		s.chunks(words(7, 0, last))
		require.NotNil(t, s.find(8))
		if answers {
			s.chunks(words(14, 0))
		} else {
			w.Advance(time.Minute)
		}
		require.Equal(t, api.SCTPStateClosed, s.State())
	}
}
