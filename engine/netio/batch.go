package netio

import "iter"

// MaxPacketLen is the most bytes of a packet that can leave: the largest UDP payload in an IPv4 packet. It holds for TCP too, whose
// frames could carry 28 bytes more.
const MaxPacketLen = 65507

// maxSegments is the kernel's limit of one GSO send, UDP_MAX_SEGMENTS of Linux 4.18.
const maxSegments = 64

// Chosen here: a batch holds what one GSO send can carry, so that a full batch of equal packets is one system call. The
// arena leaves room for the authentication tag of a last packet that turns out not to fit.
const (
	maxBatchPackets = maxSegments
	batchArena      = MaxPacketLen + 2048
)

// Batch collects packets for one destination back to back in one arena. A shard reuses its one batch for one destination
// after another: Space, write and protect, Commit, … , Send, Reset. It is not safe for concurrent use.
type Batch struct {
	arena   []byte
	used    int
	count   int
	lengths [maxBatchPackets]uint16
	framed  []byte // the packets as RFC 4571 frames; allocated at the first send over TCP
	sent    int    // packets taken by the last Send
	sys     batchSys
}

// NewBatch returns an empty batch.
func NewBatch() *Batch {
	b := &Batch{arena: make([]byte, batchArena)}
	b.sys.init(b)
	return b
}

// Reset empties the batch.
func (b *Batch) Reset() { b.used, b.count = 0, 0 }

// Len returns the number of packets.
func (b *Batch) Len() int { return b.count }

// Space returns room for the next packet, at least min bytes (up to MaxPacketLen), or nil when the batch is full: send and
// reset it first. Calling Space again without Commit returns the same room.
func (b *Batch) Space(min int) []byte {
	if b.count == maxBatchPackets || len(b.arena)-b.used < min {
		return nil
	}
	return b.arena[b.used:]
}

// Commit adds the first n bytes of Space as a packet; n is 1 to MaxPacketLen. It adds nothing and reports false if no datagram can
// carry them, or if they do not fit into the batch.
func (b *Batch) Commit(n int) bool {
	if n <= 0 || n > MaxPacketLen || b.count == maxBatchPackets || n > len(b.arena)-b.used {
		return false
	}
	b.lengths[b.count] = uint16(n)
	b.count++
	b.used += n
	return true
}

// Packets iterates over the packets in the order in which they were committed.
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

// nextGroup returns how many of the leading packets one GSO send can carry, and their total size in bytes. All segments
// of a send have the size of the first; only the last may be shorter.
//
// Packets are never reordered, not even across streams: receivers estimate bandwidth from the order of transport-wide
// sequence numbers, and moving a packet within the arena costs a copy. In the given order the greedy choice is optimal:
// every part of a valid group is a valid group, so no other split needs fewer groups. Reordering would not help the
// common case either, a video frame split into packets of n and then n+1 bytes: two sizes need two sends in any order,
// and a shorter packet that happens to follow (of the next frame, or audio) joins the group before it.
func nextGroup(lengths []uint16) (packets, bytes int) {
	size := lengths[0]
	for _, n := range lengths {
		if packets == maxSegments || bytes+int(n) > MaxPacketLen || n > size {
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
