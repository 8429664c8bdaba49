package remote

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/fbs"
	"gazpacho/scaling/federation"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/link"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/session"
)

// Chosen here.
const (
	// maxWaiting is how many bytes of a front's messages may wait for its worker; reading stops meanwhile.
	maxWaiting = 4 << 20
	// dataLimit is how many unacknowledged bytes there may be before messages of data channels are dropped, in either direction. It
	// is far below what ends the session, so that state still gets through to an application or a node that reads too slowly.
	dataLimit = 16 << 20
)

// input is something for the guest's goroutine to do.
type input struct {
	session.Event
	to  *target // of a message that another node sends; nil for what the session brings
	own bool    // it is the node itself that ends the session
}

// guest is a front at its node: a session, and the worker that belongs to its conversation.
//
// Two things happen at the same time: connections, timers and the worker's emitters work on the machine, with the lock; what the
// machine's events ask for is done by the guest's own goroutine, the control loop of its worker, which calls the worker without
// the lock.
type guest struct {
	server *Server
	id     session.SessionID
	who    identity.Identity

	mu      sync.Mutex
	work    sync.Cond // the goroutine waits for events
	room    sync.Cond // readers wait for the goroutine
	codec   codec
	node    *session.Node
	conn    *connection
	alarm   alarm
	events  []input
	streams streams
	waiting int    // bytes of these
	live    int    // counts conversations as the machine begins and ends them; worker's messages of another count are dropped
	ended   bool   // there is no conversation and will be none
	dropped uint64 // messages of data channels and media that the front is too slow for
	shown   *FrontStatus
	// watches says that the front is told of the cluster's nodes, toldNodes is the version of the table that it knows. Others have been
	// told whether there is something to watch.
	watches    bool
	toldNodes  uint64
	toldOthers bool
	loader     *federation.Member // the worker, asked for its load and its producers only
	placed     api.Load           // what it had when it was last asked
	tenant     string             // whose it is, and its producers
	asking     int                // questions that are not answered yet

	// The goroutine's own.
	worker  *federation.Member
	mapping mapping
	decoder codec
	current int // counts conversations as their events are handled
}

func newGuest(s *Server, id session.SessionID, who identity.Identity) *guest {
	g := &guest{
		server: s, id: id, who: who, codec: newCodec(), decoder: newCodec(),
		mapping: mapping{s.options.Addresses, who.Name == localName},
		node:    session.NewNode(s.conversation, session.DefaultLimits),
		streams: streams{map[string]*outStream{}, map[string]link.Token{}},
	}
	g.work.L, g.room.L = &g.mu, &g.mu
	return g
}

// turn runs f with the lock held, and drains the machine.
func (g *guest) turn(f func(now unit.Time)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := clock()
	f(now)
	g.drain(now)
}

func (g *guest) drain(now unit.Time) {
	out := g.node.Output()
	taken := *out
	out.Reset()
	if g.conn != nil {
		g.conn.send(taken.Bytes)
		if taken.Drop {
			g.conn.finish()
			g.conn = nil
		}
	}
	for _, e := range taken.Events {
		g.live += turnsPage(e.Kind)
		g.waiting += len(e.Payload)
		g.events = append(g.events, input{Event: e})
	}
	if len(taken.Events) > 0 {
		g.work.Signal()
	}
	g.alarm.set(g.node.NextTimeout(), now, func() {
		g.turn(func(now unit.Time) {
			g.alarm.fired()
			g.node.HandleTimeout(now)
		})
	})
}

// turnsPage returns 1 for the events at which a conversation begins or ends. Whatever was meant for the one before is void.
func turnsPage(k session.EventKind) int {
	switch k {
	case session.EventOpened, session.EventExpired, session.EventGoodbye:
		return 1
	}
	return 0
}

// accept gives the session a new connection; an earlier one is closed.
func (g *guest) accept(c *connection, h session.Hello) (code session.RefuseCode) {
	g.turn(func(now unit.Time) {
		if g.ended {
			code = session.RefuseBusy // the front tries again, and gets a new guest
			return
		}
		if code = g.node.Accept(now, h); code != 0 {
			return
		}
		if g.conn != nil {
			g.conn.abort()
		}
		g.conn = c
	})
	return code
}

// serve reads an accepted connection until it ends. It stops reading while too much waits for the worker.
func (g *guest) serve(c *connection, rest []byte) {
	take := func(b []byte) {
		g.turn(func(now unit.Time) {
			if g.conn == c {
				g.node.Receive(now, b)
			}
		})
		g.mu.Lock()
		defer g.mu.Unlock()
		for g.waiting > maxWaiting && !g.ended {
			g.room.Wait()
		}
	}
	take(rest)
	c.read(take)
	g.turn(func(unit.Time) {
		if g.conn == c {
			g.conn = nil
			g.node.Disconnected()
		}
	})
}

// leave ends the session from the node's side. The lock is held.
func (g *guest) leave(reason string) {
	if g.ended {
		return
	}
	g.node.Goodbye(reason)
	g.live += turnsPage(session.EventGoodbye)
	g.events = append(g.events, input{Event: session.Event{Kind: session.EventGoodbye, Reason: reason}, own: true})
	g.room.Broadcast() // what other nodes send is not waited for any more
	g.work.Signal()
}

