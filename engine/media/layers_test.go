package media_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/layer"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
	"gazpacho/engine/wire/rtp"
)

// vp8 returns a payload: picture id (of one byte when small is set, none when negative), TL0PICIDX, temporal layer and
// whether it is a layer sync.
func vp8(key bool, id int, tl0 uint8, layer byte, sync, small bool) []byte {
	return append(enginetest.VP8Payload{
		Key: key, Start: true, PictureID: id, ShortID: small, TL0PicIdx: tl0, Temporal: layer, Sync: sync,
	}.Append(nil), 1, 2, 3)
}

// temporalFixture has a single stream with temporal layers, which an SVC consumer takes.
func temporalFixture(t testing.TB, c enginetest.Codec) *fixture {
	p, consume := layeredRequests(c, "L1T3", "L1T3")
	return newFixture(t, p, consume)
}

// layeredRequests returns those of one stream with layers.
func layeredRequests(c enginetest.Codec, produced, consumed string) (*api.TransportProduceRequest, *api.TransportConsumeRequest) {
	in, out := peerStream(c), outStream(c)
	in.Mode, out.Mode = produced, consumed
	p := in.Produce("producer")
	return p, out.Consume("consumer", p)
}

func TestTemporalLayersOfVP8(t *testing.T) {
	r := temporalFixture(t, enginetest.VP8)
	r.c.SetPreferredLayers(r.now, prefer(0, 1))
	type step struct {
		payload []byte
		sent    bool
		id      uint16
		tl0     uint8
	}
	for n, s := range []step{
		{vp8(true, 0x7ffd, 254, 0, true, false), true, 1, 1},
		{vp8(false, 0x7ffe, 254, 2, true, false), false, 0, 0}, // above the target
		{vp8(false, 0x7fff, 254, 1, false, false), false, 0, 0},
		{vp8(false, 0, 255, 0, false, false), true, 2, 2},
		{vp8(false, 1, 255, 1, true, false), true, 3, 2}, // a layer sync
		{vp8(false, 1, 255, 1, true, false), true, 3, 2}, // its second packet
		{vp8(false, 2, 0, 0, false, false), true, 4, 3},
		{vp8(false, 3, 0, 1, false, false), true, 5, 3},
		{vp8(false, 0, 255, 0, false, false), true, 2, 2},      // late
		{vp8(false, 0x7ffe, 254, 2, true, false), false, 0, 0}, // late, of a picture that was left out
	} {
		i := enginetest.Packet{Seq: unit.SeqNo(n), Timestamp: unit.Timestamp(n), Payload: s.payload}
		if !s.sent {
			r.none(i)
			continue
		}
		o := r.one(i)
		var d codec.Descriptor
		require.NoError(t, codec.Parse(codec.VP8, o.Payload(), nil, &d))
		require.Equal(t, []any{s.id, s.tl0}, []any{d.PictureID, d.TL0PicIdx}, "step %d", n)
	}
	require.Equal(t, []int{0, 1}, layersOf(r.cOut.Notifications))
	r.c.SetPreferredLayers(r.now, prefer(0, 0))
	r.none(enginetest.Packet{Seq: 20, Payload: vp8(false, 4, 0, 1, true, false)})
	r.one(enginetest.Packet{Seq: 21, Payload: vp8(false, 5, 1, 0, true, false)})
	require.Equal(t, []int{0, 1, 0}, layersOf(r.cOut.Notifications))
}

