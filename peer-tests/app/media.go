package app

import (
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// Payload types of the router and of all peers: only SSRCs are mapped.
const (
	OpusPayloadType = 111
	VP8PayloadType  = 96
	VP9PayloadType  = 98
)

// newSSRC draws an SSRC that a router knows a stream by.
func newSSRC() uint32 { return 0x7000_0000 + ids.Add(1) }

// Codecs of the peers.
var (
	Opus = api.RTPCodecParameters{MimeType: "audio/opus", PayloadType: OpusPayloadType, ClockRate: 48000, Channels: new(uint8(2))}
	VP8  = video("video/VP8", VP8PayloadType)
	VP9  = video("video/VP9", VP9PayloadType)
)

func video(mimeType string, payloadType uint8) api.RTPCodecParameters {
	return api.RTPCodecParameters{
		MimeType: mimeType, PayloadType: payloadType, ClockRate: 90000,
		RTCPFeedback: []api.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}
}

func codec(kind api.MediaKind) api.RTPCodecParameters {
	if kind == api.MediaKindAudio {
		return Opus
	}
	return VP8
}

// Media is what a producer takes.
type Media struct {
	Kind  api.MediaKind
	Type  api.RTPType
	Codec api.RTPCodecParameters
	SSRCs []uint32 // of the streams that the peer sends; several are simulcast
	Mode  string   // scalability mode of each of these, such as L3T1; empty without layers
	// TransportCC is the id of the header extension with transport-wide numbers, 0 for none. Feedback is sent about them.
	TransportCC uint8
}

// Producer is a producer, with what its consumers need.
type Producer struct {
	*Transport
	ID     string
	media  Media
	mapped []api.RTPEncodingParameters
}

func parameters(codec api.RTPCodecParameters, encodings ...api.RTPEncodingParameters) *api.RTPParameters {
	return &api.RTPParameters{
		Codecs:    []api.RTPCodecParameters{codec},
		Encodings: encodings,
		RTCP:      &api.RTCPParameters{CNAME: "cname", ReducedSize: true},
	}
}

// Produce creates a producer for the stream without layers that the transport's peer sends with an SSRC.
func (t *Transport) Produce(kind api.MediaKind, ssrc uint32) *Producer {
	t.t.Helper()
	return t.ProduceMedia(Media{Kind: kind, Type: api.RTPTypeSimple, Codec: codec(kind), SSRCs: []uint32{ssrc}})
}

// ProduceMedia creates a producer.
func (t *Transport) ProduceMedia(m Media) *Producer {
	t.t.Helper()
	p := &Producer{Transport: t, ID: newID("producer"), media: m}
	pt := m.Codec.PayloadType
	mapping := &api.RTPMapping{Codecs: []api.CodecMapping{{PayloadType: pt, MappedPayloadType: pt}}}
	var encodings []api.RTPEncodingParameters
	for _, ssrc := range m.SSRCs {
		mapped := newSSRC()
		encodings = append(encodings, api.RTPEncodingParameters{SSRC: new(ssrc), ScalabilityMode: m.Mode})
		p.mapped = append(p.mapped, api.RTPEncodingParameters{SSRC: new(mapped), ScalabilityMode: m.Mode})
		mapping.Encodings = append(mapping.Encodings, api.EncodingMapping{SSRC: new(ssrc), ScalabilityMode: m.Mode, MappedSSRC: mapped})
	}
	params := parameters(m.Codec, encodings...)
	if m.TransportCC != 0 {
		codec := &params.Codecs[0]
		codec.RTCPFeedback = append(slices.Clip(codec.RTCPFeedback), api.RTCPFeedback{Type: "transport-cc"})
		params.HeaderExtensions = []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: m.TransportCC}}
	}
	t.Do(api.MethodTransportProduce, t.ID, &api.TransportProduceRequest{
		ProducerID: p.ID, Kind: m.Kind, RTPParameters: params, RTPMapping: mapping,
	})
	return p
}

// Consumer is a consumer.
type Consumer struct {
	*Transport
	ID string
}

// Consume creates a consumer for the transport's peer, which receives it with the given SSRC.
func (t *Transport) Consume(p *Producer, ssrc uint32) *Consumer {
	t.t.Helper()
	c := &Consumer{t, newID("consumer")}
	mode := p.media.Mode
	if p.media.Type == api.RTPTypeSimulcast {
		mode = fmt.Sprintf("L%dT1", len(p.mapped))
	}
	t.Do(api.MethodTransportConsume, t.ID, &api.TransportConsumeRequest{
		ConsumerID: c.ID, ProducerID: p.ID, Kind: p.media.Kind, Type: p.media.Type, ConsumableRTPEncodings: p.mapped,
		RTPParameters: parameters(p.media.Codec, api.RTPEncodingParameters{SSRC: new(ssrc), ScalabilityMode: mode}),
	})
	return c
}

// Prefer sets the highest spatial layer that the consumer shall forward.
func (c *Consumer) Prefer(layer uint8) {
	c.t.Helper()
	c.Do(api.MethodConsumerSetPreferredLayers, c.ID, &api.ConsumerSetPreferredLayersRequest{
		PreferredLayers: &api.ConsumerLayers{SpatialLayer: layer},
	})
}

// Sent returns how many packets of its stream the consumer has sent.
func (c *Consumer) Sent() uint64 {
	c.t.Helper()
	r := c.Do(api.MethodConsumerGetStats, c.ID, nil).(*api.ConsumerGetStatsResponse)
	for _, s := range r.Stats {
		if sent, ok := s.Data.(*api.RTPStreamSendStats); ok {
			return sent.PacketCount
		}
	}
	return 0
}

// Received returns how many packets of its stream the producer has counted.
func (p *Producer) Received() uint64 {
	p.t.Helper()
	r := p.Do(api.MethodProducerGetStats, p.ID, nil).(*api.ProducerGetStatsResponse)
	for _, s := range r.Stats {
		if recv, ok := s.Data.(*api.RTPStreamRecvStats); ok {
			return recv.PacketCount
		}
	}
	return 0
}

// WaitReceived waits until the producer has received n packets.
func (p *Producer) WaitReceived(n uint64) {
	p.t.Helper()
	p.Eventually("packets to reach the producer", func() bool { return p.Received() >= n })
}

// ProduceData creates a data producer on a stream of the peer.
func (t *Transport) ProduceData(stream uint16) (id string) {
	t.t.Helper()
	id = newID("dataproducer")
	t.Do(api.MethodTransportProduceData, t.ID, &api.TransportProduceDataRequest{
		DataProducerID: id, Type: api.DataProducerTypeSCTP, Label: "data",
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: stream, Ordered: new(true)},
	})
	return id
}

// ConsumeData creates a data consumer on a stream to the peer.
func (t *Transport) ConsumeData(dataProducer string, stream uint16) (id string) {
	t.t.Helper()
	id = newID("dataconsumer")
	t.Do(api.MethodTransportConsumeData, t.ID, &api.TransportConsumeDataRequest{
		DataConsumerID: id, DataProducerID: dataProducer, Type: api.DataConsumerTypeSCTP, Label: "data",
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: stream, Ordered: new(true)},
	})
	return id
}

// RequireConnected fails the test unless ICE and DTLS are connected.
func (t *Transport) RequireConnected() {
	t.t.Helper()
	d := t.Dump()
	require.Equal(t.t, api.DTLSStateConnected, d.DTLSState)
	require.Equal(t.t, api.ICEStateCompleted, d.ICEState)
	require.NotNil(t.t, d.ICESelectedTuple)
}
