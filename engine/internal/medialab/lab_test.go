package medialab_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/medialab"
	"gazpacho/engine/unit"
)

const kbps unit.Bitrate = 1000

// find returns the scene of that name.
func find(t *testing.T, scenes []medialab.Scene, name string) *medialab.Scene {
	for i := range scenes {
		if scenes[i].Name == name {
			return &scenes[i]
		}
	}
	t.Fatal("there is no scene called", name)
	return nil
}

func TestSameSeedSameRun(t *testing.T) {
	scene := find(t, medialab.Narrowing, "VP9 SVC")
	require.Equal(t, scene.Play(7).Results, scene.Play(7).Results)
	require.NotEqual(t, scene.Play(7).Results, scene.Play(8).Results)
}

// On a wide link, what is seen is what the camera sends.
func TestAWideLink(t *testing.T) {
	for _, v := range []medialab.Video{medialab.VP8, medialab.VP9} {
		scene := medialab.Scene{Videos: []medialab.Video{v}, Audio: true, Phases: []medialab.Phase{
			{Lasts: 10 * time.Second, Link: medialab.Shaped(10_000 * kbps)},
			{Lasts: 20 * time.Second, Link: medialab.Shaped(10_000 * kbps)},
		}}
		r := scene.Play(1).Results[1]
		require.InDelta(t, float64(v.Layers[2]), float64(r.Media), 0.1*float64(v.Layers[2]))
		require.InDelta(t, 20, r.FrameRate, 0.5)
		require.Zero(t, r.Freezes)
		require.Zero(t, r.Concealed)
		require.Zero(t, r.NACKs)
		require.Zero(t, r.Dropped)
		require.Zero(t, r.Changes)
		require.Equal(t, 2, r.Spatial)
		require.Less(t, r.Queue, 5*time.Millisecond)
	}
}
