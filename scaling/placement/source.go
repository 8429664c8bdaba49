package placement

import "cmp"

// Chosen here.
const (
	// FanOut is how many nodes one node feeds a producer to, before those feed others.
	FanOut = 4
	// MaxDepth is how many relays lie between a producer and its consumers at most: each one adds its delay.
	MaxDepth = 3
)

// Feeder is a node that has a producer, and may feed it to another one.
type Feeder struct {
	// Load is how busy it is, from 0 to 1: it chooses among equals only.
	Load float64
	// Far says that it is in another region than the other node.
	Far bool
	// Feeds is how many nodes it feeds the producer to.
	Feeds int
	// Depth is how many relays lie between it and the producer's home, which has 0.
	Depth int
}

// Source returns the index of the feeder for another node, -1 for none. Those of the same region come first, so that a producer comes to
// a region once. Of these it is the one nearest to the home that feeds fewer than fanOut nodes, else the one that feeds the fewest.
// below is how many further relays the node feeds one after the other.
//
// A busy home goes on feeding: what that costs it is bounded by fanOut, new transports go elsewhere anyway, and a load that goes up and
// down, with whatever else runs on the host, would make longer ways than needed.
func Source(feeders []Feeder, fanOut, below int) int {
	best := -1
	for i, f := range feeders {
		if f.Depth > 0 && f.Depth+1+below > MaxDepth {
			continue // the home is as near as can be
		}
		if best < 0 || compareFeeders(f, feeders[best], fanOut) < 0 {
			best = i
		}
	}
	return best
}

func compareFeeders(a, b Feeder, fanOut int) int {
	freeA, freeB := a.Feeds < fanOut, b.Feeds < fanOut
	switch {
	case a.Far != b.Far:
		return first(b.Far)
	case freeA != freeB:
		return first(freeA)
	case freeA:
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Feeds, b.Feeds), cmp.Compare(a.Load, b.Load))
	default:
		return cmp.Or(cmp.Compare(a.Feeds, b.Feeds), cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Load, b.Load))
	}
}
