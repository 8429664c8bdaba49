package packet

import "sync"

// Chosen here: sizes of pooled buffers. Nearly all media fits into the small one, whatever UDP can carry into the large one.
const (
	SmallSize = 1600
	LargeSize = 65536
)

// Buffer is a pooled datagram with one owner, which releases it exactly once.
type Buffer struct {
	data  []byte
	n     int
	freed bool
}

var (
	small = sync.Pool{New: func() any { return &Buffer{data: make([]byte, SmallSize)} }}
	large = sync.Pool{New: func() any { return &Buffer{data: make([]byte, LargeSize)} }}
)

// NewBuffer returns an empty buffer with room for at least size bytes; size is at most LargeSize.
func NewBuffer(size int) *Buffer {
	var b *Buffer
	switch {
	case size <= SmallSize:
		b = small.Get().(*Buffer)
	case size <= LargeSize:
		b = large.Get().(*Buffer)
	default:
		panic("packet: no datagram is larger than LargeSize")
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
	if len(b.data) == SmallSize {
		small.Put(b)
		return
	}
	large.Put(b)
}
