package main

import (
	"math/rand/v2"

	"gazpacho/scaling/placement"
)

// chooser is a policy as the simulation asks it: it also hears for which Router it chooses. Like placement.Policy it returns a node, and
// below which load that is to take the transport.
type chooser func(nodes []placement.Node, router uint64) (index int, terms placement.Terms)

// contender is a policy in the comparison.
type contender struct {
	name string
	// assumes: nodes tell what is assumed, and what a transport is assumed to add.
	assumes bool
	// start returns the policy of one front.
	start func(rng *rand.Rand) chooser
}

func contenders() []contender {
	return []contender{
		{"fixed hash", false, plain(hash)},
		{"spread", false, of(placement.Spread{})},
		{"least loaded", false, plain(leastLoaded)},
		{"two choices", false, twoChoices},
		{"fill, by measured load", false, of(placement.Fill{})},
		ours(),
	}
}

// ours is what fronts do by default.
func ours() contender { return contender{"fill", true, of(placement.Fill{})} }

func of(p placement.Policy) func(*rand.Rand) chooser {
	return plain(func(nodes []placement.Node, _ uint64) (int, placement.Terms) { return p.Best(nodes) })
}

func plain(c chooser) func(*rand.Rand) chooser {
	return func(*rand.Rand) chooser { return c }
}

// unlessBusy has a node refuse what would make it forward less.
var unlessBusy = placement.Terms{Below: placement.Limit}

// open reports whether a node may be chosen.
func open(n *placement.Node) bool { return !n.Draining && n.Load < placement.Limit }

// hash puts each Router on one node, chosen by rendezvous hashing, whatever the load.
func hash(nodes []placement.Node, router uint64) (index int, terms placement.Terms) {
	best, most := -1, uint64(0)
	for i := range nodes {
		if weight := mix(router ^ mix(uint64(i)+1)); open(&nodes[i]) && weight >= most {
			best, most = i, weight
		}
	}
	return best, unlessBusy
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func leastLoaded(nodes []placement.Node, _ uint64) (index int, terms placement.Terms) {
	best := -1
	for i := range nodes {
		if n := &nodes[i]; open(n) && (best < 0 || n.Load < nodes[best].Load) {
			best = i
		}
	}
	return best, unlessBusy
}

// twoChoices takes the less loaded of two nodes that it draws.
func twoChoices(rng *rand.Rand) chooser {
	draw := func(nodes []placement.Node) int {
		for range 100 {
			if i := rng.IntN(len(nodes)); open(&nodes[i]) {
				return i
			}
		}
		return -1
	}
	return func(nodes []placement.Node, _ uint64) (index int, terms placement.Terms) {
		a, b := draw(nodes), draw(nodes)
		if a >= 0 && b >= 0 && nodes[b].Load < nodes[a].Load {
			a = b
		}
		return a, unlessBusy
	}
}
