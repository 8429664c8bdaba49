package sctp

import (
	"encoding/binary"
	"iter"
)

// skippedStream says up to which message a stream is to be skipped.
type skippedStream struct {
	id        uint16
	unordered bool   // I-FORWARD-TSN only
	seq       uint32 // of the last skipped message
}

// forwardChunk is a FORWARD-TSN (RFC 3758 section 3.2) or I-FORWARD-TSN (RFC 8260 section 2.3.1). It aliases the packet.
type forwardChunk struct {
	cumulative tsn
	streams    []byte
}

const (
	forwardLen      = 4 // of the value without streams
	forwardEntry    = 4
	iForwardEntry   = 8
	iForwardOrdered = 0
)

func parseForward(c chunk) (f forwardChunk, ok bool) {
	if len(c.value) < forwardLen {
		return forwardChunk{}, false
	}
	return forwardChunk{tsn(binary.BigEndian.Uint32(c.value)), c.value[forwardLen:]}, true
}

// skipped iterates over the streams.
func (f *forwardChunk) skipped(interleaved bool) iter.Seq[skippedStream] {
	return func(yield func(skippedStream) bool) {
		entry := forwardEntry
		if interleaved {
			entry = iForwardEntry
		}
		for b := f.streams; len(b) >= entry; b = b[entry:] {
			s := skippedStream{id: binary.BigEndian.Uint16(b)}
			if interleaved {
				s.unordered, s.seq = b[3]&1 != iForwardOrdered, binary.BigEndian.Uint32(b[4:])
			} else {
				s.seq = uint32(binary.BigEndian.Uint16(b[2:]))
			}
			if !yield(s) {
				return
			}
		}
	}
}

// appendForward appends a FORWARD-TSN or I-FORWARD-TSN.
func appendForward(b []byte, cumulative tsn, streams []skippedStream, interleaved bool) []byte {
	start, typ := len(b), byte(typeForwardTSN)
	if interleaved {
		typ = typeIForwardTSN
	}
	b = append(b, typ, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(cumulative))
	for _, s := range streams {
		b = binary.BigEndian.AppendUint16(b, s.id)
		switch {
		case !interleaved:
			b = binary.BigEndian.AppendUint16(b, uint16(s.seq))
			continue
		case s.unordered:
			b = append(b, 0, 1)
		default:
			b = append(b, 0, 0)
		}
		b = binary.BigEndian.AppendUint32(b, s.seq)
	}
	return endTLV(b, start)
}
