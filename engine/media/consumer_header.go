package media

import (
	"encoding/binary"

	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// maxExtensions is the most extensions that a consumer writes.
const maxExtensions = 10

// writeHeader writes the header with the receiver's extensions at the beginning of dst. It returns the header as a slice
// to which the payload is appended, and where the transport fills in its value. Time of sending and transport-wide sequence
// number are those of r.
func (c *Consumer) writeHeader(pkt *packet.Packet, dst []byte, h rtp.Header, r rewrite) (Outgoing, []byte) {
	var out Outgoing
	// Values that are not part of the received packet are prepared at the end of dst, far behind the header.
	scratch := dst[len(dst)-scratchLen:]
	var room [maxExtensions]rtp.Extension
	exts := room[:0]
	// The value that the transport fills in comes early: see ValueOffset below.
	if c.sendsTime() {
		v := scratch[sendTimeScratch : sendTimeScratch+rtp.AbsSendTimeLen]
		r.putSendTime(v)
		exts = append(exts, rtp.Extension{ID: c.ids.AbsSendTime, Value: v})
	}
	if c.ids.TransportCC != 0 && c.isVideo() {
		v := scratch[transportCCScratch : transportCCScratch+rtp.TransportCCLen]
		r.putTransportCC(v)
		exts = append(exts, rtp.Extension{ID: c.ids.TransportCC, Value: v})
		out.TransportCC = len(exts)
	}
	exts = c.appendMID(exts)
	exts = c.appendProxied(exts, pkt, scratch)
	h.CSRCs = pkt.CSRCs()
	b := rtp.AppendHeader(dst[:0], h, exts)
	if out.TransportCC != 0 {
		out.TransportCC = h.ValueOffset(exts, out.TransportCC-1)
	}
	out.HeaderLen = len(b)
	return out, b
}

// Offsets in the scratch room of the values that are not part of the received packet, and its length.
const (
	captureTimeScratch = 0
	packetIDScratch    = captureTimeScratch + rtp.AbsCaptureTimeMaxLen
	sendTimeScratch    = packetIDScratch + rtp.PacketIDLen
	transportCCScratch = sendTimeScratch + rtp.AbsSendTimeLen
	playoutScratch     = transportCCScratch + rtp.TransportCCLen
	scratchLen         = playoutScratch + rtp.PlayoutDelayLen
)

// sendsTime reports whether packets carry abs-send-time.
func (c *Consumer) sendsTime() bool { return c.ids.AbsSendTime != 0 && c.isVideo() }

func (c *Consumer) appendMID(exts []rtp.Extension) []rtp.Extension {
	if c.ids.MID == 0 || len(c.mid) == 0 {
		return exts
	}
	return append(exts, rtp.Extension{ID: c.ids.MID, Value: c.mid})
}

// appendProxied adds the extensions of the producer, under the ids of the receiver.
func (c *Consumer) appendProxied(exts []rtp.Extension, pkt *packet.Packet, scratch []byte) []rtp.Extension {
	x, ids := &pkt.Extensions, &c.ids
	if x.HasCaptureTime && ids.AbsCaptureTime != 0 {
		v := rtp.AppendAbsCaptureTime(scratch[captureTimeScratch:captureTimeScratch], x.CaptureTime)
		exts = append(exts, rtp.Extension{ID: ids.AbsCaptureTime, Value: v})
	}
	exts = appendExtension(exts, ids.PlayoutDelay, c.playoutDelay(x.PlayoutDelay, scratch[playoutScratch:playoutScratch+rtp.PlayoutDelayLen]))
	exts = appendExtension(exts, ids.AudioLevel, x.AudioLevel)
	exts = appendExtension(exts, ids.DependencyDescriptor, x.DependencyDescriptor)
	exts = appendExtension(exts, ids.VideoOrientation, x.VideoOrientation)
	exts = appendExtension(exts, ids.TimeOffset, x.TimeOffset)
	if x.HasPacketID && ids.PacketID != 0 {
		v := scratch[packetIDScratch : packetIDScratch+rtp.PacketIDLen]
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
// until Len is 0, or DropRetransmissions. Outgoing.TransportCC is 0 for one without RTX, whatever extensions it has: see rewrite.
func (c *Consumer) WriteRetransmission(now unit.Time, dst []byte) Outgoing {
	r, ok := c.nextRetransmission()
	if !ok {
		return Outgoing{}
	}
	rewrite := rewrite(r.Rewrite)
	h := rtp.Header{
		Marker: r.Marker, PayloadType: r.PayloadType, SequenceNumber: r.SequenceNumber,
		Timestamp: r.Timestamp, SSRC: r.SSRC,
	}
	if !r.RTX {
		// Not the stream's: a receiver may take several codecs in one stream.
		h.PayloadType = r.Packet.PayloadType
	}
	if r.RTX && c.sendsTime() {
		rewrite = rewrite.withSendTime(now)
	}
	out, b := c.writeHeader(r.Packet, dst, h, rewrite)
	if r.RTX {
		b = binary.BigEndian.AppendUint16(b, uint16(r.OSN))
	} else {
		// It is the same packet again, byte for byte.
		out.TransportCC = 0
	}
	b = rewrite.appendPayload(b, r.Packet)
	out.Len = len(b)
	if c.trace != 0 {
		c.tracePacket(now, r.Packet, h, out.Len, r.RTX)
	}
	return out
}

func (c *Consumer) nextRetransmission() (rtpstream.Retransmission, bool) {
	for i := range c.streams {
		if r, ok := c.streams[i].send.NextRetransmission(); ok {
			return r, true
		}
	}
	return rtpstream.Retransmission{}, false
}

// DropRetransmissions forgets the queued packets, instead of WriteRetransmission. The receiver may ask for them again at once.
func (c *Consumer) DropRetransmissions() {
	for i := range c.streams {
		if c.streams[i].send.DropQueue() {
			c.streams[i].unrepaired = true
		}
	}
}
