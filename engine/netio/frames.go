package netio

import (
	"errors"

	"gazpacho/engine/packet"
)

// From RFC 4571 section 2: a frame is a length of two bytes in network byte order, followed by that many bytes. Length zero
// is the null packet, which carries nothing.
const (
	frameHeaderLen = 2
	maxFrame       = 1<<16 - 1
)

var errFrameTooLarge = errors.New("netio: announced frame too large")

// deframer splits a stream of bytes into frames. For an unfinished frame it holds memory for the bytes received, not for
// the length announced, so that a peer cannot make it reserve memory.
type deframer struct {
	length [frameHeaderLen]byte
	have   int            // bytes of the frame received so far, its length field included
	small  *packet.Buffer // the frame, if it fits packet.SmallSize
	large  []byte         // the frame, if it does not
	least  int            // bytes of the shortest frame that is not skipped
	runts  int            // frames skipped
}

// next consumes data up to the end of the first frame that it completes, and returns that frame and the rest of data. If
// no frame completes, it consumes all of data. A frame of more than limit bytes is an error, which ends the stream. Frames that are
// too short to be anything are skipped here, where they cost little more than their bytes.
func (d *deframer) next(data []byte, limit int) (frame *packet.Buffer, rest []byte, err error) {
	for {
		if d.have == 0 {
			data = d.skipShort(data, limit)
		}
		if d.have < frameHeaderLen {
			n := copy(d.length[d.have:], data)
			d.have += n
			data = data[n:]
			if d.have < frameHeaderLen {
				return nil, nil, nil
			}
		}
		size := int(d.length[0])<<8 | int(d.length[1])
		if size > limit {
			return nil, nil, errFrameTooLarge
		}
		if size >= max(d.least, 1) {
			frame, rest = d.body(data, size)
			return frame, rest, nil
		}
		n := min(frameHeaderLen+size-d.have, len(data))
		d.have += n
		data = data[n:]
		if d.have < frameHeaderLen+size {
			return nil, nil, nil
		}
		if size > 0 {
			d.runts++
		}
		d.have = 0
	}
}

// skipShort consumes frames that are to be skipped and lie in data.
func (d *deframer) skipShort(data []byte, limit int) []byte {
	for len(data) >= frameHeaderLen {
		size := int(data[0])<<8 | int(data[1])
		if size >= max(d.least, 1) || size > limit || frameHeaderLen+size > len(data) {
			break
		}
		if size > 0 {
			d.runts++
		}
		data = data[frameHeaderLen+size:]
	}
	return data
}

// body consumes what data holds of a frame of size bytes.
func (d *deframer) body(data []byte, size int) (frame *packet.Buffer, rest []byte) {
	missing := frameHeaderLen + size - d.have
	n := min(missing, len(data))
	switch {
	case n == size: // the common case: the frame lies in data
		frame = packet.NewBuffer(size)
		frame.SetLen(copy(frame.Space(), data[:n]))
	case n > 0:
		d.keep(data[:n], size)
		if n == missing {
			frame = d.take(size)
		}
	}
	d.have += n
	if frame != nil {
		d.have = 0
	}
	return frame, data[n:]
}

// keep stores a part of a frame of size bytes.
func (d *deframer) keep(part []byte, size int) {
	if size > packet.SmallSize {
		d.large = append(d.large, part...)
		return
	}
	if d.small == nil {
		d.small = packet.NewBuffer(packet.SmallSize)
	}
	copy(d.small.Space()[d.have-frameHeaderLen:], part)
}

// take returns the frame of size bytes that keep stored.
func (d *deframer) take(size int) *packet.Buffer {
	frame := d.small
	if size > packet.SmallSize {
		frame = packet.NewBuffer(size)
		copy(frame.Space(), d.large)
	}
	frame.SetLen(size)
	d.small, d.large = nil, nil
	return frame
}

// release drops an unfinished frame.
func (d *deframer) release() {
	if d.small != nil {
		d.small.Release()
	}
	*d = deframer{}
}

// frames returns the first packets of b as frames, as many as fit limit bytes, and their number. The bytes belong to b
// and are valid until the next call of frames.
func (b *Batch) frames(limit int) (data []byte, n int) {
	if b.framed == nil {
		b.framed = make([]byte, 0, batchArena+maxBatchPackets*frameHeaderLen)
	}
	data = b.framed[:0]
	for pkt := range b.Packets() {
		if len(data)+frameHeaderLen+len(pkt) > limit {
			break
		}
		data = append(data, byte(len(pkt)>>8), byte(len(pkt)))
		data = append(data, pkt...)
		n++
	}
	return data, n
}
