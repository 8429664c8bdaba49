package directory

import (
	"errors"
	"time"

	"gazpacho/engine/unit"
)

// Chosen here.
const (
	beatInterval = 2 * time.Second
	lease        = 5 * beatInterval
	resyncPause  = beatInterval / 2 // who lacks something asks at each beat
	// settling is for how long after a change of its members a holder may not have been told of everything: they change within a second
	// on all nodes.
	settling   = 1500 * time.Millisecond
	askAgain   = 300 * time.Millisecond
	askTick    = 20 * time.Millisecond // between two looks at all look-ups
	giveUp     = 4 * time.Second
	maxLookups = 4096 // at once
	maxLeft    = 4096 // former members that are remembered
)

// Errors of [Directory.Register] and [Directory.Lookup].
var (
	ErrFull    = errors.New("the front, its tenant or the node has registered too much")
	ErrTooLong = errors.New("the entry is too long")
	ErrBusy    = errors.New("too many look-ups at once")
)

// Member is a live node. One that was started again has another incarnation.
type Member struct{ Name, Incarnation string }

// Limits are bounds of what is registered on one node, by a front, for a tenant and in all, in bytes with what tables need besides.
type Limits struct{ Front, Tenant, Node int }

// DefaultLimits have room for some 50,000 producers of a front, 400,000 of a tenant, and 1,600,000 of a node.
var DefaultLimits = Limits{Front: 8 << 20, Tenant: 64 << 20, Node: 256 << 20}

// Directory is the machine of one node. After each call, its output is to be taken.
type Directory struct {
	self   Member
	limits Limits
	peers  map[string]*peer  // members by name, this node included
	order  []*peer           // the same, in the order of their names
	left   map[string]string // incarnations of former members by name
	sureAt unit.Time         // from when on it knows what it should hold

	own     map[Key]*registration
	bytes   int // of these
	fronts  map[string]*usage
	tenants map[string]*usage

	held      map[Key]*holding
	lookups   map[uint64]*lookup
	lastToken uint64
	nextBeat  unit.Time
	nextAsk   unit.Time // no look-up has anything to do before
	out       Output
}

// Output is what a directory wants to be done.
type Output struct {
	Messages []Outgoing
	Results  []Result
}

// Outgoing is a message for another node. It may be lost.
type Outgoing struct {
	To string
	Message
}

// Result is the end of a look-up.
type Result struct {
	Token  uint64
	Status Status
	Entry  Entry // what was found
}

// Status is how a look-up ended.
type Status int

// Ends of look-ups.
const (
	Found  Status = iota
	Absent        // there is no such entry
	Failed        // no node that should know has answered
)

// peer is a member.
type peer struct {
	Member
	hash uint64
	// What it should hold of what is registered here.
	count  int
	digest uint64
	beats  bool // it was told of something
	// What is held here of what it has registered.
	held       int
	heldDigest uint64
	heldBytes  map[string]int // by tenant
	heldInAll  int            // bytes
	newest     *holding
	expires    unit.Time
	// resync is from when on it is told again of everything: asking costs it nothing, and telling much.
	resync unit.Time
}

// New returns the directory of a node, which is the only member so far.
func New(now unit.Time, self Member, limits Limits) *Directory {
	d := &Directory{
		self: self, limits: limits, own: map[Key]*registration{}, fronts: map[string]*usage{}, tenants: map[string]*usage{},
		peers: map[string]*peer{}, left: map[string]string{}, held: map[Key]*holding{}, lookups: map[uint64]*lookup{}, nextBeat: now.Add(beatInterval), nextAsk: unit.Never,
	}
	d.SetMembers(now, nil)
	return d
}

// Output returns what is to be done. The caller empties it.
func (d *Directory) Output() *Output { return &d.out }

// NextTimeout returns when HandleTimeout is due.
func (d *Directory) NextTimeout() unit.Time { return min(d.nextBeat, d.nextAsk) }

// HandleTimeout does what is due.
func (d *Directory) HandleTimeout(now unit.Time) {
	if now >= d.nextBeat {
		d.nextBeat = now.Add(beatInterval)
		for _, p := range d.order {
			if p.beats {
				d.send(now, p, Message{Kind: Beat, Count: p.count, Digest: p.digest})
			}
			if p.held > 0 && now >= p.expires {
				d.drop(p)
			}
		}
	}
	if now >= d.nextAsk {
		d.askLate(now)
	}
}

// Receive takes a message of another node. What is not from a member, or makes no sense, is ignored.
func (d *Directory) Receive(now unit.Time, from string, m *Message) {
	p := d.peers[from]
	if p == nil {
		return
	}
	switch m.Kind {
	case Put, Remove, Beat:
		d.hold(now, p, m)
	case Resync:
		if now >= p.resync {
			p.resync = now.Add(resyncPause)
			d.resync(now, p)
		}
	case Query:
		d.answer(now, p, m)
	case Answer:
		d.take(p, m)
	}
}

// send sends a message to a member, which may be this node itself.
func (d *Directory) send(now unit.Time, p *peer, m Message) {
	if p.Member == d.self {
		d.Receive(now, p.Name, &m)
		return
	}
	d.out.Messages = append(d.out.Messages, Outgoing{p.Name, m})
}
