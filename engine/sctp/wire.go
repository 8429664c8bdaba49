package sctp

import (
	"encoding/binary"
	"hash/crc32"
	"time"
)

// From the specification: chunk types (RFC 9260 section 3.2, RFC 3758, RFC 6525, RFC 8260) and parameter types.
const (
	chunkData             = 0
	chunkInit             = 1
	chunkInitAck          = 2
	chunkSack             = 3
	chunkHeartbeat        = 4
	chunkHeartbeatAck     = 5
	chunkAbort            = 6
	chunkShutdown         = 7
	chunkShutdownAck      = 8
	chunkError            = 9
	chunkCookieEcho       = 10
	chunkCookieAck        = 11
	chunkShutdownComplete = 14
	chunkReconfig         = 130
	chunkForwardTSN       = 192

	flagEnd       = 1 // of DATA
	flagBegin     = 2
	flagUnordered = 4
	flagT         = 1 // of ABORT and SHUTDOWN COMPLETE: the tag is the receiver's own

	paramHeartbeatInfo       = 1
	paramSupportedExtensions = 0x8008
	paramOutgoingReset       = 13
	paramResetResponse       = 16
	resultInProgress         = 6

	headerLen     = 12
	chunkHeadLen  = 4
	dataHeadLen   = 16
	initHeadLen   = 20
	sackHeadLen   = 16
	fwdHeadLen    = 8
	paramHeadLen  = 4
	resetHeadLen  = 16 // of the parameter, with its header
	minPacketLen  = headerLen + chunkHeadLen
	maxPacketLen  = 8192 // pion reads no more
	pionPort      = 5000 // pion knows no other
	abortCauseUsr = 12
)

// chunk is one chunk with its header, without padding.
type chunk []byte

func (c chunk) typ() byte       { return c[0] }
func (c chunk) flags() byte     { return c[1] }
func (c chunk) sid() uint16     { return binary.BigEndian.Uint16(c[8:]) }
func (c chunk) payload() []byte { return c[dataHeadLen:] }

