package sctp

import (
	"sync"

	pion "github.com/pion/sctp"

	"gazpacho/engine/api"
)

// Association is one SCTP association. Its methods never block on the network and may be called from any goroutine, though a
// shard calls them from its own; drain it with Poll after each call.
//
// Lock order: mu, then pion's own, then edge.mu.
type Association struct {
	cfg  Config
	edge edge

	mu      sync.Mutex
	started bool
	pion    *pion.Association // nil until connected
	conn    *conn             // pion's
	streams streams
	send    sender
}

// New makes an association in the state NEW that does nothing before MayConnect or the first valid packet.
//
// wake is called, from any goroutine, when Poll has something new; it is not called for what a method produces while the
// caller is in it. It must only post to the shard: not block, and not call the association. Once Close has returned, wake is
// not called again.
func New(cfg Config, wake func()) *Association {
	a := &Association{cfg: cfg.withDefaults()}
	a.edge.init(a, wake)
	return a
}

// MayConnect starts the handshake, if it has not begun. Upstream calls it when the transport is connected and holds at least
// one data producer or data consumer; both ends start.
func (a *Association) MayConnect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.start()
}

// State returns the present state. NEW becomes CONNECTING, then CONNECTED or FAILED, then CLOSED; there is no way back.
func (a *Association) State() api.SCTPState { return a.edge.currentState() }

// NegotiatedStreams returns how many streams each direction may use; zeros until connected.
func (a *Association) NegotiatedStreams() (out, in uint16) {
	a.edge.mu.Lock()
	defer a.edge.mu.Unlock()
	return a.edge.negotiated.NegotiatedMaxOutboundStreams, a.edge.negotiated.NegotiatedMaxInboundStreams
}

// Parameters returns what upstream's dumps tell of the association.
func (a *Association) Parameters() *api.SCTPParameters {
	return &api.SCTPParameters{
		Port:                        a.cfg.Port,
		MaxSendMessageSize:          a.cfg.MaxSendMessageSize,
		MaxReceiveMessageSize:       a.cfg.MaxReceiveMessageSize,
		SendBufferSize:              a.cfg.SendBufferSize,
		PerStreamSendQueueLimit:     a.cfg.PerStreamSendQueueLimit,
		MaxReceiverWindowBufferSize: a.cfg.MaxReceiverWindowBufferSize,
		IsDataChannel:               a.cfg.IsDataChannel,
	}
}

// HandlePacket takes an SCTP packet of the peer. It never blocks; b is copied. In the state NEW a valid packet starts the
// handshake, as in upstream.
func (a *Association) HandlePacket(b []byte) {
	if !a.edge.handlePacket(b) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.start()
}

// Poll moves everything new into out.
func (a *Association) Poll(out *Output) { a.edge.poll(out) }

// Send queues a message. Before the association is connected messages wait, as in upstream.
// Errors: ErrEmpty, ErrTooLarge, ErrSendBufferFull, ErrNotConnected.
func (a *Association) Send(m Message, o SendOptions) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue(m, o)
}

// ResetStreams closes outgoing streams (RFC 6525), each after what was queued on it has been sent. Afterwards an id may be
// used anew. It does nothing unless connected to a peer that supports it, as in upstream.
func (a *Association) ResetStreams(ids ...uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resetStreams(ids)
}

// BufferedAmount returns how many bytes of a stream wait to be sent; those in flight do not count.
func (a *Association) BufferedAmount(streamID uint16) uint32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bufferedAmount(streamID)
}

// SetBufferedAmountLowThreshold sets the amount at which a stream's buffered data count as low (bytes).
func (a *Association) SetBufferedAmountLowThreshold(streamID uint16, v uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setThreshold(streamID, v)
}

// BufferedAmountLowThreshold returns the threshold in bytes.
func (a *Association) BufferedAmountLowThreshold(streamID uint16) uint32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.threshold(streamID)
}

// Close ends the association. A peer that is known gets an ABORT, which the last Poll after Close returns, as in upstream.
// There is no state change in the output, since the caller knows. Close twice is allowed.
func (a *Association) Close() { a.edge.close() }

// Counters returns what was dropped so far.
func (a *Association) Counters() Counters {
	a.edge.mu.Lock()
	defer a.edge.mu.Unlock()
	return a.edge.counters
}
