package session_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/session"
)

const start = unit.Time(1_000_000 * time.Second)

var testLimits = session.Limits{MaxMessage: 1 << 18, Pieces: 1000, Bytes: 1 << 20, DroppableBytes: 1 << 12}

// connection carries bytes both ways with a delay, in chunks cut anywhere, until it is cut.
type connection struct {
	toNode, toFront []chunk
	accepted        bool // the node's machine has it
	hello           []byte
	closed          bool // by the front, in good order: what it wrote before still arrives
	dead            bool
	left            [2]int       // bytes to the node and to the front until it breaks
	free            [2]unit.Time // when the network has carried all that was written in that direction
}

const toNode, toFront = 0, 1

type chunk struct {
	at unit.Time
	b  []byte
}

// fixture is a front and a node with a network between them that the test breaks.
type fixture struct {
	t     *testing.T
	rng   *rand.Rand
	now   unit.Time
	delay time.Duration
	rate  int        // bytes per second in each direction; 0: no limit
	lasts func() int // draws after how many bytes in each direction a connection breaks; nil: none does
	limit session.Limits

	front *session.Front
	node  *session.Node
	conn  *connection // the front's
	held  *connection // the node's, which may be an earlier one

	incarnation uint64
	frozen      bool // the node's process is stopped: it reads nothing and its timers do not run
	drift       float64

	arrived         [2]int   // bytes to the node and to the front, on all connections
	atFront, atNode []string // payloads of messages in the present conversation
	frontEvents     []string
	nodeEvents      []string
	transcript      *strings.Builder
}

func newFixture(t *testing.T, seed uint64) *fixture {
	f := &fixture{t: t, rng: rand.New(rand.NewPCG(seed, 1)), now: start, delay: 5 * time.Millisecond, limit: testLimits, incarnation: 7}
	f.front = session.NewFront(f.now, session.SessionID{1}, f.limit)
	f.restart(f.incarnation)
	return f
}

// nodeNow is the time by the node's clock, which runs faster or slower than the front's.
func (f *fixture) nodeNow() unit.Time {
	return 5*start + unit.Time(float64(f.now-start)*(1+f.drift))
}

// restart gives the node a new process.
func (f *fixture) restart(incarnation uint64) {
	f.incarnation = incarnation
	conversations := incarnation * 100
	f.node = session.NewNode(func() uint64 { conversations++; return conversations }, f.limit)
	f.held, f.frozen = nil, false
	f.atNode = nil
	f.log("node   starts as %d", incarnation)
}

// connect gives the front a new connection.
func (f *fixture) connect() {
	f.cut()
	f.conn = &connection{left: [2]int{1 << 60, 1 << 60}}
	if f.lasts != nil {
		f.conn.left = [2]int{f.lasts(), f.lasts()}
	}
	f.log("       connected")
	f.front.Connected()
	f.drainFront()
}

// cut ends the front's connection: what was under way is lost. The node notices when it reads.
func (f *fixture) cut() {
	if f.conn == nil {
		return
	}
	f.log("       cut")
	f.conn.dead = true
	f.conn = nil
	f.front.Disconnected()
	f.drainFront()
}

func (f *fixture) send(payload string) error {
	err := f.front.Send([]byte(payload))
	f.drainFront()
	return err
}

func (f *fixture) sendFromNode(payload string) error {
	err := f.node.Send([]byte(payload))
	f.drainNode()
	return err
}

// run lets the time pass in steps of a millisecond.
func (f *fixture) run(d time.Duration) {
	for end := f.now.Add(d); f.now < end; f.now = f.now.Add(time.Millisecond) {
		f.step()
	}
}

func (f *fixture) step() {
	if f.front.NextTimeout() <= f.now {
		f.front.HandleTimeout(f.now)
		f.drainFront()
		f.assertSafe()
	}
	if c := f.conn; c != nil {
		for f.conn == c && len(c.toFront) > 0 && c.toFront[0].at <= f.now {
			b := c.toFront[0].b
			c.toFront = c.toFront[1:]
			f.arrived[toFront] += len(b)
			f.front.Receive(f.now, b)
			f.drainFront()
		}
	}
	if f.frozen {
		return
	}
	if f.node.NextTimeout() <= f.nodeNow() {
		f.node.HandleTimeout(f.nodeNow())
		f.drainNode()
	}
	if f.held != nil && (f.held.dead || f.held.closed && len(f.held.toNode) == 0) {
		f.held = nil
		f.node.Disconnected()
		f.drainNode()
	}
	if c := f.conn; c != nil {
		f.deliverToNode(c)
	}
	if c := f.held; c != nil && c != f.conn {
		f.deliverToNode(c)
	}
}

