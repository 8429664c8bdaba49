package media_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
)

func TestSimulcastClimbsToThePreferredLayers(t *testing.T) {
	s := newSimulcastFixture(t, 1, false)
	require.Equal(t, api.RTPTypeSimulcast, s.c.Type())
	require.Equal(t, &api.ConsumerLayers{SpatialLayer: 2, TemporalLayer: new(uint8(2))}, s.c.Response().PreferredLayers)
	s.sendFor(3 * time.Second)
	list := frames(t, s.outs)
	requireContinuous(t, list)
	require.Equal(t, 0, list[0].stream, "the first stream that is there")
	require.Equal(t, 2, list[len(list)-1].stream)
	spatial, temporal := currentLayer(s.c)
	require.Equal(t, []int{2, 2}, []int{spatial, temporal})
	_, c := s.take()
	changes := layersOf(c.Notifications)
	require.Equal(t, 0, changes[0])
	require.Equal(t, 22, changes[len(changes)-1])
	mapped, ok := s.c.ProducerStream()
	require.True(t, ok)
	require.Equal(t, mappedOf(2), mapped)
}

func TestSimulcastFollowsThePreferredLayers(t *testing.T) {
	s := newSimulcastFixture(t, 2, false)
	s.sendFor(2 * time.Second)
	for _, want := range [][2]uint8{{0, 0}, {1, 2}, {2, 1}, {2, 0}, {0, 2}, {1, 0}, {1, 1}} {
		got := s.c.SetPreferredLayers(s.now, prefer(want[0], want[1])).PreferredLayers
		require.Equal(t, prefer(want[0], want[1]).PreferredLayers, got)
		s.sendFor(2 * time.Second)
		before := len(s.outs)
		s.sendFor(time.Second)
		for _, f := range frames(t, s.outs[before:]) {
			require.EqualValues(t, want[0], f.stream)
			require.LessOrEqual(t, f.layer, want[1])
		}
		spatial, temporal := currentLayer(s.c)
		require.Equal(t, []int{int(want[0]), int(want[1])}, []int{spatial, temporal})
	}
	requireContinuous(t, frames(t, s.outs))
}

func TestSimulcastClampsPreferredLayers(t *testing.T) {
	s := newSimulcastFixture(t, 3, false)
	require.Equal(t, prefer(2, 2).PreferredLayers, s.c.SetPreferredLayers(s.now, prefer(66, 66)).PreferredLayers)
	require.Equal(t, prefer(1, 2).PreferredLayers, s.c.SetPreferredLayers(s.now, &api.ConsumerSetPreferredLayersRequest{
		PreferredLayers: &api.ConsumerLayers{SpatialLayer: 1},
	}).PreferredLayers)
	req := simulcastConsumeRequest()
	req.PreferredLayers = &api.ConsumerLayers{SpatialLayer: 9, TemporalLayer: new(uint8(1))}
	c, err := newConsumer(req)
	require.NoError(t, err)
	require.Equal(t, prefer(2, 1).PreferredLayers, c.Response().PreferredLayers)
}

// TestSimulcastNeverBreaksTheStream changes everything at random moments.
func TestSimulcastNeverBreaksTheStream(t *testing.T) {
	for seed := range uint64(9) {
		s := newSimulcastFixture(t, seed, seed%3 == 0)
		rng := s.encoder.Rand
		for range 250 {
			switch rng.IntN(12) {
			case 0, 1:
				s.c.SetPreferredLayers(s.now, prefer(uint8(rng.IntN(3)), uint8(rng.IntN(3))))
			case 2:
				s.c.Pause(s.now)
			case 3, 4, 5:
				s.c.Resume(s.now)
			case 6:
				s.encoder.Streams[rng.IntN(3)].Off = true
			case 7, 8:
				s.encoder.Streams[rng.IntN(3)].Off = false
			case 9:
				s.c.RequestKeyFrame(s.now)
			}
			for range 1 + rng.IntN(8) {
				s.sendPicture()
			}
		}
		require.Greater(t, len(s.outs), 500)
		requireContinuous(t, frames(t, s.outs))
		s.c.Close()
	}
}

// TestSimulcastOverABadNetwork loses, repeats and reorders packets on the way to the producer. Numbers must still be
// unique, and belong together.
func TestSimulcastOverABadNetwork(t *testing.T) {
	for seed := range uint64(9) {
		s := newSimulcastFixture(t, seed, false)
		rng := s.encoder.Rand
		s.network = func(packets []enginetest.Packet) (list []enginetest.Packet) {
			for _, p := range packets {
				switch rng.IntN(20) {
				case 0:
				case 1:
					list = append(list, p, p)
				default:
					list = append(list, p)
				}
			}
			for i := range list {
				if j := i + rng.IntN(4); j < len(list) && rng.IntN(5) == 0 {
					list[i], list[j] = list[j], list[i]
				}
			}
			return list
		}
		for range 100 {
			if rng.IntN(3) == 0 {
				s.c.SetPreferredLayers(s.now, prefer(uint8(rng.IntN(3)), uint8(rng.IntN(3))))
			}
			for range 1 + rng.IntN(20) {
				s.sendPicture()
			}
		}
		requireOrdered(t, s.outs)
	}
}
