// Package placement says where things go: which node gets a new transport, and which one feeds a relay. Its functions are pure; what
// they decide upon is handed to them.
package placement

import (
	"cmp"
	"errors"
	"maps"
)

// ErrBusy is what a node refuses a new transport with that it has no capacity for. The next best node is tried then.
var ErrBusy = errors.New("the node is busy")

// Chosen here.
const (
	// Watermark is the load up to which a node is filled, unless it says another one: beyond it, what the peers do next (cameras on,
	// layers up) might not find room.
	Watermark = 0.6
	// Limit is the load from which on a node gets no new transports, unless the application says another one.
	Limit = 0.95
)

// Labels say where a node or an application's host is. An empty one says nothing.
type Labels struct {
	// Region is within which distance does not matter; between regions there is delay.
	Region string `json:"region,omitempty"`
	// Zone is a part of a region: a data centre, within which traffic costs nothing.
	Zone string `json:"zone,omitempty"`
}

// All returns those that say something, by their names.
func (l Labels) All() map[string]string {
	all := map[string]string{"region": l.Region, "zone": l.Zone}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// State is what a node tells of itself, as far as placing goes by it. Loads are from 0 to 1.
type State struct {
	Labels
	// Load is the measured fraction of what it can do, Peak the highest of the last seconds.
	Load float64 `json:"cpu"`
	Peak float64 `json:"peak,omitempty"`
	// Assumed is what was placed there lately is assumed to add to that: see [Outlook].
	Assumed float64 `json:"assumed,omitempty"`
	// Reserved is what those are assumed to add who follow the first ones in Routers that came lately. It is there for them, and taken
	// for other Routers. What has come of it is part of Assumed.
	Reserved float64 `json:"reserved,omitempty"`
	// Share is what one more transport is assumed to add: the less, the larger the node is.
	Share float64 `json:"share,omitempty"`
	// Watermark is the load up to which it is to be filled; 0 means the constant of that name.
	Watermark float64 `json:"watermark,omitempty"`
	// Draining says that it will end: nothing new is to be placed there.
	Draining bool `json:"draining,omitempty"`
}

// Terms are those on which a node is to take a transport.
type Terms struct {
	// Below is the load from which on it is to refuse it as busy; 0 means that it is to take it anyway.
	Below float64
	// New says that the Router has no transport there, so that what is reserved for others counts as load.
	New bool
}

// Takes reports whether the node takes a transport on the given terms.
func (s *State) Takes(t Terms) bool {
	expected := max(s.Load, s.Peak) + s.Assumed
	if t.New {
		expected = max(expected, max(s.Load, s.Peak)+s.Reserved)
	}
	return t.Below == 0 || expected < t.Below
}

// watermark returns the load up to which the node is to be filled.
func (s *State) watermark() float64 {
	if s.Watermark == 0 {
		return Watermark
	}
	return s.Watermark
}

// Node is what is known of a node when a transport of a certain Router is to be placed.
type Node struct {
	State
	// Transports is how many the Router has there, All how many all Routers of the application have.
	Transports, All int
	// Asked is how many of these it was asked for and has not answered yet. The load that it told is without them.
	Asked int
}

// Policy chooses among nodes.
type Policy interface {
	// Best returns the index of the node that is to take a transport, -1 for none, and the terms: fronts choose at the same time, by what
	// they heard a moment ago, so the node refuses the transport if they do not hold any more. Then the caller asks again, without
	// that node. Nodes come in an order that is always the same. One that drains is never chosen.
	Best(nodes []Node) (index int, terms Terms)
}

// Fixed puts everything on the first node, and on the next ones in turn when that refuses.
type Fixed struct{}

// Best implements Policy.
func (Fixed) Best(nodes []Node) (index int, terms Terms) {
	return best(nodes, func(*Node, *Node) int { return 0 }), Terms{}
}

// Spread puts each transport of a Router where that Router has the fewest, and of several such nodes where there are the fewest:
// for tests, since it makes as many relays as there can be.
type Spread struct{}

// Best implements Policy.
func (Spread) Best(nodes []Node) (index int, terms Terms) {
	return best(nodes, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(a.Transports, b.Transports), cmp.Compare(a.All, b.All))
	}), Terms{}
}

// best returns the index of the first node that compares less than all others, of those that do not drain.
func best(nodes []Node, compare func(a, b *Node) int) int {
	best := -1
	for i := range nodes {
		if !nodes[i].Draining && (best < 0 || compare(&nodes[i], &nodes[best]) < 0) {
			best = i
		}
	}
	return best
}

// first is the result of a comparison of two, one of which comes first.
func first(isA bool) int {
	if isA {
		return -1
	}
	return 1
}
