package sctp

import (
	"slices"
	"time"

	pion "github.com/pion/sctp"

	"gazpacho/engine/api"
)

// sender is what waits to be sent, all streams.
type sender struct {
	ring  []*outStream // streams with something to send, in turn
	high  []*outStream // streams whose buffered amount is above their threshold
	bytes uint32
	last  *outStream // the stream whose message was handed to pion last
}

// outStream is an outgoing stream.
type outStream struct {
	id, inner   uint16
	stream      *pion.Stream // nil while pion knows nothing of it
	queue       []queued
	bytes       uint32
	threshold   uint32
	high        bool // is in sender.high
	inRing      bool
	closing     bool // reset when the queue is empty
	resetting   bool // until the peer has answered
	reliability reliability
}

type queued struct {
	data     []byte
	ppid     uint32
	expires  time.Time // zero: never
	delivery reliability
}

// reliability is how pion is told to deliver; the zero value is its default.
type reliability struct {
	unordered bool
	typ       byte
	value     uint32
}

// delivery translates options for pion, with its two faults: it counts the first transmission as a retransmission, and it
// measures lifetimes from the last transmission, so that they never end. A lifetime becomes the number of retransmissions
// that fit into it when each waits twice as long as the one before, the first a second (RFC 9260 section 6.3.3), none longer than
// maxRTO, and one more for a fast retransmission.
func (o SendOptions) delivery(maxRTO time.Duration) reliability {
	r := reliability{unordered: !o.Ordered}
	switch {
	case o.Ordered:
	case o.MaxRetransmits != nil:
		r.typ, r.value = pion.ReliabilityTypeRexmit, uint32(*o.MaxRetransmits)+1
	case o.MaxPacketLifeTime != nil:
		r.typ, r.value = pion.ReliabilityTypeRexmit, retransmissions(*o.MaxPacketLifeTime, maxRTO)+2
	}
	return r
}

// retransmissions returns how often a message is sent again within its lifetime (milliseconds).
func retransmissions(lifetime uint16, maxRTO time.Duration) (n uint32) {
	wait := min(time.Second, maxRTO)
	for at := wait; at <= time.Duration(lifetime)*time.Millisecond; at += wait {
		n++
		wait = min(2*wait, maxRTO)
	}
	return n
}

// outStream finds or makes an outgoing stream.
func (a *Association) outStream(id uint16) *outStream {
	s := &a.streams
	if o := s.out[id]; o != nil {
		return o
	}
	if s.out == nil {
		s.out = map[uint16]*outStream{}
	}
	o := &outStream{id: id, threshold: a.cfg.DefaultStreamBufferedAmountLowThreshold}
	s.out[id] = o
	return o
}

// queue takes a message. A full queue is one at its limit: the last message may exceed it, as in upstream.
func (a *Association) queue(m Message, opts SendOptions) error {
	state := a.edge.currentState()
	switch {
	case len(m.Data) == 0:
		return ErrEmpty
	case len(m.Data) > int(a.cfg.MaxSendMessageSize):
		return ErrTooLarge
	case state == api.SCTPStateClosed || state == api.SCTPStateFailed:
		return ErrNotConnected
	case a.send.bytes >= a.cfg.SendBufferSize || a.bufferedAmount(m.StreamID) >= a.cfg.PerStreamSendQueueLimit:
		return ErrSendBufferFull
	}
	o := a.outStream(m.StreamID)
	q := queued{data: slices.Clone(m.Data), ppid: m.PPID, delivery: opts.delivery(a.cfg.MaxRTO)}
	if !opts.Ordered && opts.MaxPacketLifeTime != nil {
		q.expires = time.Now().Add(time.Duration(*opts.MaxPacketLifeTime) * time.Millisecond)
	}
	o.queue = append(o.queue, q)
	o.bytes += uint32(len(q.data))
	a.send.bytes += uint32(len(q.data))
	a.enroll(o)
	a.noteHigh(o)
	a.pump()
	return nil
}

