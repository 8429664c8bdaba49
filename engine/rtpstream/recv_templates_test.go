package rtpstream_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// descriptor returns a dependency descriptor (AV1 RTP payload format, appendix A) that names a template; one of a key
// frame brings two, for the temporal layers 0 and 1, whose ids begin at offset.
func descriptor(template int, key bool, offset int) []byte {
	b := []byte{0x80 | byte(template), 0, 1}
	if !key {
		return b
	}
	bits := "10000" + fmt.Sprintf("%06b", offset) + "00000" + "0111" + "1010" + "00" + "0" + "0"
	for ; len(bits)%8 != 0; bits += "0" {
	}
	for ; len(bits) > 0; bits = bits[8:] {
		var v byte
		for _, bit := range bits[:8] {
			v = v<<1 | byte(bit-'0')
		}
		b = append(b, v)
	}
	return b
}

// A key frame that comes after a newer one, as one that was lost and sent again, does not bring its templates back.
func TestRecvKeepsTheTemplatesOfTheNewestKeyFrame(t *testing.T) {
	p := rtxParams()
	p.MimeType, p.TemporalLayers = "video/AV1", 2
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	layer := func(pkt *packet.Packet, d []byte, handle func(unit.Time, *packet.Packet) bool) int {
		pkt.Extensions.DependencyDescriptor = d
		require.True(t, handle(r.now, pkt))
		defer pkt.Release()
		if !pkt.Codec.HasTemporalLayer {
			return -1
		}
		return int(pkt.Codec.TemporalLayer)
	}
	media := func(seq unit.SeqNo, d []byte) int {
		return layer(mediaPacket(t, r.now, seq, unit.Timestamp(seq), interFrame), d, r.HandlePacket)
	}
	again := func(seq unit.SeqNo, d []byte) int {
		r.rtxSeq++
		return layer(rtxPacket(t, r.now, r.rtxSeq, seq, unit.Timestamp(seq), interFrame), d, r.HandleRTXPacket)
	}
	media(65530, nil)
	require.Equal(t, -1, media(65532, descriptor(1, false, 0)), "its key frame is missing")
	require.Equal(t, 0, media(65533, descriptor(20, true, 20)))
	require.Equal(t, 0, again(65531, descriptor(0, true, 0)))
	require.Equal(t, 1, media(65534, descriptor(21, false, 0)), "the newer templates count")

	require.Equal(t, -1, media(0, descriptor(41, false, 0)))
	require.Equal(t, 0, media(65535, descriptor(40, true, 40)), "late, but newer than the templates there are")
	require.Equal(t, 1, media(1, descriptor(41, false, 0)))

	for seq := unit.SeqNo(2); seq != 40000; seq++ {
		require.Equal(t, 1, media(seq, descriptor(41, false, 0)))
	}
	require.Equal(t, 0, media(40001, descriptor(7, true, 7)), "however old they are")
	require.Equal(t, 1, media(40002, descriptor(8, false, 0)))
	require.False(t, r.HandlePacket(r.now, mediaPacket(t, r.now, 9, 1, interFrame)), "the sender restarts")
	require.Equal(t, 0, media(10, descriptor(30, true, 30)))
	require.Equal(t, 1, media(11, descriptor(31, false, 0)))
}
