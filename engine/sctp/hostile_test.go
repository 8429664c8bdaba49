package sctp_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
)

// lossy drops and duplicates packets, by a seed.
func lossy(seed uint64, percent int) func([]byte) [][]byte {
	rng := rand.New(rand.NewPCG(seed, 0))
	var mu sync.Mutex
	return func(p []byte) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		switch n := rng.IntN(100); {
		case n < percent:
			return nil
		case n < 2*percent:
			return [][]byte{p, p}
		default:
			return [][]byte{p}
		}
	}
}

func TestLossIsRecovered(t *testing.T) {
	a, b := newEnd(sctp.Config{}), newEnd(sctp.Config{})
	link(t, a, b, lossy(1, 5))
	link(t, b, a, lossy(2, 5))
	connect(t, a, b)
	const n = 200
	for i := range n {
		data := bytes.Repeat([]byte{byte(i)}, 10+i*7)
		require.NoError(t, a.Send(sctp.Message{StreamID: 1, PPID: 53, Data: data}, ordered))
	}
	for i, m := range b.awaitMessages(t, n) {
		require.Equal(t, byte(i), m.Data[0])
		require.Len(t, m.Data, 10+i*7)
	}
}

// What may be lost is lost, and does not hold up what must not be.
func TestPartialReliability(t *testing.T) {
	for name, opts := range map[string]sctp.SendOptions{
		"retransmissions": {MaxRetransmits: ptr[uint16](0)},
		"lifetime":        {MaxPacketLifeTime: ptr[uint16](1)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := newEnd(sctp.Config{}), newEnd(sctp.Config{})
				var mu sync.Mutex
				swallow := false
				link(t, a, b, func(p []byte) [][]byte {
					mu.Lock()
					defer mu.Unlock()
					if swallow && p[12] == 0 && bytes.Contains(p, []byte("lost")) {
						return nil
					}
					return [][]byte{p}
				})
				link(t, b, a, nil)
				connect(t, a, b)
				mu.Lock()
				swallow = true
				mu.Unlock()
				require.NoError(t, a.Send(sctp.Message{StreamID: 1, PPID: 51, Data: []byte("lost")}, opts))
				require.NoError(t, a.Send(sctp.Message{StreamID: 2, PPID: 51, Data: []byte("kept")}, ordered))
				a.ResetStreams(1) // takes effect at the peer when all before is acknowledged or given up
				b.awaitReset(t, 1)
				require.Equal(t, "kept", string(b.awaitMessages(t, 1)[0].Data))
			})
		})
	}
}

func TestRetransmissionsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newEnd(sctp.Config{}), newEnd(sctp.Config{})
		var mu sync.Mutex
		drop := 0
		link(t, a, b, func(p []byte) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			if p[12] == 0 && drop > 0 {
				drop--
				return nil
			}
			return [][]byte{p}
		})
		link(t, b, a, nil)
		connect(t, a, b)
		mu.Lock()
		drop = 1
		mu.Unlock()
		opts := sctp.SendOptions{MaxRetransmits: ptr[uint16](1)}
		require.NoError(t, a.Send(sctp.Message{StreamID: 1, PPID: 51, Data: []byte("second try")}, opts))
		b.awaitMessages(t, 1)
	})
}

func TestTooLargeMessagesAreDropped(t *testing.T) {
	a := newEnd(sctp.Config{})
	b := newEnd(sctp.Config{MaxReceiveMessageSize: 1000})
	link(t, a, b, nil)
	link(t, b, a, nil)
	connect(t, a, b)
	for _, n := range []int{1001, 200000, 1000} {
		require.NoError(t, a.Send(sctp.Message{StreamID: 1, PPID: 53, Data: make([]byte, n)}, ordered))
	}
	require.Len(t, b.awaitMessages(t, 1)[0].Data, 1000)
	require.EqualValues(t, 2, b.Counters().MessageTooLarge)
}

