package directory

import "gazpacho/engine/unit"

// holding is an entry that is held for another node. Several may have registered one key.
type holding struct {
	Entry
	from *peer
	next *holding
}

// hold takes what a node tells of its entries.
func (d *Directory) hold(now unit.Time, p *peer, m *Message) {
	p.expires = now.Add(lease)
	switch m.Kind {
	case Put:
		if m.First {
			d.drop(p)
		}
		for i := range m.Entries {
			d.release(p, m.Entries[i].Key)
			d.keep(p, &m.Entries[i])
		}
	case Remove:
		for i := range m.Entries {
			d.release(p, m.Entries[i].Key)
		}
	case Beat:
		if m.Count != p.held || m.Digest != p.heldDigest {
			d.send(now, p, Message{Kind: Resync})
		}
	}
}

// keep holds an entry. A node sends no more than it may register.
func (d *Directory) keep(p *peer, e *Entry) {
	if p.heldBytes[e.Tenant]+e.size() > d.limits.Tenant {
		return
	}
	p.held++
	p.heldDigest ^= e.digest()
	p.heldBytes[e.Tenant] += e.size()
	d.held[e.Key] = &holding{*e, p, d.held[e.Key]}
}

// release forgets a node's entry.
func (d *Directory) release(p *peer, k Key) {
	var rest *holding
	for h := d.held[k]; h != nil; h = h.next {
		if h.from != p {
			rest = &holding{h.Entry, h.from, rest}
			continue
		}
		p.held--
		p.heldDigest ^= h.digest()
		if p.heldBytes[k.Tenant] -= h.size(); p.heldBytes[k.Tenant] == 0 {
			delete(p.heldBytes, k.Tenant)
		}
	}
	if rest == nil {
		delete(d.held, k)
	} else {
		d.held[k] = rest
	}
}

// drop forgets all entries of a node.
func (d *Directory) drop(p *peer) {
	if p.held == 0 {
		return
	}
	for k, h := range d.held {
		for ; h != nil; h = h.next {
			if h.from == p {
				d.release(p, k)
				break
			}
		}
	}
}

// Held returns how many entries are held here.
func (d *Directory) Held() int {
	count := 0
	for _, p := range d.order {
		count += p.held
	}
	return count
}

// newest returns the entry of a key with the highest version, nil for none.
func (d *Directory) newest(k Key) (newest *Entry) {
	for h := d.held[k]; h != nil; h = h.next {
		if newest == nil || h.Version > newest.Version {
			newest = &h.Entry
		}
	}
	return newest
}

// answer answers another node's query.
func (d *Directory) answer(now unit.Time, p *peer, m *Message) {
	if len(m.Entries) != 1 {
		return
	}
	reply := Message{Kind: Answer, Token: m.Token, Unsure: now < d.sureAt}
	if e := d.newest(m.Entries[0].Key); e != nil {
		reply.Entries = []Entry{*e}
	}
	d.send(now, p, reply)
}
