package data

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Consumer says which of a data producer's messages its receiver gets, and counts them.
type Consumer struct {
	id             string
	producerID     string
	typ            api.DataConsumerType
	stream         *stream // nil unless over SCTP
	label          string
	protocol       string
	maxMessageSize uint32
	pipe           Pipe
	relay          bool // see Relay
	paused         bool
	producerPaused bool
	producerClosed bool
	sctpClosed     bool
	subchannels    []uint16 // in the order in which they were added, each once
	messages       uint64
	bytes          uint64
	notifications  []api.Notification
}

// Send is a message that must leave on SCTP: the parameters of engine/sctp.
type Send struct {
	StreamID          uint16
	PPID              uint32
	Data              []byte
	Ordered           bool
	MaxPacketLifeTime *uint16 // milliseconds; nil when ordered
	MaxRetransmits    *uint16 // nil when ordered
}

// NewConsumer validates the request. maxMessageSize is the transport's maxSendMessageSize (bytes); pipe tells whether
// messages carry their addressing.
// Errors: *api.Error with mediasoup's texts. Whether the transport can carry the type is for the transport to check.
func NewConsumer(req *api.TransportConsumeDataRequest, maxMessageSize uint32, pipe Pipe) (*Consumer, error) {
	c := &Consumer{
		id: req.DataConsumerID, producerID: req.DataProducerID, typ: req.Type, label: req.Label, protocol: req.Protocol,
		paused: req.Paused, maxMessageSize: maxMessageSize, pipe: pipe,
	}
	if req.Type == api.DataConsumerTypeSCTP {
		var err error
		if c.stream, err = parseStream(req.SCTPStreamParameters); err != nil {
			return nil, err
		}
	}
	c.SetSubchannels(req.Subchannels)
	return c, nil
}

// Relay makes the consumer one that hands all messages to another worker, each with its addressing.
func (c *Consumer) Relay() { c.relay = true }

// ID returns the consumer's id.
func (c *Consumer) ID() string { return c.id }

// ProducerID returns the id of the data producer.
func (c *Consumer) ProducerID() string { return c.producerID }

// Type returns how messages leave.
func (c *Consumer) Type() api.DataConsumerType { return c.typ }

// StreamID returns the SCTP stream; ok is false unless over SCTP.
func (c *Consumer) StreamID() (id uint16, ok bool) {
	if c.stream == nil {
		return 0, false
	}
	return c.stream.id, true
}

// Active reports whether messages are forwarded at present.
func (c *Consumer) Active() bool { return !c.producerPaused && c.open() }

// open is Active whether the data producer is paused or not.
func (c *Consumer) open() bool {
	return !c.paused && !c.producerClosed && (c.typ == api.DataConsumerTypeDirect || !c.sctpClosed)
}

// Pause and Resume are the application's.
func (c *Consumer) Pause() { c.paused = true }

// Resume forwards again.
func (c *Consumer) Resume() { c.paused = false }

// Attach tells the state of the data producer at creation; nothing is notified.
func (c *Consumer) Attach(producerPaused bool) { c.producerPaused = producerPaused }

// HandleProducerPaused: the data producer was paused.
func (c *Consumer) HandleProducerPaused() {
	if !c.producerPaused {
		c.producerPaused = true
		c.notify(api.EventDataConsumerDataProducerPause, nil)
	}
}

// HandleProducerResumed: the data producer was resumed.
func (c *Consumer) HandleProducerResumed() {
	if c.producerPaused {
		c.producerPaused = false
		c.notify(api.EventDataConsumerDataProducerResume, nil)
	}
}

// HandleProducerClosed: the data producer is gone; the caller removes the consumer after draining it.
func (c *Consumer) HandleProducerClosed() {
	c.producerClosed = true
	c.notify(api.EventDataConsumerDataProducerClose, nil)
}

// HandleSCTPClosed: the association failed or was closed.
func (c *Consumer) HandleSCTPClosed() { c.sctpClosed = true }

// HandleBufferedAmountLow: the stream's buffered amount (bytes) fell to its threshold.
func (c *Consumer) HandleBufferedAmountLow(amount uint32) {
	c.notify(api.EventDataConsumerBufferedAmountLow, &api.DataConsumerBufferedAmountLowNotification{BufferedAmount: amount})
}

// HandleSendBufferFull: the association refused a message because its buffer is full.
func (c *Consumer) HandleSendBufferFull() { c.notify(api.EventDataConsumerSCTPSendBufferFull, nil) }

// Notifications returns and forgets the notifications for the application. Drain it after each call.
func (c *Consumer) Notifications() []api.Notification {
	n := c.notifications
	c.notifications = nil
	return n
}

func (c *Consumer) notify(e api.Event, body api.NotificationBody) {
	c.notifications = append(c.notifications, api.Notification{HandlerID: c.id, Event: e, Body: body})
}

// BufferedAmounts is what the association knows of a consumer's stream (bytes); zeros on direct transports.
type BufferedAmounts struct {
	Amount       uint32
	LowThreshold uint32
}

// Dump returns the consumer's inner state.
func (c *Consumer) Dump(b BufferedAmounts) *api.DataConsumerDumpResponse {
	return &api.DataConsumerDumpResponse{
		ID: c.id, DataProducerID: c.producerID, Type: c.typ, SCTPStreamParameters: c.stream.dump(), Label: c.label,
		Protocol: c.protocol, BufferedAmount: b.Amount, BufferedAmountLowThreshold: b.LowThreshold, Paused: c.paused,
		DataProducerPaused: c.producerPaused, Subchannels: c.Subchannels(),
	}
}

// Stats returns what was sent so far.
func (c *Consumer) Stats(now unit.Time, b BufferedAmounts) *api.DataConsumerGetStatsResponse {
	return &api.DataConsumerGetStatsResponse{
		Timestamp: now.Milliseconds(), Label: c.label, Protocol: c.protocol, MessagesSent: c.messages, BytesSent: c.bytes,
		BufferedAmount: b.Amount,
	}
}

// Subchannels returns those that the consumer listens to.
func (c *Consumer) Subchannels() []uint16 { return append([]uint16{}, c.subchannels...) }

// SetSubchannels replaces the subchannels; duplicates count once.
func (c *Consumer) SetSubchannels(ids []uint16) {
	c.subchannels = nil
	for _, id := range ids {
		c.AddSubchannel(id)
	}
}

// AddSubchannel adds one.
func (c *Consumer) AddSubchannel(id uint16) {
	if !slices.Contains(c.subchannels, id) {
		c.subchannels = append(c.subchannels, id)
	}
}

// RemoveSubchannel removes one.
func (c *Consumer) RemoveSubchannel(id uint16) {
	if i := slices.Index(c.subchannels, id); i >= 0 {
		c.subchannels = slices.Delete(c.subchannels, i, i+1)
	}
}