// A whole picture may come late. What counts is which layers were forwarded at its time.
func TestLatePicturesOfVP8(t *testing.T) {
	r := temporalFixture(t, enginetest.VP8)
	seq := unit.SeqNo(100)
	send := func(late int, payload []byte) int {
		seq++
		_, outs := r.receive(enginetest.Packet{Seq: seq - unit.SeqNo(late), Timestamp: unit.Timestamp(seq-unit.SeqNo(late)) * 3000, Payload: payload})
		if late > 0 {
			seq--
		}
		return len(outs)
	}
	require.Equal(t, 1, send(0, vp8(true, 10, 1, 0, true, false)))
	require.Equal(t, 1, send(0, vp8(false, 11, 1, 2, true, false)))
	seq++ // picture 12, of the highest layer, is on the way
	require.Equal(t, 1, send(0, vp8(false, 13, 2, 0, true, false)))
	r.c.SetPreferredLayers(r.now, prefer(0, 0))
	require.Equal(t, 1, send(0, vp8(false, 14, 3, 0, true, false)))
	require.Equal(t, 1, send(3, vp8(false, 12, 1, 2, true, false)), "it was sent before the change")

	seq++ // so is picture 15
	require.Zero(t, send(0, vp8(false, 16, 3, 1, true, false)))
	require.Zero(t, send(2, vp8(false, 15, 3, 2, true, false)), "its layer is not wanted any more")
	o := r.one(enginetest.Packet{Seq: seq + 1, Timestamp: unit.Timestamp(seq+1) * 3000, Payload: vp8(false, 17, 4, 0, true, false)})
	var d codec.Descriptor
	require.NoError(t, codec.Parse(codec.VP8, o.Payload(), nil, &d))
	require.EqualValues(t, 6, d.PictureID, "neither leaves a gap")
	base := r.c.Stats(r.now).Stats[0].Data.(*api.RTPStreamSendStats)
	require.EqualValues(t, 6, base.PacketCount)
	seq++
	seq++ // and picture 18
	require.Equal(t, 1, send(0, vp8(false, 19, 5, 0, true, false)))
	require.Zero(t, send(2, vp8(false, 18, 4, 1, true, false)), "too late to close up")
}

func TestShortPictureIDsBecomeLong(t *testing.T) {
	r := temporalFixture(t, enginetest.VP8)
	var d codec.Descriptor
	for n := range 400 {
		o := r.one(enginetest.Packet{Seq: unit.SeqNo(n), Payload: vp8(n == 0, n+100, uint8(n), 0, true, true)})
		require.NoError(t, codec.Parse(codec.VP8, o.Payload(), nil, &d))
		require.EqualValues(t, 2, d.PictureIDLen)
		require.EqualValues(t, n+1, d.PictureID)
		require.Equal(t, uint8(n+1), d.TL0PicIdx)
		require.Equal(t, n == 0, d.KeyFrame)
		require.Equal(t, []byte{1, 2, 3}, o.Payload()[len(o.Payload())-3:])
		r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, o.SequenceNumber))
		again := r.retransmissions()[0]
		require.True(t, again.DecodeRTX(mappedPT, outSSRC))
		require.Equal(t, o.Payload(), again.Payload(), "a retransmission is rewritten alike")
	}
	late := enginetest.Packet{Seq: 401, Payload: vp8(false, 501, 145, 0, true, true)}
	o := r.one(enginetest.Packet{Seq: 402, Payload: vp8(false, 512, 156, 0, true, true)}) // beyond the wrap of seven bits
	require.NoError(t, codec.Parse(codec.VP8, o.Payload(), nil, &d))
	require.EqualValues(t, 413, d.PictureID)
	o = r.one(late)
	require.NoError(t, codec.Parse(codec.VP8, o.Payload(), nil, &d))
	require.EqualValues(t, 402, d.PictureID)
}

func TestPicturesWithoutIDs(t *testing.T) {
	r := temporalFixture(t, enginetest.VP8)
	r.c.SetPreferredLayers(r.now, prefer(0, 1))
	var d codec.Descriptor
	for n, tl0 := range []uint8{7, 8, 9} {
		o := r.one(enginetest.Packet{Seq: unit.SeqNo(2 * n), Payload: vp8(n == 0, -1, tl0, 0, true, false)})
		require.NoError(t, codec.Parse(codec.VP8, o.Payload(), nil, &d))
		require.EqualValues(t, n+1, d.TL0PicIdx)
		r.none(enginetest.Packet{Seq: unit.SeqNo(2*n + 1), Payload: vp8(false, -1, tl0, 2, true, false)})
	}
	r.none(enginetest.Packet{Seq: 6, Payload: vp8(false, -1, 200, 0, true, false)}) // its TL0PICIDX was never ahead
	r.one(enginetest.Packet{Seq: 7, Payload: vp8Delta})
	o := r.one(enginetest.Packet{Seq: 8, Payload: vp8Delta})
	require.Equal(t, vp8Delta, o.Payload(), "nothing to rewrite")
}