func TestMessageLargerThanTheWindowEndsTheAssociation(t *testing.T) {
	a := newEnd(sctp.Config{})
	b := newEnd(sctp.Config{MaxReceiveMessageSize: 1000, MaxReceiverWindowBufferSize: 20000})
	link(t, a, b, nil)
	link(t, b, a, nil)
	connect(t, a, b)
	require.NoError(t, a.Send(sctp.Message{StreamID: 1, PPID: 53, Data: make([]byte, 200000)}, ordered))
	b.awaitState(t, api.SCTPStateClosed)
	require.EqualValues(t, 1, b.Counters().ProtocolViolated)
	a.awaitState(t, api.SCTPStateClosed)
}

// A shard that does not drain stops the peer, and what it holds is bounded.
func TestFlood(t *testing.T) {
	a := newEnd(sctp.Config{})
	b := newEnd(sctp.Config{})
	link(t, a, b, nil)
	var mu sync.Mutex
	deaf := false
	b.Association = sctp.New(sctp.Config{}, func() {
		mu.Lock()
		defer mu.Unlock()
		if !deaf {
			select {
			case b.wakes <- struct{}{}:
			default:
			}
		}
	})
	link(t, b, a, nil)
	connect(t, a, b)
	mu.Lock()
	deaf = true
	mu.Unlock()
	data := make([]byte, 100000)
	refused := false
	for range 100 {
		refused = refused || a.Send(sctp.Message{StreamID: 1, PPID: 53, Data: data}, ordered) != nil
	}
	require.True(t, refused)
	var out sctp.Output
	b.Poll(&out)
	total := 0
	for _, m := range out.Messages {
		total += len(m.Data)
	}
	require.Less(t, total, 3<<20)
	require.LessOrEqual(t, len(out.Packets), 256)
}

func TestTooManyStreams(t *testing.T) {
	a, b := connected(t, sctp.Config{})
	const accepted = 4096
	for id := range uint16(accepted) {
		require.NoError(t, a.Send(sctp.Message{StreamID: id, PPID: 51, Data: []byte("x")}, ordered))
	}
	b.awaitMessages(t, accepted)
	// What comes on others is lost, and holds up nothing else.
	const lost = 100
	for i := range uint16(lost) {
		require.NoError(t, a.Send(sctp.Message{StreamID: accepted + i%7, PPID: 51, Data: make([]byte, 1+30*i)}, ordered))
	}
	eventually(t, "refusal", func() bool { return b.Counters().TooManyStreams == lost })
	a.ResetStreams(accepted, 1) // which waits until all before is acknowledged
	b.awaitReset(t, 1)
	stillWorks(t, a, b)
}

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// seal sets a packet's checksum.
func seal(p []byte) []byte {
	binary.LittleEndian.PutUint32(p[8:], 0)
	binary.LittleEndian.PutUint32(p[8:], crc32.Checksum(p, crcTable))
	return p
}

// raw builds a packet of chunks.
func raw(tag uint32, chunks ...[]byte) []byte {
	p := []byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(p[4:], tag)
	for _, c := range chunks {
		binary.BigEndian.PutUint16(c[2:], uint16(len(c)))
		p = append(p, c...)
		for len(p)%4 != 0 {
			p = append(p, 0)
		}
	}
	return seal(p)
}

// wiretap lets a test see what passes.
type wiretap struct {
	mu      sync.Mutex
	packets [][]byte
}

func (w *wiretap) see(p []byte) [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packets = append(w.packets, bytes.Clone(p))
	return [][]byte{p}
}

func (w *wiretap) find(chunk byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.packets {
		if p[12] == chunk {
			return bytes.Clone(p)
		}
	}
	return nil
}

func (w *wiretap) contains(b []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.packets, func(p []byte) bool { return bytes.Contains(p, b) })
}

func tapped(t *testing.T) (a, b *end, toB *wiretap) {
	t.Helper()
	toB = &wiretap{}
	a, b = newEnd(sctp.Config{}), newEnd(sctp.Config{})
	link(t, a, b, toB.see)
	link(t, b, a, nil)
	connect(t, a, b)
	return a, b, toB
}