// run is the guest's goroutine: it does what events ask for until the session ends.
func (g *guest) run() {
	defer g.server.forget(g)
	for {
		e := g.next()
		g.current += turnsPage(e.Kind)
		log := g.server.options.Log
		if e.to != nil {
			g.receiveData(&e)
			continue
		}
		switch e.Kind {
		case session.EventMessage:
			g.receive(e.Payload)
		case session.EventOpened:
			log.Info("a front opened a session", "who", g.who)
		case session.EventExpired, session.EventGoodbye:
			log.Info("a front's session is over", "who", g.who, "reason", e.Reason)
			g.closeWorker(e.Kind == session.EventGoodbye && !e.own)
			if g.end() {
				return
			}
		case session.EventBroken:
			g.server.refused.Add(1)
			g.server.complain("a front does not keep to the session's protocol", "who", g.who, "reason", e.Reason)
		}
	}
}

// next waits for an event.
func (g *guest) next() input {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.events) == 0 {
		g.work.Wait()
	}
	e := g.events[0]
	g.events[0] = input{}
	if g.events = g.events[1:]; len(g.events) == 0 {
		g.events = nil
	}
	g.waiting -= len(e.Payload)
	g.room.Broadcast()
	return e
}

// end ends the guest if it has no conversation and nothing to do.
func (g *guest) end() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = len(g.events) == 0 && g.node.NextTimeout() == unit.Never
	if g.ended {
		g.alarm.stop()
		g.room.Broadcast()
	}
	return g.ended
}

// receive does what a message of the front asks for.
func (g *guest) receive(payload []byte) {
	m, ctl, err := g.decoder.decode(payload)
	switch {
	case ctl != nil && ctl.Open != nil && g.worker == nil:
		g.open(ctl.Open)
	case ctl != nil && ctl.Find != nil && g.worker != nil:
		g.find(ctl.Find)
	case ctl != nil && ctl.Watch && g.worker != nil:
		g.watch()
	case g.worker == nil && m != nil:
		if req, ok := m.(*api.Request); ok {
			g.answer(g.current, req.ID, nil, api.Errorf("the node has no worker for this application"))
		}
	case m != nil:
		g.handle(m)
	default:
		g.server.complain("a front sends what cannot be understood", "who", g.who, "error", err)
		if refused, ok := errors.AsType[*fbs.RequestError](err); ok {
			g.answer(g.current, refused.ID, nil, refused.Err)
		}
	}
}

// open makes the worker of a conversation.
func (g *guest) open(o *Opening) {
	page := g.current
	if o.Tenant = tenantOf(g.who, o); g.who.Name != localName {
		o.Application = g.who.Name // not what it says of itself
	}
	log := slog.New(slog.DiscardHandler)
	if logger := g.server.options.Logger; logger != nil {
		log = logger(o, func(line string) {
			g.turn(func(unit.Time) { g.sendDroppable(page, encodeControl(control{Log: line})) })
		})
	}
	worker, err := g.server.meeting.Join(o.Tenant, g.emitter(page), func(emit api.Emitter) (api.Worker, error) {
		return g.server.options.NewWorker(o, emit, log)
	})
	if err != nil {
		g.server.complain("no worker for a front", "who", g.who, "error", err)
		g.turn(func(unit.Time) { g.send(page, encodeControl(control{Ended: err.Error()})) })
		return
	}
	worker.Registry = homesOf(g, o)
	g.worker = worker
	g.server.serving.Go(func() {
		<-worker.Done()
		if !errors.Is(worker.Err(), api.ErrClosed) {
			g.turn(func(unit.Time) { g.send(page, encodeControl(control{Ended: worker.Err().Error()})) })
		}
	})
	g.mu.Lock()
	g.loader = worker
	g.tenant = o.Tenant
	g.shown = &FrontStatus{Application: o.Application, Tenant: g.tenant, Release: o.Release}
	g.mu.Unlock()
	g.tellLoad() // before the front places something here
	g.tellSelf(page)
}

// closeWorker closes the worker of the conversation that is over. farewell: the front has said that it needs it no more, so that
// others do not wait for what they use of it.
func (g *guest) closeWorker(farewell bool) {
	g.mu.Lock()
	g.leavePlaces()
	g.server.index.leave(g.key())
	g.loader, g.shown = nil, nil
	g.mu.Unlock()
	g.closeStreamsIf(func(string) bool { return true })
	if g.worker == nil {
		return
	}
	if farewell {
		g.worker.Leave()
	} else {
		g.worker.Close()
	}
	g.worker = nil
}

