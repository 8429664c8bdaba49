package transport

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

// sctpMTU is the size of an SCTP packet in bytes, mediasoup's value: it fits into a DTLS record in a UDP datagram.
const sctpMTU = 1191

// newAssociation returns the association of a transport whose options enable SCTP.
func newAssociation(o *api.TransportOptions, overDTLS bool) *sctp.Association {
	return sctp.New(sctp.Config{
		MTU:                                     sctpMTU,
		MaxSendMessageSize:                      o.MaxSendMessageSize,
		MaxReceiveMessageSize:                   o.MaxReceiveMessageSize,
		SendBufferSize:                          o.SCTPSendBufferSize,
		PerStreamSendQueueLimit:                 o.SCTPPerStreamSendQueueLimit,
		MaxReceiverWindowBufferSize:             o.SCTPMaxReceiverWindowBufferSize,
		DefaultStreamBufferedAmountLowThreshold: o.SCTPDefaultStreamBufferedAmountLowThreshold,
		IsDataChannel:                           o.IsDataChannel,
		OverDTLS:                                overDTLS,
	})
}

// looksLikeSCTP reports whether a datagram that is neither RTP nor RTCP may be SCTP: a common header and chunks, all in words of
// four bytes (RFC 9260 section 3).
func looksLikeSCTP(b []byte) bool { return len(b) >= 12 && len(b)%4 == 0 }

// handleSCTP takes an SCTP packet of the peer.
func (t *Transport) handleSCTP(now unit.Time, packet []byte) {
	if t.sctp == nil {
		t.drops.SCTPUnexpected++
		return
	}
	t.sctp.HandlePacket(now, packet)
	t.drainSCTP(now)
}

// mayConnectSCTP starts the association once the transport is connected and has data producers or consumers: a browser without
// data channels has no SCTP to answer with.
func (t *Transport) mayConnectSCTP(now unit.Time) {
	if t.sctp != nil && t.backend.connected() && len(t.dataProducers)+len(t.dataConsumers) > 0 {
		t.sctp.MayConnect(now)
		t.drainSCTP(now)
	}
}

// timeoutSCTP does what is due.
func (t *Transport) timeoutSCTP(now unit.Time) {
	if t.sctp != nil {
		t.sctp.HandleTimeout(now)
		t.drainSCTP(now)
	}
}

// nextSCTPTimeout returns when timeoutSCTP wants to be called.
func (t *Transport) nextSCTPTimeout() unit.Time {
	if t.sctp == nil {
		return unit.Never
	}
	return t.sctp.NextTimeout()
}

// drainSCTP acts on the association's output. That may make more output: the outermost call handles all of it, so that everything
// keeps its order.
func (t *Transport) drainSCTP(now unit.Time) {
	if t.drainingSCTP {
		return
	}
	t.drainingSCTP = true
	defer func() { t.drainingSCTP = false }()
	out := &t.sctpOutput
	for t.sctp.Poll(out); !out.Empty(); t.sctp.Poll(out) {
		t.handleSCTPOutput(now, out)
	}
	t.lowerDeadline(t.sctp.NextTimeout())
}

func (t *Transport) handleSCTPOutput(now unit.Time, out *sctp.Output) {
	for _, state := range out.States {
		t.changeSCTPState(state, &out.Negotiated)
	}
	for _, packet := range out.Packets {
		t.backend.sendSCTP(now, packet)
	}
	for i := range out.Messages {
		t.handleDataMessage(now, &out.Messages[i])
	}
	for _, id := range out.StreamsReset {
		t.handleStreamReset(now, id)
	}
	for _, id := range out.BufferedAmountLow {
		if c := t.dataByStream[id]; c != nil {
			c.HandleBufferedAmountLow(t.sctp.BufferedAmount(id))
			t.drainDataConsumer(now, c)
		}
	}
}

func (t *Transport) changeSCTPState(state api.SCTPState, negotiated *api.SCTPNegotiatedCapabilities) {
	switch state {
	case api.SCTPStateConnected:
		t.emit(t.id, api.EventTransportSCTPNegotiatedCapabilities,
			&api.TransportSCTPNegotiatedCapabilitiesNotification{NegotiatedCapabilities: negotiated})
	case api.SCTPStateFailed, api.SCTPStateClosed:
		for _, c := range t.dataByStream {
			c.HandleSCTPClosed()
		}
	}
	t.emit(t.id, api.EventTransportSCTPStateChange, &api.TransportSCTPStateChangeNotification{SCTPState: state})
}

func (t *Transport) handleDataMessage(now unit.Time, m *sctp.Message) {
	t.env.Figures.Data.received(len(m.Data))
	machine := t.dataListener.Producer(m.StreamID)
	if machine == nil {
		t.drops.DataUnknown++
		return
	}
	for _, p := range t.dataProducers {
		if p.Producer == machine {
			if message, forward := p.HandleMessage(m.PPID, m.Data, t.dataPipe); forward {
				p.forward(now, &message)
			}
			return
		}
	}
}

// handleStreamReset takes the closing of a data channel by the peer (RFC 8831 section 6.7): it closes the other direction, and the
// data consumer. As in mediasoup, there is no notification.
func (t *Transport) handleStreamReset(now unit.Time, id uint16) {
	c := t.dataByStream[id]
	if c == nil || !t.options.IsDataChannel {
		return
	}
	delete(t.dataByStream, id)
	t.dataConsumers = slices.DeleteFunc(t.dataConsumers, func(o *DataConsumer) bool { return o == c })
	c.HandleSCTPClosed()
	t.env.DataConsumerClosed(c.ID())
	t.emit(c.ID(), api.EventDataConsumerClosedByPeer, nil)
	t.sctp.ResetStreams(now, id)
}

// sendData gives a data consumer's message to the association, which keeps its data.
func (t *Transport) sendData(now unit.Time, c *DataConsumer, s *data.Send) error {
	err := t.sctp.Send(now, sctp.Message{StreamID: s.StreamID, PPID: s.PPID, Data: s.Data}, sctp.SendOptions{
		Ordered: s.Ordered, MaxPacketLifeTime: s.MaxPacketLifeTime, MaxRetransmits: s.MaxRetransmits,
	})
	switch err {
	case nil:
		t.env.Figures.Data.sent(len(s.Data))
	case sctp.ErrSendBufferFull:
		t.drops.DataBufferFull++
		c.HandleSendBufferFull()
		t.drainDataConsumer(now, c)
	default:
		t.drops.DataUnsendable++
	}
	t.drainSCTP(now)
	return err
}

// dumpSCTP adds the association to a dump.
func (t *Transport) dumpSCTP(d *api.TransportDump) {
	if t.sctp == nil {
		return
	}
	out, in := t.sctp.NegotiatedStreams()
	d.SCTPParameters = t.sctp.Parameters()
	if n := t.options.NumSCTPStreams; n != nil { // releases before 3.21 get back what they asked for
		d.SCTPParameters.OS, d.SCTPParameters.MIS = n.OS, n.MIS
	}
	d.SCTPState = new(t.sctp.State())
	d.SCTPNegotiatedCapabilities = &api.SCTPNegotiatedCapabilities{
		NegotiatedMaxOutboundStreams: out, NegotiatedMaxInboundStreams: in,
	}
	d.SCTPListener = t.dataListener.Dump()
}
