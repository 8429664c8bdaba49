package directory

import (
	"cmp"
	"slices"

	"gazpacho/engine/unit"
)

// SetMembers says which nodes live besides this one.
func (d *Directory) SetMembers(now unit.Time, others []Member) {
	members := append([]Member{d.self}, others...)
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	before := d.peers
	d.peers, d.order = map[string]*peer{}, nil
	changed := len(before) != len(members)
	var back []*peer
	for _, m := range members {
		p := before[m.Name]
		if p == nil || p.Member != m {
			p = &peer{Member: m, hash: hash(m.Name), heldBytes: map[string]int{}}
			changed = true
			if d.left[m.Name] == m.Incarnation {
				back = append(back, p)
			}
		}
		d.peers[m.Name] = p
		d.order = append(d.order, p)
	}
	if !changed {
		return
	}
	d.dropOthers(before)
	d.sureAt = now.Add(settling)
	d.registerAgain(now)
	for _, p := range back { // which may not know that it was away
		d.send(now, p, Message{Kind: Resync})
	}
	for _, l := range d.lookups {
		l.again, d.nextAsk = now, now // the holders may be other ones
	}
}

// dropOthers forgets the entries of those that are members no more.
func (d *Directory) dropOthers(before map[string]*peer) {
	if len(d.left) > maxLeft {
		clear(d.left)
	}
	for _, p := range before {
		if d.peers[p.Name] != p {
			d.drop(p)
			d.left[p.Name] = p.Incarnation
		}
	}
}

// holders returns the one or two members that hold a key, the one with the higher weight first.
func (d *Directory) holders(k *Key) (h holders) {
	key := k.hash()
	var first, second uint64
	for _, p := range d.order {
		switch w := Weight(p.hash, key); {
		case h[0] == nil || w > first:
			h[1], second = h[0], first
			h[0], first = p, w
		case h[1] == nil || w > second:
			h[1], second = p, w
		}
	}
	return h
}

// holders are the nodes that hold an entry; the second one is nil if there is only one node.
type holders [2]*peer

func (h holders) has(p *peer) bool { return p != nil && (h[0] == p || h[1] == p) }
