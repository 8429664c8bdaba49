package sctp

import "encoding/binary"

// From RFC 6525 section 4: parameters of RE-CONFIG.
const (
	paramOutgoingReset = 13
	paramIncomingReset = 14
	paramSSNTSNReset   = 15
	paramResponse      = 16
	paramAddOutgoing   = 17
	paramAddIncoming   = 18

	outgoingResetLen = 12 // of the value without streams
	responseLen      = 8
	requestLen       = 4 // the least that a request has: its number
)

// From RFC 6525 section 4.4: results.
const (
	resultNothingToDo       = 0
	resultPerformed         = 1
	resultDenied            = 2
	resultAlreadyInProgress = 4
	resultBadSequence       = 5
	resultInProgress        = 6
)

// outgoingReset asks the receiver to reset the streams on which the sender sends (RFC 6525 section 4.1).
type outgoingReset struct {
	seq     uint32
	lastTSN tsn    // the last number that the sender used for these streams
	streams idList // none: all
}

// idList is stream ids on the wire.
type idList []byte

func (l idList) len() int        { return len(l) / 2 }
func (l idList) at(i int) uint16 { return binary.BigEndian.Uint16(l[2*i:]) }

func parseOutgoingReset(value []byte) (r outgoingReset, ok bool) {
	if len(value) < outgoingResetLen {
		return outgoingReset{}, false
	}
	return outgoingReset{
		seq:     binary.BigEndian.Uint32(value),
		lastTSN: tsn(binary.BigEndian.Uint32(value[8:])),
		streams: idList(value[outgoingResetLen:]),
	}, true
}

// appendOutgoingReset appends a RE-CONFIG chunk with one request.
func appendOutgoingReset(b []byte, seq uint32, last tsn, streams []uint16) []byte {
	start := len(b)
	b = append(b, typeReconfig, 0, 0, 0)
	param := len(b)
	b = beginParam(b, paramOutgoingReset)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, 0) // it answers no request
	b = binary.BigEndian.AppendUint32(b, uint32(last))
	for _, id := range streams {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	return endTLV(endTLV(b, param), start)
}

// appendResponse appends a RE-CONFIG chunk with one response (RFC 6525 section 4.4).
func appendResponse(b []byte, seq, result uint32) []byte {
	start := len(b)
	b = append(b, typeReconfig, 0, 0, 0)
	param := len(b)
	b = beginParam(b, paramResponse)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, result)
	return endTLV(endTLV(b, param), start)
}
