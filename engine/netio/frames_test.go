package netio

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/internal/fuzzseed"
)

// appendFrame appends a frame that carries payload, RFC 4571 section 2.
func appendFrame(b, payload []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return append(b, payload...)
}

// framesOf is the reference: it reads a whole stream and returns its frames of at least some length, and whether one is larger than
// limit.
func framesOf(stream []byte, least, limit int) (frames [][]byte, tooLarge bool) {
	for len(stream) >= 2 {
		size := int(binary.BigEndian.Uint16(stream))
		if size > limit {
			return frames, true
		}
		if len(stream) < 2+size {
			break
		}
		if size > 0 && size >= least {
			frames = append(frames, stream[2:2+size])
		}
		stream = stream[2+size:]
	}
	return frames, false
}

// feed gives d the next part of a stream.
func feed(d *deframer, part []byte, limit int) (frames [][]byte, err error) {
	for len(part) > 0 && err == nil {
		var frame *packet.Buffer
		if frame, part, err = d.next(part, limit); frame != nil {
			frames = append(frames, bytes.Clone(frame.Bytes()))
			frame.Release()
		}
	}
	return frames, err
}

func TestDeframerCutAtEveryByte(t *testing.T) {
	var stream []byte
	for _, payload := range []string{"stun", "", "d", "dtls record", ""} {
		stream = appendFrame(stream, []byte(payload))
	}
	want := [][]byte{[]byte("stun"), []byte("d"), []byte("dtls record")}
	for i := range len(stream) + 1 {
		for j := i; j <= len(stream); j++ {
			var d deframer
			var got [][]byte
			for _, part := range [][]byte{stream[:i], stream[i:j], stream[j:]} {
				frames, err := feed(&d, part, maxFrame)
				require.NoError(t, err)
				got = append(got, frames...)
			}
			require.Equal(t, want, got, "cut at %d and %d", i, j)
			require.Nil(t, d.small, "nothing is held after the last frame")
		}
	}
}

// Frames around the size of the two kinds of buffers, byte by byte and whole.
func TestDeframerSizes(t *testing.T) {
	for _, size := range []int{1, packet.SmallSize - 1, packet.SmallSize, packet.SmallSize + 1, maxFrame} {
		payload := bytes.Repeat([]byte{0xa5}, size)
		payload[size-1] = 1
		stream := appendFrame(nil, payload)
		for _, step := range []int{1, 1000, len(stream)} {
			var d deframer
			var got [][]byte
			for rest := stream; len(rest) > 0; rest = rest[min(step, len(rest)):] {
				frames, err := feed(&d, rest[:min(step, len(rest))], maxFrame)
				require.NoError(t, err)
				got = append(got, frames...)
			}
			require.Len(t, got, 1, "size %d by %d", size, step)
			require.True(t, bytes.Equal(payload, got[0]), "size %d by %d", size, step)
		}
	}
}

func TestDeframerLimit(t *testing.T) {
	var d deframer
	frames, err := feed(&d, appendFrame(appendFrame(nil, make([]byte, 10)), make([]byte, 11)), 10)
	require.ErrorIs(t, err, errFrameTooLarge)
	require.Len(t, frames, 1, "the frame before it is good")
}

// A peer that announces much and sends little takes little memory.
func TestDeframerMemoryFollowsReceivedBytes(t *testing.T) {
	var d deframer
	_, err := feed(&d, []byte{0xff, 0xff, 1, 2, 3}, maxFrame)
	require.NoError(t, err)
	require.LessOrEqual(t, cap(d.large), 16)
	require.Nil(t, d.small)
	d.release()
	require.Equal(t, deframer{}, d)

	_, err = feed(&d, []byte{0, 9, 1, 2, 3}, maxFrame)
	require.NoError(t, err)
	held := d.small
	d.release()
	require.PanicsWithValue(t, "packet: buffer released twice", held.Release, "the buffer went back to its pool")
}

func TestBatchFrames(t *testing.T) {
	b := NewBatch()
	for _, payload := range []string{"one", "three", "5"} {
		b.Commit(copy(b.Space(len(payload)), payload))
	}
	all := "\x00\x03one\x00\x05three\x00\x015"
	for limit, want := range map[int]struct {
		data string
		n    int
	}{
		0:            {"", 0},
		4:            {"", 0},
		5:            {all[:5], 1},
		11:           {all[:5], 1},
		12:           {all[:12], 2},
		len(all) - 1: {all[:12], 2},
		len(all):     {all, 3},
		1 << 20:      {all, 3},
	} {
		data, n := b.frames(limit)
		require.Equal(t, want.data, string(data), limit)
		require.Equal(t, want.n, n, limit)
	}
}

// A full batch fits the memory for frames, which never grows.
func TestBatchFramesOfFullBatch(t *testing.T) {
	b := NewBatch()
	for b.Space(1000) != nil {
		b.Commit(1000)
	}
	require.Equal(t, maxBatchPackets, b.Len())
	b.Reset()
	b.Space(MaxPacketLen)
	b.Commit(MaxPacketLen)
	b.Commit(len(b.Space(1)))
	data, n := b.frames(maxWriteQueue)
	require.Equal(t, 2, n)
	require.Len(t, data, batchArena+2*frameHeaderLen)
	require.Zero(t, testing.AllocsPerRun(10, func() { b.frames(maxWriteQueue) }))
}

func FuzzTCPFraming(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	stream := appendFrame(appendFrame(appendFrame(nil, []byte("stun")), nil), bytes.Repeat([]byte("rtp "), 500))
	f.Add(stream, uint16(1), uint16(maxFrame), uint8(0))
	f.Add(stream, uint16(7), uint16(packet.SmallSize), uint8(5))
	f.Add(stream[:len(stream)-1], uint16(1700), uint16(2000), uint8(255))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint16(5), uint16(packet.SmallSize), uint8(12))
	f.Add([]byte{0xff, 0xff, 0}, uint16(1), uint16(maxFrame), uint8(12))
	f.Add(make([]byte, 9), uint16(2), uint16(0), uint8(12))
	f.Add(bytes.Repeat([]byte{0, 1, 'x'}, 20), uint16(2), uint16(maxFrame), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, step, limit uint16, least uint8) {
		want, tooLarge := framesOf(stream, int(least), int(limit))
		d := deframer{least: int(least)}
		var got [][]byte
		var err error
		n := max(int(step), 1)
		for rest := stream; len(rest) > 0 && err == nil; rest = rest[min(n, len(rest)):] {
			var frames [][]byte
			frames, err = feed(&d, rest[:min(n, len(rest))], int(limit))
			got = append(got, frames...)
			if cap(d.large) > 4*len(stream)+64 {
				t.Fatal("holds more than was received")
			}
		}
		d.release()
		require.Equal(t, tooLarge, err != nil)
		require.Equal(t, len(want), len(got))
		for i := range want {
			require.True(t, bytes.Equal(want[i], got[i]))
		}
	})
}
