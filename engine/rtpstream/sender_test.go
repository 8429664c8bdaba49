package rtpstream_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// sender drives a Send on virtual time.
type sender struct {
	t testing.TB
	*rtpstream.Send
	now unit.Time
}

func newSender(t testing.TB, p rtpstream.Params) *sender {
	return &sender{t: t, Send: rtpstream.NewSend(start, p), now: start}
}

// send sends a packet whose own sequence number differs from the one that the receiver sees.
func (s *sender) send(seq unit.SeqNo, ts unit.Timestamp) bool {
	pkt := mediaPacket(s.t, s.now, seq+7, ts+7, interFrame)
	defer pkt.Release()
	return s.HandlePacket(s.now, pkt, rtpstream.Sent{
		SequenceNumber: seq, Timestamp: ts, Marker: seq%2 == 1, Rewrite: uint64(seq) << 40, Length: len(pkt.Data),
	})
}

func (s *sender) nack(pairs ...rtcp.NackPair) []rtpstream.Retransmission {
	s.HandleNACK(s.now, &rtcp.TransportLayerNack{MediaSSRC: uint32(mediaSSRC), Nacks: pairs})
	return s.retransmissions()
}

func (s *sender) retransmissions() (list []rtpstream.Retransmission) {
	for {
		r, ok := s.NextRetransmission()
		if !ok {
			return list
		}
		require.NotNil(s.t, r.Packet)
		list = append(list, r)
	}
}

func seqs(list []rtpstream.Retransmission) (s []unit.SeqNo) {
	for _, r := range list {
		s = append(s, r.OSN)
	}
	return s
}

func (s *sender) base() *api.RTPStreamBaseStats {
	return s.Stats(s.now).Data.(*api.RTPStreamSendStats).Base.Data.(*api.RTPStreamBaseStats)
}

func (s *sender) report(lost int32) {
	s.HandleReceptionReport(s.now, &rtcp.ReceptionReport{SSRC: uint32(mediaSSRC), TotalLost: uint32(lost) & 0xffffff})
}
