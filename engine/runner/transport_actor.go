package runner

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"gazpacho/engine/look"
	"gazpacho/engine/netio"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// TransportActor runs a transport on the shard that owns it: every call of the transport goes through here. It takes the
// shard's turn, makes the call, calls Settle, and arms the timer. It contains panics: one is logged with its stack and breaks
// this transport only.
type TransportActor struct {
	ctx       *ShardContext
	env       transport.Env
	transport *transport.Transport
	webRtc    *transport.WebRtc // the same transport if it is a WebRtcTransport, else nil
	pollDue   atomic.Bool       // a poll is posted
	timer     *shard.Timer
	// Only while enlisted, under the shard's turn: the transport's Router, and the place among the actors of its shard.
	room  look.RoomID
	place int
}

// NewTransportActor returns an actor for a transport of the given worker on ctx. The transport is made with Env and then
// given to Run or RunWebRtc.
func NewTransportActor(ctx *ShardContext, worker transport.WorkerEnv) *TransportActor {
	a := &TransportActor{ctx: ctx}
	a.env = transport.Env{WorkerEnv: worker, ShardEnv: ctx.env, Wake: a.wake}
	a.timer = shard.NewTimer(a.handleTimeout)
	return a
}

// Env returns the environment of the actor's transport.
func (a *TransportActor) Env() transport.Env { return a.env }

// Run gives the actor its transport. Nothing may be called before.
func (a *TransportActor) Run(t *transport.Transport) { a.transport = t }

// RunWebRtc is Run for a WebRtcTransport.
func (a *TransportActor) RunWebRtc(w *transport.WebRtc) { a.transport, a.webRtc = w.Transport, w }

// Do runs f with the shard's turn held. What names the work in the log, should it panic; Do then returns false.
func (a *TransportActor) Do(what string, f func(now unit.Time)) bool {
	now := a.ctx.shard.Enter()
	defer a.ctx.shard.Leave(now)
	return a.call(what, now, f)
}

// call is Do for a caller that holds the shard's turn.
func (a *TransportActor) call(what string, now unit.Time, f func(now unit.Time)) (ok bool) {
	defer a.contain(what)
	f(now)
	a.settle(now)
	return true
}

// settle ends each call of the transport.
func (a *TransportActor) settle(now unit.Time) {
	a.transport.Settle(now)
	a.ctx.shard.Schedule(a.timer, a.transport.NextTimeout())
}

func (a *TransportActor) handleTimeout(now unit.Time) {
	defer a.contain("timeout")
	a.transport.HandleTimeout(now)
	a.settle(now)
}

// wake makes the shard call the transport's Poll soon. It may be called from any goroutine.
func (a *TransportActor) wake() {
	if !a.pollDue.Swap(true) {
		a.ctx.shard.Post((*poll)(a))
	}
}

// poll is the message that wake posts.
type poll TransportActor

// Run implements shard.Message.
func (p *poll) Run(now unit.Time) {
	a := (*TransportActor)(p)
	a.pollDue.Store(false)
	a.call("poll", now, a.transport.Poll)
}

// contain is deferred around all code of one transport.
func (a *TransportActor) contain(what string) {
	fault := recover()
	if fault == nil {
		return
	}
	a.ctx.faults++
	a.env.Log.Error(fmt.Sprintf("internal error in transport %s while handling %s, taking it out of service: %v\n%s",
		a.transport.ID(), what, fault, debug.Stack()))
	a.putOutOfService()
}

// putOutOfService breaks the transport. A second fault while it closes must not reach other transports.
func (a *TransportActor) putOutOfService() {
	defer func() {
		if fault := recover(); fault != nil {
			a.env.Log.Error(fmt.Sprintf("internal error while transport %s is taken out of service: %v\n%s",
				a.transport.ID(), fault, debug.Stack()))
		}
	}()
	a.transport.Break()
}

// handleDatagrams implements receiver for the ports of a WebRtcTransport.
func (a *TransportActor) handleDatagrams(link *transport.Link, batch []transport.Datagram) {
	now := a.ctx.shard.Enter()
	defer a.ctx.shard.Leave(now)
	a.handleBatch(now, link, batch)
}

// offerDatagrams handles the batch at once if the shard's turn is free, else soon.
func (a *TransportActor) offerDatagrams(link *transport.Link, batch []transport.Datagram) {
	now, ok := a.ctx.shard.TryEnter()
	if !ok {
		a.postDatagrams(link, batch)
		return
	}
	defer a.ctx.shard.Leave(now)
	a.handleBatch(now, link, batch)
}

// postDatagrams has the shard handle the batch soon: after what was posted before, and before the next turn. A shard that is
// too far behind drops it.
func (a *TransportActor) postDatagrams(link *transport.Link, batch []transport.Datagram) {
	m := datagramBatches.Get().(*datagramBatch)
	m.actor, m.link, m.batch = a, link, append(m.batch[:0], batch...)
	if !a.ctx.shard.PostDroppable(m) {
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
	batch []transport.Datagram
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

func (a *TransportActor) handleBatch(now unit.Time, link *transport.Link, batch []transport.Datagram) {
	defer a.contain("datagrams")
	a.webRtc.HandleDatagrams(now, link, batch)
	a.settle(now)
}

// handleClosed implements receiver.
func (a *TransportActor) handleClosed(link *transport.Link) {
	a.Do("closed connection", func(now unit.Time) { a.webRtc.HandleLinkClosed(now, link) })
}

// ServePlain has the sockets of a PlainTransport or PipeTransport read until they are closed.
func (a *TransportActor) ServePlain(p *transport.Plain) error {
	for i, socket := range p.Sockets() {
		if err := serve(a.ctx.poller, socket, &plainReader{a, p, i}); err != nil {
			return err
		}
	}
	return nil
}

// plainReader hands the batches of one socket to a PlainTransport.
type plainReader struct {
	actor  *TransportActor
	plain  *transport.Plain
	socket int
}

// HandleDatagrams implements netio.Handler; it is called by the shard's poller.
func (r *plainReader) HandleDatagrams(batch []netio.Datagram) {
	now := r.actor.ctx.shard.Enter()
	defer r.actor.ctx.shard.Leave(now)
	r.handle(now, batch)
}

func (r *plainReader) handle(now unit.Time, batch []netio.Datagram) {
	defer r.actor.contain("datagrams")
	r.plain.HandleDatagrams(now, r.socket, batch)
	r.actor.settle(now)
}
