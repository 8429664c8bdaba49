package remote

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/session"
)

// Options says how to be a node's front.
type Options struct {
	// Address is "host:port" or "unix:/path". A host's name is resolved again at each attempt to connect.
	Address string
	// Others returns further addresses, as they are now: for a node that has moved. Nil: none.
	Others func() []string
	// Peer is called with the name in the certificate at the other end before anything is said; an error closes the connection. Nil:
	// any node will do.
	Peer func(name string) error
	// Nodes takes what the node tells of its cluster: its own name, whether it knows others, and nodes that are new, have changed or are
	// gone. It tells of nodes once Nodes has returned true. Nodes is called with a lock held, and must not call the worker. Nil discards.
	Nodes func(self string, others bool, rows []membership.Row) (watch bool)
	// TLS holds both sides to their certificates; only unix sockets need none.
	TLS *tls.Config
	// Opening is what the node has to know of the application.
	Opening Opening
	// Emit takes the node's notifications. Required.
	Emit api.Emitter
	// LogLine takes a line of the node's log for the application; nil discards.
	LogLine func(line string)
	// Log is for what happens to the session; nil discards.
	Log *slog.Logger
}

// Why a [Worker] ends by itself.
var (
	// ErrLost: the lease is over, so that the node has given up all that the worker held.
	ErrLost = errors.New("the node was silent for longer than its lease")
	// ErrRestarted: the node answers, and knows nothing of the worker's objects.
	ErrRestarted = errors.New("the node has restarted")
	// ErrGone: the node's host says that no process listens any more where this one's connection was.
	ErrGone = errors.New("the node's process is gone")
)

// Times between attempts to connect, chosen here: a node that restarts is found at once, one that is away costs little.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
	// refusalTime is for how long a host has to refuse connections before the node's process counts as gone. What it held is
	// gone with it, so there is no lease to wait for.
	refusalTime = 300 * time.Millisecond
)

// Worker is a worker on a node, for one front. It implements [api.Worker]: what its requests create is on the node. It
// outlives connections, but not the conversation: when the node has given up what it held, the worker ends, and a new
// one begins from nothing.
type Worker struct {
	options Options
	cancel  context.CancelFunc
	done    chan struct{}
	opened  atomic.Bool // the node has the conversation, or had it
	// complaints are about the node.
	complaints complaints

	mu      sync.Mutex
	codec   codec
	front   *session.Front
	conn    *connection // nil while there is none
	alarm   alarm
	silent  bool
	pending map[uint32]call
	lastID  uint32
	objects api.Objects
	state   placement.State // what the node told of itself last
	err     error           // why it has ended

	questions    map[uint64]chan<- answer
	lastQuestion uint64
}

// call is a request without an answer.
type call struct {
	reply   func(api.ResponseBody, error)
	creates string // the object that is only there if it is accepted
}

// Dial returns a worker on a node. It returns at once: requests wait until the node is reached.
func Dial(o Options) (*Worker, error) {
	if _, _, err := SplitAddress(o.Address); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.LogLine == nil {
		o.LogLine = func(string) {}
	}
	var id session.SessionID
	rand.Read(id[:])
	ctx, cancel := context.WithCancel(context.Background())
	w := &Worker{
		options: o, cancel: cancel, done: make(chan struct{}), codec: newCodec(), silent: true,
		front: session.NewFront(clock(), id, session.DefaultLimits), pending: map[uint32]call{}, questions: map[uint64]chan<- answer{},
	}
	w.turn(func(unit.Time) { w.send(encodeControl(control{Open: &o.Opening})) })
	go w.connect(ctx)
	return w, nil
}

// turn runs f with the lock held, and drains the machine.
func (w *Worker) turn(f func(now unit.Time)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := clock()
	f(now)
	w.drain(now)
}

// drain does what the machine's output asks for.
func (w *Worker) drain(now unit.Time) {
	for out := w.front.Output(); !out.Empty(); {
		taken := *out
		out.Reset()
		if w.conn != nil {
			w.conn.send(taken.Bytes)
			if taken.Drop {
				w.conn.finish()
				w.conn = nil
			}
		}
		for i := range taken.Events {
			w.handle(&taken.Events[i])
		}
	}
	w.alarm.set(w.front.NextTimeout(), now, func() {
		w.turn(func(now unit.Time) {
			w.alarm.fired()
			w.front.HandleTimeout(now)
		})
	})
}