// handle gives a message of the worker protocol to the worker. A panic refuses the request; the worker lives on, and with it the others
// of the node.
func (g *guest) handle(m api.MessageBody) {
	var once sync.Once // an answer: a panic may come behind it
	fault := func(any) {}
	defer func() {
		if p := recover(); p != nil {
			g.server.options.Log.Error("panic while a message was handled", "who", g.who, "panic", p, "stack", string(debug.Stack()))
			fault(p)
		}
	}()
	switch m := m.(type) {
	case *api.Request:
		page, id, method := g.current, m.ID, m.Method
		fault = func(p any) {
			once.Do(func() { g.answer(page, id, nil, fmt.Errorf("internal error: %v [method:%s]", p, method)) })
		}
		g.request(page, m, func(r *api.Response, placing bool) { once.Do(func() { g.respond(page, r, placing) }) })
	case *api.Notification:
		g.pass(m)
	}
}

// request gives a request to the worker.
func (g *guest) request(page int, m *api.Request, respond func(r *api.Response, placing bool)) {
	id, placing := m.ID, createsTransport(m.Method)
	if placing && !g.takes(m) {
		respond(&api.Response{ID: id, Error: busy, Reason: placement.ErrBusy.Error()}, placing)
		return
	}
	if err := g.mapping.mapRequest(m); err != nil {
		respond(response(id, nil, err), false)
		return
	}
	undo, err := g.openStreams(m)
	if err != nil {
		respond(response(id, nil, api.Errorf("%v [method:%s]", err, m.Method.Name())), false)
		return
	}
	g.worker.HandleRequest(m, func(body api.ResponseBody, err error) {
		if err != nil && undo != nil {
			undo()
		}
		respond(response(id, body, err), placing)
	})
	g.closeStreams(m)
}

// answer sends the answer to a request.
func (g *guest) answer(page int, id uint32, body api.ResponseBody, err error) {
	g.respond(page, response(id, body, err), false)
}

func response(id uint32, body api.ResponseBody, err error) *api.Response {
	if err == nil {
		return &api.Response{ID: id, Accepted: true, Body: body}
	}
	r := &api.Response{ID: id, Error: string(api.ErrorKindError), Reason: err.Error()}
	if typed, ok := errors.AsType[*api.Error](err); ok {
		r.Error = string(typed.Kind)
	}
	return r
}

// respond sends the answer to a request, behind the node's state if the request was to place something.
func (g *guest) respond(page int, r *api.Response, placing bool) {
	g.turn(func(unit.Time) {
		if placing && g.loader != nil {
			g.sendDroppable(page, encodeControl(control{State: new(g.state())}))
		}
		payload, err := g.codec.encode(r)
		if err != nil {
			g.server.options.Log.Error("answer cannot be sent", "who", g.who, "error", err)
			payload, _ = g.codec.encode(&api.Response{ID: r.ID, Error: string(api.ErrorKindError), Reason: "internal error: " + err.Error()})
		}
		g.send(page, payload)
	})
}

// emitter returns what takes the notifications of a conversation's worker.
func (g *guest) emitter(page int) api.Emitter {
	return func(n *api.Notification) {
		if n.Event == api.EventDataConsumerMessage && g.sendByLink(page, n) {
			return
		}
		g.notify(page, n)
	}
}

// notify sends a notification to the front.
func (g *guest) notify(page int, n *api.Notification) {
	g.turn(func(unit.Time) {
		if n.Event.Internal() {
			g.send(page, encodeControl(control{Event: &event{n.HandlerID, n.Event}}))
			return
		}
		payload, err := g.codec.encode(n)
		switch {
		case err != nil:
			g.server.options.Log.Error("notification cannot be sent", "who", g.who, "event", n.Event, "error", err)
		case n.Event == api.EventDataConsumerMessage:
			if g.node.Waiting() > dataLimit {
				g.dropped++
				return
			}
			g.send(page, payload)
		case carriesMedia(n.Event):
			g.sendDroppable(page, payload)
		default:
			g.send(page, payload)
		}
	})
}

// carriesMedia reports whether a notification is about a single packet, so that state does not depend on it.
func carriesMedia(e api.Event) bool {
	switch e {
	case api.EventConsumerRTP, api.EventDirectTransportRTCP,
		api.EventTransportTrace, api.EventProducerTrace, api.EventConsumerTrace:
		return true
	}
	return false
}

// send sends what must arrive. The lock is held. A front for which the session can keep no more is given up.
func (g *guest) send(page int, payload []byte) {
	if page != g.live {
		return
	}
	if err := g.node.Send(payload); err != nil {
		g.server.options.Log.Error("a front is given up", "who", g.who, "error", err)
		g.leave(err.Error())
	}
}

func (g *guest) sendDroppable(page int, payload []byte) {
	if page == g.live && !g.node.SendDroppable(payload) {
		g.dropped++
	}
}

// tellLoad tells the front its worker's load.
func (g *guest) tellLoad() {
	g.turn(func(unit.Time) {
		if g.loader != nil && g.conn != nil {
			g.sendDroppable(g.live, encodeControl(control{State: new(g.state())}))
		}
	})
}

// transports returns how many transports there are.
func (g *guest) transports() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.loader == nil {
		return 0
	}
	return g.loader.Load().Transports
}

// status returns what is known of the front; false before it has opened.
func (g *guest) status() (FrontStatus, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shown == nil {
		return FrontStatus{}, false
	}
	row := *g.shown
	row.Connected, row.Load = g.conn != nil, g.loader.Load()
	row.Dropped = g.dropped
	return row, true
}
