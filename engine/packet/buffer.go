package packet

import "sync"

// Chosen here: the smallest and the largest of the pooled buffers, in bytes. Nearly all media fits into the small one, whatever UDP can
// carry into the large one.
const (
	SmallSize = 1600
	LargeSize = 65536
)

// sizes are those of the pooled buffers, in ascending order: a packet that is held takes at most four times its length, unless it is
// small.
var sizes = [...]int{SmallSize, 4096, 16384, LargeSize}

// Buffer is a pooled datagram with one owner, which releases it exactly once.
type Buffer struct {
	data  []byte
	n     int
	class uint8 // index of its size
	freed bool
}

// pools hold the free buffers by class.
var pools [len(sizes)]sync.Pool

// NewBuffer returns an empty buffer with room for at least size bytes; size is at most LargeSize.
func NewBuffer(size int) *Buffer {
	class := 0
	for size > sizes[class] {
		if class++; class == len(sizes) {
			panic("packet: no datagram is larger than LargeSize")
		}
	}
	b, ok := pools[class].Get().(*Buffer)
	if !ok {
		return &Buffer{data: make([]byte, sizes[class]), class: uint8(class)}
	}
	b.n, b.freed = 0, false
	return b
}

// Space returns the whole room of the buffer, to read a datagram into.
func (b *Buffer) Space() []byte { return b.data }

// SetLen sets how many bytes of Space are in use.
func (b *Buffer) SetLen(n int) { b.n = n }

// Bytes returns the bytes in use.
func (b *Buffer) Bytes() []byte { return b.data[:b.n] }

// Release returns the buffer to its pool.
func (b *Buffer) Release() {
	if b.freed {
		panic("packet: buffer released twice")
	}
	b.freed = true
	pools[b.class].Put(b)
}
