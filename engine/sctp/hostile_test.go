package sctp_test

import (
	"bytes"
	be "encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

func malformed(c sctp.Counters) uint64  { return c.Malformed }
func wrongSum(c sctp.Counters) uint64   { return c.Checksum }
func wrongTag(c sctp.Counters) uint64   { return c.VerificationTag }
func unexpected(c sctp.Counters) uint64 { return c.UnexpectedChunk }

func TestGarbage(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	tests := []struct {
		name    string
		packet  []byte
		counter func(c sctp.Counters) uint64
	}{
		{"empty", nil, malformed},
		{"header only", make([]byte, 12), malformed},
		{"too long", make([]byte, 65536), malformed},
		{"wrong port", bytes.Repeat([]byte{1}, 40), malformed},
		{"no checksum", func() []byte { p := raw(s.tag, []byte{6, 0, 0, 0}); copy(p[8:], make([]byte, 4)); return p }(), wrongSum},
		{"wrong checksum", func() []byte { p := raw(s.tag, []byte{6, 0, 0, 0}); p[8] ^= 1; return p }(), wrongSum},
		{"forged abort", raw(s.tag+1, []byte{6, 0, 0, 0}), wrongTag},
		{"forged abort with the T bit", raw(s.tag, []byte{6, 1, 0, 0}), wrongTag},
		{"forged abort without tag", raw(0, []byte{6, 1, 0, 0}), wrongTag},
		{"forged shutdown complete", raw(s.tag, []byte{14, 1, 0, 0}), wrongTag},
		{"forged data", raw(s.tag^1, rawData(3, s.tsn, 1, 0, "x")), wrongTag},
		{"data behind a forged cookie", raw(s.tag^1, words(10, 0, 1), rawData(3, s.tsn, 1, 0, "x")), wrongTag},
		{"init without a tag of its own", initOf(0, 1), malformed},
		{"init without streams", raw(0, words(1, 0, 9, 1<<20, 0, 1)), malformed},
		{"short init", raw(0, words(1, 0, 9, 1<<20)), malformed},
		{"init with a tag", raw(s.tag, words(1, 0, 9, 1<<20, 9<<16|9, 1)), wrongTag},
		{"init ack", raw(s.tag, words(2, 0, 9, 1<<20, 9<<16|9, 1)), unexpected},
		{"forged cookie", raw(s.tag, words(10, 0, 1, 2, 3)), unexpected},
		{"chunk shorter than its header", seal(append(raw(s.tag), 0, 3, 0, 1)), malformed},
		{"chunk longer than the packet", seal(append(raw(s.tag), 0, 3, 0, 99)), malformed},
		{"second chunk longer than the packet", seal(append(raw(s.tag, words(11, 0)), 0, 3, 0, 99)), malformed},
		{"short SACK", raw(s.tag, words(3, 0, 1, 2)), malformed},
		{"SACK with fewer blocks than it says", raw(s.tag, words(3, 0, 1, 2, 3<<16)), malformed},
		{"SACK of the future", raw(s.tag, words(3, 0, s.theirs+5, 1<<31, 0)), malformed},
		{"short FORWARD TSN", raw(s.tag, words(192, 0)), malformed},
		{"I-FORWARD-TSN that was not agreed on", raw(s.tag, words(194, 0, 1)), malformed},
		{"I-DATA that was not agreed on", raw(s.tag, words(64, 3, s.tsn, 1<<16, 0, 51, 1)), unexpected},
		{"short reset", raw(s.tag, words(130, 0, 13<<16|8, 1)), malformed},
		{"short request", raw(s.tag, words(130, 0, 17<<16|4)), malformed},
		{"answer to no heartbeat", raw(s.tag, words(5, 0, 1<<16|8, 1)), unexpected},
		{"SHUTDOWN ACK", raw(s.tag, words(8, 0)), unexpected},
		{"short SHUTDOWN", raw(s.tag, words(7, 0)), unexpected},
		{"unknown chunk that stops", raw(s.tag, words(0x3f, 0)), unexpected},
		{"unknown chunk that is skipped", raw(s.tag, words(0x80, 0)), unexpected},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := tt.counter(s.Counters())
			s.handle(tt.packet)
			require.Equal(t, before+1, tt.counter(s.Counters()))
		})
	}
	s.handle(raw(s.tag, words(14, 0))) // a SHUTDOWN COMPLETE that we did not wait for
	s.handle(raw(s.tag, words(9, 0, 3<<16|8, 0)))
	s.stillWorks()
}