func (f *fixture) deliverToNode(c *connection) {
	for len(c.toNode) > 0 && c.toNode[0].at <= f.now {
		b := c.toNode[0].b
		c.toNode = c.toNode[1:]
		f.arrived[toNode] += len(b)
		if !c.accepted {
			c.hello = append(c.hello, b...)
			first, rest, ok, err := session.ReadFirst(c.hello)
			if err != nil {
				f.t.Fatal(err)
			}
			if !ok {
				continue
			}
			hello := *first.Hello
			if code := f.node.Accept(f.nodeNow(), hello); code != 0 {
				f.log("node   refuses: %s", code)
				c.toFront = append(c.toFront, f.cutUp(c, toFront, session.AppendRefusal(nil, code, ""))...)
				continue
			}
			f.log("node   accepts epoch %d, conversation %d, received %d", hello.Epoch, hello.Conversation, hello.Received)
			c.accepted = true
			f.held = c
			f.drainNode()
			b = rest
		}
		if f.held == c {
			f.node.Receive(f.nodeNow(), b)
			f.drainNode()
		}
	}
}

// cutUp returns b in random chunks that arrive later, as far as the connection carries it.
func (f *fixture) cutUp(c *connection, direction int, b []byte) (chunks []chunk) {
	b = b[:min(len(b), c.left[direction])]
	c.left[direction] -= len(b)
	for len(b) > 0 {
		n := 1 + f.rng.IntN(len(b))
		at := f.now
		if f.rate > 0 {
			n = min(n, 4096)
			at = max(at, c.free[direction]).Add(time.Second * time.Duration(n) / time.Duration(f.rate))
			c.free[direction] = at
		}
		chunks = append(chunks, chunk{at.Add(f.delay), append([]byte(nil), b[:n]...)})
		b = b[n:]
	}
	return chunks
}

// breaks reports whether one direction of the front's connection has carried what it can.
func (f *fixture) breaks() bool {
	c := f.conn
	return c != nil && (c.left[toNode] == 0 && len(c.toNode) == 0 || c.left[toFront] == 0 && len(c.toFront) == 0)
}

func (f *fixture) drainFront() {
	out := *f.front.Output()
	f.front.Output().Reset()
	if f.conn != nil {
		f.conn.toNode = append(f.conn.toNode, f.cutUp(f.conn, toNode, out.Bytes)...)
	}
	for _, e := range out.Events {
		f.frontEvents = append(f.frontEvents, describe(e))
		f.log("front  %s", describe(e))
		switch e.Kind {
		case session.EventMessage:
			f.atFront = append(f.atFront, string(e.Payload))
		case session.EventOpened:
			f.atFront = nil
		}
	}
	if out.Drop && f.conn != nil {
		f.conn.closed = true
		f.conn = nil
		f.log("front  closes the connection")
	}
}

func (f *fixture) drainNode() {
	out := *f.node.Output()
	f.node.Output().Reset()
	if f.held != nil && !f.held.dead {
		f.held.toFront = append(f.held.toFront, f.cutUp(f.held, toFront, out.Bytes)...)
	}
	for _, e := range out.Events {
		f.nodeEvents = append(f.nodeEvents, describe(e))
		f.log("node   %s", describe(e))
		switch e.Kind {
		case session.EventMessage:
			f.atNode = append(f.atNode, string(e.Payload))
		case session.EventExpired:
			f.atNode = nil
		}
	}
	if out.Drop && f.held != nil {
		f.log("node   closes the connection")
		f.held = nil
	}
}

// assertSafe checks the promise that everything else is for: when the front says that the lease has expired, a node that runs
// has given up all that this front created, or does so before it does anything else.
func (f *fixture) assertSafe() {
	for _, e := range f.frontEvents[max(len(f.frontEvents)-1, 0):] {
		if strings.HasPrefix(e, "expired") && f.node.NextTimeout() > f.nodeNow() && len(f.atNode) > 0 {
			f.t.Fatalf("the front gave the node up, which holds %d messages' effects for another %s", len(f.atNode),
				f.node.NextTimeout().Sub(f.nodeNow()))
		}
	}
}

func (f *fixture) log(format string, args ...any) {
	if f.transcript != nil {
		fmt.Fprintf(f.transcript, "%8.3f %s\n", f.now.Sub(start).Seconds(), fmt.Sprintf(format, args...))
	}
}

func describe(e session.Event) string {
	names := map[session.EventKind]string{
		session.EventOpened: "opened", session.EventResumed: "resumed", session.EventMessage: "message",
		session.EventSuspected: "suspected", session.EventRecovered: "recovered",
		session.EventExpired: "expired", session.EventRefused: "refused", session.EventGoodbye: "goodbye",
		session.EventBroken: "broken",
	}
	s := names[e.Kind]
	switch {
	case e.Kind != session.EventMessage:
	case len(e.Payload) > 100:
		s += fmt.Sprintf(" of %d bytes", len(e.Payload))
	default:
		s += " " + string(e.Payload)
	}
	if e.Code != 0 {
		s += " (" + e.Code.String() + ")"
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}
