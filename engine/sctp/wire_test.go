package sctp

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/fuzzseed"
)

// samples are one chunk of each type that has a format of its own.
func samples() map[string][]byte {
	data := dataChunk{tsn: 1, stream: 2, flags: flagBegin | flagEnd, seq: 3, ppid: 51, payload: []byte("hello")}
	part := dataChunk{tsn: 1, stream: 2, flags: flagUnordered, seq: 1 << 20, fsn: 7, payload: []byte("hello")}
	i := initChunk{tag: 9, window: 1 << 20, out: 7, in: 8, tsn: 6, can: canForwardTSN | canReconfig | canInterleave | canZeroChecksum, cookie: []byte("cookie")}
	var got received
	got.init(5)
	for _, t := range []tsn{7, 8, 10, 5000} {
		got.add(t)
	}
	got.addDuplicate(7)
	streams := []skippedStream{{id: 1, seq: 2}, {id: 3, seq: 4}}
	return map[string][]byte{
		"DATA": data.append(nil, false), "I-DATA": part.append(nil, true), "I-DATA, first": data.append(nil, true),
		"INIT": i.append(nil, typeInit), "INIT ACK": i.append(nil, typeInitAck),
		"SACK": got.appendSack(nil, 77, 1000), "FORWARD TSN": appendForward(nil, 9, streams, false),
		"I-FORWARD-TSN": appendForward(nil, 9, []skippedStream{{1, true, 1 << 20}, {2, false, 3}}, true),
		"reset":         appendOutgoingReset(nil, 1, 2, []uint16{3, 4}), "response": appendResponse(nil, 1, 2),
		"ABORT": appendCause(nil, typeAbort, causeUserAbort, []byte("bye")), "HEARTBEAT": appendChunk(nil, typeHeartbeat, 0, []byte{0, 1, 0, 8, 1, 2, 3, 4}),
	}
}

// parseAny reads a chunk as its type says and writes it again; ok is false when it is none.
func parseAny(b []byte) (again []byte, ok bool) {
	c, _, ok := parseChunk(b)
	if !ok {
		return nil, false
	}
	switch c.typ {
	case typeData, typeIData:
		d, ok := parseData(c, c.typ == typeIData)
		return d.append(nil, c.typ == typeIData), ok
	case typeInit, typeInitAck:
		i, ok := parseInit(c)
		i.unknowns = nil // they are reported, not repeated
		return i.append(nil, c.typ), ok
	case typeSack:
		s, ok := parseSack(c)
		for range s.gaps(s.cumulative + maxTSNs - 1) {
		}
		return b, ok
	case typeForwardTSN, typeIForwardTSN:
		f, ok := parseForward(c)
		var streams []skippedStream
		for s := range f.skipped(c.typ == typeIForwardTSN) {
			streams = append(streams, s)
		}
		return appendForward(nil, f.cumulative, streams, c.typ == typeIForwardTSN), ok
	case typeReconfig:
		for typ, value := range params(c.value) {
			switch typ {
			case paramOutgoingReset:
				r, ok := parseOutgoingReset(value)
				streams := make([]uint16, r.streams.len())
				for i := range streams {
					streams[i] = r.streams.at(i)
				}
				return appendOutgoingReset(nil, r.seq, r.lastTSN, streams), ok
			}
		}
		return b, true
	}
	return appendChunk(nil, c.typ, c.flags, c.value), true
}

// Every chunk is read as it was written; one that is cut short, or whose length says so, is none, and none is read beyond its end.
func TestChunks(t *testing.T) {
	for name, b := range samples() {
		t.Run(name, func(t *testing.T) {
			require.Zero(t, len(b)%4)
			again, ok := parseAny(b)
			require.True(t, ok)
			require.Equal(t, b, again)
			n := int(b[2])<<8 | int(b[3])
			for cut := range n {
				_, _, ok := parseChunk(b[:cut])
				require.False(t, ok, "%d bytes", cut)
				short := bytes.Clone(b[:cut:cut])
				if cut >= chunkHeaderLen {
					short[2], short[3] = byte(cut>>8), byte(cut)
					parseAny(short)
				}
			}
			require.Zero(t, testing.AllocsPerRun(10, func() {
				c, _, _ := parseChunk(b)
				parseData(c, true)
				parseSack(c)
				parseForward(c)
				parseOutgoingReset(c.value)
			}))
		})
	}
}

func TestCookie(t *testing.T) {
	c := cookie{
		local: 1, peer: 2, localTSN: 3, peerTSN: 4, window: 5, out: 6, in: 7, can: canReconfig, tieLocal: 8, tieTo: 9, created: 10,
	}
	b := c.append(nil, []byte("key"))
	require.Len(t, b, cookieLen)
	again, ok := parseCookie(b, []byte("key"))
	require.True(t, ok)
	require.Equal(t, c, again)
	_, ok = parseCookie(b, []byte("kez"))
	require.False(t, ok)
}

func TestTSNSet(t *testing.T) {
	var s tsnSet
	first := tsn(0xffffffff - 100) // it wraps
	require.Equal(t, first, s.next(first, first+10, false))
	require.Equal(t, first+10, s.next(first, first+10, true))
	require.False(t, s.has(first))
	want := map[tsn]bool{}
	for i := tsn(0); i < 3000; i += 1 + i%7 {
		s.reserve(first, int(i)+1)
		s.add(first + i)
		want[first+i] = true
	}
	s.remove(first)
	delete(want, first)
	for i := range tsn(3000) {
		require.Equal(t, want[first+i], s.has(first+i))
	}
	found := 0
	for u := s.next(first, first+3000, true); u != first+3000; u = s.next(u+1, first+3000, true) {
		require.True(t, want[u])
		found++
	}
	require.Len(t, want, found)
	for u := s.next(first, first+3000, false); u != first+3000; u = s.next(u+1, first+3000, false) {
		require.False(t, want[u])
		found++
	}
	require.Equal(t, 3000, found)
}

func TestReceived(t *testing.T) {
	first := tsn(0xffffffff - 10) // it wraps
	var r received
	r.init(first)
	require.True(t, r.has(first-1))
	for i := tsn(1); i < 1000; i++ {
		require.False(t, r.has(first+i))
		r.add(first + i)
		require.True(t, r.has(first+i))
	}
	require.Equal(t, first-1, r.cumulative)
	r.add(first)
	require.Equal(t, first+999, r.cumulative)
	require.Empty(t, r.seen.words)

	r.add(first + 1002)
	var had []tsn
	note := func(t tsn) { had = append(had, t) }
	r.forward(first+1001, note)
	require.Equal(t, first+1002, r.cumulative)
	r.add(first + 1005)
	r.add(first + 1010)
	r.forward(first+1008, note)
	require.Equal(t, []tsn{first + 1005}, had)
	require.Equal(t, first+1008, r.cumulative)
	require.Equal(t, first+1010, r.highest)
	r.forward(first+2000, note)
	require.Equal(t, []tsn{first + 1005, first + 1010}, had)
	require.Equal(t, first+2000, r.cumulative)
	require.EqualValues(t, 0, r.ahead(first+2000))
	require.EqualValues(t, 1, r.ahead(first+2001))
}

func FuzzChunks(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	for _, b := range samples() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			again, ok := parseAny(b)
			if ok {
				once, ok := parseAny(again)
				require.True(t, ok, "%x", again)
				require.Equal(t, once, again)
			}
			_, rest, ok := parseChunk(b)
			if !ok {
				return
			}
			b = rest
		}
	})
}