// eachChunk calls f with each chunk of a packet. It reports whether all lengths are right (RFC 9260 section 3.2) and f
// returned true each time.
func eachChunk(packet []byte, f func(c chunk) bool) bool {
	b := packet[headerLen:]
	for len(b) > 0 {
		if len(b) < chunkHeadLen {
			return false
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n < minChunkLen(b[0]) || n > len(b) {
			return false
		}
		if !f(chunk(b[:n:n])) {
			return false
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return true
}

func minChunkLen(typ byte) int {
	switch typ {
	case chunkData:
		return dataHeadLen
	case chunkInit, chunkInitAck:
		return initHeadLen
	case chunkSack:
		return sackHeadLen
	case chunkForwardTSN:
		return fwdHeadLen
	case chunkReconfig:
		return chunkHeadLen + paramHeadLen
	default:
		return chunkHeadLen
	}
}

// known are the chunks that are shown to pion, which refuses a whole packet for one chunk that it does not know. I-DATA is not
// negotiated.
func known(typ byte) bool {
	switch typ {
	case chunkShutdownComplete, chunkReconfig, chunkForwardTSN:
		return true
	default:
		return typ <= chunkCookieAck
	}
}

// eachParam calls f with each parameter of a chunk that begins at offset from.
func eachParam(c chunk, from int, f func(typ uint16, param []byte)) {
	b := c[from:]
	for len(b) >= paramHeadLen {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n < paramHeadLen || n > len(b) {
			return
		}
		f(binary.BigEndian.Uint16(b), b[:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

// resetIDs returns the stream ids of an outgoing reset request, to be read and replaced in place.
func resetIDs(param []byte) idList {
	if len(param) < resetHeadLen {
		return nil
	}
	return idList(param[resetHeadLen:])
}

// idList is stream ids on the wire, two bytes each.
type idList []byte

func (l idList) len() int            { return len(l) / 2 }
func (l idList) at(i int) uint16     { return binary.BigEndian.Uint16(l[2*i:]) }
func (l idList) set(i int, v uint16) { binary.BigEndian.PutUint16(l[2*i:], v) }

// forwardedIDs calls f with each stream id of a FORWARD TSN chunk and replaces it by what f returns.
func forwardedIDs(c chunk, f func(uint16) uint16) {
	for b := c[fwdHeadLen:]; len(b) >= 4; b = b[4:] {
		binary.BigEndian.PutUint16(b, f(binary.BigEndian.Uint16(b)))
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum computes a packet's CRC32c, its checksum field taken as zero (RFC 9260 section 6.8).
func checksum(packet []byte) uint32 {
	var zero [4]byte
	sum := crc32.Update(0, castagnoli, packet[:8])
	sum = crc32.Update(sum, castagnoli, zero[:])
	return crc32.Update(sum, castagnoli, packet[headerLen:])
}

func validChecksum(packet []byte) bool {
	return binary.LittleEndian.Uint32(packet[8:]) == checksum(packet)
}

func setChecksum(packet []byte) { binary.LittleEndian.PutUint32(packet[8:], checksum(packet)) }

func setPorts(packet []byte, port uint16) {
	binary.BigEndian.PutUint16(packet, port)
	binary.BigEndian.PutUint16(packet[2:], port)
}

func tagOf(packet []byte) uint32 { return binary.BigEndian.Uint32(packet[4:]) }

func newPacket(port uint16, tag uint32) []byte {
	p := make([]byte, headerLen, 64)
	setPorts(p, port)
	binary.BigEndian.PutUint32(p[4:], tag)
	return p
}

// appendChunk appends a chunk and its padding.
func appendChunk(packet []byte, c chunk) []byte {
	packet = append(packet, c...)
	for len(packet)%4 != 0 {
		packet = append(packet, 0)
	}
	return packet
}

// abortPacket tells the peer that the association is over (RFC 9260 section 3.3.7).
func abortPacket(port uint16, tag uint32, reason string) []byte {
	cause := make([]byte, 4, 4+len(reason))
	binary.BigEndian.PutUint16(cause, abortCauseUsr)
	binary.BigEndian.PutUint16(cause[2:], uint16(4+len(reason)))
	cause = append(cause, reason...)
	head := []byte{chunkAbort, 0, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(head)+len(cause)))
	p := appendChunk(newPacket(port, tag), append(head, cause...))
	setChecksum(p)
	return p
}

// heartbeatPacket asks the peer whether it is there (RFC 9260 section 3.3.5). What the peer returns tells pion the round trip
// time: it reads eight bytes as the time of sending.
func heartbeatPacket(port uint16, tag uint32, now time.Time) []byte {
	c := make(chunk, chunkHeadLen+paramHeadLen+8)
	c[0] = chunkHeartbeat
	binary.BigEndian.PutUint16(c[2:], uint16(len(c)))
	binary.BigEndian.PutUint16(c[4:], paramHeartbeatInfo)
	binary.BigEndian.PutUint16(c[6:], paramHeadLen+8)
	binary.BigEndian.PutUint64(c[8:], uint64(now.UnixNano()))
	p := appendChunk(newPacket(port, tag), c)
	setChecksum(p)
	return p
}

// resetPacket is an outgoing reset request of the peer, as pion would receive it.
func resetPacket(tag, sequence, lastTSN uint32, id uint16) []byte {
	c := make(chunk, chunkHeadLen+resetHeadLen+2)
	c[0] = chunkReconfig
	binary.BigEndian.PutUint16(c[2:], uint16(len(c)))
	binary.BigEndian.PutUint16(c[4:], paramOutgoingReset)
	binary.BigEndian.PutUint16(c[6:], resetHeadLen+2)
	binary.BigEndian.PutUint32(c[8:], sequence)
	binary.BigEndian.PutUint32(c[16:], lastTSN)
	binary.BigEndian.PutUint16(c[20:], id)
	p := appendChunk(newPacket(pionPort, tag), c)
	setChecksum(p)
	return p
}

// initInfo is what an INIT or INIT ACK says of its sender.
type initInfo struct {
	tag         uint32
	out, in     uint16
	initialTSN  uint32
	canReconfig bool
}

func parseInit(c chunk) initInfo {
	i := initInfo{
		tag: binary.BigEndian.Uint32(c[4:]),
		out: binary.BigEndian.Uint16(c[12:]), in: binary.BigEndian.Uint16(c[14:]),
		initialTSN: binary.BigEndian.Uint32(c[16:]),
	}
	eachParam(c, initHeadLen, func(typ uint16, param []byte) {
		if typ == paramSupportedExtensions {
			for _, t := range param[paramHeadLen:] {
				i.canReconfig = i.canReconfig || t == chunkReconfig
			}
		}
	})
	return i
}
