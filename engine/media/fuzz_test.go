package media_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
	"gazpacho/internal/fuzzseed"
)

// FuzzForward sends whatever parses as RTP through a producer and a consumer: what comes out is RTP with the consumer's
// own SSRC and no longer than announced.
func FuzzForward(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add(ofPeer(enginetest.Packet{Seq: 1, Payload: vp8Key}).Bytes())
	f.Add(ofPeer(enginetest.Packet{Seq: 2, Payload: vp8Delta, Extensions: []rtp.Extension{{ID: inCapture, Value: make([]byte, 8)}, {ID: inDD, Value: make([]byte, 40)}}}).Bytes())
	f.Add(ofPeer(enginetest.Packet{Seq: 3, SSRC: peerRTX, PT: peerRTXPT, Payload: []byte{0, 9, 0x10, 0}}).Bytes())
	f.Add(ofPeer(enginetest.Packet{Seq: 4, Payload: vp8Key, Extensions: []rtp.Extension{{ID: inOrientation, Value: nil}, {ID: inPlayout, Value: make([]byte, 200)}}}).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > packet.SmallSize || new(rtp.Packet).Parse(data) != nil {
			return
		}
		r := videoFixture(t)
		r.one(enginetest.Packet{Seq: 0, Payload: vp8Key})
		pkt := enginetest.Receive(t, r.now, data)
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
		r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, res.SequenceNumber))
		for _, again := range r.retransmissions() {
			require.True(t, again.DecodeRTX(mappedPT, outSSRC))
			require.Equal(t, unit.SeqNo(res.SequenceNumber), again.SequenceNumber)
		}
	})
}
