package transport

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

// DataOutlet takes what a data producer forwards to the data consumers of one shard. The message is shared and never
// modified.
type DataOutlet interface {
	ForwardData(now unit.Time, m *data.Message)
}

// DataProducer is a data producer in its transport.
type DataProducer struct {
	*data.Producer
	subscribers []DataOutlet
}

// AddSubscriber delivers messages to o too.
func (p *DataProducer) AddSubscriber(o DataOutlet) { p.subscribers = append(p.subscribers, o) }

// RemoveSubscriber ends the delivery to o.
func (p *DataProducer) RemoveSubscriber(o DataOutlet) {
	p.subscribers = slices.DeleteFunc(p.subscribers, func(have DataOutlet) bool { return have == o })
}

func (p *DataProducer) forward(now unit.Time, m *data.Message) {
	for _, o := range p.subscribers {
		o.ForwardData(now, m)
	}
}

// DataConsumer is a data consumer in its transport.
type DataConsumer struct {
	*data.Consumer
	transport *Transport
}

// CarriesData reports whether the transport can carry data: over SCTP, or directly to and from the application.
func (t *Transport) CarriesData() bool { return t.sctp != nil || t.options.Direct }

// requireData refuses data on a transport that can carry none.
func (t *Transport) requireData() error {
	if !t.CarriesData() {
		return api.Errorf("SCTP not enabled and not a direct Transport")
	}
	return nil
}

// ProduceData answers TRANSPORT_PRODUCE_DATA.
func (t *Transport) ProduceData(now unit.Time, req *api.TransportProduceDataRequest) (*DataProducer, error) {
	if err := t.requireData(); err != nil {
		return nil, err
	}
	machine, err := data.NewProducer(req, t.options.MaxReceiveMessageSize)
	if err != nil {
		return nil, err
	}
	switch machine.Type() {
	case api.DataProducerTypeSCTP:
		if t.sctp == nil {
			return nil, api.TypeErrorf("cannot create a DataProducer of type 'sctp', SCTP not enabled in this Transport")
		}
		if err := t.dataListener.Add(machine); err != nil {
			return nil, err
		}
	case api.DataProducerTypeDirect:
		if !t.options.Direct {
			return nil, api.TypeErrorf("cannot create a DataProducer of type 'direct', not a direct Transport")
		}
	}
	if t.options.Internal && machine.Type() == api.DataProducerTypeDirect {
		machine.Relay()
	}
	p := &DataProducer{Producer: machine}
	t.dataProducers = append(t.dataProducers, p)
	t.mayConnectSCTP(now)
	return p, nil
}

// CloseDataProducer removes p. The owner closed its consumers before.
func (t *Transport) CloseDataProducer(now unit.Time, p *DataProducer) {
	t.dataProducers = slices.DeleteFunc(t.dataProducers, func(o *DataProducer) bool { return o == p })
	p.subscribers = nil
	id, ok := p.StreamID()
	if !ok {
		return
	}
	t.dataListener.Remove(p.Producer)
	if t.options.IsDataChannel {
		t.sctp.ResetStreams(now, id)
		t.drainSCTP(now)
	}
}

// ConsumeData answers TRANSPORT_CONSUME_DATA.
func (t *Transport) ConsumeData(now unit.Time, req *api.TransportConsumeDataRequest) (*DataConsumer, error) {
	c, err := t.newDataConsumer(req)
	if err != nil {
		return nil, err
	}
	if id, overSCTP := c.StreamID(); overSCTP {
		t.dataByStream[id] = c
	}
	t.dataConsumers = append(t.dataConsumers, c)
	t.mayConnectSCTP(now)
	return c, nil
}

// CheckConsumeData returns the error that ConsumeData would return, and changes nothing.
func (t *Transport) CheckConsumeData(req *api.TransportConsumeDataRequest) error {
	_, err := t.newDataConsumer(req)
	return err
}

