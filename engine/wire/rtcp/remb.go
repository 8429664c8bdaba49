package rtcp

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/pion/rtcp"
)

// Layout of a REMB packet (draft-alvestrand-rmcat-remb-03 section 2.2).
const (
	rembID       = 0x52454d42 // "REMB"
	rembFixedLen = feedbackHeaderLen + 8
)

// parseREMB reads application layer feedback and returns nil when that is not REMB. It stands in for pion's method, which
// reads a bitrate of zero as 8.4 Mbit/s. A bitrate beyond 63 bits is malformed, as in mediasoup.
func parseREMB(b []byte) (rtcp.Packet, error) {
	if len(b) < feedbackHeaderLen {
		return nil, ErrPacket
	}
	if len(b) < rembFixedLen || binary.BigEndian.Uint32(b[feedbackHeaderLen:]) != rembID {
		return nil, nil
	}
	fields := b[feedbackHeaderLen+4:]
	count, exponent := int(fields[0]), int(fields[1]>>2)
	mantissa := uint64(binary.BigEndian.Uint32(fields) & 0x3ffff)
	if len(b) != rembFixedLen+ssrcLen*count || bits.Len64(mantissa)+exponent >= 64 && mantissa != 0 {
		return nil, ErrPacket
	}
	pkt := &rtcp.ReceiverEstimatedMaximumBitrate{
		SenderSSRC: binary.BigEndian.Uint32(b[headerLen:]),
		Bitrate:    float32(math.Ldexp(float64(mantissa), exponent)),
		SSRCs:      make([]uint32, count),
	}
	for i := range pkt.SSRCs {
		pkt.SSRCs[i] = binary.BigEndian.Uint32(b[rembFixedLen+ssrcLen*i:])
	}
	return pkt, nil
}
