// Package placement says where things go: which node gets a new transport, and which one feeds a relay. Its functions are pure; what
// they decide upon is handed to them.
package placement

import (
	"cmp"
	"errors"
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

// State is what a node tells of itself, as far as placing goes by it. Loads are from 0 to 1.
type State struct {
	Labels
	// Load is the measured fraction of what it can do.
	Load float64 `json:"cpu"`
	// Assumed is what was placed there lately will add to that: see [Growth].
	Assumed float64 `json:"assumed,omitempty"`
	// Share is what one more transport is assumed to add: the less, the larger the node is.
	Share float64 `json:"share,omitempty"`
	// Watermark is the load up to which it is to be filled; 0 means the constant of that name.
	Watermark float64 `json:"watermark,omitempty"`
	// Draining says that it will end: nothing new is to be placed there.
	Draining bool `json:"draining,omitempty"`
}

// Expected returns the load that the node will have when what was placed on it is in use.
func (s State) Expected() float64 { return s.Load + s.Assumed }

// watermark returns the load up to which the node is to be filled.
func (s *State) watermark() float64 { return cmp.Or(s.Watermark, Watermark) }

// Node is what is known of a node when a transport of a certain Router is to be placed.
type Node struct {
	State
	// Transports is how many the Router has there, All how many all Routers of the application have.
	Transports, All int
	// Asked is how many of these it was asked for and has not answered yet. The load that it told is without them.
	Asked int
}

// expected is the load with what the node was asked for.
func (n *Node) expected() float64 { return n.Load + n.Assumed + float64(n.Asked)*n.Share }

// Policy chooses among nodes.
type Policy interface {
	// Best returns the index of the node that is to take a transport, -1 for none, and below which load, 0 for any: fronts choose at
	// the same time, by what they heard a moment ago, so the node refuses the transport as busy if that does not hold any more. Then the
	// caller asks again, by what it has heard with the refusal, and without the node if that is chosen once more. Nodes come in an
	// order that is always the same. One that drains is never chosen.
	Best(nodes []Node) (index int, below float64)
}

// Fixed puts everything on the first node, and on the next ones in turn when that refuses.
type Fixed struct{}

// Best implements Policy.
func (Fixed) Best(nodes []Node) (index int, below float64) {
	return best(nodes, func(*Node, *Node) int { return 0 }), 0
}

// Spread puts each transport of a Router where that Router has the fewest, and of several such nodes where there are the fewest:
// for tests, since it makes as many relays as there can be.
type Spread struct{}

// Best implements Policy.
func (Spread) Best(nodes []Node) (index int, below float64) {
	return best(nodes, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(a.Transports, b.Transports), cmp.Compare(a.All, b.All))
	}), 0
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
