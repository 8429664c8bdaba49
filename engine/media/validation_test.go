package media_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
)

func apt(v api.ParameterValue) []api.Parameter { return []api.Parameter{{Name: "apt", Value: v}} }

// parameterMistakes are the mistakes in RTP parameters that mediasoup refuses, with its texts.
var parameterMistakes = []struct {
	text   string
	change func(p *api.RTPParameters)
}{
	{"wrong codec MIME", func(p *api.RTPParameters) { p.Codecs[0].MimeType = "video" }},
	{"wrong codec MIME", func(p *api.RTPParameters) { p.Codecs[0].MimeType = "/VP8" }},
	{"wrong codec MIME", func(p *api.RTPParameters) { p.Codecs[0].MimeType = "video/" }},
	{"unknown codec MIME type 'chicken'", func(p *api.RTPParameters) { p.Codecs[0].MimeType = "Chicken/VP8" }},
	{"unknown codec MIME subtype 'vp7'", func(p *api.RTPParameters) { p.Codecs[0].MimeType = "video/VP7" }},
	{"missing apt parameter in RTX codec", func(p *api.RTPParameters) { p.Codecs[1].Parameters = nil }},
	{"missing apt parameter in RTX codec", func(p *api.RTPParameters) { p.Codecs[1].Parameters = apt(&api.ValueInteger32{Value: -1}) }},
	{"missing apt parameter in RTX codec", func(p *api.RTPParameters) { p.Codecs[1].Parameters = apt(&api.ValueString{Value: "96"}) }},
	{"empty codecs", func(p *api.RTPParameters) { p.Codecs = nil }},
	{"empty encodings", func(p *api.RTPParameters) { p.Encodings = nil }},
	{"invalid id 0", func(p *api.RTPParameters) { p.HeaderExtensions[0].ID = 0 }},
	{"duplicated payloadType", func(p *api.RTPParameters) { p.Codecs[1].PayloadType = p.Codecs[0].PayloadType }},
	{"apt in RTX codec points to a non existing codec", func(p *api.RTPParameters) { p.Codecs[1].Parameters = apt(&api.ValueInteger32{Value: 3}) }},
	{"apt in RTX codec points to a RTX codec", func(p *api.RTPParameters) {
		p.Codecs[0].MimeType, p.Codecs[0].Parameters = "video/rtx", p.Codecs[1].Parameters
	}},
	{"apt in RTX codec points to a ULPFEC codec", func(p *api.RTPParameters) { p.Codecs[0].MimeType = "video/ulpfec" }},
	{"apt in RTX codec points to a FLEXFEC codec", func(p *api.RTPParameters) { p.Codecs[0].MimeType = "video/flexfec" }},
	{"no media codecs found", func(p *api.RTPParameters) { p.Codecs[0].MimeType = "audio/CN" }},
	{"unknown codecPayloadType", func(p *api.RTPParameters) { p.Encodings[0].CodecPayloadType = new(uint8(3)) }},
	{"invalid codecPayloadType", func(p *api.RTPParameters) { p.Encodings[0].CodecPayloadType = &p.Codecs[1].PayloadType }},
	{"cannot use both simulcast and encodings with multiple SVC spatial layers", func(p *api.RTPParameters) {
		p.Encodings = append(p.Encodings, api.RTPEncodingParameters{SSRC: new(uint32(5)), ScalabilityMode: "L2T1"})
	}},
}

func requireTypeError(t *testing.T, err error, text string) {
	t.Helper()
	var e *api.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, api.ErrorKindType, e.Kind)
	require.Equal(t, text, e.Reason)
}

func newConsumer(req *api.TransportConsumeRequest) (*media.Consumer, error) {
	return media.NewConsumer(req, api.Compat{}, rand.New(rand.NewPCG(1, 2)))
}

func TestWrongRTPParameters(t *testing.T) {
	for _, tc := range parameterMistakes {
		t.Run(tc.text, func(t *testing.T) {
			p := produceRequest(enginetest.VP8)
			tc.change(p.RTPParameters)
			_, err := media.NewProducer(p)
			requireTypeError(t, err, tc.text)

			c := consumeRequest(enginetest.VP8)
			tc.change(c.RTPParameters)
			_, err = newConsumer(c)
			requireTypeError(t, err, tc.text)
		})
	}
}

