package media

import (
	"encoding/binary"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// maxExtensions is how many extensions a consumer writes at most.
const maxExtensions = 10

// zeros is the value of extensions that the transport fills in.
var zeros [4]byte

// writeHeader writes the header with the receiver's extensions at the beginning of dst. It returns the header as a slice
// to which the payload is appended, and where it put what the transport fills in.
func (c *Consumer) writeHeader(pkt *packet.Packet, dst []byte, h rtp.Header) (Outgoing, []byte) {
	var out Outgoing
	// Values that are not part of the received packet are prepared at the end of dst, far behind the header.
	scratch := dst[len(dst)-scratchLen:]
	var room [maxExtensions]rtp.Extension
	exts := room[:0]
	// The two values that the transport fills in come first: see ValueOffset below.
	if c.ids.AbsSendTime != 0 && c.isVideo() {
		exts = append(exts, rtp.Extension{ID: c.ids.AbsSendTime, Value: zeros[:rtp.AbsSendTimeLen]})
		out.AbsSendTime = 1
	}
	if c.ids.TransportCC != 0 && c.isVideo() {
		exts = append(exts, rtp.Extension{ID: c.ids.TransportCC, Value: zeros[:rtp.TransportCCLen]})
		out.TransportCC = len(exts)
	}
	exts = c.appendMID(exts)
	exts = c.appendProxied(exts, pkt, scratch)
	b := rtp.AppendHeader(dst[:0], h, exts)
	if out.AbsSendTime != 0 {
		out.AbsSendTime = rtp.ValueOffset(exts, 0)
	}
	if out.TransportCC != 0 {
		out.TransportCC = rtp.ValueOffset(exts, out.TransportCC-1)
	}
	out.HeaderLen = len(b)
	return out, b
}

// scratchLen is the room in bytes for the values that are not part of the received packet.
const scratchLen = absCaptureTimeExtendedLen + rtp.PacketIDLen

func (c *Consumer) appendMID(exts []rtp.Extension) []rtp.Extension {
	if c.ids.MID == 0 || len(c.mid) == 0 {
		return exts
	}
	return append(exts, rtp.Extension{ID: c.ids.MID, Value: c.mid})
}

// appendProxied adds what comes from the producer, under the ids of the receiver.
func (c *Consumer) appendProxied(exts []rtp.Extension, pkt *packet.Packet, scratch []byte) []rtp.Extension {
	x, ids := &pkt.Extensions, &c.ids
	if x.AbsCaptureTime != nil && ids.AbsCaptureTime != 0 {
		// By forwarding the stream we become the sender that the capture clock offset refers to, so it is always
		// written. The two clocks are taken to be the same.
		v := scratch[:absCaptureTimeExtendedLen]
		clear(v[copy(v, x.AbsCaptureTime):])
		exts = append(exts, rtp.Extension{ID: ids.AbsCaptureTime, Value: v})
	}
	exts = appendExtension(exts, ids.PlayoutDelay, x.PlayoutDelay)
	exts = appendExtension(exts, ids.AudioLevel, x.AudioLevel)
	exts = appendExtension(exts, ids.DependencyDescriptor, x.DependencyDescriptor)
	exts = appendExtension(exts, ids.VideoOrientation, x.VideoOrientation)
	exts = appendExtension(exts, ids.TimeOffset, x.TimeOffset)
	if x.HasPacketID && ids.PacketID != 0 {
		v := scratch[absCaptureTimeExtendedLen:]
		binary.BigEndian.PutUint32(v, x.PacketID)
		exts = append(exts, rtp.Extension{ID: ids.PacketID, Value: v})
	}
	return exts
}

func appendExtension(exts []rtp.Extension, id uint8, value []byte) []rtp.Extension {
	if id == 0 || value == nil {
		return exts
	}
	return append(exts, rtp.Extension{ID: id, Value: value})
}

// WriteRetransmission writes the next queued packet into dst (room as for WritePacket, for the largest packet); call it
// until Len is 0.
func (c *Consumer) WriteRetransmission(now unit.Time, dst []byte) Outgoing {
	r, ok := c.send.NextRetransmission()
	if !ok {
		return Outgoing{}
	}
	h := rtp.Header{
		Marker: r.Marker, PayloadType: r.PayloadType, SequenceNumber: r.SequenceNumber,
		Timestamp: r.Timestamp, SSRC: r.SSRC,
	}
	if !r.RTX {
		// Not the stream's: a receiver may take several codecs in one stream.
		h.PayloadType = r.Packet.PayloadType
	}
	out, b := c.writeHeader(r.Packet, dst, h)
	if r.RTX {
		b = binary.BigEndian.AppendUint16(b, uint16(r.OSN))
	}
	b = append(b, r.Packet.Payload()...)
	out.Len = len(b)
	if c.trace != 0 {
		c.tracePacket(now, r.Packet, h, out.Len, r.RTX)
	}
	return out
}
