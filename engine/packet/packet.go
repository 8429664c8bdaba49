// Package packet holds the received packet on its way from a producer to its consumers: one pooled buffer, decrypted
// once, parsed once, shared by reference count and never modified. A consumer writes what differs for its receiver
// (payload type, SSRC, sequence number, timestamp, header extensions) into its own send buffer.
package packet

import (
	"sync"
	"sync/atomic"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
	"gazpacho/engine/wire/rtp"
)

// Packet is an RTP packet with its payload described. The producer that receives it maps payload type and SSRC and
// describes it; from then on it is immutable and may be read by several shards at once.
type Packet struct {
	rtp.Packet
	// Codec describes the payload.
	Codec codec.Descriptor
	// Extensions holds the header extension values that consumers forward; they point into Data.
	Extensions Extensions
	// ReceivedAt is when the datagram was read.
	ReceivedAt unit.Time
	// CapturedAt is when the media was captured, by our clock; 0 when unknown.
	CapturedAt unit.Time
	// Encoding is the index of the producer's encoding that the packet belongs to.
	Encoding int

	buffer *Buffer
	refs   atomic.Int32
}

// Extensions are the values of the header extensions that a router forwards from producers to consumers; nil when
// absent. CaptureTime (abs-capture-time) is there when HasCaptureTime: first as received, then, once the packet is immutable,
// as it is to be forwarded. PacketID is mediasoup's own extension (urn:mediasoup:params:rtp-hdrext:packet-id), present when
// HasPacketID.
type Extensions struct {
	CaptureTime          rtp.AbsCaptureTime
	PlayoutDelay         []byte
	AudioLevel           []byte
	DependencyDescriptor []byte
	VideoOrientation     []byte
	TimeOffset           []byte
	PacketID             uint32
	HasPacketID          bool
	HasCaptureTime       bool
}

var pool = sync.Pool{New: func() any { return new(Packet) }}

// New returns a packet with one reference that owns b. The caller parses b.Bytes() into it.
func New(b *Buffer, now unit.Time) *Packet {
	p := pool.Get().(*Packet)
	p.buffer, p.ReceivedAt = b, now
	p.refs.Store(1)
	return p
}

// Size returns the bytes of the buffer that the packet lies in: what it takes for as long as it is held.
func (p *Packet) Size() int { return len(p.buffer.Space()) }

// Retain adds a reference for a further holder.
func (p *Packet) Retain() {
	if p.refs.Add(1) <= 1 {
		panic("packet: retained after its last release")
	}
}

// Release gives a reference back; the last one returns packet and buffer to their pools.
func (p *Packet) Release() {
	switch n := p.refs.Add(-1); {
	case n > 0:
	case n < 0:
		panic("packet: released more often than retained")
	default:
		p.buffer.Release()
		p.Packet, p.Codec, p.Extensions = rtp.Packet{}, codec.Descriptor{}, Extensions{}
		p.buffer, p.Encoding, p.CapturedAt = nil, 0, 0
		pool.Put(p)
	}
}
