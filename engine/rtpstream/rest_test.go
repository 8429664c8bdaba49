package rtpstream_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// A silent stream gives up kept packets after five seconds, and goes on when there is something to send.
func TestSendRests(t *testing.T) {
	s := newSender(t, videoParams())
	defer s.Close()
	s.Rest(s.now) // before there is anything
	for seq := unit.SeqNo(65530); seq != 5; seq++ {
		require.True(t, s.send(seq, 1000))
	}
	s.now = s.now.Add(ms(4999))
	s.Rest(s.now)
	require.Len(t, s.nack(rtcp.NackPair{PacketID: 0}), 1)

	s.now = s.now.Add(ms(1))
	s.Rest(s.now)
	require.Empty(t, s.nack(rtcp.NackPair{PacketID: 65530, LostPackets: 0xffff}), "nothing is kept")
	require.False(t, s.send(4, 1000), "sent already")
	require.False(t, s.send(60000, 1000), "not sent, but none may be sent any more that is not newer")

	require.True(t, s.send(10, 500_000))
	require.False(t, s.send(4, 1000), "sent already")
	require.False(t, s.send(60000, 1000))
	require.True(t, s.send(8, 499_000), "late, and newer than what was before the silence")
	require.False(t, s.send(8, 499_000))
	require.Equal(t, []unit.SeqNo{8, 10}, seqs(s.nack(rtcp.NackPair{PacketID: 8, LostPackets: 0b11})))
	require.EqualValues(t, 2*(12+len(interFrame))*8000/2500, s.Bitrate(s.now), "the rate counts what came after the silence")
}

// A sender whose timestamps stand still is not silent.
func TestSendDoesNotRestWhilePacketsAreSent(t *testing.T) {
	s := newSender(t, videoParams())
	defer s.Close()
	for seq := range unit.SeqNo(10) {
		require.True(t, s.send(seq, 1000))
		s.now = s.now.Add(time.Second)
		s.Rest(s.now)
	}
	require.Len(t, s.nack(rtcp.NackPair{PacketID: 9}), 1)
}

// A stream that rested sends as before, and so does one that is received: nothing is allocated for each packet.
func TestRestingCostsNothingLater(t *testing.T) {
	s := newSender(t, videoParams())
	defer s.Close()
	require.True(t, s.send(0, 0))
	s.now = s.now.Add(time.Minute)
	s.Rest(s.now)
	pkt := mediaPacket(t, s.now, 0, 0, interFrame)
	defer pkt.Release()
	seq := unit.SeqNo(1)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		seq++
		s.now = s.now.Add(ms(1))
		s.HandlePacket(s.now, pkt, rtpstream.Sent{SequenceNumber: seq, Timestamp: unit.Timestamp(seq) * 90, Length: len(pkt.Data)})
	}))
}

// A received stream that rested counts, and asks for what is missing, as before.
func TestRecvRests(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	r.media(1)
	r.media(3)
	require.Equal(t, []unit.SeqNo{2}, r.takeNacked())
	r.advance(ms(4999))
	r.Rest(r.now)
	r.advance(time.Minute)
	r.takeNacked()
	r.Rest(r.now)
	require.Zero(t, r.Bitrate(r.now))
	r.media(4)
	require.Empty(t, r.takeNacked(), "2 was asked for often enough")
	r.media(6)
	require.Equal(t, []unit.SeqNo{5}, r.takeNacked())
	require.Positive(t, r.Bitrate(r.now))
}
