package enginetest

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// Payloads of VP8 without a picture id (RFC 7741 section 4.2, RFC 6386 section 9.1): a key frame of 320x240, another frame.
var (
	VP8KeyFrame   = []byte{0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00}
	VP8DeltaFrame = []byte{0x10, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06}
)

// Packet is an RTP packet to be made.
type Packet struct {
	SSRC       unit.SSRC
	PT         uint8 // 0: PayloadType
	Seq        unit.SeqNo
	Timestamp  unit.Timestamp
	Marker     bool
	Extensions []rtp.Extension
	Payload    []byte
}

// Bytes returns the packet as it travels.
func (p Packet) Bytes() []byte {
	if p.PT == 0 {
		p.PT = PayloadType
	}
	h := rtp.Header{Marker: p.Marker, PayloadType: p.PT, SequenceNumber: p.Seq, Timestamp: p.Timestamp, SSRC: p.SSRC}
	return append(rtp.AppendHeader(nil, h, p.Extensions), p.Payload...)
}

// Receive returns the packet as a transport hands it to a producer. The caller releases it.
func (p Packet) Receive(t testing.TB, now unit.Time) *packet.Packet {
	t.Helper()
	return Receive(t, now, p.Bytes())
}

// RTP returns a packet of a stream with a picture every 3,000 ticks, which are 33 ms of video.
func RTP(ssrc unit.SSRC, seq unit.SeqNo, payload []byte) []byte {
	return Packet{SSRC: ssrc, Seq: seq, Timestamp: unit.Timestamp(seq) * 3000, Payload: payload}.Bytes()
}

// KeyFrame returns an RTP packet with a key frame of VP8.
func KeyFrame(ssrc unit.SSRC, seq unit.SeqNo) []byte { return RTP(ssrc, seq, VP8KeyFrame) }

// Buffer returns a buffer of the pool that holds a datagram.
func Buffer(data []byte) *packet.Buffer {
	b := packet.NewBuffer(len(data))
	b.SetLen(copy(b.Space(), data))
	return b
}

// Datagrams returns what a poller reads when a peer has sent something. The owner of the socket releases the buffers.
func Datagrams(from netip.AddrPort, data ...[]byte) []netio.Datagram {
	batch := make([]netio.Datagram, len(data))
	for i, b := range data {
		batch[i] = netio.Datagram{Buffer: Buffer(b), From: from}
	}
	return batch
}

// Receive parses a datagram into a packet of the pool, which the caller releases.
func Receive(t testing.TB, now unit.Time, data []byte) *packet.Packet {
	t.Helper()
	b := Buffer(data)
	pkt := packet.New(b, now)
	require.NoError(t, pkt.Parse(b.Bytes()))
	return pkt
}

// ParseRTP parses a copy of a packet.
func ParseRTP(t testing.TB, b []byte) *rtp.Packet {
	t.Helper()
	p := new(rtp.Packet)
	require.NoError(t, p.Parse(bytes.Clone(b)))
	return p
}

// RTPOf returns the RTP packets among datagrams.
func RTPOf(t testing.TB, datagrams [][]byte) (all []*rtp.Packet) {
	t.Helper()
	for _, b := range datagrams {
		if !wirertcp.LooksLikeRTCP(b) {
			all = append(all, ParseRTP(t, b))
		}
	}
	return all
}

// MarshalRTCP returns a compound packet.
func MarshalRTCP(pkts ...rtcp.Packet) []byte {
	b, err := rtcp.Marshal(pkts)
	if err != nil {
		panic(err)
	}
	return b
}

// NACKFor asks for packets of a stream.
func NACKFor(ssrc unit.SSRC, seqs ...unit.SeqNo) *rtcp.TransportLayerNack {
	numbers := make([]uint16, len(seqs))
	for i, seq := range seqs {
		numbers[i] = uint16(seq)
	}
	return &rtcp.TransportLayerNack{MediaSSRC: uint32(ssrc), Nacks: rtcp.NackPairsFromSequenceNumbers(numbers)}
}

// RTCPOf returns all that the compound packets among datagrams hold.
func RTCPOf(t testing.TB, datagrams [][]byte) (all []rtcp.Packet) {
	t.Helper()
	for _, b := range datagrams {
		if wirertcp.LooksLikeRTCP(b) {
			pkts, err := rtcp.Unmarshal(b)
			require.NoError(t, err)
			all = append(all, pkts...)
		}
	}
	return all
}

// Find returns the RTCP packets of one type.
func Find[T rtcp.Packet](pkts []rtcp.Packet) (found []T) {
	for _, p := range pkts {
		if p, ok := p.(T); ok {
			found = append(found, p)
		}
	}
	return found
}
