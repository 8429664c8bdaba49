package directory

import "gazpacho/engine/unit"

// holding is an entry that is held for another node. Several may have registered one key, each once.
type holding struct {
	Entry
	from         *peer
	next         *holding // of the same key
	older, newer *holding // of the same node
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
	if p.heldBytes[e.Tenant]+e.size() > d.limits.Tenant || p.heldInAll+e.size() > d.limits.Node {
		return
	}
	h := &holding{Entry: *e, from: p, next: d.held[e.Key], older: p.newest}
	if p.newest != nil {
		p.newest.newer = h
	}
	p.newest, d.held[e.Key] = h, h
	p.held++
	p.heldDigest ^= e.digest()
	p.heldBytes[e.Tenant] += e.size()
	p.heldInAll += e.size()
}

// release forgets a node's entry.
func (d *Directory) release(p *peer, k Key) {
	var before *holding
	for h := d.held[k]; h != nil; before, h = h, h.next {
		if h.from == p {
			d.takeOut(h, before)
			return
		}
	}
}

// takeOut forgets an entry; before is the one before it with its key, nil for none.
func (d *Directory) takeOut(h, before *holding) {
	switch {
	case before != nil:
		before.next = h.next
	case h.next != nil:
		d.held[h.Key] = h.next
	default:
		delete(d.held, h.Key)
	}
	p := h.from
	if h.newer != nil {
		h.newer.older = h.older
	} else {
		p.newest = h.older
	}
	if h.older != nil {
		h.older.newer = h.newer
	}
	p.held--
	p.heldDigest ^= h.digest()
	p.heldInAll -= h.size()
	if p.heldBytes[h.Tenant] -= h.size(); p.heldBytes[h.Tenant] == 0 {
		delete(p.heldBytes, h.Tenant)
	}
}

// drop forgets all entries of a node.
func (d *Directory) drop(p *peer) {
	for p.newest != nil {
		d.release(p, p.newest.Key)
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
