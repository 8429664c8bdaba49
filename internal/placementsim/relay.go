package main

import (
	"slices"

	"gazpacho/scaling/placement"
)

// producer is what a member sends. It is relayed to each other node where somebody receives.
type producer struct {
	room   *room
	home   *node
	relays []*relay
}

// relay is a producer on another node than its home.
type relay struct {
	producer *producer
	node     *node
	source   *relay // nil: the home
}

func (r *room) produce(home *node) *producer {
	p := &producer{room: r, home: home}
	r.producers = append(r.producers, p)
	for _, s := range r.spots {
		if s.receivers > 0 {
			p.relayTo(s.node)
		}
	}
	return p
}

func (p *producer) close() {
	for _, r := range p.relays {
		r.cost(-1)
	}
	p.relays = nil
	p.room.producers = slices.DeleteFunc(p.room.producers, func(other *producer) bool { return other == p })
}

// at returns the relay on a node, nil for none.
func (p *producer) at(n *node) *relay {
	for _, r := range p.relays {
		if r.node == n {
			return r
		}
	}
	return nil
}

// relayTo makes sure that a node has the producer.
func (p *producer) relayTo(n *node) {
	if n == p.home || p.at(n) != nil {
		return
	}
	r := &relay{producer: p, node: n}
	r.source = p.source(r)
	p.relays = append(p.relays, r)
	r.cost(1)
	p.room.world.stats.deepest = max(p.room.world.stats.deepest, r.depth())
}

// source chooses what feeds a relay, as a front does.
func (p *producer) source(of *relay) *relay {
	choices := []*relay{nil}
	feeders := []placement.Feeder{{Load: p.home.load(), Feeds: p.feeds(nil, of)}}
	for _, r := range p.relays {
		if !r.under(of) && !r.node.dead {
			choices = append(choices, r)
			feeders = append(feeders, placement.Feeder{Load: r.node.load(), Feeds: p.feeds(r, of), Depth: r.depth()})
		}
	}
	return choices[placement.Source(feeders, placement.FanOut, of.height())]
}

// feeds returns how many relays another one feeds, or for nil the home, but one.
func (p *producer) feeds(source, but *relay) (count int) {
	for _, r := range p.relays {
		if r != but && r.source == source {
			count++
		}
	}
	return count
}

// unuse ends a relay that neither consumers nor other relays need.
func (p *producer) unuse(r *relay) {
	if r == nil || p.room.spot(r.node).receivers > 0 || p.feeds(r, nil) > 0 {
		return
	}
	r.cost(-1)
	p.relays = slices.DeleteFunc(p.relays, func(other *relay) bool { return other == r })
	p.unuse(r.source)
}

// loseRelays is what a node's death does to the relays of producers that live elsewhere: what they fed gets another source.
func (r *room) loseRelays(n *node) {
	for _, p := range r.producers {
		lost := p.at(n)
		if lost == nil {
			continue
		}
		lost.cost(-1)
		p.relays = slices.DeleteFunc(p.relays, func(other *relay) bool { return other == lost })
		for _, fed := range p.relays {
			if fed.source == lost {
				fed.source = p.source(fed)
				fed.feeder().used += outCost
				r.world.stats.deepest = max(r.world.stats.deepest, fed.depth()+fed.height())
			}
		}
	}
}

// feeder returns the node that feeds the relay.
func (r *relay) feeder() *node {
	if r.source == nil {
		return r.producer.home
	}
	return r.source.node
}

// cost adds what the relay costs both ends, or takes it away.
func (r *relay) cost(sign float64) {
	r.producer.room.world.relays += int(sign)
	r.node.used += sign * inCost
	r.feeder().used += sign * outCost
}

// depth is how many relays lie between the home and the consumers here.
func (r *relay) depth() int {
	if r.source == nil {
		return 1
	}
	return r.source.depth() + 1
}

// height is how many relays lie behind it, one after the other.
func (r *relay) height() (most int) {
	for _, fed := range r.producer.relays {
		if fed.source == r {
			most = max(most, fed.height()+1)
		}
	}
	return most
}

// under reports whether it is another relay, or fed by that.
func (r *relay) under(other *relay) bool {
	return r == other || r.source != nil && r.source.under(other)
}
