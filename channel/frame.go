package channel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Upstream's values (its Channel/ChannelSocket and the Node library's Channel, release 3.27.1).
const (
	// MaxMessageLen is the most bytes of a frame, with its length prefix.
	MaxMessageLen = 8388608
	// MaxPayloadLen is the most bytes of a frame's message.
	MaxPayloadLen = MaxMessageLen - prefixLen
	// SmallPayloadLen is the same for releases with small frames.
	SmallPayloadLen = 4194304

	prefixLen = 4
)

// Ours.
const (
	// sendMargin is by how much a frame that we send, with its prefix, stays below the most bytes of a message. The Node
	// library throws away everything it has received, and is out of step from then on, when more than those lie in its
	// buffer: an unfinished frame and the chunk just read, which has up to 64 KiB.
	sendMargin = 64 << 10

	readBufferLen = 64 << 10
)

// ErrFrameTooLong tells of a length prefix above the most bytes of a message. Nothing after it can be understood.
var ErrFrameTooLong = errors.New("frame too long")

// frameReader cuts a byte stream into frames. It holds one buffer, grown for a frame that needs more and given back
// afterwards.
type frameReader struct {
	r          io.Reader
	max        int // bytes of a message
	buf        []byte
	start, end int // the unread bytes are buf[start:end]
}

func newFrameReader(r io.Reader, maxPayload int) *frameReader {
	return &frameReader{r: r, max: maxPayload, buf: make([]byte, readBufferLen)}
}

// next returns the next frame's message, valid until the next call. The error is io.EOF at the end of the stream,
// io.ErrUnexpectedEOF when it ends inside a frame, ErrFrameTooLong, or the reader's.
func (f *frameReader) next() ([]byte, error) {
	if err := f.fill(prefixLen); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(f.buf[f.start:])
	if int64(n) > int64(f.max) {
		return nil, fmt.Errorf("%w: %d bytes announced, %d allowed", ErrFrameTooLong, n, f.max)
	}
	total := prefixLen + int(n)
	if err := f.fill(total); err != nil {
		return nil, err
	}
	payload := f.buf[f.start+prefixLen : f.start+total : f.start+total]
	f.start += total
	return payload, nil
}

// ready reports whether next has a whole frame already, and will not read.
func (f *frameReader) ready() bool {
	n := f.end - f.start
	return n >= prefixLen && int64(n-prefixLen) >= int64(binary.LittleEndian.Uint32(f.buf[f.start:]))
}

// fill reads until n bytes are unread.
func (f *frameReader) fill(n int) error {
	f.makeRoom(n)
	for f.end-f.start < n {
		m, err := f.r.Read(f.buf[f.end:])
		f.end += m
		if err != nil && f.end-f.start < n {
			if err == io.EOF && f.end > f.start {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// makeRoom moves the unread bytes to the front of a buffer that has space for n of them, when they do not fit where
// they are.
func (f *frameReader) makeRoom(n int) {
	if f.start == f.end {
		f.start, f.end = 0, 0
		if len(f.buf) > readBufferLen {
			f.buf = make([]byte, readBufferLen)
		}
	}
	if f.start+n <= len(f.buf) {
		return
	}
	to := f.buf
	if n > len(to) {
		to = make([]byte, n)
	}
	f.end = copy(to, f.buf[f.start:f.end])
	f.buf, f.start = to, 0
}