func stillWorks(t *testing.T, a, b *end) {
	t.Helper()
	require.NoError(t, a.Send(sctp.Message{StreamID: 1, PPID: 51, Data: []byte("still here")}, ordered))
	require.Equal(t, "still here", string(b.awaitMessages(t, 1)[0].Data))
}

func TestGarbage(t *testing.T) {
	a, b, toB := tapped(t)
	cookie := toB.find(10)
	require.NotNil(t, cookie)
	tag := binary.BigEndian.Uint32(cookie[4:])
	tests := []struct {
		name    string
		packet  []byte
		counter func(c sctp.Counters) uint64
	}{
		{"empty", nil, malformed},
		{"header only", make([]byte, 12), malformed},
		{"too long", make([]byte, 8193), malformed},
		{"wrong port", bytes.Repeat([]byte{1}, 40), malformed},
		{"no checksum", func() []byte { p := raw(tag, []byte{6, 0, 0, 0}); copy(p[8:], make([]byte, 4)); return p }(), wrongSum},
		{"wrong checksum", func() []byte { p := raw(tag, []byte{6, 0, 0, 0}); p[8] ^= 1; return p }(), wrongSum},
		{"forged abort", raw(tag+1, []byte{6, 0, 0, 0}), wrongTag},
		{"forged abort with the T bit", raw(tag, []byte{6, 1, 0, 0}), wrongTag},
		{"forged abort without tag", raw(0, []byte{6, 1, 0, 0}), wrongTag},
		{"forged shutdown complete", raw(tag, []byte{14, 1, 0, 0}), wrongTag},
		{"forged data", raw(tag^1, make([]byte, 20)), wrongTag},
		{"init that comes late", toB.find(1), unexpected},
		{"init without a tag of its own", raw(0, append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, bytes.Repeat([]byte{1}, 12)...)), unexpected},
		{"init with a tag", raw(tag, append([]byte{1, 0, 0, 0}, bytes.Repeat([]byte{1}, 16)...)), wrongTag},
		{"chunk shorter than its header", seal(append(raw(tag), 0, 3, 0, 1)), malformed},
		{"chunk longer than the packet", seal(append(raw(tag), 0, 3, 0, 99)), malformed},
		{"data without user data fields", raw(tag, []byte{0, 3, 0, 0, 1, 2, 3, 4}), malformed},
		{"unknown chunk that stops", raw(tag, []byte{0x3f, 0, 0, 0}), malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := tt.counter(b.Counters())
			b.HandlePacket(tt.packet)
			require.Equal(t, before+1, tt.counter(b.Counters()))
		})
	}
	stillWorks(t, a, b)
}

func malformed(c sctp.Counters) uint64  { return c.Malformed }
func wrongSum(c sctp.Counters) uint64   { return c.Checksum }
func wrongTag(c sctp.Counters) uint64   { return c.VerificationTag }
func unexpected(c sctp.Counters) uint64 { return c.UnexpectedInit }

