package remote

import (
	"sync"

	"gazpacho/engine/unit"
	"gazpacho/scaling/directory"
	"gazpacho/scaling/membership"
)

// Bus carries messages from a node to others. They may be lost.
type Bus interface {
	// Send sends a message of at most directory.MaxMessage bytes, without waiting. Urgent ones may overtake others.
	Send(to string, b []byte, urgent bool)
	// Lost returns how many messages were lost here, for want of room or of a connection.
	Lost() uint64
}

// index is the node's part in the cluster's directory. A node without a bus has none.
type index struct {
	mu      sync.Mutex
	machine *directory.Directory // nil: none
	bus     Bus
	alarm   alarm
	waiting map[uint64]func(directory.Result) // for results, by token
	status  DirectoryStatus
}

// DirectoryStatus is a node's part in the directory of producers.
type DirectoryStatus struct {
	Registered int    `json:"registered"` // producers of this node that others find
	Held       int    `json:"held"`       // entries that it keeps of all nodes' producers
	Waiting    int    `json:"waitingLookups"`
	Lookups    uint64 `json:"lookups"`           // that have ended
	Absent     uint64 `json:"absentLookups"`     // those of them that found nothing
	Failed     uint64 `json:"failedLookups"`     // and those to which no node answered that should know
	Refused    uint64 `json:"refusedProducers"`  // for which there was no room
	Malformed  uint64 `json:"malformedMessages"` // of other nodes
	Lost       uint64 `json:"lostMessages"`      // for want of room, or of a connection with the bus
}

// JoinDirectory makes the node a part of its cluster's directory, before it serves.
func (s *Server) JoinDirectory(self directory.Member, bus Bus) {
	x := &s.index
	x.mu.Lock()
	x.machine, x.bus, x.waiting = directory.New(clock(), self, directory.DefaultLimits), bus, map[uint64]func(directory.Result){}
	x.mu.Unlock()
	x.setMembers(s.table.alive(self.Name))
}

// HandleMessage takes a message of another node.
func (s *Server) HandleMessage(from string, b []byte) {
	m, err := directory.Parse(b)
	s.index.turn(func(now unit.Time, d *directory.Directory) {
		if err != nil {
			s.index.status.Malformed++
			return
		}
		d.Receive(now, from, &m)
	})
}

// turn runs f with the lock held, if there is a machine, and does what that asks for.
func (x *index) turn(f func(now unit.Time, d *directory.Directory)) {
	x.mu.Lock()
	if x.machine == nil {
		x.mu.Unlock()
		return
	}
	now := clock()
	f(now, x.machine)
	results := x.drain(now)
	done := make([]func(directory.Result), len(results))
	for i, r := range results {
		done[i] = x.waiting[r.Token]
		delete(x.waiting, r.Token)
	}
	x.mu.Unlock()
	for i, r := range results {
		done[i](r)
	}
}

// drain sends what the machine has to send, and returns its results. The lock is held.
func (x *index) drain(now unit.Time) []directory.Result {
	out := *x.machine.Output()
	*x.machine.Output() = directory.Output{}
	for i := range out.Messages {
		m := &out.Messages[i]
		x.bus.Send(m.To, m.Append(nil), !m.Kind.Bulk())
	}
	for _, r := range out.Results {
		x.status.Lookups++
		switch r.Status {
		case directory.Absent:
			x.status.Absent++
		case directory.Failed:
			x.status.Failed++
		}
	}
	x.alarm.set(x.machine.NextTimeout(), now, func() {
		x.turn(func(now unit.Time, d *directory.Directory) {
			x.alarm.fired()
			d.HandleTimeout(now)
		})
	})
	return out.Results
}

func (x *index) setMembers(others []directory.Member) {
	x.turn(func(now unit.Time, d *directory.Directory) { d.SetMembers(now, others) })
}

// register makes an entry of a front known, if there is room for it.
func (x *index) register(front string, e directory.Entry) {
	x.turn(func(now unit.Time, d *directory.Directory) {
		if d.Register(now, front, e) != nil {
			x.status.Refused++
		}
	})
}

func (x *index) unregister(front string, k directory.Key) {
	x.turn(func(now unit.Time, d *directory.Directory) { d.Unregister(now, front, k) })
}

// leave takes back all that a front has registered.
func (x *index) leave(front string) {
	x.turn(func(now unit.Time, d *directory.Directory) { d.Leave(now, front) })
}

// lookup looks for an entry, and calls done with the result, now or later, without locks. It reports false if the node has no directory.
func (x *index) lookup(k directory.Key, done func(r directory.Result, err error)) (has bool) {
	var err error
	x.turn(func(now unit.Time, d *directory.Directory) {
		has = true
		var token uint64
		if token, err = d.Lookup(now, k); err == nil {
			x.waiting[token] = func(r directory.Result) { done(r, nil) }
		}
	})
	if err != nil {
		done(directory.Result{}, err)
	}
	return has
}

// shown returns the node's part in the directory, nil for none.
func (x *index) shown() *DirectoryStatus {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.machine == nil {
		return nil
	}
	st := x.status
	st.Registered, st.Held, st.Waiting, st.Lost = x.machine.Registered(), x.machine.Held(), len(x.waiting), x.bus.Lost()
	return &st
}

// close ends it.
func (x *index) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.alarm.stop()
	x.machine = nil
}

// alive returns the nodes that live, but for the one of that name. Whoever is suspected is none: what it should hold, others do until it is
// back.
func (t *table) alive(but string) (others []directory.Member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.rows {
		if r.Name != but && r.Condition == membership.Alive {
			others = append(others, directory.Member{Name: r.Name, Incarnation: r.Incarnation})
		}
	}
	return others
}
