package front_test

import (
	"bytes"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/router"
	"gazpacho/engine/runner"
	"gazpacho/engine/simnet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/scaling/front"
)

// tick is the step of a world's clock. All that happens in one happens at the same instant.
const tick = 10 * time.Millisecond

// began is when worlds begin.
const began = unit.Time(1_700_000_000_000_000_000)

// world is engines, a front and peers in virtual time, on a network in memory. Peers reach engines at once and lose nothing; what
// engines send each other, which is what goes over pipes, has the conditions of the world. Everything that is sent at one instant is
// sorted by its sockets before chance comes in, so that a seed gives the same run each time.
type world struct {
	t     *testing.T
	clock *clock // the front's
	now   atomic.Int64
	net   *simnet.Network
	pipes simnet.Conditions
	app   *app
	many  *front.Front // nil with one engine

	mu      sync.Mutex // guards sockets and what waits in them: routers open and use them on the front's goroutine
	sockets []*memorySocket
	bound   map[netip.AddrPort]*memorySocket
	peers   map[netip.AddrPort]*host
	runners []*runner.Runner
	news    atomic.Int64 // counts what engines emit and answer

	order []*host // peers, in the order in which they came
	links map[[2]netip.AddrPort]*simnet.Link
}

// host is a peer of the application.
type host struct {
	at     netip.AddrPort
	to     netip.AddrPort // its transport
	handle func(data []byte)
	send   func(at time.Duration) [][]byte // called at each tick
}

func newWorld(t *testing.T, seed uint64, pipes simnet.Conditions) *world {
	w := &world{
		t: t, clock: newClock(), net: simnet.New(seed, began), pipes: pipes, bound: map[netip.AddrPort]*memorySocket{},
		peers: map[netip.AddrPort]*host{}, links: map[[2]netip.AddrPort]*simnet.Link{},
	}
	w.now.Store(int64(began))
	return w
}

// alone makes the application's worker one engine.
func (w *world) alone() *world {
	w.app = newApp(w.t)
	engine, err := w.engine(w.app.emit)
	require.NoError(w.t, err)
	w.app.worker = engine
	w.t.Cleanup(engine.Close)
	return w
}

// spread makes the application's worker a front over so many engines.
func (w *world) spread(nodes int) *world {
	o := options(nodes)
	o.Clock = w.clock
	o.Own.Worker = w.engine
	for i := range o.Nodes {
		o.Nodes[i].Worker = w.engine
	}
	w.app = newFrontOf(w.t, o)
	w.many = w.app.front()
	return w
}

// Now implements shard.Clock.
func (w *world) Now() unit.Time { return unit.Time(w.now.Load()) }

// run lets time pass.
func (w *world) run(d time.Duration) {
	for end := w.Now().Add(d); w.Now() < end; {
		w.now.Add(int64(tick))
		w.clock.advance(tick)
		w.settle()
		w.net.Advance(tick)
		for _, p := range w.order {
			if p.send != nil {
				w.deliver(p.at, p.to, p.send(w.Now().Sub(began)))
			}
		}
		w.settle()
	}
}

// settle returns when all that is due has happened, and so has what followed from it. What a machine leaves for another one, or an item
// for the front, may be seen in the next round only, so two must be quiet.
func (w *world) settle() {
	for quiet := 0; quiet < 2; quiet++ {
		before := w.news.Load()
		w.mu.Lock()
		runners := w.runners
		w.mu.Unlock()
		for _, r := range runners {
			r.ArmedTimers() // takes the turn of each shard, and with it runs what waits there or is due
		}
		if w.many != nil {
			w.many.Do(func() {})
		}
		if w.carry() || w.news.Load() != before {
			quiet = -1
		}
	}
}

// carry takes what engines have sent to where it goes. It returns false if there was nothing.
func (w *world) carry() bool {
	w.mu.Lock()
	sockets := w.sockets
	w.mu.Unlock()
	moved := false
	for _, s := range sockets {
		for _, d := range s.take() {
			moved = true
			if p := w.peers[d.to]; p != nil {
				p.handle(d.data)
				continue
			}
			w.link(s.local, d.to).Send(d.data)
		}
	}
	w.net.Advance(0)
	return moved
}

// link returns the way from an engine's socket to another one's.
func (w *world) link(from, to netip.AddrPort) *simnet.Link {
	key := [2]netip.AddrPort{from, to}
	if w.links[key] == nil {
		w.links[key] = w.net.Link(w.pipes, func(_ unit.Time, data []byte) { w.deliver(from, to, [][]byte{data}) })
	}
	return w.links[key]
}

// lost returns how many packets were lost between engines.
func (w *world) lost() (n int) {
	for _, l := range w.links {
		n += l.Stats().Lost
	}
	return n
}

