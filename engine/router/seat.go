package router

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"gazpacho/engine/netio"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// Seat binds a transport to the shard that owns it: every call of the transport goes through here. A seat takes the
// shard's turn, makes the call, has the transport hand on what it produced, and arms its timer. A panic is contained: it
// is logged with its stack, and puts that one transport out of service.
type Seat struct {
	shard     *shard.Shard
	transport *transport.Transport
	plain     *transport.Plain  // the same transport if it is a PlainTransport or PipeTransport, else nil
	pipe      *transport.Pipe   // the same transport if it is a PipeTransport, else nil
	webRtc    *transport.WebRtc // the same transport if it is a WebRtcTransport, else nil
	awake     atomic.Bool       // a poll is posted
	timer     *shard.Timer
	log       *slog.Logger
}

func newSeat(s *shard.Shard, log *slog.Logger) *Seat {
	seat := &Seat{shard: s, log: log}
	seat.timer = shard.NewTimer(seat.handleTimeout)
	return seat
}

// do runs f as the transport's shard. It returns false if f panicked.
func (s *Seat) do(f func(now unit.Time)) bool {
	now := s.shard.Enter()
	defer s.shard.Leave(now)
	return s.call("request", now, f)
}

// call runs f with the shard's turn held already, and settles.
func (s *Seat) call(what string, now unit.Time, f func(now unit.Time)) (ok bool) {
	defer s.contain(what)
	f(now)
	s.settle(now)
	return true
}

func (s *Seat) handleTimeout(now unit.Time) {
	defer s.contain("timeout")
	s.transport.HandleTimeout(now)
	s.settle(now)
}

// wake has the transport look at what its goroutines did. It may be called from any goroutine.
func (s *Seat) wake() {
	if !s.awake.Swap(true) {
		s.shard.Post((*poll)(s))
	}
}

// poll is the message by which wake reaches the shard.
type poll Seat

// Run implements shard.Message.
func (p *poll) Run(now unit.Time) {
	s := (*Seat)(p)
	s.awake.Store(false)
	s.call("poll", now, s.transport.Poll)
}

// handleDatagrams implements receiver for the ports of a WebRtcTransport.
func (s *Seat) handleDatagrams(link *transport.Link, batch []netio.Datagram) {
	now := s.shard.Enter()
	defer s.shard.Leave(now)
	s.handleBatch(now, link, batch)
}

// offerDatagrams handles the batch at once if nobody has the shard's turn, else soon.
func (s *Seat) offerDatagrams(link *transport.Link, batch []netio.Datagram) {
	now, ok := s.shard.TryEnter()
	if !ok {
		s.postDatagrams(link, batch)
		return
	}
	defer s.shard.Leave(now)
	s.handleBatch(now, link, batch)
}

// postDatagrams has the shard handle the batch soon, after what was posted before and before the next turn. A shard that
// is too far behind drops it.
func (s *Seat) postDatagrams(link *transport.Link, batch []netio.Datagram) {
	m := arrivals.Get().(*arrival)
	m.seat, m.link, m.batch = s, link, append(m.batch[:0], batch...)
	if !s.shard.PostDroppable(m) {
		for i := range m.batch {
			m.batch[i].Buffer.Release()
		}
		m.free()
	}
}

// arrival carries datagrams to the shard of their transport.
type arrival struct {
	seat  *Seat
	link  *transport.Link
	batch []netio.Datagram
}

var arrivals = sync.Pool{New: func() any { return new(arrival) }}

// Run implements shard.Message.
func (m *arrival) Run(now unit.Time) {
	m.seat.handleBatch(now, m.link, m.batch)
	m.free()
}

func (m *arrival) free() {
	clear(m.batch)
	m.seat, m.link = nil, nil
	arrivals.Put(m)
}

func (s *Seat) handleBatch(now unit.Time, link *transport.Link, batch []netio.Datagram) {
	defer s.contain("datagrams")
	s.webRtc.HandleDatagrams(now, link, batch)
	s.settle(now)
}

// handleClosed implements receiver.
func (s *Seat) handleClosed(link *transport.Link) {
	s.do(func(now unit.Time) { s.webRtc.HandleLinkClosed(now, link) })
}

// settle ends each call of the transport.
func (s *Seat) settle(now unit.Time) {
	s.transport.Settle(now)
	s.shard.Schedule(s.timer, s.transport.NextTimeout())
}

// contain is deferred around all code of one transport.
func (s *Seat) contain(what string) {
	fault := recover()
	if fault == nil {
		return
	}
	s.log.Error(fmt.Sprintf("internal error in transport %s while handling %s, taking it out of service: %v\n%s",
		s.transport.ID(), what, fault, debug.Stack()))
	s.putOutOfService()
}

// putOutOfService breaks the transport. Nothing that goes wrong while a broken transport closes may reach its neighbours.
func (s *Seat) putOutOfService() {
	defer func() {
		if fault := recover(); fault != nil {
			s.log.Error(fmt.Sprintf("internal error while transport %s is taken out of service: %v\n%s",
				s.transport.ID(), fault, debug.Stack()))
		}
	}()
	s.transport.Break()
}

// reader hands the batches of one socket to the transport.
type reader struct {
	seat   *Seat
	socket int
}

// HandleDatagrams implements netio.Handler; it is called by the shard's poller.
func (r *reader) HandleDatagrams(batch []netio.Datagram) {
	now := r.seat.shard.Enter()
	defer r.seat.shard.Leave(now)
	r.handle(now, batch)
}

func (r *reader) handle(now unit.Time, batch []netio.Datagram) {
	defer r.seat.contain("datagrams")
	r.seat.plain.HandleDatagrams(now, r.socket, batch)
	r.seat.settle(now)
}