// Chunks with the right tag that make no sense neither end the association nor corrupt it.
func TestNonsenseOfTheRealPeer(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	for _, c := range [][]byte{
		words(3, 0, 0xffffffff, 0xffffffff, 0),                                       // SACK of the future
		append(words(3, 0, 0xffffffff, 1, 2<<16), bytes.Repeat([]byte{0xff}, 8)...),  // with gaps that lie
		{130, 0, 0, 0, 0, 13, 0, 16, 9, 9, 9, 9, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, // resets nothing
		{130, 0, 0, 0, 0, 13, 0, 5, 0, 0, 0, 0},                                      // a short one
		{130, 0, 0, 0, 0, 16, 0, 12, 1, 2, 3, 4, 0, 0, 0, 1},                         // an answer to nothing
		{130, 0, 0, 0, 0, 99, 0, 4},                                                  // an unknown parameter
		{10, 0, 0, 0, 1, 2, 3, 4},                                                    // a forged cookie
		{11, 0, 0, 0},                                                                // a cookie ack
		words(2, 0, 1, 1, 1, 1),                                                      // an INIT ACK
		words(192, 0, s.tsn-1, 1<<16|1),                                              // an old FORWARD TSN
		words(192, 0, s.tsn+1<<20),                                                   // one of the future
		words(64, 3, 1, 1<<16, 1, 0, 1),                                              // I-DATA: stops the packet
		{0xc3, 0, 0, 0, 1},                                                           // unknown, to be skipped
		{4, 0, 0, 0}, {5, 0, 0, 0}, {9, 0, 0, 0}, {6 | 0x40, 0, 0, 0},
	} {
		s.handle(raw(s.tag, c))
		s.handle(raw(s.tag, c, []byte{0x81, 0, 0, 0}))
	}
	s.stillWorks()
}

// What is unknown is reported if it wants that, and what follows is looked at if it wants that (RFC 9260 section 3.2).
func TestUnknownChunks(t *testing.T) {
	w := newWorld(t, 1)
	for typ, want := range map[byte]struct{ reported, goesOn bool }{
		0x3f: {false, false}, 0x7f: {true, false}, 0xbf: {false, true}, 0xff: {true, true},
	} {
		s := w.stranger(sctp.Config{}, plainExtensions)
		s.chunks([]byte{typ, 0, 0, 0, 1, 2, 3, 4}, rawData(3, s.tsn, 1, 0, "behind"))
		require.Equal(t, want.goesOn, len(s.take()) == 1, "%x", typ)
		require.Equal(t, want.reported, s.find(9) != nil, "%x", typ)
		if want.reported {
			require.Equal(t, []byte{9, 0, 0, 16, 0, 6, 0, 12, typ, 0, 0, 8, 1, 2, 3, 4}, s.find(9)[12:28])
		}
	}
}

// Unknown parameters of an INIT that want it come back in the INIT ACK; one of the kind that stops hides those behind it.
func TestUnknownParameters(t *testing.T) {
	w := newWorld(t, 1)
	e := w.end(sctp.Config{})
	var answer []byte
	e.observed(func(_ unit.Time, p []byte) { answer = bytes.Clone(p) })
	params := append([]byte{0xcf, 1, 0, 5, 'r', 0, 0, 0, 0x8f, 1, 0, 4}, plainExtensions...)
	e.handle(initOf(9, 1, append(params, 0x3f, 1, 0, 4, 0xcf, 1, 0, 5, 's', 0, 0, 0)...))
	require.Contains(t, string(answer), string([]byte{0, 8, 0, 12, 0xcf, 1, 0, 5, 'r'}))
	require.NotContains(t, string(answer), string([]byte{0xcf, 1, 0, 5, 's'}))
	require.NotContains(t, string(answer), string([]byte{0x8f, 1, 0, 4}))
}

// The state cookie protects against who cannot read our INIT ACK: a cookie that we did not make connects nobody.
func TestForgedCookie(t *testing.T) {
	w := newWorld(t, 1)
	s := &stranger{end: w.end(sctp.Config{})}
	s.send = func(p []byte) { s.packets = append(s.packets, bytes.Clone(p)) }
	s.handle(initOf(9, 7))
	ack := s.find(2)
	require.EqualValues(t, 9, be.BigEndian.Uint32(ack[4:]))
	s.tag = be.BigEndian.Uint32(ack[16:])
	cookie := cookieIn(w, ack)
	for i := range cookie {
		forged := bytes.Clone(cookie)
		forged[i] ^= 1
		s.chunks(append([]byte{10, 0, 0, 0}, forged...))
		s.chunks(append([]byte{10, 0, 0, 0}, cookie[:i]...))
	}
	s.handle(raw(s.tag+1, append([]byte{10, 0, 0, 0}, cookie...)))
	s.chunks(words(4, 0, 1<<16|8, 1)) // nothing is answered before
	require.Nil(t, s.find(5))
	require.Equal(t, api.SCTPStateConnecting, s.State())
	s.chunks(append([]byte{10, 0, 0, 0}, cookie...))
	require.Equal(t, api.SCTPStateConnected, s.State())
	out, in := s.NegotiatedStreams()
	require.Equal(t, []uint16{9, 9}, []uint16{out, in})
	s.resetStreams(1) // the peer does not support it: nothing happens
	require.Nil(t, s.find(130))
}

// A cookie is good for a minute. Its owner is told that it is too old, and asks for another one.
func TestStaleCookie(t *testing.T) {
	w := newWorld(t, 1)
	s := &stranger{end: w.end(sctp.Config{})}
	s.send = func(p []byte) { s.packets = append(s.packets, bytes.Clone(p)) }
	s.handle(initOf(9, 7))
	ack := s.find(2)
	s.tag = be.BigEndian.Uint32(ack[16:])
	w.Advance(61 * second)
	s.chunks(append([]byte{10, 0, 0, 0}, cookieIn(w, ack)...))
	require.Equal(t, api.SCTPStateConnecting, s.State())
	require.NotNil(t, s.find(9))

	// The other way round: we echoed one.
	s.packets = nil
	s.chunks(append(words(2, 0, 9, 1<<20, 9<<16|9, 7), 0, 7, 0, 8, 'c', 'o', 'o', 'k'))
	require.NotNil(t, s.find(10))
	s.packets = nil
	s.chunks(words(9, 0, 3<<16|8, 0))
	require.NotNil(t, s.find(1))
}

// Cookies may be replayed: those of now change nothing, those of the past do nothing.
func TestReplayedCookies(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	s.data(3, 1, 0, "before")
	s.handle(initOf(5, 500, plainExtensions...))
	first := cookieIn(w, s.find(2))
	own := be.BigEndian.Uint32(s.find(2)[16:])
	s.handle(initOf(6, 600, plainExtensions...))
	other := s.find(2)
	s.handle(raw(own, append([]byte{10, 0, 0, 0}, first...))) // it restarts
	require.EqualValues(t, 1, s.Counters().PeerRestarts)
	s.handle(raw(be.BigEndian.Uint32(other[16:]), append([]byte{10, 0, 0, 0}, cookieIn(w, other)...))) // too late for another one
	require.EqualValues(t, 1, s.Counters().UnexpectedChunk)
	s.tag, s.tsn = own, 500
	s.data(3, 1, 0, "after")
	for range 100 {
		s.handle(raw(own, append([]byte{10, 0, 0, 0}, first...)))
	}
	s.data(3, 1, 1, "in order")
	require.Equal(t, []string{"before", "after", "in order"}, texts(s.take()))
	require.EqualValues(t, 1, s.Counters().PeerRestarts)
}

func TestAbortWhileConnecting(t *testing.T) {
	w := newWorld(t, 1)
	e := w.end(sctp.Config{})
	var tag uint32
	e.observed(func(_ unit.Time, p []byte) { tag = be.BigEndian.Uint32(p[16:]) })
	e.connect()
	e.handle(raw(tag, []byte{6, 0, 0, 0}))
	require.Equal(t, api.SCTPStateFailed, e.State())
	e.connect()
	require.Equal(t, api.SCTPStateFailed, e.State())
}

// The following attacks are measured: what they make us send, allocate and keep, against the bytes that they take.

type attack struct {
	name   string
	params []byte
	// packets sends what the attack consists of, and returns how many bytes that was.
	packets func(s *stranger) (sent int)
	// The most that it may cost, as a multiple of the bytes sent; 0 for the usual.
	answer, allocate float64
	// keep is how many bytes it may hold at the end, whatever it sent.
	keep uint64
}

// packed sends chunks in packets that are as full as may be.
func packed(s *stranger, chunks func(yield func([]byte) bool)) (sent int) {
	var batch [][]byte
	size := 12
	flush := func() {
		s.chunks(batch...)
		sent += size
		batch, size = nil, 12
	}
	for c := range chunks {
		if size+(len(c)+3)&^3 > 1200 {
			flush()
		}
		batch, size = append(batch, c), size+(len(c)+3)&^3
	}
	flush()
	return sent
}

// times yields what f makes n times.
func times(n int, f func(i int) []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for i := range n {
			if !yield(f(i)) {
				return
			}
		}
	}
}