// Chunks with the right tag that make no sense must not end the association or corrupt it.
func TestNonsenseOfTheRealPeer(t *testing.T) {
	a, b, toB := tapped(t)
	tag := binary.BigEndian.Uint32(toB.find(10)[4:])
	old := binary.BigEndian.AppendUint32([]byte{192, 0, 0, 0}, binary.BigEndian.Uint32(toB.find(1)[28:])-1)
	for _, c := range [][]byte{
		append([]byte{3, 0, 0, 0}, bytes.Repeat([]byte{0xff}, 12)...),                // SACK of the future
		append([]byte{3, 0, 0, 0}, bytes.Repeat([]byte{0xff}, 20)...),                // with gaps that lie
		{130, 0, 0, 0, 0, 13, 0, 16, 9, 9, 9, 9, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, // resets nothing
		{130, 0, 0, 0, 0, 13, 0, 5, 0, 0, 0, 0},                                      // a short one
		{130, 0, 0, 0, 0, 16, 0, 12, 1, 2, 3, 4, 0, 0, 0, 1},                         // an answer to nothing
		{130, 0, 0, 0, 0, 99, 0, 4},                                                  // an unknown parameter
		{10, 0, 0, 0, 1, 2, 3, 4},                                                    // a forged cookie
		{11, 0, 0, 0},                                                                // a cookie ack
		append([]byte{2, 0, 0, 0}, bytes.Repeat([]byte{1}, 16)...),                   // an INIT ACK
		append(old, 0, 1, 0, 1),                                                      // an old FORWARD TSN
		{64, 3, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1},             // I-DATA: stops the packet
		{0xc3, 0, 0, 0, 1},                                                           // unknown, to be skipped
		{4, 0, 0, 0}, {5, 0, 0, 0}, {9, 0, 0, 0},
	} {
		b.HandlePacket(raw(tag, c))
		b.HandlePacket(raw(tag, c, []byte{0x81, 0, 0, 0}))
	}
	stillWorks(t, a, b)
}

// The state cookie protects against who cannot read our INIT ACK: a cookie that we did not make connects nobody.
func TestForgedCookie(t *testing.T) {
	b := newEnd(sctp.Config{})
	var out wiretap
	b.run(t, func(p []byte) { out.see(p) })
	init := raw(0, append([]byte{1, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 7}, []byte{}...))
	b.HandlePacket(init)
	b.await(t, "INIT ACK", func(*sctp.Output) bool { return out.find(2) != nil })
	ack := out.find(2)
	require.EqualValues(t, 9, binary.BigEndian.Uint32(ack[4:]))
	tag := binary.BigEndian.Uint32(ack[16:])
	b.HandlePacket(raw(tag, append([]byte{10, 0, 0, 0}, bytes.Repeat([]byte{7}, 32)...)))
	b.HandlePacket(raw(tag, []byte{4, 0, 0, 0, 0, 1, 0, 8, 1, 2, 3, 4})) // held until connected
	cookie := cookieOf(t, ack)
	require.Equal(t, api.SCTPStateConnecting, b.State())
	b.HandlePacket(raw(tag, append([]byte{10, 0, 0, 0}, cookie...)))
	b.awaitState(t, api.SCTPStateConnected)
	out2, in := b.NegotiatedStreams()
	require.Equal(t, []uint16{9, 9}, []uint16{out2, in})
	b.ResetStreams(1) // the peer does not support it: nothing happens
}

func cookieOf(t *testing.T, ack []byte) []byte {
	t.Helper()
	for b := ack[32:]; len(b) >= 4; {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if binary.BigEndian.Uint16(b) == 7 {
			return bytes.Clone(b[4:n])
		}
		b = b[(n+3)&^3:]
	}
	require.FailNow(t, "no cookie")
	return nil
}

func TestAbortWhileConnecting(t *testing.T) {
	b := newEnd(sctp.Config{})
	var out wiretap
	b.run(t, func(p []byte) { out.see(p) })
	b.MayConnect()
	b.await(t, "INIT", func(*sctp.Output) bool { return out.find(1) != nil })
	tag := binary.BigEndian.Uint32(out.find(1)[16:])
	b.HandlePacket(raw(tag, []byte{6, 0, 0, 0}))
	b.awaitState(t, api.SCTPStateFailed)
	b.MayConnect()
	require.Equal(t, api.SCTPStateFailed, b.State())
}

// A peer that cuts a message into crumbs would make us hold far more than it sends.
func TestCrumbs(t *testing.T) {
	_, b, toB := tapped(t)
	tag := binary.BigEndian.Uint32(toB.find(10)[4:])
	init := toB.find(1)
	tsn := binary.BigEndian.Uint32(init[28:])
	for range 40000 {
		c := make([]byte, 17)
		binary.BigEndian.PutUint32(c[4:], tsn)
		tsn++
		packet := raw(tag, c)
		full := b.Counters().InputFull
		for b.HandlePacket(packet); b.Counters().InputFull > full; b.HandlePacket(packet) {
			full = b.Counters().InputFull
			runtime.Gosched()
		}
		if b.State() != api.SCTPStateConnected {
			break
		}
	}
	b.awaitState(t, api.SCTPStateClosed)
}
