package rtpstream_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

func TestRecvScoreFollowsLoss(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	score := func(loss int, repair bool) uint8 {
		r := newReceiver(t, rtxParams(), rtpstream.RecvOptions{})
		seq := unit.SeqNo(65000)
		for range 30 {
			for range 200 {
				seq++
				if rng.IntN(100) >= loss {
					r.media(seq)
				}
				r.advance(ms(5))
				for _, n := range r.takeNacked() {
					if repair {
						r.rtx(n)
					}
				}
			}
			r.senderReport()
		}
		return r.Score()
	}
	require.Equal(t, uint8(10), score(0, false))
	bad := score(20, false)
	require.Less(t, bad, uint8(6))
	require.Greater(t, score(20, true), bad, "repair counts")
	require.Equal(t, uint8(0), score(60, false))
}

func TestRecvScoreWithoutRTXCountsRepairs(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{})
	seq := unit.SeqNo(0)
	for range 100 {
		seq += 2
		r.media(seq)
		for _, n := range r.takeNacked() {
			r.media(n)
		}
	}
	r.senderReport()
	require.Less(t, r.Score(), uint8(10))
	require.Greater(t, r.Score(), uint8(0))
	require.Equal(t, []uint8{10, r.Score()}, r.scores)
}

func TestRecvScoreWhenOnlyRTXArrives(t *testing.T) {
	r := newReceiver(t, rtxParams(), rtpstream.RecvOptions{})
	r.media(1)
	r.senderReport()
	r.rtx(2)
	r.senderReport()
	require.Equal(t, uint8(3), r.Score(), "samples 10 and 0 with weights 1 and 2")
	r.media(3)
	r.rtx(4)
	r.media(4)
	r.senderReport()
	require.Equal(t, uint8(7), r.Score(), "nothing was lost: 10")
}

func TestRecvScoreIsAWeightedAverage(t *testing.T) {
	p := videoParams()
	p.UseNACK = false
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	r.media(0)
	r.senderReport() // 10
	require.Equal(t, uint8(10), r.Score())
	// Expected but not received: a late packet does not exist here, so jump within what is allowed.
	for i := range 3 {
		r.media(unit.SeqNo(1000 * (i + 1)))
		r.senderReport()
	}
	// Samples 10, 0, 0, 0 with weights 1 to 4.
	require.Equal(t, uint8(1), r.Score())
	for range 24 {
		r.senderReport() // nothing expected: 10
	}
	require.Equal(t, uint8(10), r.Score(), "24 samples are remembered")
}

func TestRecvInactivity(t *testing.T) {
	r := newReceiver(t, videoParams(), rtpstream.RecvOptions{InactivityCheck: true})
	for i := range 10 {
		r.media(unit.SeqNo(i))
		r.advance(ms(1000))
	}
	require.Empty(t, r.scores)
	r.advance(ms(499))
	require.Empty(t, r.scores)
	r.advance(ms(1))
	require.Equal(t, []uint8{10, 0}, r.scores)
	require.Equal(t, unit.Never, r.NextTimeout())
	r.senderReport()
	require.Equal(t, uint8(0), r.Score(), "no sample while inactive")
	r.feed(mediaPacket(t, r.now, 10, tsAt(r.now), nil), r.HandlePacket)
	require.Equal(t, uint8(0), r.Score(), "padding does not wake the stream")
	r.media(11)
	require.Equal(t, []uint8{10, 0, 0, 10}, r.scores)
	require.Equal(t, r.now, r.ActiveSince())
	r.advance(ms(1500))
	require.Equal(t, uint8(0), r.Score())
}

func TestRecvInactivityPauseAndDTX(t *testing.T) {
	p := videoParams()
	p.UseDTX = true
	r := newReceiver(t, p, rtpstream.RecvOptions{InactivityCheck: true})
	r.media(1)
	r.advance(ms(4999))
	require.Empty(t, r.scores)
	r.Pause()
	r.advance(time.Hour)
	require.Empty(t, r.scores)
	r.media(3)
	require.Empty(t, r.takeNacked(), "a paused producer asks for nothing")
	r.Resume(r.now)
	r.advance(ms(4999))
	require.Empty(t, r.scores)
	r.advance(ms(1))
	require.Equal(t, []uint8{10, 0}, r.scores)
	r.Pause()
	r.Resume(r.now)
	require.Equal(t, unit.Never, r.NextTimeout(), "inactive already")
}

