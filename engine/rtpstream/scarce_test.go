package rtpstream_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// sendAs is send for a packet that is part of a key frame, or of a temporal layer.
func (s *sender) sendAs(seq unit.SeqNo, change func(*packet.Packet)) {
	pkt := mediaPacket(s.t, s.now, seq, unit.Timestamp(seq)*1000, interFrame)
	defer pkt.Release()
	change(pkt)
	require.True(s.t, s.HandlePacket(s.now, pkt, rtpstream.Sent{
		SequenceNumber: seq, Timestamp: unit.Timestamp(seq) * 1000, Length: len(pkt.Data),
	}))
}

func isKeyFrame(p *packet.Packet) { p.Codec.KeyFrame = true }
func isBase(*packet.Packet)       {}
func isHigher(p *packet.Packet)   { p.Codec.TemporalLayer, p.Codec.HasTemporalLayer = 1, true }

// While the path is congested, only what repairs the picture that is to be seen next is sent again.
func TestScarceRetransmissions(t *testing.T) {
	s := newSender(t, videoParams())
	for seq, change := range []func(*packet.Packet){isBase, isHigher, isKeyFrame, isHigher, isBase} {
		s.sendAs(unit.SeqNo(seq), change)
	}
	all := rtcp.NackPair{PacketID: 0, LostPackets: 0xf}
	s.SetScarce(true)
	require.Equal(t, []unit.SeqNo{2, 4}, seqs(s.nack(all)))
	s.SetScarce(false)
	require.Equal(t, []unit.SeqNo{0, 1, 3}, seqs(s.nack(all)), "what was sent again already has to wait")
}

// A key frame from so long ago that its number would seem to lie ahead does not matter.
func TestAnOldKeyFrameIsForgotten(t *testing.T) {
	s := newSender(t, videoParams())
	s.sendAs(0, isKeyFrame)
	for seq := range unit.SeqNo(40_000) {
		s.sendAs(seq+1, isBase)
	}
	s.SetScarce(true)
	require.Len(t, s.nack(rtcp.NackPair{PacketID: 39_990}), 1)
}

func TestDropQueueTellsWhatHarms(t *testing.T) {
	s := newSender(t, videoParams())
	s.sendAs(1, isBase)
	s.sendAs(2, isHigher)
	ask := func(seq uint16) {
		s.HandleNACK(s.now, &rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: seq}}})
	}
	ask(1)
	require.False(t, s.DropQueue(), "the path is not congested")
	s.SetScarce(true)
	require.False(t, s.DropQueue(), "there is nothing")
	ask(2)
	require.False(t, s.DropQueue())
	ask(1)
	require.True(t, s.DropQueue())
}
