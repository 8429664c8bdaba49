package placement

import (
	"cmp"
	"math"
)

// Chosen here, by simulation: docs/placement.md.
const (
	// margin is what Routers leave free below the watermark where they are: what is there grows, and a load is known a moment later.
	margin = 0.05
	// Headroom is what new Routers leave free below it, for those that are there already: their peers come one after the other, and
	// are to find room where the others are.
	Headroom = 0.15
	// step is the difference in load that is worth a relay. Nodes of one host have their load in common, but measure it at different
	// moments.
	step = 0.1
)

// Fill keeps a Router together, and uses few nodes: idle ones can be switched off. A Router stays where it is until that node is near
// its watermark; then it spills to the fullest node that has headroom, as a new one does, else to the fullest one that is not near its
// watermark. Where all are, the least loaded node takes it; among those that are about as loaded, the Router's own.
//
// The application's own region comes before all of that, whatever the load, and its zone before others of that region as long as there
// is room. Nodes that are busy are left out: where all are, there is none.
type Fill struct {
	// At is where the application's host is.
	At Labels
	// Limit is the load from which on a node is busy; 0 means the constant of that name. Above 1 there is none.
	Limit float64
}

// Best implements Policy.
func (p Fill) Best(nodes []Node) (index int, terms Terms) {
	limit := cmp.Or(p.Limit, Limit)
	if limit > 1 {
		limit = math.Inf(1)
	}
	best := choice{index: -1}
	for i := range nodes {
		if nodes[i].Draining {
			continue
		}
		c := p.choice(&nodes[i], i, limit)
		if c.class != busy && (best.index < 0 || c.class < best.class || c.class == best.class && p.less(nodes, c, best)) {
			best = c
		}
	}
	if best.index < 0 {
		return -1, Terms{}
	}
	switch mark := nodes[best.index].watermark(); best.class &^ far {
	case home:
		return best.index, Terms{Below: mark - margin}
	case roomy:
		return best.index, Terms{mark - Headroom, true}
	case filled:
		return best.index, Terms{mark - margin, true}
	}
	if limit > 1 {
		return best.index, Terms{}
	}
	return best.index, Terms{Below: limit}
}

// choice is a node that may be chosen.
type choice struct {
	index int
	class class
	load  float64
}

// class says how much room a node has: less is better.
type class uint8

const (
	home    class = iota // the Router is there, and the load is below the watermark by the margin
	roomy                // it is below by the headroom
	filled               // it is below by the margin
	crowded              // it is not
	far     class = 4    // added if the node is in another region
	busy    class = 8    // it takes nothing
)

func (p *Fill) choice(n *Node, i int, limit float64) choice {
	base, mark := max(n.Load, n.Peak)+float64(n.Asked)*n.Share, n.watermark()
	load := base + n.Assumed
	if load >= limit {
		return choice{i, busy, load}
	}
	c := choice{i, home, load}
	if n.Transports == 0 {
		c.class, c.load = roomy, base+max(n.Assumed, n.Reserved)
	}
	switch {
	case c.load >= mark-margin:
		c.class, c.load = crowded, load
	case c.class == roomy && c.load >= mark-Headroom:
		c.class = filled
	}
	if p.At.Region != "" && n.Region != p.At.Region {
		c.class |= far
	}
	return c
}

// less compares nodes of one class.
func (p *Fill) less(nodes []Node, a, b choice) bool {
	nodeA, nodeB := &nodes[a.index], &nodes[b.index]
	isCrowded := a.class&^far == crowded
	if isCrowded {
		if stepsA, stepsB := steps(a.load), steps(b.load); stepsA != stepsB {
			return stepsA < stepsB
		}
		if hereA := nodeA.Transports > 0; hereA != (nodeB.Transports > 0) {
			return hereA
		}
	}
	if p.At.Zone != "" && nodeA.Zone != nodeB.Zone {
		if ownA := nodeA.Zone == p.At.Zone; ownA || nodeB.Zone == p.At.Zone {
			return ownA
		}
	}
	if isCrowded {
		return a.load < b.load
	}
	return a.load > b.load
}

// steps returns the load in whole steps.
func steps(load float64) int { return int(load/step + 0.5) }
