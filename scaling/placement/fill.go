package placement

import "cmp"

// Chosen here, by simulation: docs/placement.md.
const (
	// margin is what Routers leave free below the watermark where they are: what is there grows, and a load is known a moment later.
	margin = 0.05
	// headroom is what new Routers leave free below it, for those that are there already: their peers come one after the other, and
	// are to find room where the others are.
	headroom = 0.15
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
	best := choice{index: -1}
	for i := range nodes {
		if nodes[i].Draining {
			continue
		}
		c := p.choice(nodes, i)
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
		return best.index, Terms{mark - headroom, true}
	case filled:
		return best.index, Terms{mark - margin, true}
	}
	if limit := p.limit(); limit <= 1 {
		return best.index, Terms{Below: limit}
	}
	return best.index, Terms{}
}

func (p Fill) limit() float64 { return cmp.Or(p.Limit, Limit) }

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

func (p Fill) choice(nodes []Node, i int) choice {
	n := &nodes[i]
	asked, mark, limit := float64(n.Asked)*n.Share, n.watermark(), p.limit()
	here := n.expected(false) + asked
	load := here
	if n.Transports == 0 {
		load = n.expected(true) + asked
	}
	c := choice{i, roomy, load}
	switch {
	case limit <= 1 && here >= limit:
		c.class = busy
		return c
	case load >= mark-margin:
		c.class, c.load = crowded, here
	case n.Transports > 0:
		c.class = home
	case load >= mark-headroom:
		c.class = filled
	}
	if p.At.Region != "" && n.Region != p.At.Region {
		c.class |= far
	}
	return c
}

// less compares nodes of one class.
func (p Fill) less(nodes []Node, a, b choice) bool {
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