// newDataConsumer makes a data consumer that the transport can carry, without entering it.
func (t *Transport) newDataConsumer(req *api.TransportConsumeDataRequest) (*DataConsumer, error) {
	if err := t.requireData(); err != nil {
		return nil, err
	}
	machine, err := data.NewConsumer(req, t.options.MaxSendMessageSize, t.dataPipe)
	if err != nil {
		return nil, err
	}
	if t.options.Internal && machine.Type() == api.DataConsumerTypeDirect {
		machine.Relay()
	}
	switch id, overSCTP := machine.StreamID(); {
	case !overSCTP && !t.options.Direct:
		return nil, api.TypeErrorf("cannot create a DataConsumer of type 'direct', not a direct Transport")
	case overSCTP && t.sctp == nil:
		return nil, api.TypeErrorf("cannot create a DataConsumer of type 'sctp', SCTP not enabled in this Transport")
	case overSCTP && t.dataByStream[id] != nil:
		return nil, api.Errorf("an SCTP DataConsumer with same streamId %d already exists [method:transport.consumeData]", id)
	}
	return &DataConsumer{Consumer: machine, transport: t}, nil
}

// CloseDataConsumer removes c without a notification.
func (t *Transport) CloseDataConsumer(now unit.Time, c *DataConsumer) {
	t.dataConsumers = slices.DeleteFunc(t.dataConsumers, func(o *DataConsumer) bool { return o == c })
	t.news.forget(c.ID())
	if id, ok := c.StreamID(); ok && t.dataByStream[id] == c {
		delete(t.dataByStream, id)
		t.sctp.ResetStreams(now, id)
		t.drainSCTP(now)
	}
}

// UpdateDataConsumer calls f, which may change c, and emits the notifications that follow.
func (t *Transport) UpdateDataConsumer(now unit.Time, c *DataConsumer, f func(*data.Consumer)) {
	f(c.Consumer)
	t.drainDataConsumer(now, c)
}

func (t *Transport) drainDataConsumer(now unit.Time, c *DataConsumer) {
	notifications := c.Notifications()
	for i := range notifications {
		t.news.emit(now, t, &notifications[i])
	}
}

// HandleMessage sends a message of c's data producer to c's peer. One that arrives after the transport's end is dropped.
func (c *DataConsumer) HandleMessage(now unit.Time, m *data.Message) {
	t := c.transport
	if t.isClosed || t.isBroken {
		return
	}
	s, send := c.Consumer.HandleMessage(m)
	if send {
		_ = t.sendData(now, c, &s) // counts failures, and notifies of a full buffer
		return
	}
	if c.Type() == api.DataConsumerTypeDirect {
		t.sent(now, len(m.Data))
		t.drainDataConsumer(now, c)
	}
}

// SendData answers DATACONSUMER_SEND.
func (t *Transport) SendData(now unit.Time, c *DataConsumer, req *api.DataConsumerSendRequest) (*api.DataConsumerSendResponse, error) {
	s, err := c.HandleSend(req)
	if err != nil {
		return nil, err
	}
	s.Data = slices.Clone(s.Data) // the request's bytes are the channel's
	if err := t.sendData(now, c, &s); err != nil {
		return nil, data.SendResult(err == sctp.ErrSendBufferFull)
	}
	return &api.DataConsumerSendResponse{BufferedAmount: t.sctp.BufferedAmount(s.StreamID)}, nil
}

// HandleDataProducerSend takes DATAPRODUCER_SEND: a message from the application.
func (t *Transport) HandleDataProducerSend(now unit.Time, p *DataProducer, n *api.DataProducerSendNotification) error {
	t.received(now, len(n.Data))
	m, forward, err := p.HandleSend(n)
	if err != nil {
		return err
	}
	if forward && len(p.subscribers) > 0 {
		m.Data = slices.Clone(m.Data) // the channel reuses the notification's bytes
		p.forward(now, &m)
	}
	return nil
}

// BufferedAmounts returns the bytes queued on c's stream, and the threshold; zero without SCTP.
func (t *Transport) BufferedAmounts(c *DataConsumer) data.BufferedAmounts {
	id, ok := c.StreamID()
	if !ok {
		return data.BufferedAmounts{}
	}
	return data.BufferedAmounts{Amount: t.sctp.BufferedAmount(id), LowThreshold: t.sctp.BufferedAmountLowThreshold(id)}
}

// SetBufferedAmountLowThreshold answers DATACONSUMER_SET_BUFFERED_AMOUNT_LOW_THRESHOLD.
func (t *Transport) SetBufferedAmountLowThreshold(now unit.Time, c *DataConsumer, threshold uint32) error {
	if err := c.RequireSCTP(); err != nil {
		return err
	}
	id, _ := c.StreamID()
	t.sctp.SetBufferedAmountLowThreshold(id, threshold)
	t.drainSCTP(now)
	return nil
}
