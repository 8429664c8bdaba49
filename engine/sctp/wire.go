package sctp

import (
	"encoding/binary"
	"hash/crc32"
	"iter"
)

// From RFC 9260 section 3.2, RFC 3758, RFC 6525 and RFC 8260: chunk types.
const (
	typeData             = 0
	typeInit             = 1
	typeInitAck          = 2
	typeSack             = 3
	typeHeartbeat        = 4
	typeHeartbeatAck     = 5
	typeAbort            = 6
	typeShutdown         = 7
	typeShutdownAck      = 8
	typeError            = 9
	typeCookieEcho       = 10
	typeCookieAck        = 11
	typeShutdownComplete = 14
	typeIData            = 64
	typeReconfig         = 130
	typeForwardTSN       = 192
	typeIForwardTSN      = 194
)

// From RFC 9260 sections 3.2.1 and 3.3.10: what the highest bits of an unknown type ask for, and causes of errors.
const (
	skipUnknownChunk   = 0x80
	reportUnknownChunk = 0x40

	skipUnknownParam   = 0x8000
	reportUnknownParam = 0x4000

	causeStaleCookie       = 3
	causeOutOfResource     = 4
	causeUnrecognizedChunk = 6
	causeUserAbort         = 12
	causeProtocolViolation = 13
)

const (
	headerLen      = 12 // of a packet
	chunkHeaderLen = 4
	paramHeaderLen = 4
	maxPacketLen   = 65535

	// flagTag says that the verification tag is the receiver's own, because the sender has no association (the T bit of ABORT
	// and SHUTDOWN COMPLETE).
	flagTag = 1
)

// header is a packet's common header (RFC 9260 section 3.1).
type header struct {
	source, destination uint16
	tag                 uint32
	checksum            uint32
}

// parseHeader reads the header of a packet that has at least one chunk.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < headerLen+chunkHeaderLen || len(b) > maxPacketLen {
		return header{}, false
	}
	return header{
		source:      binary.BigEndian.Uint16(b),
		destination: binary.BigEndian.Uint16(b[2:]),
		tag:         binary.BigEndian.Uint32(b[4:]),
		checksum:    binary.LittleEndian.Uint32(b[8:]),
	}, true
}

// appendHeader begins a packet; seal sets its checksum.
func appendHeader(b []byte, port uint16, tag uint32) []byte {
	b = binary.BigEndian.AppendUint16(b, port)
	b = binary.BigEndian.AppendUint16(b, port)
	b = binary.BigEndian.AppendUint32(b, tag)
	return append(b, 0, 0, 0, 0)
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	noChecksum = make([]byte, 4)
)

// checksum computes a packet's CRC32c, its checksum field taken as zero (RFC 9260 section 6.8).
func checksum(packet []byte) uint32 {
	sum := crc32.Update(0, castagnoli, packet[:8])
	sum = crc32.Update(sum, castagnoli, noChecksum)
	return crc32.Update(sum, castagnoli, packet[headerLen:])
}

func seal(packet []byte) { binary.LittleEndian.PutUint32(packet[8:], checksum(packet)) }

// chunk is one chunk of a packet. The value aliases the packet; it has neither header nor padding.
type chunk struct {
	typ, flags byte
	value      []byte
}

// parseChunk cuts the first chunk off. ok is false when lengths lie; rest is what follows the padding.
func parseChunk(b []byte) (c chunk, rest []byte, ok bool) {
	if len(b) < chunkHeaderLen {
		return chunk{}, nil, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < chunkHeaderLen || n > len(b) {
		return chunk{}, nil, false
	}
	return chunk{b[0], b[1], b[chunkHeaderLen:n:n]}, b[min(padded(n), len(b)):], true
}

// appendChunk appends a chunk whose value is known.
func appendChunk(b []byte, typ, flags byte, value []byte) []byte {
	start := len(b)
	b = append(b, typ, flags, 0, 0)
	return endTLV(append(b, value...), start)
}

// endTLV sets the length of the chunk or parameter that begins at start, and appends the padding.
func endTLV(b []byte, start int) []byte {
	n := len(b) - start
	binary.BigEndian.PutUint16(b[start+2:], uint16(n))
	for range padded(n) - n {
		b = append(b, 0)
	}
	return b
}

// padded rounds up to words of four bytes.
func padded(n int) int { return (n + 3) &^ 3 }

// params iterates over parameters or error causes: type and value. It ends early where lengths lie.
func params(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= paramHeaderLen {
			n := int(binary.BigEndian.Uint16(b[2:]))
			if n < paramHeaderLen || n > len(b) || !yield(binary.BigEndian.Uint16(b), b[paramHeaderLen:n:n]) {
				return
			}
			b = b[min(padded(n), len(b)):]
		}
	}
}

func beginParam(b []byte, typ uint16) []byte {
	b = binary.BigEndian.AppendUint16(b, typ)
	return append(b, 0, 0)
}

func appendParam(b []byte, typ uint16, value []byte) []byte {
	start := len(b)
	return endTLV(append(beginParam(b, typ), value...), start)
}

// appendCause appends an ABORT or ERROR chunk with one cause.
func appendCause(b []byte, typ byte, cause uint16, info []byte) []byte {
	start := len(b)
	b = append(b, typ, 0, 0, 0)
	return endTLV(appendParam(b, cause, info), start)
}
