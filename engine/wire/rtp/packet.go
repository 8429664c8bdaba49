package rtp

import (
	"encoding/binary"
	"errors"

	"gazpacho/engine/unit"
)

// From the specification (RFC 3550 section 5.1).
const (
	// FixedHeaderLen is the length in bytes of the header before CSRC list and extension block.
	FixedHeaderLen = 12

	version         = 2
	paddingBit      = 0x20
	extensionBit    = 0x10
	csrcMask        = 0x0f
	markerBit       = 0x80
	payloadTypeMask = 0x7f
)

// maxLen is the longest packet that Parse takes, in bytes: more than UDP carries.
const maxLen = 65535

// The reasons why bytes are not an RTP packet.
var (
	ErrNotRTP    = errors.New("rtp: not an RTP packet")
	ErrCSRCs     = errors.New("rtp: too short for its CSRC list")
	ErrExtension = errors.New("rtp: too short for its header extension")
	ErrElements  = errors.New("rtp: header extension element exceeds its block")
	ErrPadding   = errors.New("rtp: invalid padding length")
)

// Packet is a parsed view of an RTP packet. Data is never modified. The exported header fields may be rewritten by the
// producer (mapping of payload type and SSRC, RTX unwrapping) without touching Data.
type Packet struct {
	// Data is the whole packet as received.
	Data           []byte
	Marker         bool
	PayloadType    uint8
	SequenceNumber unit.SeqNo
	Timestamp      unit.Timestamp
	SSRC           unit.SSRC

	csrcs        uint8  // number of CSRCs
	padding      uint8  // trailing bytes that are padding
	form         form   // how the extension block is to be read
	extStart     uint16 // offset of the first extension element
	extEnd       uint16 // offset behind the extension block
	payloadStart uint16
	headerLen    uint16
}

// LooksLikeRTP reports whether b may be an RTP packet, by the first byte (RFC 7983 section 7). RTCP packets look the same:
// check for those first.
func LooksLikeRTP(b []byte) bool {
	return len(b) >= FixedHeaderLen && b[0]>>6 == version
}

// Parse makes p a view of data, which it keeps. It checks all that the header announces (RFC 3550 section 5.1, RFC 8285
// section 4) and returns one of the package's errors when that does not fit; p is then zero.
func (p *Packet) Parse(data []byte) error {
	*p = Packet{}
	if !LooksLikeRTP(data) || len(data) > maxLen {
		return ErrNotRTP
	}
	q := Packet{
		Data:           data,
		Marker:         data[1]&markerBit != 0,
		PayloadType:    data[1] & payloadTypeMask,
		SequenceNumber: unit.SeqNo(binary.BigEndian.Uint16(data[2:])),
		Timestamp:      unit.Timestamp(binary.BigEndian.Uint32(data[4:])),
		SSRC:           unit.SSRC(binary.BigEndian.Uint32(data[8:])),
		csrcs:          data[0] & csrcMask,
	}
	end := FixedHeaderLen + 4*int(q.csrcs)
	if end > len(data) {
		return ErrCSRCs
	}
	if data[0]&extensionBit != 0 {
		var err error
		if end, err = q.parseExtensionBlock(end); err != nil {
			return err
		}
	}
	q.headerLen, q.payloadStart = uint16(end), uint16(end)
	if data[0]&paddingBit != 0 {
		q.padding = data[len(data)-1]
		if q.padding == 0 || int(q.padding) > len(data)-end {
			return ErrPadding
		}
	}
	*p = q
	return nil
}

// HeaderLen returns the length in bytes of the header in Data, CSRC list and extension block included.
func (p *Packet) HeaderLen() int { return int(p.headerLen) }

// PaddingLen returns how many bytes at the end of Data are padding, 0 when there is none.
func (p *Packet) PaddingLen() int { return int(p.padding) }

// Payload returns the payload without padding, as a part of Data; it may be empty.
func (p *Packet) Payload() []byte {
	end := len(p.Data) - int(p.padding)
	return p.Data[p.payloadStart:end:end]
}

// CSRCs returns the whole list of contributing sources as it is on the wire, four bytes each, as a part of Data.
func (p *Packet) CSRCs() []byte {
	if p.csrcs == 0 {
		return nil
	}
	return p.Data[FixedHeaderLen : FixedHeaderLen+4*int(p.csrcs)]
}

// rtxHeaderLen is the length in bytes of the original sequence number before the payload (RFC 4588 section 4).
const rtxHeaderLen = 2

// DecodeRTX turns a retransmission packet (RFC 4588 section 4) into the original one: the sequence number becomes the one
// that begins the payload, which then is skipped, payload type and SSRC become the given ones. It reports false and changes
// nothing when the payload is too short to hold a sequence number, as in the empty packets that libwebrtc probes with.
func (p *Packet) DecodeRTX(pt uint8, ssrc unit.SSRC) bool {
	payload := p.Payload()
	if len(payload) < rtxHeaderLen {
		return false
	}
	p.PayloadType, p.SSRC = pt, ssrc
	p.SequenceNumber = unit.SeqNo(binary.BigEndian.Uint16(payload))
	p.payloadStart += rtxHeaderLen
	return true
}