var attacks = []attack{
	{name: "resets in the future, and crumbs", packets: func(s *stranger) int {
		sent := packed(s, times(20000, func(i int) []byte { return rawReset(s.tsn+uint32(i), s.tsn+50000, uint16(i), uint16(i+1)) }))
		for i := range 2000 { // one in a packet is looked at
			s.chunks(rawReset(s.tsn+uint32(i), s.tsn+50000, uint16(i), uint16(i+1)))
			sent += 12 + 24
		}
		return sent + packed(s, times(20000, func(i int) []byte { return rawData(4, s.tsn+1+uint32(i)*2, uint16(i), 0, "x") }))
	}, keep: 16 << 20},
	{name: "heartbeats", packets: func(s *stranger) int {
		return packed(s, times(50000, func(int) []byte { return words(4, 0, 1<<16|8, 1) }))
	}},
	{name: "FORWARD TSN over many streams", packets: func(s *stranger) int {
		return packed(s, times(1500, func(i int) []byte {
			c := words(192, 0, s.tsn+uint32(i))
			for id := range uint32(270) {
				c = be.BigEndian.AppendUint32(c, (uint32(i*270)+id)<<16|uint32(i&0x7fff))
			}
			return c
		}))
	}, keep: 4 << 20},
	{name: "I-FORWARD-TSN over many streams", params: interleavedExtensions, packets: func(s *stranger) int {
		return packed(s, times(5000, func(i int) []byte {
			c := words(194, 0, s.tsn+uint32(i))
			for id := range uint32(130) {
				c = be.BigEndian.AppendUint32(c, (uint32(i*130)+id)<<16|id&1)
				c = be.BigEndian.AppendUint32(c, uint32(i))
			}
			return c
		}))
	}, keep: 4 << 20},
	{name: "many FORWARD TSNs", packets: func(s *stranger) int {
		return packed(s, times(100000, func(i int) []byte { return words(192, 0, s.tsn+uint32(i)) }))
	}},
	{name: "RE-CONFIG of unknown streams", packets: func(s *stranger) (sent int) {
		for i := range 2000 {
			ids := make([]uint16, 500)
			for j := range ids {
				ids[j] = uint16(i*500 + j)
			}
			c := rawReset(s.tsn+uint32(i), s.tsn-1, ids...)
			s.chunks(c)
			sent += 12 + len(c)
		}
		return sent
	}},
	{name: "every stream once", packets: func(s *stranger) int {
		return packed(s, times(65536, func(i int) []byte { return rawData(3, s.tsn+uint32(i), uint16(i), 0, "x") }))
	}, keep: 4 << 20, allocate: 40},
	{name: "every stream, out of order", packets: func(s *stranger) int {
		return packed(s, times(65536, func(i int) []byte { return rawData(3, s.tsn+uint32(i), uint16(i), 1, "x") }))
	}, keep: 12 << 20, allocate: 40},
	{name: "gaps in every second TSN", packets: func(s *stranger) int {
		return packed(s, times(32000, func(i int) []byte { return rawData(7, s.tsn+1+2*uint32(i), 1, 0, "x") }))
	}, allocate: 40},
	{name: "fragments backwards", packets: func(s *stranger) int {
		return packed(s, times(60000, func(i int) []byte { return rawData(4, s.tsn+60000-uint32(i), 1, 0, "x") }))
	}, keep: 24 << 20, allocate: 40},
	{name: "crumbs in order", packets: func(s *stranger) int {
		first := byte(2)
		return packed(s, times(300000, func(i int) []byte {
			flags := first
			first = 0
			return rawData(flags, s.tsn+uint32(i), 1, 0, "x")
		}))
	}},
	{name: "crumbs of I-DATA, shuffled", params: interleavedExtensions, packets: func(s *stranger) int {
		order := rand.New(rand.NewPCG(1, 1)).Perm(60000)
		return packed(s, times(60000, func(i int) []byte {
			return append(words(64, 0, s.tsn+uint32(i), 1<<16, 7, uint32(order[i])), 'x')
		}))
	}, keep: 16 << 20, allocate: 40},
	{name: "I-DATA messages begun and never ended", params: interleavedExtensions, packets: func(s *stranger) int {
		return packed(s, times(60000, func(i int) []byte {
			return append(words(64, 2, s.tsn+uint32(i), uint32(i%3)<<16, 60000-uint32(i), 51), 'x')
		}))
	}, keep: 24 << 20, allocate: 40},
	{name: "ordered messages without the first", packets: func(s *stranger) int {
		return packed(s, times(30000, func(i int) []byte { return rawData(3, s.tsn+uint32(i), 1, uint16(i)+1, "x") }))
	}, keep: 16 << 20, allocate: 40},
	{name: "INITs", packets: func(s *stranger) (sent int) {
		for i := range 2000 {
			p := initOf(uint32(i)+1, 1)
			s.handle(p)
			sent += len(p)
		}
		return sent
	}, allocate: 100},
	{name: "SACKs that lie", packets: func(s *stranger) (sent int) {
		for range 1900 {
			s.mustSay(binary(1, 1000), ordered)
		}
		for i := range uint32(5000) { // all but the first came, in hundreds of blocks
			c := words(3, 0, s.theirs-1, 1<<30, 200<<16)
			for b := range uint32(200) {
				c = be.BigEndian.AppendUint32(c, (2*b+2)<<16|(2*b+2+(i+b)%2))
			}
			s.chunks(c)
			sent += 12 + len(c)
		}
		return sent
	}, keep: 4 << 20},
}

