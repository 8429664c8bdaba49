package media_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
	"gazpacho/internal/fuzzseed"
)

// FuzzForward sends whatever parses as RTP through a producer and a consumer: what comes out is RTP with the consumer's
// own SSRC and no longer than announced.
func FuzzForward(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add(in{seq: 1, payload: vp8Key}.bytes())
	f.Add(in{seq: 2, payload: vp8Delta, exts: []rtp.Extension{{ID: inCapture, Value: make([]byte, 8)}, {ID: inDD, Value: make([]byte, 40)}}}.bytes())
	f.Add(in{seq: 3, ssrc: peerRTX, pt: peerRTXPT, payload: []byte{0, 9, 0x10, 0}}.bytes())
	f.Add(in{seq: 4, payload: vp8Key, exts: []rtp.Extension{{ID: inOrientation, Value: nil}, {ID: inPlayout, Value: make([]byte, 200)}}}.bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > packet.SmallSize || new(rtp.Packet).Parse(data) != nil {
			return
		}
		r := videoFixture(t)
		r.one(in{seq: 0, payload: vp8Key})
		pkt := parsePacket(t, r.now, data)
		defer pkt.Release()
		if _, forward := r.p.HandlePacket(r.now, pkt); !forward {
			return
		}
		o := r.c.WritePacket(r.now, pkt, r.dst[:])
		if o.Len == 0 {
			return
		}
		res := r.parseOut(o)
		require.Equal(t, outSSRC, res.SSRC)
		require.Equal(t, pkt.Payload(), res.Payload())
		r.c.HandleNACK(r.now, nackFor(outSSRC, res.SequenceNumber))
		for _, again := range r.retransmissions() {
			require.True(t, again.DecodeRTX(mappedPT, outSSRC))
			require.Equal(t, unit.SeqNo(res.SequenceNumber), again.SequenceNumber)
		}
	})
}
