package directory

import (
	"gazpacho/engine/unit"
)

// registration is an entry of one of this node's fronts.
type registration struct {
	Entry
	front   string
	holders holders
}

// usage is what a front or a tenant has registered on this node.
type usage struct {
	keys  map[Key]bool // of a front
	bytes int
}

// Register makes an entry of a front known, or changes it. One key belongs to one front of a node: the last one that registers it, unless
// another one's has a higher version.
func (d *Directory) Register(now unit.Time, front string, e Entry) error {
	if e.wireLen() > entryLen+maxEntry {
		return ErrTooLong
	}
	old := d.own[e.Key]
	if old != nil && old.front != front && old.Version > e.Version {
		return nil
	}
	was := 0
	if old != nil {
		was = old.size()
	}
	f, t := used(d.fronts, front), used(d.tenants, e.Tenant)
	inFront := f.bytes + e.size()
	if old != nil && old.front == front {
		inFront -= was
	}
	if more := e.size() - was; inFront > d.limits.Front || t.bytes+more > d.limits.Tenant || d.bytes+more > d.limits.Node {
		d.tidy(front, e.Tenant)
		return ErrFull
	}
	if old != nil {
		d.leave(old)
	}
	r := &registration{Entry: e, front: front}
	if old != nil {
		r.holders = old.holders
	}
	d.own[e.Key] = r
	d.enter(r)
	b := newBatch(d, now)
	b.place(r, old)
	b.flush()
	return nil
}

// Unregister takes an entry of a front back. One that is another front's by now stays.
func (d *Directory) Unregister(now unit.Time, front string, k Key) {
	if r := d.own[k]; r != nil && r.front == front {
		b := newBatch(d, now)
		b.withdraw(r)
		b.flush()
	}
}

// Leave takes back all that a front has registered.
func (d *Directory) Leave(now unit.Time, front string) {
	b := newBatch(d, now)
	if f := d.fronts[front]; f != nil {
		for k := range f.keys {
			b.withdraw(d.own[k])
		}
	}
	b.flush()
}

// Registered returns how many entries this node's fronts have.
func (d *Directory) Registered() int { return len(d.own) }

// registerAgain brings entries to their holders when members have changed.
func (d *Directory) registerAgain(now unit.Time) {
	b := newBatch(d, now)
	for _, r := range d.own {
		b.place(r, r)
	}
	b.flush()
}

// resync sends a holder all that it should have.
func (d *Directory) resync(now unit.Time, p *peer) {
	b := newBatch(d, now)
	b.first = p
	p.count, p.digest = 0, 0
	for _, r := range d.own {
		if r.holders.has(p) {
			b.put(p, r)
		}
	}
	b.flush()
	if b.first == p { // it should have nothing
		d.send(now, p, Message{Kind: Put, First: true})
	}
}

func used(by map[string]*usage, name string) *usage {
	if by[name] == nil {
		by[name] = &usage{keys: map[Key]bool{}}
	}
	return by[name]
}

// enter counts what a front has registered.
func (d *Directory) enter(r *registration) {
	f, t := used(d.fronts, r.front), used(d.tenants, r.Tenant)
	f.keys[r.Key] = true
	f.bytes += r.size()
	t.bytes += r.size()
	d.bytes += r.size()
}

// leave takes it off again.
func (d *Directory) leave(r *registration) {
	f := d.fronts[r.front]
	delete(f.keys, r.Key)
	f.bytes -= r.size()
	d.tenants[r.Tenant].bytes -= r.size()
	d.bytes -= r.size()
	d.tidy(r.front, r.Tenant)
}

// tidy forgets a front and a tenant that have nothing.
func (d *Directory) tidy(front, tenant string) {
	if d.fronts[front].bytes == 0 {
		delete(d.fronts, front)
	}
	if d.tenants[tenant].bytes == 0 {
		delete(d.tenants, tenant)
	}
}

// batch collects what holders are told, and sends it in large messages.
type batch struct {
	*Directory
	at      unit.Time
	puts    map[*peer]*pack
	removes map[*peer]*pack
	first   *peer // whose first message replaces all
}

type pack struct {
	entries []Entry
	bytes   int
}

func newBatch(d *Directory, now unit.Time) *batch {
	return &batch{Directory: d, at: now, puts: map[*peer]*pack{}, removes: map[*peer]*pack{}}
}

// place tells the holders of an entry about it. old is what they have of it; the same, if only they have changed.
func (b *batch) place(r, old *registration) {
	had := r.holders
	r.holders = b.holders(&r.Key)
	for _, p := range had {
		if p == nil || b.peers[p.Name] != p {
			continue
		}
		p.count--
		p.digest ^= old.digest()
		if !r.holders.has(p) {
			b.add(b.removes, Remove, p, Entry{Key: r.Key})
		}
	}
	for _, p := range r.holders {
		switch {
		case p == nil:
		case had.has(p) && old == r: // it has it
			p.count++
			p.digest ^= r.digest()
		default:
			b.put(p, r)
		}
	}
}

// put tells a holder of an entry.
func (b *batch) put(p *peer, r *registration) {
	p.beats = true
	p.count++
	p.digest ^= r.digest()
	b.add(b.puts, Put, p, r.Entry)
}

// withdraw forgets an entry.
func (b *batch) withdraw(r *registration) {
	delete(b.own, r.Key)
	b.leave(r)
	for _, p := range r.holders {
		if p != nil {
			p.count--
			p.digest ^= r.digest()
			b.add(b.removes, Remove, p, Entry{Key: r.Key})
		}
	}
}

func (b *batch) add(to map[*peer]*pack, kind Kind, p *peer, e Entry) {
	if to[p] == nil {
		to[p] = &pack{}
	}
	full := to[p]
	if headerLen+full.bytes+e.wireLen() > MaxMessage {
		b.sendPack(kind, p, full)
		to[p] = &pack{}
	}
	to[p].entries = append(to[p].entries, e)
	to[p].bytes += e.wireLen()
}

func (b *batch) sendPack(kind Kind, p *peer, full *pack) {
	m := Message{Kind: kind, Entries: full.entries, First: b.first == p}
	if b.first == p {
		b.first = nil
	}
	b.send(b.at, p, m)
}

// flush sends what was collected.
func (b *batch) flush() {
	for _, p := range b.order {
		if b.removes[p] != nil {
			b.sendPack(Remove, p, b.removes[p])
		}
		if b.puts[p] != nil {
			b.sendPack(Put, p, b.puts[p])
		}
	}
}
