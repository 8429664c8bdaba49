package sctp

import (
	"cmp"
	"slices"
)

// partial is a message of I-DATA chunks: its fragments have numbers of their own (RFC 8260 section 2.1), whatever comes in
// between. They are kept as they come and put in order once all are there.
type partial struct {
	parts     []part
	fragments uint32 // received
	count     uint32 // of the whole message; 0 until the last fragment came
	size      int
	dropped   bool // too large
	ppid      uint32
}

// part is some consecutive fragments.
type part struct {
	fsn, n uint32
	data   []byte
}

// add takes a fragment; cost is by how much the message costs more than before.
func (p *partial) add(d *dataChunk, maxSize int) (cost int) {
	p.fragments++
	p.size += len(d.payload)
	if d.begin() {
		p.ppid = d.ppid
	}
	if d.end() {
		p.count = d.fsn + 1
	}
	if p.dropped {
		return 0
	}
	if p.size > maxSize {
		for i := range p.parts {
			cost -= p.parts[i].cost()
		}
		p.dropped, p.parts = true, nil
		return cost
	}
	if n := len(p.parts); n > 0 {
		if last := &p.parts[n-1]; last.fsn+last.n == d.fsn {
			last.data = extend(last.data, d.payload)
			last.n++
			return len(d.payload)
		}
	}
	p.parts = append(p.parts, part{d.fsn, 1, slices.Clone(d.payload)})
	return p.parts[len(p.parts)-1].cost()
}

func (p *part) cost() int { return len(p.data) + fragmentCost }

// complete tells whether as many fragments came as the message has.
func (p *partial) complete() bool { return p.count != 0 && p.fragments >= p.count }

// data returns the message; nil if it was dropped. ok is false when the fragments are not those from 0 to the last one, each once.
func (p *partial) data() (b []byte, ok bool) {
	if p.dropped {
		return nil, false
	}
	byNumber := func(a, b part) int { return cmp.Compare(a.fsn, b.fsn) }
	if !slices.IsSortedFunc(p.parts, byNumber) {
		slices.SortFunc(p.parts, byNumber)
	}
	if len(p.parts) == 1 && p.parts[0].fsn == 0 && p.parts[0].n == p.count {
		return p.parts[0].data, true // all came in order
	}
	next := uint32(0)
	b = make([]byte, 0, p.size)
	for i := range p.parts {
		if p.parts[i].fsn != next {
			return nil, false
		}
		next += p.parts[i].n
		b = append(b, p.parts[i].data...)
	}
	if next != p.count {
		return nil, false
	}
	return b, true
}