func TestWrongProduceRequests(t *testing.T) {
	for _, tc := range []struct {
		text   string
		change func(r *api.TransportProduceRequest)
	}{
		{"missing rtpParameters", func(r *api.TransportProduceRequest) { r.RTPParameters = nil }},
		{"missing rtpMapping", func(r *api.TransportProduceRequest) { r.RTPMapping = nil }},
		{"invalid RTP parameters", func(r *api.TransportProduceRequest) {
			r.RTPParameters.Codecs[0].MimeType = "audio/opus"
			r.RTPParameters.Encodings[0].ScalabilityMode = "L1T3"
		}},
		{"video/VP9 codec not supported for simulcast", func(r *api.TransportProduceRequest) {
			r.RTPParameters.Codecs[0].MimeType = "video/vp9"
			r.RTPParameters.Encodings = append(r.RTPParameters.Encodings, api.RTPEncodingParameters{SSRC: new(uint32(5))})
		}},
		{"wrong entry in rtpMapping.encodings (missing ssrc or rid)", func(r *api.TransportProduceRequest) {
			r.RTPMapping.Encodings = append(r.RTPMapping.Encodings, api.EncodingMapping{MappedSSRC: 9})
		}},
		{"wrong entry in rtpMapping.encodings (missing ssrc or rid, or rtpParameters.mid)", func(r *api.TransportProduceRequest) {
			r.RTPParameters.MID, r.RTPMapping.Encodings[0].SSRC = "", nil
		}},
		{"wrong entry in rtpMapping.encodings (missing mappedSsrc)", func(r *api.TransportProduceRequest) {
			r.RTPMapping.Encodings[0].MappedSSRC = 0
		}},
		{"rtpParameters.encodings size does not match rtpMapping.encodings size", func(r *api.TransportProduceRequest) {
			r.RTPMapping.Encodings = append(r.RTPMapping.Encodings, api.EncodingMapping{RID: "r", MappedSSRC: 9})
		}},
	} {
		t.Run(tc.text, func(t *testing.T) {
			r := produceRequest(enginetest.VP8)
			tc.change(r)
			_, err := media.NewProducer(r)
			requireTypeError(t, err, tc.text)
		})
	}
}

func TestWrongConsumeRequests(t *testing.T) {
	for _, tc := range []struct {
		text   string
		change func(r *api.TransportConsumeRequest)
	}{
		{"invalid encoding in rtpParameters (missing ssrc)", func(r *api.TransportConsumeRequest) { r.RTPParameters.Encodings[0].SSRC = nil }},
		{"invalid encoding in rtpParameters (missing ssrc)", func(r *api.TransportConsumeRequest) { *r.RTPParameters.Encodings[0].SSRC = 0 }},
		{"invalid encoding in rtpParameters (missing rtx.ssrc)", func(r *api.TransportConsumeRequest) { r.RTPParameters.Encodings[0].RTX.SSRC = 0 }},
		{"empty consumableRtpEncodings", func(r *api.TransportConsumeRequest) { r.ConsumableRTPEncodings = nil }},
		{"wrong encoding in consumableRtpEncodings (missing ssrc)", func(r *api.TransportConsumeRequest) { r.ConsumableRTPEncodings[0].SSRC = nil }},
		{"number of rtpParameters.encodings and consumableRtpEncodings do not match", func(r *api.TransportConsumeRequest) {
			r.Type = api.RTPTypePipe
			r.ConsumableRTPEncodings = append(r.ConsumableRTPEncodings, r.ConsumableRTPEncodings[0])
		}},
	} {
		t.Run(tc.text, func(t *testing.T) {
			r := consumeRequest(enginetest.VP8)
			tc.change(r)
			_, err := newConsumer(r)
			requireTypeError(t, err, tc.text)
		})
	}
}

