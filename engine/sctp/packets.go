package sctp

import "sync"

// packets is memory for outgoing packets, one behind the other. It comes from a pool and returns there with the Poll after the
// one that handed it out, so that neither packets nor idle associations cost memory.
type packets struct {
	b    []byte
	ends []int
	list [][]byte
}

var packetPool = sync.Pool{New: func() any { return new(packets) }}

// maxPooled is up to which size memory returns to the pool.
const maxPooled = 1 << 17

// slices returns the packets.
func (p *packets) slices() [][]byte {
	start := 0
	for _, end := range p.ends {
		p.list = append(p.list, p.b[start:end:end])
		start = end
	}
	return p.list
}

// release gives the memory of the last Poll back.
func (o *Output) release() {
	p := o.packets
	if o.packets = nil; p == nil || cap(p.b) > maxPooled {
		return
	}
	clear(p.list)
	p.b, p.ends, p.list = p.b[:0], p.ends[:0], p.list[:0]
	packetPool.Put(p)
}

// builder is a packet that is being built at the end of the memory.
type builder struct {
	b     []byte // all memory
	start int
	limit int // where the packet must end

	lastChunk int // where the last chunk with data begins
}

// newPacket begins a packet.
func (a *Association) newPacket(tag uint32) builder {
	if a.out.packets == nil {
		a.out.packets = packetPool.Get().(*packets)
	}
	b := a.out.packets.b
	return builder{b: appendHeader(b, a.cfg.Port, tag), start: len(b), limit: len(b) + int(a.cfg.MTU)&^3}
}

// room returns how many bytes are left.
func (p *builder) room() int { return p.limit - len(p.b) }

// empty tells whether there is no chunk yet.
func (p *builder) empty() bool { return len(p.b) == p.start+headerLen }

// finishPacket puts the packet out, unless it is empty.
func (a *Association) finishPacket(p *builder, withChecksum bool) {
	if p.empty() {
		return
	}
	if withChecksum || !a.peerCan(canZeroChecksum) {
		seal(p.b[p.start:])
	}
	a.out.packets.b = p.b
	a.out.packets.ends = append(a.out.packets.ends, len(p.b))
}
