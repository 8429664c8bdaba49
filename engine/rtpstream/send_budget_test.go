package rtpstream_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
)

// What was queued and not sent may be asked for again at once: the peer does not wait a round trip for what never left.
func TestSendWhatWasDroppedMayBeAskedForAgain(t *testing.T) {
	s := newSender(t, videoParams())
	for seq := range 4 {
		s.send(unit.SeqNo(10+seq), unit.Timestamp(1000*seq))
	}
	ask := func() {
		s.HandleNACK(s.now, &rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: 10, LostPackets: 7}}})
	}
	ask()
	first, ok := s.NextRetransmission()
	require.True(t, ok)
	require.Equal(t, unit.SeqNo(10), first.OSN)
	s.DropQueue()
	require.Empty(t, s.retransmissions())
	require.Equal(t, uint64(1), s.base().PacketsRetransmitted)

	ask()
	require.Len(t, s.retransmissions(), 3, "all but the one that was sent")
	ask()
	require.Empty(t, s.retransmissions())
}