func TestProducerTypes(t *testing.T) {
	for _, tc := range []struct {
		mime              string
		modes             []string
		want              api.RTPType
		spatial, temporal uint8
	}{
		{"video/VP8", []string{""}, api.RTPTypeSimple, 1, 1},
		{"video/VP8", []string{"S1T1"}, api.RTPTypeSimple, 1, 1},
		{"video/VP8", []string{"nonsense"}, api.RTPTypeSimple, 1, 1},
		{"video/VP8", []string{"L0T3"}, api.RTPTypeSimple, 1, 1},
		{"video/VP8", []string{"L1T3"}, api.RTPTypeSVC, 1, 3},
		{"video/VP9", []string{"L3T3_KEY"}, api.RTPTypeSVC, 3, 3},
		{"video/AV1", []string{"S3T10h"}, api.RTPTypeSVC, 3, 10},
		{"video/H264", []string{"L1T2"}, api.RTPTypeSVC, 1, 2},
		{"video/VP8", []string{"L1T3", "L1T3", ""}, api.RTPTypeSimulcast, 1, 3},
	} {
		r := produceRequest(enginetest.Codec{MimeType: tc.mime, ClockRate: 90000})
		r.RTPParameters.Encodings, r.RTPMapping.Encodings = nil, nil
		for i, mode := range tc.modes {
			r.RTPParameters.Encodings = append(r.RTPParameters.Encodings, api.RTPEncodingParameters{SSRC: new(uint32(peerSSRC) + uint32(i)), ScalabilityMode: mode})
			r.RTPMapping.Encodings = append(r.RTPMapping.Encodings, api.EncodingMapping{SSRC: new(uint32(peerSSRC) + uint32(i)), MappedSSRC: uint32(mappedSSRC) + uint32(i)})
		}
		p, err := media.NewProducer(r)
		require.NoError(t, err)
		require.Equal(t, tc.want, p.Type(), tc.modes)
		pkt := ofPeer(enginetest.Packet{Seq: 1, Payload: vp8Key}).Receive(t, 1)
		p.HandlePacket(1, pkt)
		pkt.Release()
		params := p.Dump().RTPStreams[0].Params
		require.Equal(t, tc.spatial, params.SpatialLayers, tc.modes)
		require.Equal(t, tc.temporal, params.TemporalLayers, tc.modes)
	}
}

// The dump of a producer has the defaults that mediasoup's test suite looks for.
func TestProducerDump(t *testing.T) {
	r := produceRequest(enginetest.Codec{MimeType: "video/vp8", ClockRate: 90000})
	r.Paused = true
	r.RTPParameters.RTCP = nil
	r.RTPParameters.Codecs[0].Channels = new(uint8(1))
	r.RTPParameters.Encodings[0].MaxBitrate = new(uint64(1000))
	p, err := media.NewProducer(r)
	require.NoError(t, err)
	p.EnableTraceEvents([]api.ProducerTraceEventType{api.ProducerTraceEventTypePLI, api.ProducerTraceEventTypeRTP})
	d := p.Dump()
	require.Equal(t, "producer", d.ID)
	require.Equal(t, api.MediaKindVideo, d.Kind)
	require.Equal(t, api.RTPTypeSimple, d.Type)
	require.True(t, d.Paused)
	require.Equal(t, "video/VP8", d.RTPParameters.Codecs[0].MimeType)
	require.Nil(t, d.RTPParameters.Codecs[0].Channels)
	require.Equal(t, "video/rtx", d.RTPParameters.Codecs[1].MimeType)
	require.Equal(t, []api.RTPEncodingParameters{{
		SSRC: new(uint32(peerSSRC)), RTX: &api.RTX{SSRC: uint32(peerRTX)}, CodecPayloadType: new(uint8(peerPT)), ScalabilityMode: "S1T1",
	}}, d.RTPParameters.Encodings)
	require.True(t, d.RTPParameters.RTCP.ReducedSize)
	require.Equal(t, r.RTPMapping, d.RTPMapping)
	require.Empty(t, d.RTPStreams)
	require.Equal(t, []api.ProducerTraceEventType{api.ProducerTraceEventTypeRTP, api.ProducerTraceEventTypePLI}, d.TraceEventTypes)
	require.Empty(t, p.Stats(1).Stats)
	require.Equal(t, "video/vp8", r.RTPParameters.Codecs[0].MimeType, "the request is not changed")
	require.Equal(t, unmappedIDs, p.ExtensionIDs())
}

