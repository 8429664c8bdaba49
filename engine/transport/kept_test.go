package transport_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/packet"
)

// A peer asks for everything that was sent to it once more. What comes is no longer than an ordinary packet.
func TestLongPacketsAreNotSentAgain(t *testing.T) {
	r := newFixture(t)
	in, out := r.connected(), r.pipeTo(false)
	p := r.produceLong(in.Transport)
	r.consumeLong(out.Transport, p, api.RTPTypePipe)
	short := 0
	for i, n := range lengths {
		r.receive(in, 0, peerAddr, longKeyFrame("", uint16(i+1), n))
		if n <= packet.SmallSize {
			short++
		}
	}
	nack := &rtcp.TransportLayerNack{MediaSSRC: 20}
	sent := r.sockets[1].Sent()
	for _, b := range sent {
		nack.Nacks = append(nack.Nacks, rtcp.NackPair{PacketID: uint16(enginetest.ParseRTP(t, b).SequenceNumber)})
	}
	r.receiveRTCP(out.Plain, 0, peerAddr, nack)
	again := r.sockets[1].Sent()[len(sent):]
	require.Equal(t, short, len(again))
	for _, b := range again {
		require.LessOrEqual(t, len(b), packet.SmallSize+media.MaxHeaderGrowth)
	}
}
