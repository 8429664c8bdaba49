package app

import (
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// Payload types of the router and of all peers: only SSRCs are mapped.
const (
	OpusPayloadType = 111
	VP8PayloadType  = 96
)

// lastMapped numbers the SSRCs that a router knows streams by.
func newSSRC() uint32 { return 0x7000_0000 + ids.Add(1) }

// Producer is a producer, with what its consumers need.
type Producer struct {
	*Transport
	ID     string
	kind   api.MediaKind
	mapped uint32
}

func codec(kind api.MediaKind) api.RTPCodecParameters {
	if kind == api.MediaKindAudio {
		return api.RTPCodecParameters{MimeType: "audio/opus", PayloadType: OpusPayloadType, ClockRate: 48000, Channels: new(uint8(2))}
	}
	return api.RTPCodecParameters{
		MimeType: "video/VP8", PayloadType: VP8PayloadType, ClockRate: 90000,
		RTCPFeedback: []api.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}
}

func parameters(kind api.MediaKind, ssrc uint32) *api.RTPParameters {
	return &api.RTPParameters{
		Codecs:    []api.RTPCodecParameters{codec(kind)},
		Encodings: []api.RTPEncodingParameters{{SSRC: new(ssrc)}},
		RTCP:      &api.RTCPParameters{CNAME: "cname", ReducedSize: true},
	}
}

// Produce creates a producer for the stream that the transport's peer sends with an SSRC.
func (t *Transport) Produce(kind api.MediaKind, ssrc uint32) *Producer {
	t.t.Helper()
	p := &Producer{t, newID("producer"), kind, newSSRC()}
	pt := codec(kind).PayloadType
	t.Do(api.MethodTransportProduce, t.ID, &api.TransportProduceRequest{
		ProducerID: p.ID, Kind: kind, RTPParameters: parameters(kind, ssrc),
		RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: pt, MappedPayloadType: pt}},
			Encodings: []api.EncodingMapping{{SSRC: new(ssrc), MappedSSRC: p.mapped}},
		},
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
	t.Do(api.MethodTransportConsume, t.ID, &api.TransportConsumeRequest{
		ConsumerID: c.ID, ProducerID: p.ID, Kind: p.kind, Type: api.RTPTypeSimple, RTPParameters: parameters(p.kind, ssrc),
		ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: new(p.mapped)}},
	})
	return c
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
