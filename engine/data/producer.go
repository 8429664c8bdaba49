package data

import (
	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Producer receives messages, over SCTP or from the application, and says which are forwarded.
type Producer struct {
	id             string
	typ            api.DataProducerType
	stream         *stream // nil unless over SCTP
	label          string
	protocol       string
	maxMessageSize uint32
	relay          bool // see Relay
	paused         bool
	messages       uint64
	bytes          uint64
}

// NewProducer validates the request. maxMessageSize is the transport's maxReceiveMessageSize (bytes).
// Errors: *api.Error with mediasoup's texts. Whether the transport can carry the type is for the transport to check.
func NewProducer(req *api.TransportProduceDataRequest, maxMessageSize uint32) (*Producer, error) {
	p := &Producer{
		id: req.DataProducerID, typ: req.Type, label: req.Label, protocol: req.Protocol, paused: req.Paused,
		maxMessageSize: maxMessageSize,
	}
	if req.Type == api.DataProducerTypeSCTP {
		var err error
		if p.stream, err = parseStream(req.SCTPStreamParameters); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Relay makes the producer one that stands for a data producer of another worker. Messages are not forwarded there while that is
// paused; what arrives here was on its way before, and goes on to the consumers although they know of the pause.
func (p *Producer) Relay() { p.relay = true }

// ID returns the producer's id.
func (p *Producer) ID() string { return p.id }

// Type returns how messages arrive.
func (p *Producer) Type() api.DataProducerType { return p.typ }

// StreamID returns the SCTP stream; ok is false unless over SCTP.
func (p *Producer) StreamID() (id uint16, ok bool) {
	if p.stream == nil {
		return 0, false
	}
	return p.stream.id, true
}

// Paused reports whether messages are dropped.
func (p *Producer) Paused() bool { return p.paused }

// Pause stops forwarding; changed is false when it was paused already (there is nothing to notify).
func (p *Producer) Pause() (changed bool) {
	changed = !p.paused
	p.paused = true
	return changed
}

// Resume forwards again; changed is false when it was not paused.
func (p *Producer) Resume() (changed bool) {
	changed = p.paused
	p.paused = false
	return changed
}

// HandleMessage counts a message of the peer and reports whether to pass it to the consumers. over tells
// whether it may begin with an addressing.
func (p *Producer) HandleMessage(ppid uint32, payload []byte, over Pipe) (m Message, forward bool) {
	m = Message{PPID: ppid, Data: payload}
	if over.Addressed {
		m.Addressing, m.Data = over.Parse(payload)
	}
	return m, p.count(len(m.Data))
}

// HandleSend takes a message of the application (DATAPRODUCER_SEND) and reports whether to pass it to the consumers.
// Error: TypeError when the message is larger than maxMessageSize.
func (p *Producer) HandleSend(n *api.DataProducerSendNotification) (m Message, forward bool, err error) {
	if len(n.Data) > int(p.maxMessageSize) {
		return Message{}, false, tooLarge(p.maxMessageSize, len(n.Data))
	}
	m = Message{PPID: n.PPID, Data: n.Data, Relayed: p.relay, Addressing: Addressing{
		Subchannels: n.Subchannels, RequiredSubchannel: n.RequiredSubchannel, IgnoredSubchannel: n.IgnoredSubchannel,
	}}
	return m, p.count(len(m.Data)), nil
}

func (p *Producer) count(n int) (forward bool) {
	p.messages++
	p.bytes += uint64(n)
	return p.relay || !p.paused
}

// Dump returns the producer's inner state.
func (p *Producer) Dump() *api.DataProducerDumpResponse {
	return &api.DataProducerDumpResponse{
		ID: p.id, Type: p.typ, SCTPStreamParameters: p.stream.dump(), Label: p.label, Protocol: p.protocol, Paused: p.paused,
	}
}

// Stats returns what was received so far; messages that came while paused count too, as in mediasoup.
func (p *Producer) Stats(now unit.Time) *api.DataProducerGetStatsResponse {
	return &api.DataProducerGetStatsResponse{
		Timestamp: now.Milliseconds(), Label: p.label, Protocol: p.protocol,
		MessagesReceived: p.messages, BytesReceived: p.bytes,
	}
}

func tooLarge(limit uint32, n int) error {
	return api.TypeErrorf("given message exceeds maxMessageSize value [maxMessageSize:%d, len:%d]", limit, n)
}