func (a *Association) enroll(o *outStream) {
	if !o.inRing && !o.resetting && (len(o.queue) > 0 || o.closing) {
		o.inRing = true
		a.send.ring = append(a.send.ring, o)
	}
}

// pump hands pion what fits its congestion window, one message of each stream in turn, and begins the resets that waited for
// their stream's queue. The caller holds mu.
func (a *Association) pump() {
	if a.pion == nil {
		return
	}
	for len(a.send.ring) > 0 && a.excess() == 0 {
		o := a.send.ring[0]
		a.send.ring[0] = nil
		a.send.ring = a.send.ring[1:]
		o.inRing = false
		if !a.advance(o) {
			break // the association is over
		}
		a.enroll(o)
	}
	if len(a.send.ring) == 0 {
		a.send.ring = nil
	}
	a.noteLow()
}

// excess returns by how many bytes pion holds more than its congestion window lets leave; zero while there is room.
func (a *Association) excess() uint32 {
	held, window := uint32(a.pion.BufferedAmount()), max(a.pion.CWND(), a.cfg.MTU)
	if held < window {
		return 0
	}
	return held - window + 1
}

// advance hands over one message of a stream, or resets it.
func (a *Association) advance(o *outStream) bool {
	if o.stream == nil && !a.openOut(o) {
		return false
	}
	if len(o.queue) == 0 {
		o.closing, o.resetting = false, true
		return o.stream.Close() == nil
	}
	q := o.queue[0]
	o.queue[0] = queued{}
	o.queue = o.queue[1:]
	if len(o.queue) == 0 {
		o.queue = nil
	}
	o.bytes -= uint32(len(q.data))
	a.send.bytes -= uint32(len(q.data))
	if !q.expires.IsZero() && time.Now().After(q.expires) {
		a.edge.mu.Lock()
		a.edge.counters.MessagesExpired++
		a.edge.mu.Unlock()
		return true
	}
	if o.reliability != q.delivery {
		o.reliability = q.delivery
		o.stream.SetReliabilityParams(q.delivery.unordered, q.delivery.typ, q.delivery.value)
	}
	a.send.last = o
	_, err := o.stream.WriteSCTP(q.data, pion.PayloadProtocolIdentifier(q.ppid))
	return err == nil
}

// amount returns how many bytes of a stream have not left: its queue, and what pion cannot send yet of the last message.
func (a *Association) amount(o *outStream) uint32 {
	n := o.bytes
	if a.send.last == o && a.pion != nil {
		if e := a.excess(); e > 1 {
			n += e - 1
		}
	}
	return n
}

// noteHigh begins to watch a stream whose amount is above its threshold.
func (a *Association) noteHigh(o *outStream) {
	if !o.high && a.amount(o) > o.threshold {
		o.high = true
		a.send.high = append(a.send.high, o)
	}
}

// noteLow tells which streams fell to their threshold.
func (a *Association) noteLow() {
	a.send.high = slices.DeleteFunc(a.send.high, func(o *outStream) bool {
		if a.amount(o) > o.threshold {
			return false
		}
		o.high = false
		a.edge.low(o.id)
		return true
	})
}

func (a *Association) bufferedAmount(id uint16) uint32 {
	if o := a.streams.out[id]; o != nil {
		return a.amount(o)
	}
	return 0
}

func (a *Association) setThreshold(id uint16, v uint32) {
	o := a.outStream(id)
	o.threshold = v
	a.noteHigh(o)
	a.noteLow()
}

func (a *Association) threshold(id uint16) uint32 {
	if o := a.streams.out[id]; o != nil {
		return o.threshold
	}
	return a.cfg.DefaultStreamBufferedAmountLowThreshold
}

func (a *Association) resetStreams(ids []uint16) {
	a.edge.mu.Lock()
	able := a.edge.state == api.SCTPStateConnected && a.edge.conn.peer.canReconfig
	a.edge.mu.Unlock()
	if !able || a.pion == nil {
		return
	}
	for _, id := range ids {
		o := a.outStream(id)
		if o.resetting && len(o.queue) == 0 {
			continue
		}
		o.closing = true
		a.enroll(o)
	}
	a.pump()
}
