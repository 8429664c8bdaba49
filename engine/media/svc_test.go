package media_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

// svcFixture is a fixture with an encoder as the producer's peer.
type svcFixture struct {
	*fixture
	encoder *enginetest.LayeredEncoder
	ms      int
	outs    []arrival
}

func newSVCFixture(t testing.TB, c enginetest.Codec, mode string, seed uint64) *svcFixture {
	return newSVCFixtureOf(t, api.Compat{}, c, mode, seed)
}

func newSVCFixtureOf(t testing.TB, compat api.Compat, c enginetest.Codec, mode string, seed uint64) *svcFixture {
	in, out := peerStream(c), outStream(c)
	in.Mode, out.Mode = mode, mode
	produce := in.Produce("producer")
	return &svcFixture{
		fixture: newFixtureOf(t, compat, produce, out.Consume("consumer", produce)), encoder: enginetest.NewLayeredEncoder(seed, in),
	}
}

// at is the instant of the next picture.
func (s *svcFixture) at() time.Duration { return time.Duration(s.ms) * time.Millisecond }

func (s *svcFixture) sendPicture() {
	s.t.Helper()
	for _, p := range s.encoder.Encode(s.at()) {
		_, outs := s.receive(p)
		for _, o := range outs {
			s.outs = append(s.outs, arrival{o, s.ms})
		}
	}
	s.after(33 * time.Millisecond)
	s.ms += 33
	s.route()
	s.encoder.HandleRTCP(s.pOut.RTCP)
	s.pOut.RTCP = nil
}

func (s *svcFixture) sendFor(d time.Duration) {
	s.t.Helper()
	for end := s.ms + int(d.Milliseconds()); s.ms < end; {
		s.sendPicture()
	}
}

func pictureOf(o arrival) enginetest.Picture { return enginetest.ParsePicture(o.Payload()) }

// requireDecodable checks what a decoder relies on: numbers without gaps, whole frames, all their references, and a marker at
// the end of each picture and nowhere else.
func (s *svcFixture) requireDecodable() {
	t := s.t
	type key struct{ number, spatial int }
	whole := map[key]bool{}
	for i, o := range s.outs {
		f := pictureOf(o)
		where := fmt.Sprintf("picture %d, layer %d.%d, packet %d of %d", f.Number, f.Spatial, f.Temporal, f.Index, f.Count)
		require.Equal(t, unit.Timestamp(90*o.ms)+s.encoder.Base, o.Timestamp)
		if i > 0 {
			p := pictureOf(s.outs[i-1])
			require.Equal(t, s.outs[i-1].SequenceNumber+1, o.SequenceNumber, where)
			if f.Index > 0 {
				require.Equal(t, f.Index-1, p.Index, where)
			} else {
				require.Equal(t, p.Count-1, p.Index, "%s: the frame before is whole", where)
			}
			require.Equal(t, p.Number != f.Number, s.outs[i-1].Marker, where)
		}
		isKey := f.Reference == 0
		if isKey && f.Spatial == 0 && f.Index == 0 {
			clear(whole)
		}
		if !isKey {
			require.True(t, whole[key{f.Reference, f.Spatial}], "%s refers to %d", where, f.Reference)
		}
		if f.Spatial > 0 && (isKey || !s.encoder.KeyOnly) {
			require.True(t, whole[key{f.Number, f.Spatial - 1}], "%s: lower layer", where)
		}
		whole[key{f.Number, f.Spatial}] = f.Index == f.Count-1
	}
}

var svcStreams = []struct {
	codec enginetest.Codec
	mode  string
}{
	{enginetest.VP9, "L3T3"},
	{enginetest.VP9, "L3T3_KEY"},
	{enginetest.AV1, "L3T3"},
}

func TestSVCFollowsThePreferredLayers(t *testing.T) {
	for i, v := range svcStreams {
		t.Run(v.codec.MimeType+v.mode, func(t *testing.T) {
			s := newSVCFixture(t, v.codec, v.mode, uint64(i))
			require.Equal(t, api.RTPTypeSVC, s.c.Type())
			require.Equal(t, prefer(2, 2).PreferredLayers, s.c.Response().PreferredLayers)
			s.sendFor(3 * time.Second)
			for _, want := range [][2]uint8{{2, 2}, {0, 0}, {1, 2}, {2, 1}, {2, 0}, {0, 2}, {1, 0}, {1, 1}} {
				require.Equal(t, prefer(want[0], want[1]).PreferredLayers,
					s.c.SetPreferredLayers(s.now, prefer(want[0], want[1])).PreferredLayers)
				s.sendFor(2 * time.Second)
				before := len(s.outs)
				s.sendFor(time.Second)
				highest := [2]int{}
				for _, o := range s.outs[before:] {
					f := pictureOf(o)
					highest = [2]int{max(highest[0], f.Spatial), max(highest[1], f.Temporal)}
				}
				require.Equal(t, [2]int{int(want[0]), int(want[1])}, highest)
				spatial, temporal := currentLayer(s.c)
				require.Equal(t, highest, [2]int{spatial, temporal})
			}
			s.requireDecodable()
			_, c := s.take()
			changes := layersOf(c.Notifications)
			require.Equal(t, 11, changes[len(changes)-1])
		})
	}
}

// TestSVCNeverBreaksTheStream changes everything at random moments.
func TestSVCNeverBreaksTheStream(t *testing.T) {
	for seed := range uint64(9) {
		v := svcStreams[seed%3]
		s := newSVCFixture(t, v.codec, v.mode, seed)
		rng := s.encoder.Rand
		for range 200 {
			switch rng.IntN(10) {
			case 0, 1, 2:
				s.c.SetPreferredLayers(s.now, prefer(uint8(rng.IntN(3)), uint8(rng.IntN(3))))
			case 3:
				s.c.Pause(s.now)
			case 4, 5, 6:
				s.c.Resume(s.now)
			case 7:
				s.encoder.Spatial = 1 + rng.IntN(3)
				s.encoder.RequestKeyFrame() // an encoder changes its layers at key frames
			case 8:
				s.c.HandleKeyFrameRequest(s.now, media.PLI, outSSRC)
			}
			for range 1 + rng.IntN(8) {
				s.sendPicture()
			}
		}
		require.Greater(t, len(s.outs), 300)
		s.requireDecodable()
		s.c.Close()
	}
}
