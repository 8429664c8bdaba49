package media_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
)

// pauseProducer and resumeProducer do what a router does with a producer and its consumer.
func (r *fixture) pauseProducer() {
	r.p.Pause(r.now)
	r.c.ProducerPaused(r.now)
	r.route()
}

func (r *fixture) resumeProducer() {
	r.p.Resume(r.now)
	r.c.ProducerResumed(r.now)
	r.route()
}

// A producer's peer stops sending during a pause, so that all layers are silent when the consumer is resumed. The consumer chooses
// its layers when packets come, before or after it is resumed.
func TestSVCGoesOnAfterASilentPause(t *testing.T) {
	for _, mode := range []string{"L1T3", "L3T3", "L3T3_KEY"} {
		for _, early := range []time.Duration{0, 100 * time.Millisecond} {
			t.Run(mode+"/"+early.String(), func(t *testing.T) {
				s := newSVCFixture(t, enginetest.VP9, mode, 2)
				if mode == "L1T3" {
					s.encoder.Spatial = 1
				}
				s.sendFor(3 * time.Second)
				s.pauseProducer()
				s.after(10 * time.Second)
				s.sendFor(early)
				s.resumeProducer()
				s.outs = nil
				s.sendFor(200 * time.Millisecond)
				require.NotEmpty(t, s.outs, "nothing is forwarded after the pause")
				s.sendFor(3 * time.Second)
				spatial, temporal := currentLayer(s.c)
				require.Equal(t, [2]int{s.encoder.Spatial - 1, 2}, [2]int{spatial, temporal})
			})
		}
	}
}

// Reports are due to a silent stream too; with them, both ends give up what they kept of it, and it goes on later.
func TestASilentStreamKeepsNothing(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: r.nextSeq(), Payload: vp8Key})
	sent := r.one(enginetest.Packet{Seq: r.nextSeq(), Timestamp: 3000, Payload: vp8Delta})
	again := func() int {
		r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, sent.SequenceNumber))
		return len(r.retransmissions())
	}
	for r.now = r.now.Add(time.Second); again() > 0; r.now = r.now.Add(time.Second) {
		r.c.AppendRTCP(r.now, nil)
		require.NotEmpty(t, r.p.AppendRTCP(r.now, nil))
	}
	next := r.one(enginetest.Packet{Seq: r.nextSeq(), Timestamp: 900_000, Payload: vp8Delta})
	require.Equal(t, sent.SequenceNumber+1, next.SequenceNumber)
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, next.SequenceNumber))
	require.Len(t, r.retransmissions(), 1)
}

// With bandwidth managed by the transport, a consumer that got no layers because all were silent asks again when packets
// come.
func TestAConsumerWithoutLayersAsksForBandwidthWhenPacketsCome(t *testing.T) {
	svc := newSVCFixture(t, enginetest.VP9, "L1T3", 2)
	svc.encoder.Spatial = 1
	streams := managed(t)
	for _, s := range []struct {
		*fixture
		sendFor func(time.Duration)
		sent    func() int
	}{
		{svc.fixture, svc.sendFor, func() int { return len(svc.outs) }},
		{streams.fixture, streams.sendFor, func() int { return len(streams.outs) }},
	} {
		s.c.SetExternallyManagedBitrate(s.now)
		s.sendFor(3 * time.Second)
		require.Positive(t, distribute(s.now, s.c, 1e9, false))
		s.sendFor(2 * time.Second)
		s.pauseProducer()
		s.after(10 * time.Second)
		s.resumeProducer()
		require.Zero(t, distribute(s.now, s.c, 1e9, false), "nothing comes")
		require.Equal(t, [2]int{-1, -1}, target(s.c))
		s.take()
		s.sendFor(2 * time.Second) // until the lowest layer is known to be back
		_, c := s.take()
		require.True(t, c.BitrateChangeNeeded)
		require.Positive(t, distribute(s.now, s.c, 1e9, false))
		before := s.sent()
		s.sendFor(3 * time.Second)
		require.Greater(t, s.sent(), before)
	}
}