func TestAttacksAreBounded(t *testing.T) {
	for _, at := range attacks {
		t.Run(at.name, func(t *testing.T) {
			w := newWorld(t, 1)
			params := at.params
			if params == nil {
				params = plainExtensions
			}
			s := w.stranger(sctp.Config{}, params)
			s.send = func(p []byte) { s.packets = append(s.packets[:0], nil); answerBytes += len(p) }
			answerBytes = 0
			before, held := totalAlloc(), live()
			sent := at.packets(s)
			s.take()
			s.resets = nil
			allocated := float64(totalAlloc()-before) / float64(sent)
			kept := int64(live()) - int64(held)
			answered := float64(answerBytes) / float64(sent)
			t.Logf("sent %d bytes; answered %.2f, allocated %.2f of each; kept %d", sent, answered, allocated, kept)
			require.Less(t, answered, max(at.answer, 12))
			require.Less(t, allocated, max(at.allocate, 20))
			require.Less(t, kept, int64(max(at.keep, 1<<20)))
			runtime.KeepAlive(s)
		})
	}
}

var answerBytes int

func totalAlloc() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A peer that keeps its window closed is asked once in a while, and loses nothing.
func TestClosedWindow(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	base := be.BigEndian.Uint32(s.dataSent(t)[16:]) - 1
	closed := words(3, 0, base, 0, 0)
	s.chunks(closed)
	s.packets = nil
	for range 60 {
		w.Advance(second)
		s.chunks(bytes.Clone(closed))
	}
	require.LessOrEqual(t, len(s.packets), 70)
	require.Equal(t, api.SCTPStateConnected, s.State())
	s.packets = nil
	s.chunks(words(3, 0, base+1, 1<<20, 0))
	require.NotNil(t, s.find(0), "the next one follows at once")
}