func TestRecvBitrate(t *testing.T) {
	p := videoParams()
	p.SpatialLayers, p.TemporalLayers = 2, 2
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	pkt := func(seq unit.SeqNo, size int, s, l uint8) {
		m := mediaPacket(t, r.now, seq, tsAt(r.now), make([]byte, size-12))
		// Payload type of another codec: the description is left alone.
		m.PayloadType = 100
		m.Codec.SpatialLayer, m.Codec.TemporalLayer = s, l
		r.feed(m, r.HandlePacket)
	}
	pkt(1, 1000, 0, 0)
	pkt(2, 500, 0, 1)
	pkt(3, 250, 1, 0)
	bits := func(bytes int) unit.Bitrate { return unit.Bitrate(bytes * 8000 / 2500) }
	require.Equal(t, bits(1750), r.Bitrate(r.now))
	require.Equal(t, bits(1000), r.BitrateUpTo(r.now, 0, 0))
	require.Equal(t, bits(1500), r.BitrateUpTo(r.now, 0, 1))
	require.Equal(t, bits(1750), r.BitrateUpTo(r.now, 1, 0))
	require.Zero(t, r.BitrateUpTo(r.now, 1, 1), "that layer is not there")
	require.Zero(t, r.BitrateUpTo(r.now, 7, 0))
	require.Equal(t, bits(1500), r.SpatialLayerBitrate(r.now, 0))
	require.Equal(t, bits(250), r.LayerBitrate(r.now, 1, 0))
	require.False(t, r.LayerActive(0), "before the first check")
	r.advance(ms(1500))
	require.True(t, r.LayerActive(0))
	require.True(t, r.LayerActive(1))
	require.False(t, r.LayerActive(32))
	require.Equal(t, 1, r.layers)
	pkt(4, 1000, 0, 0)
	r.advance(ms(1500))
	require.True(t, r.LayerActive(0))
	require.False(t, r.LayerActive(1))
	require.Equal(t, 2, r.layers)
	pkt(5, 1000, 9, 9)
	require.Equal(t, bits(1000), r.LayerBitrate(r.now, 1, 1), "beyond what was negotiated counts as the highest")
	stats := r.Stats(r.now).Data.(*api.RTPStreamRecvStats)
	require.Equal(t, []api.BitrateByLayer{
		{Layer: "0.0", Bitrate: uint64(bits(1000))},
		{Layer: "0.1", Bitrate: 0},
		{Layer: "1.0", Bitrate: 0},
		{Layer: "1.1", Bitrate: uint64(bits(2000))},
	}, stats.BitrateByLayer)
}

// A frame counts once in each of its layers: not by packets, and not again when packets of it come late.
func TestRecvFrameRate(t *testing.T) {
	p := videoParams()
	p.SpatialLayers, p.TemporalLayers = 2, 2
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	seq := unit.SeqNo(65000)
	pkt := func(ts unit.Timestamp, spatial, temporal uint8) {
		seq++
		m := mediaPacket(t, r.now, seq, ts, make([]byte, 100))
		m.PayloadType = 100 // of another codec: the description is left alone
		m.Codec.SpatialLayer, m.Codec.TemporalLayer = spatial, temporal
		r.feed(m, r.HandlePacket)
	}
	frames := func() (rates []float32) {
		for i := range uint8(4) {
			rates = append(rates, r.LayerFrameRate(r.now, i/2, i%2))
		}
		return rates
	}
	none := make([]float32, 4)
	require.Equal(t, none, frames())
	second := func(ts unit.Timestamp) {
		for i := range unit.Timestamp(20) {
			for range 3 {
				pkt(ts+i*4500, 0, uint8(i%4+1)/2%2)
			}
			if i%4 == 0 {
				pkt(ts+i*4500, 1, 0)
			}
			if i > 0 {
				pkt(ts+i*4500-4500, 0, uint8((i-1)%4+1)/2%2)
			}
			r.advance(50 * time.Millisecond)
		}
	}
	for i := range unit.Timestamp(3) {
		second(i * 90000)
	}
	require.InDeltaSlice(t, []float32{10, 10, 5, 0}, frames(), 0.5)
	for i := range unit.Timestamp(3) {
		second(1<<31 + i*90000) // far back: the timestamps begin anew
	}
	require.InDeltaSlice(t, []float32{10, 10, 5, 0}, frames(), 0.5)
	r.advance(2500 * time.Millisecond)
	require.Equal(t, none, frames())
	require.Zero(t, r.LayerFrameRate(r.now, 2, 0)+r.LayerFrameRate(r.now, 0, 2))

	p.SpatialLayers, p.TemporalLayers = 2, 1
	r = newReceiver(t, p, rtpstream.RecvOptions{})
	second(0)
	require.Equal(t, none, frames(), "the only temporal layer has all frames, however many")
}

func TestRecvStatsAndDump(t *testing.T) {
	p := rtxParams()
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	r.media(1)
	ssrc, pt := uint32(rtxSSRC), uint8(rtxPT)
	size := uint64(12 + len(interFrame))
	require.Equal(t, &api.RTPStreamStats{Data: &api.RTPStreamRecvStats{
		Base: &api.RTPStreamStats{Data: &api.RTPStreamBaseStats{
			Timestamp: r.now.Milliseconds(), SSRC: uint32(mediaSSRC), Kind: api.MediaKindVideo, MimeType: "video/VP8",
			RID: "r0", RTXSSRC: &ssrc, Score: 10,
		}},
		PacketCount: 1, ByteCount: size, Bitrate: (size*8000 + 1250) / 2500,
	}}, r.Stats(r.now))
	require.Equal(t, &api.RTPStreamDump{
		Params: &api.RTPStreamParams{
			SSRC: uint32(mediaSSRC), PayloadType: mediaPT, MimeType: "video/VP8", ClockRate: clockRate, RID: "r0",
			CNAME: "cname", RTXSSRC: &ssrc, RTXPayloadType: &pt, UseNACK: true, UsePLI: true, UseFIR: true,
			SpatialLayers: 1, TemporalLayers: 1,
		},
		Score: 10,
		RTXStream: &api.RTXStreamDump{Params: &api.RTXStreamParams{
			SSRC: ssrc, PayloadType: pt, MimeType: "video/rtx", ClockRate: clockRate, RRID: "r0", CNAME: "cname",
		}},
	}, r.Dump())
}