// TestRestartedEncoder begins with a key frame whose picture id is far back.
func TestRestartedEncoder(t *testing.T) {
	r := temporalFixture(t, enginetest.VP8)
	var d codec.Descriptor
	for n, p := range []struct {
		id  int
		tl0 uint8
	}{{10000, 200}, {10001, 201}, {100, 150}, {101, 151}, {102, 152}, {9000, 90}, {9001, 91}} {
		o := r.one(enginetest.Packet{Seq: unit.SeqNo(n), Payload: vp8(n == 0 || n == 2 || n == 5, p.id, p.tl0, 0, true, false)})
		require.NoError(t, codec.Parse(codec.VP8, o.Payload(), nil, &d))
		require.Equal(t, []int{n + 1, n + 1}, []int{int(d.PictureID), int(d.TL0PicIdx)})
	}
	s := newSVCFixture(t, enginetest.VP9, "L3T3", 0)
	s.sendFor(3 * time.Second)
	s.encoder.PictureID = (s.encoder.PictureID - 2000) & 0x7fff
	s.encoder.RequestKeyFrame()
	s.sendFor(time.Second)
	s.c.SetPreferredLayers(s.now, prefer(0, 0))
	s.sendFor(time.Second)
	spatial, temporal := currentLayer(s.c)
	require.Equal(t, []int{0, 0}, []int{spatial, temporal}, "its pictures are not taken for late ones")
	s.requireDecodable()
}

// TestLatePicturesOfVP9 get the layers that were forwarded when they were due.
func TestLatePicturesOfVP9(t *testing.T) {
	s := newSVCFixture(t, enginetest.VP9, "L3T3", 2)
	s.sendFor(3 * time.Second)
	late := s.encoder.Encode(s.at())
	for spatial, wanted := range []uint8{0, 1, 0, 2} {
		s.c.SetPreferredLayers(s.now, prefer(wanted, 2))
		s.sendFor(300 * time.Millisecond)
		require.EqualValues(t, wanted, *s.c.Dump().Data.CurrentSpatialLayer, spatial)
	}
	sent := 0
	for _, p := range late {
		_, outs := s.receive(p)
		sent += len(outs)
		require.LessOrEqual(t, len(outs), 1)
	}
	require.Equal(t, len(late), sent, "all layers were forwarded then, whatever they are now")
	s.c.SetPreferredLayers(s.now, prefer(0, 0))
	s.sendFor(300 * time.Millisecond)
	late = s.encoder.Encode(s.at())
	s.sendFor(100 * time.Millisecond)
	s.c.SetPreferredLayers(s.now, prefer(2, 2))
	s.sendFor(300 * time.Millisecond)
	for _, p := range late {
		if enginetest.ParsePicture(p.Payload).Spatial > 0 {
			s.none(p)
		}
	}
}

func TestLayersBeyondTheAnnouncedOnes(t *testing.T) {
	for _, v := range svcStreams {
		s := newSVCFixture(t, v.codec, v.mode, 0)
		p, c := layeredRequests(v.codec, "L3T3", "L2T2")
		s.fixture = newFixture(t, p, c)
		s.sendFor(5 * time.Second)
		require.NotEmpty(t, s.outs)
		for _, o := range s.outs {
			f := pictureOf(o)
			require.Less(t, f.Spatial, 2)
			require.Less(t, f.Temporal, 2)
		}
	}
}

// TestTemporalLayersOfH264 come from the dependency descriptor: without one, there is a single layer.
func TestTemporalLayersOfH264(t *testing.T) {
	r := temporalFixture(t, enginetest.H264)
	idr, slice := []byte{0x67, 1, 2}, []byte{0x61, 1, 2}
	send := func(seq unit.SeqNo, ts unit.Timestamp, key bool, layer int) bool {
		i := enginetest.Packet{Seq: seq, Timestamp: ts, Payload: slice}
		if key {
			i.Payload = idr
		}
		if layer >= 0 {
			i.Extensions = []rtp.Extension{{ID: inDD, Value: enginetest.DependencyDescriptor(key, 0, layer, 0, true, true)}}
		}
		_, outs := r.receive(i)
		if len(outs) > 0 {
			require.Equal(t, i.Payload, outs[0].Payload())
		}
		return len(outs) == 1
	}
	require.True(t, send(1, 100, true, 0))
	require.False(t, send(2, 200, false, 2), "may refer to what was not sent")
	require.True(t, send(3, 300, false, 1))
	require.True(t, send(4, 300, false, 1))
	require.True(t, send(5, 400, false, 2))
	require.Equal(t, []int{0, 1, 2}, layersOf(r.cOut.Notifications))
	r.c.SetPreferredLayers(r.now, prefer(0, 0))
	require.True(t, send(6, 400, false, 2), "frames are forwarded as a whole")
	require.False(t, send(7, 500, false, 1))
	require.False(t, send(8, 500, false, 1))
	require.True(t, send(9, 600, false, 0))
	require.False(t, send(7, 450, false, 1), "late")
	require.True(t, send(10, 700, false, -1), "no descriptor")
	require.Equal(t, []int{0, 1, 2, 0}, layersOf(r.cOut.Notifications))
}

