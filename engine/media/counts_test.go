package media_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
)

// A picture waits for a key frame when it begins, and stands still after an interruption until the next one. A pause is none.
func TestWaitsForKeyFramesAreTold(t *testing.T) {
	r := videoFixture(t)
	waited := func() (time.Duration, bool) {
		_, out := r.take()
		return out.KeyFrameWait, out.Interrupted
	}
	r.none(enginetest.Packet{Seq: 5, Payload: vp8Delta})
	require.Zero(t, r.c.KeyFrameWait(r.now))
	r.now = r.now.Add(300 * time.Millisecond)
	require.Equal(t, 300*time.Millisecond, r.c.KeyFrameWait(r.now))
	r.one(enginetest.Packet{Seq: 6, Payload: vp8Key})
	wait, interrupted := waited()
	require.Equal(t, 300*time.Millisecond, wait)
	require.Zero(t, r.c.KeyFrameWait(r.now))
	require.False(t, interrupted)

	r.c.TransportDisconnected(r.now)
	r.now = r.now.Add(time.Hour)
	r.c.TransportConnected(r.now)
	r.none(enginetest.Packet{Seq: 7, Payload: vp8Delta})
	r.now = r.now.Add(200 * time.Millisecond)
	r.one(enginetest.Packet{Seq: 8, Payload: vp8Key})
	wait, interrupted = waited()
	require.Equal(t, 200*time.Millisecond, wait)
	require.True(t, interrupted)

	r.one(enginetest.Packet{Seq: 9, Payload: vp8Key})
	wait, _ = waited()
	require.Zero(t, wait)
}

func TestCountsAreCollectedOnce(t *testing.T) {
	r := videoFixture(t)
	r.none(enginetest.Packet{Seq: 5, Payload: vp8Delta}) // held
	r.one(enginetest.Packet{Seq: 7, Payload: vp8Key})
	var consumers media.ConsumerCounts
	var producers media.ProducerCounts
	for range 2 {
		r.c.CollectCounts(&consumers)
		r.p.CollectCounts(&producers)
		require.Equal(t, media.ConsumerDrops{KeyFrame: 1}, consumers.Drops)
		require.EqualValues(t, 1, producers.Received.PLIs, "a stream that begins without a key frame is asked for one")
	}
}
