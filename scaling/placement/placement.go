// Package placement says where things go: which node gets a new transport, and which one feeds a relay. Its functions are pure; what
// they decide upon is handed to them.
package placement

import (
	"cmp"
	"slices"
)

// Node is what is known of a node when something is to be placed.
type Node struct {
	// Load is how busy it is, from 0 to 1.
	Load float64
	// Transports is how many the Router in question has there, All how many all Routers have.
	Transports, All int
}

// Policy chooses among nodes.
type Policy interface {
	// Order returns the indices of all nodes, the best first. The caller takes the first that accepts. Nodes come in an order
	// that is always the same.
	Order(nodes []Node) []int
}

// Fixed puts everything on the first node, and on the next ones in turn when that refuses.
type Fixed struct{}

// Order implements Policy.
func (Fixed) Order(nodes []Node) []int { return inTurn(nodes) }

// Spread puts each transport of a Router where that Router has the fewest, and of several such nodes where there are the fewest:
// for tests, since it makes as many relays as there can be.
type Spread struct{}

// Order implements Policy.
func (Spread) Order(nodes []Node) []int {
	order := inTurn(nodes)
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(nodes[a].Transports, nodes[b].Transports), cmp.Compare(nodes[a].All, nodes[b].All))
	})
	return order
}

// Watermark is the load up to which Fill fills a node, chosen here: beyond it, what the Router's peers do next (cameras on,
// layers up) might not find room.
const Watermark = 0.6

// step is the difference in load that is worth a relay, chosen here. Nodes of one host have their load in common, but measure it
// at different moments.
const step = 0.1

// Fill keeps a Router together, and uses few nodes: idle ones can be switched off. A Router stays where it is until that node is
// above the watermark; then it spills to the fullest node below it. Above every watermark the least loaded node takes it; among
// those that are about as loaded, the Router's own.
type Fill struct{}

// Order implements Policy.
func (Fill) Order(nodes []Node) []int {
	order := inTurn(nodes)
	slices.SortStableFunc(order, func(a, b int) int { return compareFill(nodes[a], nodes[b]) })
	return order
}

func compareFill(a, b Node) int {
	roomA, roomB := a.Load < Watermark, b.Load < Watermark
	switch {
	case roomA != roomB:
		return first(roomA)
	case !roomA && steps(a.Load) != steps(b.Load):
		return cmp.Compare(a.Load, b.Load)
	case (a.Transports > 0) != (b.Transports > 0):
		return first(a.Transports > 0)
	case !roomA:
		return cmp.Compare(a.Load, b.Load)
	default:
		return cmp.Compare(b.Load, a.Load)
	}
}

// steps returns the load in whole steps.
func steps(load float64) int { return int(load/step + 0.5) }

// first is the result of a comparison of two, one of which comes first.
func first(isA bool) int {
	if isA {
		return -1
	}
	return 1
}

func inTurn(nodes []Node) []int {
	order := make([]int, len(nodes))
	for i := range order {
		order[i] = i
	}
	return order
}
