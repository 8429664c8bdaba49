package rtcp

import (
	"encoding/binary"

	"github.com/pion/rtcp"
)

// Layout of transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).
const (
	tccStatusCountAt = feedbackHeaderLen + 2
	tccFixedLen      = feedbackHeaderLen + 8
	tccChunkLen      = 2

	tccVectorBit     = 0x8000
	tccTwoBitSymbols = 0x4000
	tccRunMask       = 0x1fff
)

// parseTransportCC reads transport-wide congestion control feedback after checking that the packet is long enough for the
// arrival times that it announces: pion/rtcp allocates them all before it looks.
func parseTransportCC(b []byte) (rtcp.Packet, error) {
	if len(b) < tccFixedLen {
		return nil, ErrPacket
	}
	chunksEnd, deltas := tccLengths(b)
	if chunksEnd+deltas > len(b) {
		return nil, ErrPacket
	}
	length := binary.BigEndian.Uint16(b[2:])
	if chunksEnd == len(b) && len(b) > tccFixedLen {
		// pion refuses a chunk at the very end, where it is when all packets were lost: give it a word more to read.
		b = resized(b, len(b)+4, b[0])
	}
	pkt := new(rtcp.TransportLayerCC)
	if _, err := unmarshal(pkt, b); err != nil {
		return nil, err
	}
	pkt.Header.Length = length
	return pkt, nil
}

// tccLengths returns where the status chunks end and how many bytes of arrival times follow them; the sum exceeds b when
// the chunks do.
func tccLengths(b []byte) (chunksEnd, deltas int) {
	left := int(binary.BigEndian.Uint16(b[tccStatusCountAt:]))
	at := tccFixedLen
	for left > 0 {
		if at+tccChunkLen > len(b) {
			return len(b) + 1, 0
		}
		n, size := tccChunk(binary.BigEndian.Uint16(b[at:]), left)
		at, left, deltas = at+tccChunkLen, left-n, deltas+size
	}
	return at, deltas
}

// tccChunk returns how many of the left statuses a chunk holds and how many bytes of arrival times these have.
func tccChunk(chunk uint16, left int) (n, size int) {
	switch {
	case chunk&tccVectorBit == 0:
		n = min(int(chunk&tccRunMask), left)
		return n, n * tccDeltaLen(chunk>>13)
	case chunk&tccTwoBitSymbols == 0:
		n = min(14, left)
		for i := range n {
			size += tccDeltaLen(chunk >> (13 - i) & 1)
		}
	default:
		n = min(7, left)
		for i := range n {
			size += tccDeltaLen(chunk >> (12 - 2*i) & 3)
		}
	}
	return n, size
}

// tccDeltaLen returns how many bytes the arrival time of a packet with this status takes.
func tccDeltaLen(symbol uint16) int {
	switch symbol & 3 {
	case rtcp.TypeTCCPacketReceivedSmallDelta:
		return 1
	case rtcp.TypeTCCPacketReceivedLargeDelta:
		return 2
	default:
		return 0
	}
}
