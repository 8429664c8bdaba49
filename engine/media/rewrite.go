package media

import (
	"encoding/binary"

	"gazpacho/engine/layer"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// rewrite is what a consumer wrote into one packet beside the fixed header, in one word, for retransmissions:
//
//	bits  0 to 14  VP8 picture id
//	bit  15        the picture id and TL0PICIDX of the payload are replaced
//	bits 16 to 23  VP8 TL0PICIDX
//	bits 24 to 47  abs-send-time
//	bits 48 to 63  transport-wide sequence number
//
// A retransmission without RTX repeats SSRC and sequence number, hence SRTP's nonce. With AES-GCM, two packets that have
// one nonce but differ anywhere, even in a header extension, give away the key's authentication secret and the
// difference of the payloads (RFC 7714 section 8). So such a retransmission is the very same packet: it carries the time
// and the transport-wide sequence number of the first sending, though that is of less use to the receiver's bandwidth
// estimation. Retransmissions by RTX have numbers of their own and carry the present ones.
type rewrite uint64

const (
	rewritePayload       = 1 << 15
	rewriteTL0Shift      = 16
	rewriteSendTimeShift = 24
	rewriteCCShift       = 48
)

// rewriteVP8 replaces picture id (15 bits) and TL0PICIDX where the payload has them.
func rewriteVP8(n layer.VP8Numbers) rewrite {
	if !n.Replace {
		return 0
	}
	return rewrite(n.PictureID&(1<<15-1)) | rewritePayload | rewrite(n.TL0PicIdx)<<rewriteTL0Shift
}

func (r rewrite) withSendTime(now unit.Time) rewrite {
	var b [4]byte
	rtp.PutAbsSendTime(b[1:], now)
	return r&^(0xffffff<<rewriteSendTimeShift) | rewrite(binary.BigEndian.Uint32(b[:]))<<rewriteSendTimeShift
}

func (r rewrite) withTransportCC(seq unit.SeqNo) rewrite {
	return r&^(0xffff<<rewriteCCShift) | rewrite(seq)<<rewriteCCShift
}

// putSendTime writes the value of abs-send-time into b.
func (r rewrite) putSendTime(b []byte) {
	b[0], b[1], b[2] = byte(r>>40), byte(r>>32), byte(r>>24)
}

func (r rewrite) putTransportCC(b []byte) { rtp.PutTransportCC(b, unit.SeqNo(r>>rewriteCCShift)) }

// appendPayload appends the payload of pkt as it goes out. A picture id of one byte becomes one of two bytes on the way, as
// the ids of several streams in a row do not fit into seven bits.
func (r rewrite) appendPayload(b []byte, pkt *packet.Packet) []byte {
	payload := pkt.Payload()
	if r&rewritePayload == 0 {
		return append(b, payload...)
	}
	d := &pkt.Codec
	start := len(b)
	if d.HasTL0PicIdx() && !d.HasPictureID() {
		b = append(b, payload...)
		b[start+int(d.TL0PicIdxOffset)] = byte(r >> rewriteTL0Shift)
		return b
	}
	at := int(d.PictureIDOffset)
	b = append(b, payload[:at]...)
	b = append(b, longPictureID|byte(r>>8&0x7f), byte(r))
	b = append(b, payload[at+int(d.PictureIDLen):]...)
	if d.HasTL0PicIdx() {
		b[start+int(d.TL0PicIdxOffset)+2-int(d.PictureIDLen)] = byte(r >> rewriteTL0Shift)
	}
	return b
}

// longPictureID is the bit that makes a picture id 15 bits long (M, RFC 7741 section 4.2).
const longPictureID = 0x80
