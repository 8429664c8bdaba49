package media_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

// relayFixture is a pipe consumer of three encodings that relays. The fixture connects it before, as an application's pipe: what that
// asked for is taken back.
func relayFixture(t testing.TB) *fixture {
	r := pipeFixture(t)
	r.c.Relay()
	r.take()
	return r
}

func TestRelayForwardsFromTheFirstPacketOn(t *testing.T) {
	r := relayFixture(t)
	require.Equal(t, outOf(1), r.one(of(1, 7, 7, vp8Delta)).SSRC, "without a key frame")
	_, c := r.take()
	require.Empty(t, c.KeyFrameRequests)

	r.c.Pause(r.now)
	r.none(of(1, 8, 8, vp8Delta))
	r.c.Resume(r.now)
	first := r.one(of(1, 9, 9, vp8Delta))
	require.Equal(t, first.SequenceNumber+1, r.one(of(1, 10, 10, vp8Delta)).SequenceNumber)
	_, c = r.take()
	require.Empty(t, c.KeyFrameRequests, "the far end asks")
}

func TestRelayAsksForTheKeyFrameOfOneStream(t *testing.T) {
	r := relayFixture(t)
	for i, kind := range []media.KeyFrameRequestKind{media.PLI, media.FIR, media.PLI} {
		r.c.HandleKeyFrameRequest(r.now, kind, outOf(i))
		_, c := r.take()
		require.Equal(t, []unit.SSRC{mappedOf(i)}, c.KeyFrameRequests)
	}
	r.c.Pause(r.now)
	r.c.HandleKeyFrameRequest(r.now, media.PLI, outOf(0))
	_, c := r.take()
	require.Empty(t, c.KeyFrameRequests)
}

func TestRelayLeavesOutEncodingsThatNobodyWants(t *testing.T) {
	r := relayFixture(t)
	prefer := func(l *api.ConsumerLayers) {
		answer := r.c.SetPreferredLayers(r.now, &api.ConsumerSetPreferredLayersRequest{PreferredLayers: l})
		require.Nil(t, answer.PreferredLayers, "pipes have no layers")
	}
	last := r.one(of(2, 1, 1, vp8Key))
	prefer(&api.ConsumerLayers{SpatialLayer: 1})
	r.one(of(0, 1, 1, vp8Key))
	r.one(of(1, 1, 1, vp8Key))
	r.none(of(2, 2, 2, vp8Delta))
	require.EqualValues(t, 1, r.c.Drops().Layer)
	prefer(nil)
	require.Equal(t, last.SequenceNumber+1, r.one(of(2, 3, 3, vp8Delta)).SequenceNumber)
}