func TestWrongLayersAreRefused(t *testing.T) {
	for text, change := range map[string]func(*api.TransportConsumeRequest){
		"encoding.spatialLayers does not match number of consumableRtpEncodings": func(r *api.TransportConsumeRequest) {
			r.RTPParameters.Encodings[0].ScalabilityMode = "L2T3"
		},
		"video/VP9 codec not supported for simulcast": func(r *api.TransportConsumeRequest) {
			r.RTPParameters.Codecs = outStream(enginetest.VP9).Codecs()
		},
		"invalid number of layers": func(r *api.TransportConsumeRequest) {
			r.RTPParameters.Encodings[0].ScalabilityMode = ""
			r.ConsumableRTPEncodings = r.ConsumableRTPEncodings[:1]
			r.ConsumableRTPEncodings[0].ScalabilityMode = "L1T3"
		},
		"audio/PCMA codec not supported for svc": func(r *api.TransportConsumeRequest) {
			r.RTPParameters.Codecs = outStream(enginetest.Codec{MimeType: "audio/PCMA", ClockRate: 8000}).Codecs()
			r.ConsumableRTPEncodings = r.ConsumableRTPEncodings[:1]
			r.ConsumableRTPEncodings[0].ScalabilityMode = "L1T3"
		},
	} {
		req := simulcastConsumeRequest()
		change(req)
		_, err := newConsumer(req)
		requireTypeError(t, err, text)
	}
}

func TestSVCFollowsTheLifeOfItsStream(t *testing.T) {
	r := temporalFixture(t, enginetest.VP8)
	_, ok := r.c.ProducerStream()
	require.False(t, ok)
	r.one(enginetest.Packet{Seq: 1, Payload: vp8(true, 1, 1, 0, true, false)})
	mapped, ok := r.c.ProducerStream()
	require.True(t, ok)
	require.Equal(t, mappedSSRC, mapped)
	r.none(enginetest.Packet{Seq: 2})
	require.EqualValues(t, 1, r.c.Drops().Empty)
	s := r.p.Streams()[0]
	s.Score = 0
	r.c.HandleStreamUpdate(r.now, media.StreamUpdate{Kind: layer.StreamScore, Stream: s, PreviousScore: 10}, []uint8{0})
	r.none(enginetest.Packet{Seq: 3, Payload: vp8(false, 2, 2, 0, true, false)})
	s.Score = 10
	r.take()
	r.c.HandleStreamUpdate(r.now, media.StreamUpdate{Kind: layer.StreamScore, Stream: s}, []uint8{10})
	require.Equal(t, []unit.SSRC{mappedSSRC}, r.c.Output().KeyFrameRequests)
	r.one(enginetest.Packet{Seq: 4, Payload: vp8(true, 3, 3, 0, true, false)})
	// A consumer that attaches later selects among the existing streams.
	_, late := layeredRequests(enginetest.VP8, "L1T3", "L1T3")
	c, err := newConsumer(late)
	require.NoError(t, err)
	c.Attach(r.now, false, r.p.Scores(), r.p.Streams())
	c.TransportConnected(r.now)
	require.Equal(t, []unit.SSRC{mappedSSRC}, c.Output().KeyFrameRequests)
	require.Equal(t, [2]int{0, 2}, target(c))
	c.TransportDisconnected(r.now)
	require.Equal(t, [2]int{-1, -1}, target(c))
	c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{SSRC: uint32(outSSRC), FractionLost: 255, TotalLost: 100})
	c.Close()
}