// dataSent has the association send two messages and returns the first packet with one.
func (s *stranger) dataSent(t *testing.T) []byte {
	t.Helper()
	s.packets = nil
	s.mustSay(binary(1, 1100), ordered)
	require.NotEmpty(t, s.packets)
	p := s.packets[0]
	for range 100 {
		s.mustSay(binary(1, 1100), ordered)
	}
	return p
}

// DATA without user data ends the association (RFC 9260 section 6.2).
func TestDataWithoutData(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	s.chunks(words(0, 3, s.tsn, 1<<16, 51))
	require.Equal(t, api.SCTPStateClosed, s.State())
	require.NotNil(t, s.find(6))
	require.EqualValues(t, 1, s.Counters().ProtocolViolated)
}

// Fragments that contradict each other are dropped, and what comes after them works.
func TestContradictions(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	type piece struct {
		flags       byte
		stream, ssn uint16
	}
	for _, pieces := range [][]piece{
		{{2, 1, 0}, {2, 1, 0}, {1, 1, 0}}, // begins twice
		{{2, 1, 1}, {0, 2, 1}, {1, 1, 1}}, // another stream in between
		{{3, 1, 1}, {0, 1, 2}, {1, 1, 2}}, // never begins
		{{2, 1, 2}, {5, 1, 2}},            // ends unordered
	} {
		for i := len(pieces) - 1; i >= 0; i-- { // backwards too
			s.chunks(rawData(pieces[i].flags, s.tsn+uint32(i), pieces[i].stream, pieces[i].ssn, "b"))
		}
		s.tsn += uint32(len(pieces))
		for _, p := range pieces {
			s.data(p.flags, p.stream, p.ssn, "f")
		}
	}
	s.stillWorks()
	s = w.stranger(sctp.Config{}, interleavedExtensions)
	for _, fsns := range [][]uint32{{0, 0, 2}, {0, 5, 2}, {3, 3, 2}, {0, 2, 1}} {
		for i, fsn := range fsns {
			flags := byte(0)
			if i == 0 {
				flags = 2
			} else if i == 2 {
				flags = 1
			}
			s.chunks(append(words(64, flags, s.tsn, 1<<16, fsns[1], fsn), 'x'))
			s.tsn++
		}
	}
	require.Empty(t, s.take())
	s.chunks(append(words(64, 7, s.tsn, 2<<16, 0, 51), "whole"...))
	require.Equal(t, []string{"whole"}, texts(s.take()))
}

