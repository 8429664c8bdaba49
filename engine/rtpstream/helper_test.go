package rtpstream_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

const (
	mediaSSRC = unit.SSRC(0x11111111)
	rtxSSRC   = unit.SSRC(0x22222222)
	mediaPT   = 96
	rtxPT     = 97
	clockRate = 90000
	start     = unit.Time(1_700_000_000 * time.Second)
)

func videoParams() rtpstream.Params {
	return rtpstream.Params{
		SSRC: mediaSSRC, PayloadType: mediaPT, MimeType: "video/VP8", ClockRate: clockRate,
		RID: "r0", CNAME: "cname", UseNACK: true, UsePLI: true, UseFIR: true,
	}
}

// Payloads of VP8 (RFC 7741): one byte of descriptor, then the frame header, whose first bit says inter or key frame.
var (
	interFrame = []byte{0x10, 0x01, 0, 0, 0, 0}
	keyFrame   = []byte{0x10, 0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00}
)

// newPacket returns a packet as it comes out of the receive path, with one reference.
func newPacket(t testing.TB, now unit.Time, h rtp.Header, payload []byte) *packet.Packet {
	t.Helper()
	b := packet.NewBuffer(packet.SmallSize)
	data := append(rtp.AppendHeader(b.Space()[:0], h, nil), payload...)
	require.LessOrEqual(t, len(data), packet.SmallSize)
	b.SetLen(len(data))
	p := packet.New(b, now)
	require.NoError(t, p.Parse(b.Bytes()))
	return p
}

func mediaPacket(t testing.TB, now unit.Time, seq unit.SeqNo, ts unit.Timestamp, payload []byte) *packet.Packet {
	t.Helper()
	return newPacket(t, now, rtp.Header{PayloadType: mediaPT, SequenceNumber: seq, Timestamp: ts, SSRC: mediaSSRC}, payload)
}

// rtxPacket wraps a packet as RFC 4588 section 4 says.
func rtxPacket(t testing.TB, now unit.Time, rtxSeq, seq unit.SeqNo, ts unit.Timestamp, payload []byte) *packet.Packet {
	t.Helper()
	wrapped := append([]byte{byte(seq >> 8), byte(seq)}, payload...)
	return newPacket(t, now, rtp.Header{PayloadType: rtxPT, SequenceNumber: rtxSeq, Timestamp: ts, SSRC: rtxSSRC}, wrapped)
}

// tsAt is the RTP timestamp of a packet captured at now.
func tsAt(now unit.Time) unit.Timestamp {
	return unit.Timestamp(now.Sub(start).Microseconds() * clockRate / 1e6)
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }
