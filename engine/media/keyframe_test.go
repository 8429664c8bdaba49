package media_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

// plis counts the PLIs for the producer's stream.
func plis(o media.ProducerOutput) int {
	n := 0
	for _, pkt := range o.RTCP {
		if p, ok := pkt.(*rtcp.PictureLossIndication); ok && p.MediaSSRC == uint32(peerSSRC) {
			n++
		}
	}
	return n
}

func TestVideoBeginsWithAKeyFrame(t *testing.T) {
	r := videoFixture(t)
	r.none(enginetest.Packet{Seq: 5, Payload: vp8Delta})
	p, _ := r.take()
	require.Equal(t, 1, plis(p), "a stream that begins without a key frame is asked for one")
	r.none(enginetest.Packet{Seq: 6, Payload: vp8Delta})
	first := r.one(enginetest.Packet{Seq: 7, Payload: vp8Key})
	next := r.one(enginetest.Packet{Seq: 8, Payload: vp8Delta})
	require.Equal(t, 1, next.SequenceNumber.Sub(first.SequenceNumber))
	require.EqualValues(t, 2, r.c.Drops().KeyFrame)
	p, _ = r.take()
	require.Zero(t, plis(p))
}

// A key frame that arrives before the request left cancels the request.
func TestKeyFrameCancelsAQueuedRequest(t *testing.T) {
	for i, payload := range [][]byte{vp8Key, vp8Delta} {
		r := videoFixture(t)
		r.one(enginetest.Packet{Seq: 6, Payload: vp8Key})
		r.take()
		pkt := ofPeer(enginetest.Packet{Seq: 7, Payload: payload}).Receive(t, r.now)
		_, forward := r.p.HandlePacket(r.now, pkt)
		require.True(t, forward)
		r.c.Pause(r.now)
		r.c.Resume(r.now)
		r.c.WritePacket(r.now, pkt, r.dst[:])
		pkt.Release()
		p, _ := r.take()
		require.Equal(t, i, plis(p))
	}
}

// The first packet of a key frame comes after others of it: those are held back, across the wrap of sequence numbers.
func TestReorderedKeyFrame(t *testing.T) {
	for _, start := range []unit.SeqNo{100, 65533} {
		r := videoFixture(t)
		r.none(enginetest.Packet{Seq: start, Payload: vp8Delta})
		r.none(enginetest.Packet{Seq: start + 4, Payload: []byte{0, 4}})
		r.none(enginetest.Packet{Seq: start + 2, Payload: []byte{0, 2}})
		r.none(enginetest.Packet{Seq: start + 3, Payload: []byte{0, 3}})
		_, outs := r.receive(enginetest.Packet{Seq: start + 1, Payload: vp8Key})
		require.Len(t, outs, 4)
		for i, o := range outs {
			require.Equal(t, i, o.SequenceNumber.Sub(outs[0].SequenceNumber))
			require.Equal(t, i < 3, o.More)
		}
		require.Equal(t, []byte{0, 4}, outs[3].Payload())
		next := r.one(enginetest.Packet{Seq: start + 5, Payload: vp8Delta})
		require.Equal(t, 4, next.SequenceNumber.Sub(outs[0].SequenceNumber))
		require.EqualValues(t, 1, r.c.Drops().KeyFrame)
	}
}

func TestHeldPacketsAreBounded(t *testing.T) {
	r := videoFixture(t)
	for i := range 100 {
		r.none(enginetest.Packet{Seq: unit.SeqNo(200 - i), Payload: vp8Delta}) // backwards: too old ones are refused at once
	}
	for i := range 100 {
		r.none(enginetest.Packet{Seq: unit.SeqNo(201 + i), Payload: vp8Delta})
	}
	_, outs := r.receive(enginetest.Packet{Seq: 250, Payload: vp8Key})
	require.Len(t, outs, 1+30)
}

func TestHeldPacketsAreReleasedWhenPaused(t *testing.T) {
	r := videoFixture(t)
	r.none(enginetest.Packet{Seq: 101, Payload: vp8Delta})
	r.c.Pause(r.now)
	r.c.Resume(r.now)
	r.one(enginetest.Packet{Seq: 100, Payload: vp8Key})
}

func TestResumeWaitsForAKeyFrameAndAsksForOne(t *testing.T) {
	for name, tc := range map[string]struct {
		stop, start func(c *media.Consumer, now unit.Time)
	}{
		"consumer":  {(*media.Consumer).Pause, (*media.Consumer).Resume},
		"producer":  {(*media.Consumer).ProducerPaused, (*media.Consumer).ProducerResumed},
		"transport": {(*media.Consumer).TransportDisconnected, (*media.Consumer).TransportConnected},
	} {
		t.Run(name, func(t *testing.T) {
			r := videoFixture(t)
			first := r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
			r.after(2 * time.Second)
			tc.stop(r.c, r.now)
			tc.stop(r.c, r.now) // the second time has no effect
			require.False(t, r.c.Active())
			r.none(enginetest.Packet{Seq: 2, Payload: vp8Key})
			require.EqualValues(t, 1, r.c.Drops().Inactive)
			r.take()
			tc.start(r.c, r.now)
			tc.start(r.c, r.now)
			require.True(t, r.c.Active())
			p, c := r.take()
			require.Equal(t, []unit.SSRC{mappedSSRC}, c.KeyFrameRequests)
			require.Equal(t, 1, plis(p))
			r.none(enginetest.Packet{Seq: 3, Payload: vp8Delta})
			next := r.one(enginetest.Packet{Seq: 4, Payload: vp8Key})
			require.Equal(t, 1, next.SequenceNumber.Sub(first.SequenceNumber), "no gap for what was not sent")
		})
	}
}

func TestProducerPauseNotifies(t *testing.T) {
	r := audioFixture(t)
	r.c.ProducerPaused(r.now)
	r.c.ProducerPaused(r.now)
	r.c.ProducerResumed(r.now)
	r.c.ProducerResumed(r.now)
	r.c.ProducerClosed(r.now)
	r.c.ProducerClosed(r.now)
	_, c := r.take()
	require.Equal(t, []api.Event{api.EventConsumerProducerPause, api.EventConsumerProducerResume, api.EventConsumerProducerClose}, enginetest.Events(c.Notifications))
	require.Equal(t, "consumer", c.Notifications[0].HandlerID)
	require.False(t, r.c.Active())
}

func TestKeyFrameRequestsOfTheReceiverAreThrottled(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
	r.after(time.Second)
	r.take()
	for range 5 {
		r.c.HandleKeyFrameRequest(r.now, media.PLI, outSSRC)
		r.c.RequestKeyFrame(r.now)
		r.route()
	}
	p, _ := r.take()
	require.Equal(t, 1, plis(p))
	r.after(999 * time.Millisecond)
	p, _ = r.take()
	require.Zero(t, plis(p))
	r.after(time.Millisecond)
	p, _ = r.take()
	require.Equal(t, 1, plis(p), "once more if none came within a second")
	r.one(enginetest.Packet{Seq: 2, Payload: vp8Key})
	r.after(5 * time.Second)
	p, _ = r.take()
	require.Zero(t, plis(p))
}

func TestKeyFrameRequestDelay(t *testing.T) {
	req := produceRequest(enginetest.VP8)
	req.KeyFrameRequestDelay = 500
	r := newFixture(t, req, consumeRequest(enginetest.VP8))
	r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
	r.after(time.Second)
	r.c.RequestKeyFrame(r.now)
	p, _ := r.take()
	require.Equal(t, 1, plis(p))
	r.one(enginetest.Packet{Seq: 2, Payload: vp8Key})
	r.c.RequestKeyFrame(r.now)
	p, _ = r.take()
	require.Zero(t, plis(p))
	r.after(500 * time.Millisecond)
	p, _ = r.take()
	require.Equal(t, 1, plis(p))
}

// A key frame that comes while the receiver's transport is connecting is of no use to it: once connected it asks for another
// one, which must not be taken for a repetition of the first request. Browsers send AV1 of one layer without dependency
// descriptors.
func TestAKeyFrameOfAV1EndsTheRequestForIt(t *testing.T) {
	key, delta := []byte{0x18, 1, 2, 3}, []byte{0x10, 1, 2, 3}
	r := newFixture(t, produceRequest(enginetest.AV1), consumeRequest(enginetest.AV1))
	r.c.TransportDisconnected(r.now)
	r.none(enginetest.Packet{Seq: 1, Payload: delta})
	r.take()
	r.p.RequestKeyFrame(r.now, mappedSSRC)
	p, _ := r.take()
	require.Zero(t, plis(p), "the new stream was asked for one already")
	r.none(enginetest.Packet{Seq: 2, Payload: key})
	r.c.TransportConnected(r.now)
	p, _ = r.take()
	require.Equal(t, 1, plis(p))
	r.none(enginetest.Packet{Seq: 3, Payload: delta})
	r.one(enginetest.Packet{Seq: 4, Payload: key})
	r.one(enginetest.Packet{Seq: 5, Payload: delta})
	r.after(5 * time.Second)
	p, _ = r.take()
	require.Zero(t, plis(p))
}

func TestStreamsThatAreNotAskedForKeyFrames(t *testing.T) {
	r := audioFixture(t)
	r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}})
	r.c.RequestKeyFrame(r.now)
	r.c.HandleKeyFrameRequest(r.now, media.FIR, outSSRC)
	r.p.RequestKeyFrame(r.now, mappedSSRC)
	p, c := r.take()
	require.Empty(t, c.KeyFrameRequests)
	require.Zero(t, plis(p))

	v := videoFixture(t)
	v.p.RequestKeyFrame(v.now, mappedSSRC) // no stream yet
	v.c.HandleKeyFrameRequest(v.now, media.PLI, 77)
	v.c.Pause(v.now)
	v.c.RequestKeyFrame(v.now)
	v.c.HandleKeyFrameRequest(v.now, media.PLI, outSSRC)
	p, c = v.take()
	require.Empty(t, c.KeyFrameRequests)
	require.Zero(t, plis(p))
}

func TestProducerPauseAndResume(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
	r.p.Resume(r.now) // is not paused
	r.p.Pause(r.now)
	r.p.Pause(r.now)
	require.True(t, r.p.Paused())
	r.take()
	require.Equal(t, media.Media, r.none(enginetest.Packet{Seq: 2, Payload: vp8Key}))
	require.EqualValues(t, 1, r.p.Drops().Paused)
	r.p.RequestKeyFrame(r.now, mappedSSRC)
	p, _ := r.take()
	require.Zero(t, plis(p))
	r.p.Resume(r.now)
	p, _ = r.take()
	require.Equal(t, 1, plis(p))
	r.one(enginetest.Packet{Seq: 3, Payload: vp8Key})
}

func TestProducerThatBeginsPaused(t *testing.T) {
	req := produceRequest(enginetest.VP8)
	req.Paused = true
	r := newFixture(t, req, consumeRequest(enginetest.VP8))
	require.True(t, r.c.ProducerIsPaused())
	r.none(enginetest.Packet{Seq: 1, Payload: vp8Delta})
	p, _ := r.take()
	require.Zero(t, plis(p))
	require.Len(t, p.Streams, 1)
}