// A fragment between the end of one message and the beginning of another belongs to neither.
func TestFragmentBetweenMessages(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	s.chunks(rawData(1, s.tsn+1, 1, 0, "b"))
	s.chunks(rawData(0, s.tsn+2, 1, 0, "lost"))
	s.chunks(rawData(2, s.tsn+4, 1, 1, "c"))
	s.chunks(rawData(0, s.tsn+3, 1, 0, "lost"))
	require.EqualValues(t, 2, s.Counters().Malformed)
	s.chunks(rawData(2, s.tsn, 1, 0, "a"))
	s.chunks(rawData(1, s.tsn+5, 1, 1, "d"))
	require.Equal(t, []string{"ab", "cd"}, texts(s.take()))
}

// Fragments of I-DATA that come after their message is complete, or delivered, are dropped.
func TestFragmentsThatAreTooMany(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, interleavedExtensions)
	part := func(flags byte, mid, fsn uint32, data string) {
		s.chunks(append(words(64, flags, s.tsn, 1<<16, mid, fsn), data...))
		s.tsn++
	}
	part(2, 1, 51, "wait")
	part(1, 1, 1, "s")
	part(0, 1, 1, "lost")
	require.EqualValues(t, 1, s.Counters().Malformed, "it is complete and waits")
	part(3, 0, 51, "first")
	require.Equal(t, []string{"first", "waits"}, texts(s.take()))
	part(0, 1, 1, "lost")
	require.EqualValues(t, 2, s.Counters().Malformed, "it was delivered")
}
