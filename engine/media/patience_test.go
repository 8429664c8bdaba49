package media_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/bwe"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// picture sends a packet, half a second after the last one.
func (r *fixture) picture(extensions ...rtp.Extension) out {
	r.t.Helper()
	r.after(500 * time.Millisecond)
	seq := r.nextSeq()
	return r.one(enginetest.Packet{Seq: seq, Timestamp: unit.Timestamp(seq) * 45000, Payload: vp8Key, Extensions: extensions})
}

// loseOne sends a packet, of which the receiver gets a retransmission only, and returns both.
func (r *fixture) loseOne() (first, again out) {
	r.t.Helper()
	first = r.picture()
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, first.SequenceNumber))
	outs := r.retransmissions()
	require.Len(r.t, outs, 1)
	return first, outs[0]
}

// reportRTT lets the receiver report, so that its round-trip time is known.
func (r *fixture) reportRTT(rtt time.Duration) {
	sr := r.c.AppendRTCP(r.now, nil)[0].(*rtcp.SenderReport)
	const held = 10 * time.Millisecond
	r.after(rtt + held)
	r.c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{
		SSRC: uint32(outSSRC), LastSenderReport: unit.CompactNTP(sr.NTPTime), Delay: unit.NTPDuration(held),
	})
}

func requireDelay(t *testing.T, want time.Duration, o out) {
	t.Helper()
	least, greatest, ok := rtp.ParsePlayoutDelay(o.Extension(outPlayout))
	require.True(t, ok)
	require.Equal(t, want, least)
	require.Equal(t, rtp.MaxPlayoutDelay, greatest)
}

func TestAReceiverThatLosesPacketsWaitsForRepairs(t *testing.T) {
	r := videoFixture(t)
	r.loseOne()
	r.reportRTT(65 * time.Millisecond)
	for range 3 {
		first, _ := r.loseOne()
		require.Nil(t, first.Extension(outPlayout), "a few losses mean nothing")
	}
	first, again := r.loseOne()
	require.Nil(t, first.Extension(outPlayout))
	requireDelay(t, 160*time.Millisecond, again)
	next, _ := r.loseOne()
	requireDelay(t, 160*time.Millisecond, next)

	own := r.picture(rtp.Extension{ID: inPlayout, Value: []byte{1, 2, 3}})
	require.Equal(t, []byte{1, 2, 3}, own.Extension(outPlayout), "the producer's own has precedence")

	r.after(30 * time.Second)
	r.picture()
	r.reportRTT(65 * time.Millisecond)
	requireDelay(t, 0, r.picture())
}

func TestTheWaitingTimeIsBounded(t *testing.T) {
	r := videoFixture(t)
	r.loseOne()
	r.reportRTT(4 * time.Second)
	for range 9 {
		r.loseOne()
	}
	_, again := r.loseOne()
	requireDelay(t, 800*time.Millisecond, again)
}

func TestNoWaitingForRepairs(t *testing.T) {
	lose := func(t *testing.T, r *fixture) {
		for range 9 {
			first, _ := r.loseOne()
			require.Nil(t, first.Extension(outPlayout))
		}
	}
	t.Run("without RTX", func(t *testing.T) {
		c := consumeRequest(enginetest.VP8)
		c.RTPParameters.Codecs = c.RTPParameters.Codecs[:1]
		c.RTPParameters.Encodings[0].RTX = nil
		r := newFixture(t, produceRequest(enginetest.VP8), c)
		for range 9 {
			first, again := r.loseOne()
			require.Equal(t, first.Data, again.Data, "it has to be the same packet")
		}
	})
	t.Run("in a queue that is full", func(t *testing.T) {
		r := videoFixture(t)
		r.c.SetCongestion(r.now, bwe.CongestionSome)
		lose(t, r)
	})
	t.Run("where the receiver does not know the extension", func(t *testing.T) {
		c := consumeRequest(enginetest.VP8)
		c.RTPParameters.HeaderExtensions = nil
		lose(t, newFixture(t, produceRequest(enginetest.VP8), c))
	})
}