func (w *Worker) handle(e *session.Event) {
	log := w.options.Log
	switch e.Kind {
	case session.EventMessage:
		w.receive(e.Payload)
	case session.EventOpened:
		if w.opened.Load() {
			w.end(ErrRestarted)
			return
		}
		w.silent = false
		w.opened.Store(true)
		log.Debug("session with the node opened", "node", w.options.Address)
	case session.EventResumed:
		log.Debug("session with the node goes on", "node", w.options.Address)
	case session.EventSuspected:
		w.silent = true
		w.unanswered()
		log.Warn("the node is silent", "node", w.options.Address)
		if w.conn != nil {
			w.conn.abort() // another connection may get through
		}
	case session.EventRecovered:
		w.silent = false
		log.Warn("the node is heard again", "node", w.options.Address)
	case session.EventExpired:
		w.end(ErrLost)
	case session.EventGoodbye:
		w.end(fmt.Errorf("the node ended the session: %s", e.Reason))
	case session.EventRefused:
		log.Warn("the node refuses the session", "node", w.options.Address, "code", e.Code, "reason", e.Reason)
	case session.EventBroken:
		log.Error("the node does not keep to the session's protocol", "node", w.options.Address, "reason", e.Reason)
	}
}

// connect connects again and again until the worker ends.
func (w *Worker) connect(ctx context.Context) {
	var refused time.Time // since when, without an exception
	for pause := firstPause; ctx.Err() == nil; {
		conn, gone, err := w.dial(ctx)
		switch {
		case !gone:
			refused = time.Time{}
		case refused.IsZero():
			refused = time.Now()
		case time.Since(refused) > refusalTime:
			w.turn(func(unit.Time) {
				if w.opened.Load() {
					w.end(ErrGone)
				}
			})
		}
		if err == nil {
			begun := time.Now()
			w.serve(conn)
			if time.Since(begun) > lastPause {
				pause = firstPause
			}
		} else if ctx.Err() == nil {
			w.options.Log.Debug("cannot connect to the node", "node", w.options.Address, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// dial connects to the first address that can be reached. It says whether all hosts say that no process is there.
func (w *Worker) dial(ctx context.Context) (conn net.Conn, gone bool, err error) {
	addresses := []string{w.options.Address}
	if w.options.Others != nil {
		for _, other := range w.options.Others() {
			if other != "" && other != w.options.Address {
				addresses = append(addresses, other)
			}
		}
	}
	gone = true
	for _, address := range addresses {
		conn, err = dial(ctx, address, w.options.TLS)
		if secure, ok := conn.(*tls.Conn); ok && w.options.Peer != nil {
			var who identity.Identity
			if who, err = identity.Peer(secure.ConnectionState()); err == nil {
				err = w.options.Peer(who.Name)
			}
			if err != nil {
				conn.Close()
				conn = nil
			}
		}
		gone = gone && saysGone(address, err)
		if err == nil {
			return conn, false, nil
		}
	}
	return nil, gone, err
}

// serve reads a connection until it ends.
func (w *Worker) serve(c net.Conn) {
	conn := newConnection(c)
	w.turn(func(unit.Time) {
		if w.err != nil {
			conn.abort()
			return
		}
		w.conn = conn
		w.front.Connected()
	})
	// A node that is stopped accepts connections, by its kernel, and answers none.
	unanswered := time.AfterFunc(connectTime, func() {
		w.turn(func(unit.Time) {
			if w.silent {
				conn.abort()
			}
		})
	})
	defer unanswered.Stop()
	conn.read(func(b []byte) {
		w.turn(func(now unit.Time) {
			if w.conn == conn {
				w.front.Receive(now, b)
			}
		})
	})
	w.turn(func(unit.Time) {
		if w.conn == conn {
			w.conn = nil
			w.front.Disconnected()
		}
	})
}

// send sends a payload that must arrive. A session that can keep no more ends the worker.
func (w *Worker) send(payload []byte) {
	if err := w.front.Send(payload); err != nil {
		w.end(fmt.Errorf("the session with the node: %w", err))
	}
}

// HandleRequest implements [api.Worker].
func (w *Worker) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	w.turn(func(unit.Time) {
		if w.err != nil {
			reply(nil, w.refusal())
			return
		}
		w.lastID++
		sent := *req
		sent.ID = w.lastID
		payload, err := w.codec.encode(&sent)
		if err != nil {
			reply(nil, api.TypeErrorf("%v [method:%s]", err, req.Method.Name())) // it lacks what the message must have, or is too long
			return
		}
		w.pending[sent.ID] = call{reply, w.objects.Note(req)}
		w.send(payload)
	})
}

// HandleNotification implements [api.Worker]. What carries media or data is dropped when much waits for the node already.
func (w *Worker) HandleNotification(n *api.Notification) (err error) {
	w.turn(func(unit.Time) {
		if w.err != nil {
			err = w.refusal()
			return
		}
		var payload []byte
		if payload, err = w.codec.encode(n); err != nil {
			return
		}
		sent := true
		switch n.Event {
		case api.EventProducerSend, api.EventTransportSendRTCP:
			sent = w.front.SendDroppable(payload)
		case api.EventDataProducerSend:
			if sent = w.front.Waiting() <= dataLimit; sent {
				w.send(payload)
			}
		default:
			w.send(payload)
		}
		if !sent {
			err = errors.New("dropped: the node is reached too slowly")
		}
	})
	return err
}

// receive takes a payload of the node.
func (w *Worker) receive(payload []byte) {
	m, ctl, err := w.codec.decode(payload)
	switch m := m.(type) {
	case *api.Response:
		w.answer(m)
	case *api.Notification:
		w.emit(m)
	default:
		if ctl == nil {
			if _, may := w.complaints.next(clock()); may {
				w.options.Log.Error("the node sends what cannot be understood", "node", w.options.Address, "error", err)
			}
			return
		}
		w.control(ctl)
	}
}

// emit passes a notification on. Some tell of the end of what it is about.
func (w *Worker) emit(n *api.Notification) {
	switch n.Event {
	case api.EventConsumerProducerClose, api.EventDataConsumerDataProducerClose, api.EventDataConsumerClosedByPeer:
		w.objects.Remove(n.HandlerID)
	}
	w.options.Emit(n)
}

func (w *Worker) control(c *control) {
	switch {
	case c.State != nil:
		w.state = *c.State
	case c.Log != "":
		w.options.LogLine(c.Log)
	case c.Event != nil:
		w.emit(&api.Notification{HandlerID: c.Event.HandlerID, Event: c.Event.Event})
	case c.Nodes != nil:
		if w.options.Nodes != nil && w.options.Nodes(c.Nodes.Self, c.Nodes.Others, c.Nodes.Rows) {
			w.send(encodeControl(control{Watch: true}))
		}
	case c.Found != nil:
		w.found(c.Found)
	case c.Ended != "":
		w.end(fmt.Errorf("the worker on the node has ended: %s", c.Ended))
	}
}

// watch has the node tell of its cluster's nodes from now on.
func (w *Worker) watch() {
	w.turn(func(unit.Time) {
		if w.err == nil {
			w.send(encodeControl(control{Watch: true}))
		}
	})
}

func (w *Worker) answer(r *api.Response) {
	call, ok := w.pending[r.ID]
	if !ok {
		w.options.Log.Error("the node answers what was not asked", "node", w.options.Address, "id", r.ID)
		return
	}
	delete(w.pending, r.ID)
	if r.Error != "" {
		w.objects.Remove(call.creates)
		if r.Error == busy {
			call.reply(nil, placement.ErrBusy)
			return
		}
		call.reply(nil, &api.Error{Kind: api.ErrorKind(r.Error), Reason: r.Reason})
		return
	}
	call.reply(r.Body, nil)
}

// end ends the worker by itself.
func (w *Worker) end(reason error) {
	if w.err != nil {
		return
	}
	w.err = reason
	if !errors.Is(reason, api.ErrClosed) {
		w.options.Log.Warn("the worker on the node is lost", "node", w.options.Address, "reason", reason)
	}
	close(w.done) // before requests are refused for it
	pending := w.pending
	w.pending, w.objects, w.state = nil, api.Objects{}, placement.State{}
	for _, call := range pending {
		call.reply(nil, w.refusal())
	}
	w.front.Goodbye("the front has given the session up")
	w.cancel()
}

// refusal is the answer to requests of a worker that has ended.
func (w *Worker) refusal() error { return api.Errorf("the node does not answer any more: %v", w.err) }

// RouterOf implements [api.Worker].
func (w *Worker) RouterOf(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.objects.RouterOf(id)
}

// Load implements [api.Worker]: how busy the node was when it told last, and how many objects were asked for and not refused.
func (w *Worker) Load() api.Load {
	w.mu.Lock()
	defer w.mu.Unlock()
	load := w.objects.Load()
	load.CPU = w.state.Load
	return load
}

// State returns what the node told of itself last.
func (w *Worker) State() placement.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// Available reports whether something new may be placed on the node: it was heard lately, and is not about to end.
func (w *Worker) Available() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.silent && !w.state.Draining && w.err == nil
}

// Done implements [api.Worker].
func (w *Worker) Done() <-chan struct{} { return w.done }

// Err implements [api.Worker].
func (w *Worker) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// goodbyeTime is how long Close waits for the goodbye to be written, chosen here: well below the time within which a worker's
// process has to end.
const goodbyeTime = 40 * time.Millisecond

// Close implements [api.Worker]. The node is told, if it is reached; else it notices when the lease is over.
func (w *Worker) Close() {
	var conn *connection
	w.turn(func(unit.Time) {
		conn = w.conn
		w.end(api.ErrClosed)
	})
	w.mu.Lock()
	w.alarm.stop()
	w.mu.Unlock()
	if conn != nil {
		select {
		case <-conn.ended:
		case <-time.After(goodbyeTime):
		}
	}
}
