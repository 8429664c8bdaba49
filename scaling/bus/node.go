package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
)

// waitingInputs is how many heartbeats may wait for the node's goroutine, chosen here; the client of the bus holds more.
const waitingInputs = 64

// Options says how a node takes part.
type Options struct {
	// Self returns what it says of itself. It is called at first, once a second and after Update. Name and incarnation stay as they were
	// at first. Required.
	Self func() membership.Node
	// Credentials are the node's. Required, but for an operator's own NATS.
	Credentials *identity.Credentials
	// Serve is the address, "host:port", of a server in this process; the next port is for other servers. Empty: none.
	Serve string
	// Join are the addresses of all servers, "host:port". Names are looked up again at each attempt, and may have several addresses.
	Join []string
	// URL is that of an operator's own NATS, in place of Join and Serve: nats://… or tls://…, several separated by commas.
	URL string
	// Changed is called with rows that have changed, by one goroutine. Load alone is no change.
	Changed func(rows []membership.Row)
	// Receive is called with messages that other nodes have sent to this one, by one goroutine; nil discards them. What they contain
	// is not looked into.
	Receive func(from string, b []byte)
	// Log is the node's; nil discards.
	Log *slog.Logger
}

// Node is a node's part in the bus.
type Node struct {
	options    Options
	server     *busServer // nil: none
	client     *client
	outbox     *outbox
	complaints logger
	inputs     chan func(now unit.Time)
	stop       chan struct{}
	stopped    chan struct{} // the goroutine has ended
	outcome    chan error    // of joining, once

	mu     sync.Mutex // held when the machine is used
	member *membership.Member
	close  sync.Once
}

// begun is when the process began. Times are counted from it: neither a step of the clock nor the machine's sleep is seen.
var begun = time.Now()

func clock() unit.Time { return unit.Time(time.Since(begun)) }

// Join takes part, and returns once the node may serve: a live node of its name is an error. ctx may end the waiting.
func Join(ctx context.Context, o Options) (*Node, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	self := o.Self()
	n := &Node{
		options: o, complaints: newLogger(o.Log), inputs: make(chan func(unit.Time), waitingInputs), stop: make(chan struct{}), stopped: make(chan struct{}), outcome: make(chan error, 1),
		member: membership.New(clock(), self, membership.DefaultLimits),
	}
	var err error
	if o.Serve != "" {
		if n.server, err = serve(&o, &self); err != nil {
			return nil, err
		}
	}
	if n.client, err = connect(&o, self.Name, handlers{n.connected, n.takeHeartbeat, n.takeMessage}); err != nil {
		n.closeServer()
		return nil, err
	}
	n.outbox = newOutbox(n.client.send)
	go n.run()
	select {
	case err = <-n.outcome:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// check refuses options by which no node can take part.
func (o *Options) check() error {
	switch {
	case o.URL != "" && (o.Serve != "" || len(o.Join) > 0):
		return errors.New("a node uses either the cluster's own bus or another one")
	case o.URL != "":
		return nil
	case o.Credentials == nil:
		return errors.New("nodes know each other by certificates")
	case len(o.Join) == 0:
		return errors.New("no bus server is named")
	}
	for _, address := range o.Join {
		if _, _, err := hostPort(address); err != nil {
			return err
		}
	}
	return nil
}

// put has the goroutine do something.
func (n *Node) put(f func(now unit.Time)) {
	select {
	case n.inputs <- f:
	case <-n.stop:
	}
}

func (n *Node) connected(yes bool) {
	n.put(func(now unit.Time) {
		if yes {
			n.member.HandleConnected(now)
		} else {
			n.member.HandleDisconnected(now)
		}
	})
}

func (n *Node) takeHeartbeat(name string, b []byte) {
	h, err := membership.Parse(name, b)
	if err == nil {
		err = identity.CheckName(name)
	}
	if err != nil {
		n.complaints.Errorf("node %s sends what is no heartbeat: %v", name, err)
		return
	}
	n.put(func(now unit.Time) {
		refused := n.member.Refused()
		if n.member.HandleHeartbeat(now, h); n.member.Refused() > refused {
			n.complaints.Errorf("there is no room for node %s: the cluster has too many", name)
		}
	})
}

func (n *Node) takeMessage(from string, b []byte) {
	if n.options.Receive != nil {
		n.options.Receive(from, b)
	}
}

// Send sends a message of at most [MaxMessage] bytes to another node. It may be lost. Messages to one node arrive in the order in
// which they were sent, but for those that are urgent: these overtake the others. Send does not wait.
func (n *Node) Send(to string, b []byte, urgent bool) { n.outbox.put(letter{to, b}, urgent) }

// Lost returns how many messages this node has lost for want of room or of a connection: those that it sent, and those that came.
func (n *Node) Lost() uint64 { return n.outbox.lost() + n.client.lost() }

// Update has what the node says of itself looked at now.
func (n *Node) Update() { n.put(n.update) }

func (n *Node) update(now unit.Time) { n.member.SetSelf(now, n.options.Self()) }

// run is the node's goroutine.
func (n *Node) run() {
	defer close(n.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var f func(now unit.Time)
		select {
		case <-n.stop:
			n.turn(n.member.Leave)
			return
		case f = <-n.inputs:
		case <-timer.C:
			f = func(now unit.Time) {
				n.update(now)
				n.member.HandleTimeout(now)
			}
		}
		timer.Reset(n.turn(f))
	}
}

// turn runs f, drains the machine, and returns when it wants to be called.
func (n *Node) turn(f func(now unit.Time)) time.Duration {
	n.mu.Lock()
	now := clock()
	f(now)
	out := *n.member.Output()
	*n.member.Output() = membership.Output{}
	next := n.member.NextTimeout()
	n.mu.Unlock()
	if out.Heartbeat != nil {
		n.client.publish(out.Heartbeat.Append(nil), n.options.Log)
	}
	if out.Namesake != nil {
		n.meet(out.Namesake)
	}
	if out.Joined {
		n.decide(nil)
	}
	if len(out.Changes) > 0 && n.options.Changed != nil {
		n.options.Changed(out.Changes)
	}
	return max(next.Sub(now), 0)
}

// meet takes the news of another node of this one's name.
func (n *Node) meet(other *membership.Node) {
	n.options.Log.Error("another node of this one's name is running", "name", other.Name, "addresses", other.Addresses, "host", other.Host)
	n.decide(fmt.Errorf("a node %s is running already, at %v: names must differ", other.Name, other.Addresses))
}

// decide ends the waiting of Join.
func (n *Node) decide(err error) {
	select {
	case n.outcome <- err:
	default: // it was decided before
	}
}

// Rows returns the table of all nodes, this one included.
func (n *Node) Rows() []membership.Row {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.member.Rows()
}

// Close says goodbye and ends.
func (n *Node) Close() {
	n.close.Do(func() {
		close(n.stop)
		<-n.stopped
		n.outbox.close()
		n.client.close()
		n.closeServer()
	})
}

func (n *Node) closeServer() {
	if n.server != nil {
		n.server.close()
	}
}