// deliver hands datagrams to a socket of an engine.
func (w *world) deliver(from, to netip.AddrPort, datagrams [][]byte) {
	w.mu.Lock()
	s := w.bound[to]
	w.mu.Unlock()
	if s == nil || len(datagrams) == 0 {
		return // nothing listens there any more
	}
	var batch []netio.Datagram
	for _, data := range datagrams {
		b := packet.NewBuffer(len(data))
		b.SetLen(copy(b.Space(), data))
		batch = append(batch, netio.Datagram{Buffer: b, From: from})
	}
	s.handler.HandleDatagrams(batch)
}

// connect makes a PlainTransport in the Router r, and a peer at its other end.
func (w *world) connect(id string) *host {
	w.t.Helper()
	return w.connectIn("r", id)
}

// connectIn does so in another Router.
func (w *world) connectIn(router, id string) *host {
	w.t.Helper()
	p := &host{at: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(5000+len(w.order)))}
	info := loopback()
	dump := w.app.must(api.MethodRouterCreatePlainTransport, router, &api.RouterCreatePlainTransportRequest{
		TransportID: id, Options: &api.PlainTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info, RTCPMux: true},
	}).(*api.PlainTransportDumpResponse)
	p.to = netip.AddrPortFrom(netip.MustParseAddr(dump.Tuple.LocalAddress), dump.Tuple.LocalPort)
	w.app.must(api.MethodPlainTransportConnect, id, &api.PlainTransportConnectRequest{IP: p.at.Addr().String(), Port: new(p.at.Port())})
	w.peers[p.at] = p
	w.order = append(w.order, p)
	return p
}

// memorySocket is a socket of an engine.
type memorySocket struct {
	world   *world
	local   netip.AddrPort
	handler netio.Handler
	sent    []datagram
}

type datagram struct {
	to   netip.AddrPort
	data []byte
}

func (w *world) listen(cfg netio.UDPConfig) (transport.Socket, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &memorySocket{world: w, local: netip.AddrPortFrom(cfg.Address, uint16(40000+len(w.sockets)))}
	w.sockets = append(w.sockets, s)
	w.bound[s.local] = s
	return s, nil
}

// LocalAddr implements transport.Socket.
func (s *memorySocket) LocalAddr() netip.AddrPort { return s.local }

// Serve takes note of who reads the socket.
func (s *memorySocket) Serve(_ *netio.Poller, h netio.Handler) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.handler = h
	return nil
}

// Send implements transport.Socket.
func (s *memorySocket) Send(to netip.AddrPort, b *netio.Batch) (sent, dropped int) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	for data := range b.Packets() {
		s.sent = append(s.sent, datagram{to, bytes.Clone(data)})
	}
	return b.Len(), 0
}

func (s *memorySocket) take() []datagram {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

// Close implements transport.Socket.
func (s *memorySocket) Close() {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	delete(s.world.bound, s.local)
}

// virtualEngine is what an engine is made of, in a world.
type virtualEngine struct {
	world   *world
	runner  *runner.Runner
	scope   *router.Scope
	routers map[string]*router.Router
	closing sync.Once
	done    chan struct{}
}

// engine starts an engine in the world.
func (w *world) engine(emit api.Emitter) (api.Worker, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	log := slog.New(slog.DiscardHandler)
	r, err := runner.New(runner.Options{
		Shards: 1, Clock: w, Log: log, Listen: w.listen,
	})
	if err != nil {
		return nil, err
	}
	w.runners = append(w.runners, r)
	counted := func(n *api.Notification) { emit(n); w.news.Add(1) }
	return &virtualEngine{
		world: w, runner: r, routers: map[string]*router.Router{}, done: make(chan struct{}),
		scope: router.NewScope(r, transport.WorkerEnv{Emit: counted, Log: log}, certificate()),
	}, nil
}

// HandleRequest implements api.Worker.
func (e *virtualEngine) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	defer e.world.news.Add(1)
	if body, ok := req.Body.(*api.WorkerCreateRouterRequest); ok {
		r := router.New(body.RouterID, e.scope)
		e.scope.Add(body.RouterID, r)
		e.routers[body.RouterID] = r
		reply(nil, nil)
		return
	}
	h := e.scope.Find(req.HandlerID)
	if h == nil {
		reply(nil, api.NotFoundErrorf("not found"))
		return
	}
	reply(h.HandleRequest(req))
}

// HandleNotification implements api.Worker.
func (e *virtualEngine) HandleNotification(*api.Notification) error { return nil }

// RouterOf implements api.Worker.
func (e *virtualEngine) RouterOf(id string) string {
	if h := e.scope.Find(id); h != nil {
		return h.RouterID()
	}
	return ""
}

// Load implements api.Worker.
func (e *virtualEngine) Load() api.Load { return api.Load{} }

// Done implements api.Worker.
func (e *virtualEngine) Done() <-chan struct{} { return e.done }

// Err implements api.Worker.
func (e *virtualEngine) Err() error { return nil }

// Close implements api.Worker.
func (e *virtualEngine) Close() {
	e.closing.Do(func() {
		for _, r := range e.routers {
			r.Close()
		}
		e.runner.Close()
		close(e.done)
	})
}
