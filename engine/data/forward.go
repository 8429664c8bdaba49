package data

import (
	"slices"

	"gazpacho/engine/api"
)

// Wants tells whether the addressing of a message includes this consumer.
//
// A pipe's consumer without subchannels gets everything. One with subchannels ignores ignoredSubchannel: a message that a peer
// sends to all others must reach those others on the far host, who check it themselves.
func (c *Consumer) Wants(a *Addressing) bool {
	if c.relay || c.pipe.Addressed && (c.pipe.Unfiltered || len(c.subchannels) == 0) {
		return true
	}
	if a.RequiredSubchannel != nil && !c.listens(*a.RequiredSubchannel) {
		return false
	}
	if !c.pipe.Addressed && a.IgnoredSubchannel != nil && c.listens(*a.IgnoredSubchannel) {
		return false
	}
	return len(a.Subchannels) == 0 || slices.ContainsFunc(a.Subchannels, c.listens)
}

func (c *Consumer) listens(id uint16) bool { return slices.Contains(c.subchannels, id) }

// HandleMessage takes a message of the data producer that this consumer Wants. Over SCTP, send is true and s must be handed to
// the association; on a direct transport the message becomes a notification.
func (c *Consumer) HandleMessage(m *Message) (s Send, send bool) {
	if !c.open() || c.producerPaused && !m.Relayed || !c.Wants(&m.Addressing) {
		return Send{}, false
	}
	payload := m.Data
	if c.pipe.Addressed {
		payload = c.piped(m)
	}
	if c.typ == api.DataConsumerTypeDirect {
		return Send{}, c.handleDirect(m, payload)
	}
	return c.sctp(m.PPID, payload)
}

// handleDirect notifies the application; it never asks for a send.
func (c *Consumer) handleDirect(m *Message, payload []byte) (send bool) {
	if !c.count(payload) {
		return false
	}
	body := &api.DataConsumerMessageNotification{PPID: m.PPID, Data: payload}
	if c.relay {
		body.Subchannels = m.Subchannels
		body.RequiredSubchannel, body.IgnoredSubchannel = m.RequiredSubchannel, m.IgnoredSubchannel
	}
	c.notify(api.EventDataConsumerMessage, body)
	return false
}

func (c *Consumer) sctp(ppid uint32, payload []byte) (Send, bool) {
	if !c.count(payload) {
		return Send{}, false
	}
	s := Send{StreamID: c.stream.id, PPID: ppid, Data: payload, Ordered: c.stream.ordered}
	if !s.Ordered {
		s.MaxPacketLifeTime, s.MaxRetransmits = c.stream.maxPacketLifeTime, c.stream.maxRetransmits
	}
	return s, true
}

// count counts a message that leaves. One that is too large does not.
func (c *Consumer) count(payload []byte) bool {
	if len(payload) > int(c.maxMessageSize) {
		return false
	}
	c.messages++
	c.bytes += uint64(len(payload))
	return true
}

// piped encodes the addressing in front of the payload. Only subchannels that this pipe listens to travel: the far router must
// not deliver to consumers of others.
func (c *Consumer) piped(m *Message) []byte {
	a := m.Addressing
	if !c.pipe.Unfiltered && len(c.subchannels) > 0 {
		a.Subchannels = nil
		for _, id := range m.Subchannels {
			if c.listens(id) {
				a.Subchannels = append(a.Subchannels, id)
			}
		}
	}
	return c.pipe.Append(make([]byte, 0, len(m.Data)+fixedLen+2*len(a.Subchannels)+4), a, m.Data)
}

// HandleSend takes a message of the application for this consumer's receiver (DATACONSUMER_SEND). What it returns must be
// handed to the association, and the outcome is told by SendResult.
// Errors: TypeError unless over SCTP, or when the message is too large; Error when the consumer is not active.
func (c *Consumer) HandleSend(req *api.DataConsumerSendRequest) (Send, error) {
	if err := c.RequireSCTP(); err != nil {
		return Send{}, err
	}
	if len(req.Data) > int(c.maxMessageSize) {
		return Send{}, tooLarge(c.maxMessageSize, len(req.Data))
	}
	if !c.Active() {
		return Send{}, errSendFailed
	}
	payload := req.Data
	if c.pipe.Addressed {
		payload = c.piped(&Message{Data: req.Data})
	}
	s, ok := c.sctp(req.PPID, payload)
	if !ok {
		return Send{}, errSendFailed
	}
	return s, nil
}

// SendResult says what the application is told when the association refused its message, full saying that its buffer was full.
func SendResult(full bool) error {
	if full {
		return errSendBufferFull
	}
	return errSendFailed
}

// RequireSCTP is the check of the methods that only consumers over SCTP have.
func (c *Consumer) RequireSCTP() error {
	if c.typ != api.DataConsumerTypeSCTP {
		return api.TypeErrorf("invalid DataConsumer type")
	}
	return nil
}
