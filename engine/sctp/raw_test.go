package sctp_test

import (
	"bytes"
	be "encoding/binary"
	"hash/crc32"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// seal sets a packet's checksum.
func seal(p []byte) []byte {
	be.LittleEndian.PutUint32(p[8:], 0)
	be.LittleEndian.PutUint32(p[8:], crc32.Checksum(p, crcTable))
	return p
}

// raw builds a packet of chunks, whose lengths it sets.
func raw(tag uint32, chunks ...[]byte) []byte {
	p := []byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0}
	be.BigEndian.PutUint32(p[4:], tag)
	for _, c := range chunks {
		be.BigEndian.PutUint16(c[2:], uint16(len(c)))
		p = append(p, c...)
		for len(p)%4 != 0 {
			p = append(p, 0)
		}
	}
	return seal(p)
}

// words builds a chunk of a type, flags and 32-bit fields.
func words(typ, flags byte, fields ...uint32) []byte {
	c := []byte{typ, flags, 0, 0}
	for _, f := range fields {
		c = be.BigEndian.AppendUint32(c, f)
	}
	return c
}

// rawData is a DATA chunk: flags are 1 for the end, 2 for the beginning, 4 for unordered.
func rawData(flags byte, tsn uint32, stream, ssn uint16, payload string) []byte {
	return append(words(0, flags, tsn, uint32(stream)<<16|uint32(ssn), 51), payload...)
}

// rawReset is a RE-CONFIG with an outgoing reset request.
func rawReset(seq, lastTSN uint32, streams ...uint16) []byte {
	c := words(130, 0, 13<<16|uint32(16+2*len(streams)), seq, 0, lastTSN)
	for _, id := range streams {
		c = be.BigEndian.AppendUint16(c, id)
	}
	return c
}

// The parameters of an INIT: FORWARD-TSN, and the extensions FORWARD-TSN and RE-CONFIG; or I-DATA too.
var (
	plainExtensions       = []byte{0xc0, 0, 0, 4, 0x80, 8, 0, 6, 192, 130, 0, 0}
	interleavedExtensions = []byte{0xc0, 0, 0, 4, 0x80, 8, 0, 8, 192, 130, 64, 194}
)

// initOf is an INIT with a tag and a first TSN of its own.
func initOf(tag, tsn uint32, params ...byte) []byte {
	return raw(0, append(words(1, 0, tag, 1<<20, 9<<16|9, tsn), params...))
}

// stranger is a peer that can write anything, and reads what it gets.
type stranger struct {
	*end
	tag     uint32 // of the association
	tsn     uint32 // its next one
	theirs  uint32 // the association's first one
	packets [][]byte
}

const strangerTag = 0x0badcafe

// stranger connects one to a new association.
func (w *world) stranger(cfg sctp.Config, params []byte) *stranger {
	w.t.Helper()
	s := &stranger{end: w.end(cfg), tsn: 1000}
	s.send = func(p []byte) { s.packets = append(s.packets, bytes.Clone(p)) }
	s.handle(initOf(strangerTag, s.tsn, params...))
	ack := s.find(2)
	require.NotNil(w.t, ack)
	s.tag, s.theirs = be.BigEndian.Uint32(ack[16:]), be.BigEndian.Uint32(ack[28:])
	s.chunks(append([]byte{10, 0, 0, 0}, cookieIn(w, ack)...))
	require.Equal(w.t, api.SCTPStateConnected, s.State())
	require.NotNil(w.t, s.find(11))
	s.packets = nil
	return s
}

// chunks sends chunks.
func (s *stranger) chunks(chunks ...[]byte) { s.handle(raw(s.tag, chunks...)) }

// data sends DATA with the next TSN.
func (s *stranger) data(flags byte, stream, ssn uint16, payload string) {
	s.chunks(rawData(flags, s.tsn, stream, ssn, payload))
	s.tsn++
}

// find returns the last packet whose first chunk has a type.
func (s *stranger) find(typ byte) (found []byte) {
	for _, p := range s.packets {
		if p[12] == typ {
			found = p
		}
	}
	return found
}

func cookieIn(w *world, ack []byte) []byte {
	w.t.Helper()
	for b := ack[32:]; len(b) >= 4; {
		n := int(be.BigEndian.Uint16(b[2:]))
		if be.BigEndian.Uint16(b) == 7 {
			return bytes.Clone(b[4:n])
		}
		b = b[(n+3)&^3:]
	}
	require.FailNow(w.t, "no cookie")
	return nil
}

// stillWorks has the stranger send one more message.
func (s *stranger) stillWorks() {
	s.w.t.Helper()
	s.take()
	s.data(7, 9, 0, "still here")
	require.Equal(s.w.t, []string{"still here"}, texts(s.take()))
}

// eachChunk calls f with the chunks of a packet.
func eachChunk(p []byte, f func(typ byte, c []byte)) {
	for b := p[12:]; len(b) >= 4; {
		n := int(be.BigEndian.Uint16(b[2:]))
		f(b[0], b[:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

// observed has f see what an end sends.
func (e *end) observed(f func(now unit.Time, p []byte)) {
	send := e.send
	e.send = func(p []byte) {
		f(e.w.Now(), p)
		send(p)
	}
}

const second = time.Second
