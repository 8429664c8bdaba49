package channel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// From mediasoup (Channel/ChannelSocket and the Node library's Channel, release 3.27.1), in bytes:
const (
	// MaxMessageLen is the maximum length of a frame, with its length prefix.
	MaxMessageLen = 8388608
	// MaxPayloadLen is the maximum length of a frame's message.
	MaxPayloadLen = MaxMessageLen - prefixLen
	// SmallPayloadLen is MaxPayloadLen in releases with small frames.
	SmallPayloadLen = 4194304

	prefixLen = 4
)

// Chosen here, in bytes:
const (
	// sendMargin is how far a sent frame, with its prefix, stays below the maximum length of a message. The Node library
	// discards its receive buffer, and loses track of frames, when the buffer holds more than that maximum: an unfinished
	// frame and the chunk just read, which has up to 64 KiB.
	sendMargin = 64 << 10

	readBufferLen = 64 << 10
)

// ErrFrameTooLong means that a length prefix exceeds the maximum. The rest of the stream cannot be decoded.
var ErrFrameTooLong = errors.New("frame too long")

// frameReader splits a byte stream into frames. It has one buffer, which it replaces by a larger one for a frame that does
// not fit, until that frame is done.
type frameReader struct {
	r          io.Reader
	max        int // maximum length of a message in bytes
	buf        []byte
	start, end int // the unread bytes are buf[start:end]
}

func newFrameReader(r io.Reader, maxPayload int) *frameReader {
	return &frameReader{r: r, max: maxPayload, buf: make([]byte, readBufferLen)}
}

// next returns the next frame's message, valid until the next call. The error is io.EOF at the end of the stream,
// io.ErrUnexpectedEOF if it ends inside a frame, ErrFrameTooLong, or that of the underlying reader.
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

// ready reports whether a whole frame is buffered, so that next will not read.
func (f *frameReader) ready() bool {
	n := f.end - f.start
	return n >= prefixLen && int64(n-prefixLen) >= int64(binary.LittleEndian.Uint32(f.buf[f.start:]))
}

// fill reads until the buffer holds n unread bytes.
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

// makeRoom moves the unread bytes to the front of a buffer with space for n bytes, if the present place has less.
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
