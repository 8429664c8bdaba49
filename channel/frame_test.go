package channel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/fuzzseed"
)

// chunkReader gives at most size bytes at a time.
type chunkReader struct {
	data []byte
	size int
}

func (r *chunkReader) Read(b []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), r.size)], r.data)
	r.data = r.data[n:]
	return n, nil
}

func frame(payload []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

// FuzzFrames compares the reader, for any size of chunks, with the plain definition of the format.
func FuzzFrames(tf *testing.F) {
	f := fuzzseed.New(tf, 500)
	f.Add([]byte{}, uint16(1))
	f.Add([]byte{0, 0, 0, 0}, uint16(3))
	f.Add(append(frame([]byte("one")), frame([]byte("two"))...), uint16(5))
	f.Add(append(frame(make([]byte, 70_000)), frame([]byte("x"))...), uint16(4096))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1, 2, 3}, uint16(2))
	f.Add([]byte{5, 0, 0, 0, 1, 2, 3}, uint16(1000))
	f.Fuzz(func(t *testing.T, data []byte, size uint16) {
		r := newFrameReader(&chunkReader{data: data, size: int(size) + 1}, MaxPayloadLen)
		for rest := data; ; {
			got, err := r.next()
			switch {
			case len(rest) == 0:
				require.Equal(t, io.EOF, err)
				return
			case len(rest) < 4:
				require.Equal(t, io.ErrUnexpectedEOF, err)
				return
			}
			n := int64(binary.LittleEndian.Uint32(rest))
			switch rest = rest[4:]; {
			case n > MaxPayloadLen:
				require.ErrorIs(t, err, ErrFrameTooLong)
				return
			case n > int64(len(rest)):
				require.Equal(t, io.ErrUnexpectedEOF, err)
				return
			}
			require.NoError(t, err)
			require.True(t, bytes.Equal(rest[:n], got))
			rest = rest[n:]
		}
	})
}

func TestFrameReaderGivesLargeBuffersBack(t *testing.T) {
	data := append(frame(make([]byte, MaxPayloadLen)), frame([]byte("small"))...)
	r := newFrameReader(bytes.NewReader(data), MaxPayloadLen)
	large, err := r.next()
	require.NoError(t, err)
	require.Len(t, large, MaxPayloadLen)
	small, err := r.next()
	require.NoError(t, err)
	require.Equal(t, "small", string(small))
	require.Len(t, r.buf, readBufferLen)
}

func TestFrameReaderDoesNotAllocatePerFrame(t *testing.T) {
	data := bytes.Repeat(frame(make([]byte, 100)), 5000)
	source := bytes.NewReader(data)
	r := newFrameReader(source, MaxPayloadLen)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if _, err := r.next(); err != nil {
			t.Fatal(err)
		}
	}))
}

// errorAfter gives its data together with an error.
type errorAfter struct{ data []byte }

func (r *errorAfter) Read(b []byte) (int, error) {
	n := copy(b, r.data)
	r.data = r.data[n:]
	return n, errBroken
}

var errBroken = errors.New("broken")

func TestFrameReaderUsesDataBeforeAnError(t *testing.T) {
	r := newFrameReader(&errorAfter{frame([]byte("last"))}, MaxPayloadLen)
	got, err := r.next()
	require.NoError(t, err)
	require.Equal(t, "last", string(got))
	_, err = r.next()
	require.Equal(t, errBroken, err)
}