var unmappedIDs = media.ExtensionIDs{
	MID: inMID, RID: inRID, RRID: inRRID, AudioLevel: inAudioLevel, VideoOrientation: inOrientation,
	AbsCaptureTime: inCapture, PlayoutDelay: inPlayout, TimeOffset: inOffset, DependencyDescriptor: inDD, PacketID: inPacketID,
}

func TestConsumerDump(t *testing.T) {
	r := consumeRequest(enginetest.Opus)
	r.Paused = true
	r.RTPParameters.Codecs = append(r.RTPParameters.Codecs, api.RTPCodecParameters{MimeType: "audio/CN", PayloadType: 13, ClockRate: 8000})
	c, err := newConsumer(r)
	require.NoError(t, err)
	defer c.Close()
	c.Attach(1, true, []uint8{7}, []media.StreamInfo{{MappedSSRC: mappedSSRC, Score: 7}})
	c.EnableTraceEvents([]api.ConsumerTraceEventType{api.ConsumerTraceEventTypeFIR, api.ConsumerTraceEventTypeNACK})
	d := c.Dump().Data
	require.Equal(t, &api.ConsumerBaseConsumerDump{
		ID: "consumer", ProducerID: "producer", Kind: api.MediaKindAudio, Type: api.RTPTypeSimple,
		RTPParameters:              c.RTPParameters(),
		ConsumableRTPEncodings:     []api.RTPEncodingParameters{{SSRC: new(uint32(mappedSSRC)), ScalabilityMode: "S1T1"}},
		SupportedCodecPayloadTypes: []uint8{mappedPT},
		TraceEventTypes:            []api.ConsumerTraceEventType{api.ConsumerTraceEventTypeNACK, api.ConsumerTraceEventTypeFIR},
		Paused:                     true, ProducerPaused: true, Priority: 1,
	}, d.Base)
	require.Len(t, d.RTPStreams, 1)
	require.Equal(t, uint32(outRTX), *d.RTPStreams[0].Params.RTXSSRC)
	require.EqualValues(t, mappedRTXPT, *d.RTPStreams[0].Params.RTXPayloadType)
	require.Equal(t, []int16{-1, -1, -1, -1, 0, 0}, []int16{
		*d.PreferredSpatialLayer, *d.PreferredTemporalLayer, *d.TargetSpatialLayer, *d.TargetTemporalLayer, *d.CurrentSpatialLayer, *d.CurrentTemporalLayer,
	})
	require.Equal(t, &api.TransportConsumeResponse{
		Paused: true, ProducerPaused: true, Score: &api.ConsumerScore{Score: 10, ProducerScore: 7, ProducerScores: []uint8{7}},
	}, c.Response())
	require.Len(t, c.Stats(1).Stats, 1)
	require.EqualValues(t, 3333, c.MediaSSRCs()[0])
	require.EqualValues(t, 3334, c.RTXSSRCs()[0])
	require.Equal(t, []any{"consumer", "producer", api.MediaKindAudio, api.RTPTypeSimple, true, true},
		[]any{c.ID(), c.ProducerID(), c.Kind(), c.Type(), c.Paused(), c.ProducerIsPaused()})
	require.EqualValues(t, outMID, c.ExtensionIDs().MID)
}

func TestPriority(t *testing.T) {
	c, err := newConsumer(consumeRequest(enginetest.Opus))
	require.NoError(t, err)
	defer c.Close()
	require.EqualValues(t, 1, c.Priority())
	_, err = c.SetPriority(&api.ConsumerSetPriorityRequest{})
	requireTypeError(t, err, "wrong priority (must be higher than 0)")
	r, err := c.SetPriority(&api.ConsumerSetPriorityRequest{Priority: 2})
	require.NoError(t, err)
	require.EqualValues(t, 2, r.Priority)
	require.EqualValues(t, 2, c.Priority())
	require.Nil(t, c.SetPreferredLayers(1, &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: 2}}).PreferredLayers)
}
