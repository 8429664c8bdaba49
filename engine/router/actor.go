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

// TransportActor binds a transport to the shard that owns it: every call of the transport goes through here. A actor takes the
// shard's turn, makes the call, has the transport hand on what it produced, and arms its timer. A panic is contained: it
// is logged with its stack, and puts that one transport out of service.
type TransportActor struct {
	shard     *shard.Shard
	transport *transport.Transport
	plain     *transport.Plain  // the same transport if it is a PlainTransport or PipeTransport, else nil
	pipe      *transport.Pipe   // the same transport if it is a PipeTransport, else nil
	webRtc    *transport.WebRtc // the same transport if it is a WebRtcTransport, else nil
	awake     atomic.Bool       // a poll is posted
	timer     *shard.Timer
	log       *slog.Logger
}

func newTransportActor(s *shard.Shard, log *slog.Logger) *TransportActor {
	actor := &TransportActor{shard: s, log: log}
	actor.timer = shard.NewTimer(actor.handleTimeout)
	return actor
}

// do runs f as the transport's shard. It returns false if f panicked.
func (s *TransportActor) do(f func(now unit.Time)) bool {
	now := s.shard.Enter()
	defer s.shard.Leave(now)
	return s.call("request", now, f)
}

// call runs f with the shard's turn held already, and settles.
func (s *TransportActor) call(what string, now unit.Time, f func(now unit.Time)) (ok bool) {
	defer s.contain(what)
	f(now)
	s.settle(now)
	return true
}

func (s *TransportActor) handleTimeout(now unit.Time) {
	defer s.contain("timeout")
	s.transport.HandleTimeout(now)
	s.settle(now)
}

// wake has the transport look at what its goroutines did. It may be called from any goroutine.
func (s *TransportActor) wake() {
	if !s.awake.Swap(true) {
		s.shard.Post((*poll)(s))
	}
}

// poll is the message by which wake reaches the shard.
type poll TransportActor

// Run implements shard.Message.
func (p *poll) Run(now unit.Time) {
	s := (*TransportActor)(p)
	s.awake.Store(false)
	s.call("poll", now, s.transport.Poll)
}

// handleDatagrams implements receiver for the ports of a WebRtcTransport.
func (s *TransportActor) handleDatagrams(link *transport.Link, batch []netio.Datagram) {
	now := s.shard.Enter()
	defer s.shard.Leave(now)
	s.handleBatch(now, link, batch)
}

// offerDatagrams handles the batch at once if nobody has the shard's turn, else soon.
func (s *TransportActor) offerDatagrams(link *transport.Link, batch []netio.Datagram) {
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
func (s *TransportActor) postDatagrams(link *transport.Link, batch []netio.Datagram) {
	m := datagramBatches.Get().(*datagramBatch)
	m.actor, m.link, m.batch = s, link, append(m.batch[:0], batch...)
	if !s.shard.PostDroppable(m) {
		for i := range m.batch {
			m.batch[i].Buffer.Release()
		}
		m.free()
	}
}

// datagramBatch carries datagrams to the shard of their transport.
type datagramBatch struct {
	actor *TransportActor
	link  *transport.Link
	batch []netio.Datagram
}

var datagramBatches = sync.Pool{New: func() any { return new(datagramBatch) }}

// Run implements shard.Message.
func (m *datagramBatch) Run(now unit.Time) {
	m.actor.handleBatch(now, m.link, m.batch)
	m.free()
}

func (m *datagramBatch) free() {
	clear(m.batch)
	m.actor, m.link = nil, nil
	datagramBatches.Put(m)
}

func (s *TransportActor) handleBatch(now unit.Time, link *transport.Link, batch []netio.Datagram) {
	defer s.contain("datagrams")
	s.webRtc.HandleDatagrams(now, link, batch)
	s.settle(now)
}

// handleClosed implements receiver.
func (s *TransportActor) handleClosed(link *transport.Link) {
	s.do(func(now unit.Time) { s.webRtc.HandleLinkClosed(now, link) })
}

// settle ends each call of the transport.
func (s *TransportActor) settle(now unit.Time) {
	s.transport.Settle(now)
	s.shard.Schedule(s.timer, s.transport.NextTimeout())
}

// contain is deferred around all code of one transport.
func (s *TransportActor) contain(what string) {
	fault := recover()
	if fault == nil {
		return
	}
	s.log.Error(fmt.Sprintf("internal error in transport %s while handling %s, taking it out of service: %v\n%s",
		s.transport.ID(), what, fault, debug.Stack()))
	s.putOutOfService()
}

// putOutOfService breaks the transport. Nothing that goes wrong while a broken transport closes may reach its neighbours.
func (s *TransportActor) putOutOfService() {
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
	actor  *TransportActor
	socket int
}

// HandleDatagrams implements netio.Handler; it is called by the shard's poller.
func (r *reader) HandleDatagrams(batch []netio.Datagram) {
	now := r.actor.shard.Enter()
	defer r.actor.shard.Leave(now)
	r.handle(now, batch)
}

func (r *reader) handle(now unit.Time, batch []netio.Datagram) {
	defer r.actor.contain("datagrams")
	r.actor.plain.HandleDatagrams(now, r.socket, batch)
	r.actor.settle(now)
}
