package netio

// Limits of one GSO send. The first two are the kernel's: UDP_MAX_SEGMENTS of Linux 4.18 and the largest UDP payload in
// an IPv4 packet.
const (
	maxSegments   = 64
	maxGSOPayload = 65507
)

// Limits of a batch, ours: what one GSO send can carry, so that a full batch of equal packets is one system call.
const (
	maxBatchPackets = maxSegments
	batchArena      = 65536 + 2048
)

// Batch collects packets for one destination in one arena, back to back. A shard has one and uses it for one destination
// after the other: Space, write and protect, Commit, … , Send, Reset.
type Batch struct {
	arena   []byte
	used    int
	count   int
	lengths [maxBatchPackets]uint16
}

// NewBatch returns an empty batch.
func NewBatch() *Batch { return &Batch{arena: make([]byte, batchArena)} }

// Reset forgets the packets.
func (b *Batch) Reset() { b.used, b.count = 0, 0 }

// Len returns the number of packets.
func (b *Batch) Len() int { return b.count }

// Space returns room for the next packet, at least min bytes (65,507 at most), or nil when the batch is full: send and
// reset it first. Space may be called again without Commit; the room is then the same.
func (b *Batch) Space(min int) []byte {
	if b.count == maxBatchPackets || len(b.arena)-b.used < min {
		return nil
	}
	return b.arena[b.used:]
}

// Commit makes the first n bytes of Space the next packet; n is not 0 and at most 65,507.
func (b *Batch) Commit(n int) {
	if n <= 0 || n > maxGSOPayload || b.count == maxBatchPackets || n > len(b.arena)-b.used {
		panic("netio: committed packet does not fit its space")
	}
	b.lengths[b.count] = uint16(n)
	b.count++
	b.used += n
}
