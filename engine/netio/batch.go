package netio

import "iter"

// Limits of one GSO send, the kernel's: UDP_MAX_SEGMENTS of Linux 4.18 and the largest UDP payload in an IPv4 packet.
const (
	maxSegments = 64
	maxPayload  = 65507
)

// Limits of a batch, ours: what one GSO send can carry, so that a full batch of equal packets is one system call. The
// arena has room for the tag of a last packet that then does not fit.
const (
	maxBatchPackets = maxSegments
	batchArena      = maxPayload + 2048
)

// Batch collects packets for one destination in one arena, back to back. A shard has one and uses it for one destination
// after the other: Space, write and protect, Commit, … , Send, Reset. It belongs to one goroutine.
type Batch struct {
	arena   []byte
	used    int
	count   int
	lengths [maxBatchPackets]uint16
	framed  []byte // the packets as frames of a stream, once TCP needed them
	sent    int    // of the last Send
	sys     batchSys
}

// NewBatch returns an empty batch.
func NewBatch() *Batch {
	b := &Batch{arena: make([]byte, batchArena)}
	b.sys.init(b)
	return b
}

// Reset forgets the packets.
func (b *Batch) Reset() { b.used, b.count = 0, 0 }

// Len returns the number of packets.
func (b *Batch) Len() int { return b.count }

// Space returns room for the next packet, at least min bytes (up to 65,507), or nil when the batch is full: send and
// reset it first. Space may be called again without Commit; the room is then the same.
func (b *Batch) Space(min int) []byte {
	if b.count == maxBatchPackets || len(b.arena)-b.used < min {
		return nil
	}
	return b.arena[b.used:]
}

// Commit makes the first n bytes of Space the next packet; n is 1 to 65,507.
func (b *Batch) Commit(n int) {
	if n <= 0 || n > maxPayload || b.count == maxBatchPackets || n > len(b.arena)-b.used {
		panic("netio: committed packet does not fit its space")
	}
	b.lengths[b.count] = uint16(n)
	b.count++
	b.used += n
}

// Packets returns the packets one by one, in the order in which they were committed.
func (b *Batch) Packets() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		offset := 0
		for _, n := range b.lengths[:b.count] {
			if !yield(b.arena[offset : offset+int(n)]) {
				return
			}
			offset += int(n)
		}
	}
}

// nextGroup returns how many of the packets with these lengths, from the first on, one GSO send can carry, and their
// bytes together. All segments of a send have the size of the first; only the last may be shorter.
//
// The order of packets is kept, not only that within a stream: receivers estimate bandwidth from the order of
// transport-wide sequence numbers, and a packet cannot be moved in the arena for nothing. With the order given, taking as
// many packets as fit is optimal, because every part of a valid group is a valid group too: no other cut leaves fewer
// groups. Reordering would not help with the common case either, a video frame cut into packets of n and then n+1
// bytes: two sizes are two sends in any order, and a shorter packet that happens to follow (the next frame's, or
// audio) joins the group before it.
func nextGroup(lengths []uint16) (packets, bytes int) {
	size := lengths[0]
	for _, n := range lengths {
		if packets == maxSegments || bytes+int(n) > maxPayload || n > size {
			break
		}
		packets++
		bytes += int(n)
		if n < size {
			break
		}
	}
	return packets, bytes
}
