package rtp

import (
	"encoding/binary"

	"gazpacho/engine/unit"
)

// Header is the fixed header of a packet to be written.
type Header struct {
	Marker         bool
	PayloadType    uint8 // 7 bits
	SequenceNumber unit.SeqNo
	Timestamp      unit.Timestamp
	SSRC           unit.SSRC
	// CSRCs are the contributing sources as Packet.CSRCs has them, at most 15.
	CSRCs []byte
}

// AppendHeader appends a header with the given extensions to b and returns the longer slice, to which the payload is to be
// appended. Extensions take the one-byte form of RFC 8285 when all ids and lengths fit it, else the two-byte form; without
// extensions there is no extension block. The header announces no padding.
func AppendHeader(b []byte, h Header, exts []Extension) []byte {
	first, second := byte(version<<6)|byte(len(h.CSRCs)/4), h.PayloadType&payloadTypeMask
	if len(exts) > 0 {
		first |= extensionBit
	}
	if h.Marker {
		second |= markerBit
	}
	b = append(b, first, second)
	b = binary.BigEndian.AppendUint16(b, uint16(h.SequenceNumber))
	b = binary.BigEndian.AppendUint32(b, uint32(h.Timestamp))
	b = binary.BigEndian.AppendUint32(b, uint32(h.SSRC))
	b = append(b, h.CSRCs...)
	if len(exts) == 0 {
		return b
	}
	return appendExtensionBlock(b, exts)
}

func appendExtensionBlock(b []byte, exts []Extension) []byte {
	f := formFor(exts)
	profile := uint16(oneByteProfile)
	if f == formTwoByte {
		profile = twoByteProfile
	}
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, profile)
	b = binary.BigEndian.AppendUint16(b, 0)
	for _, e := range exts {
		if f == formOneByte {
			b = append(b, e.ID<<4|uint8(len(e.Value)-1))
		} else {
			b = append(b, e.ID, uint8(len(e.Value)))
		}
		b = append(b, e.Value...)
	}
	for (len(b)-start)%4 != 0 {
		b = append(b, paddingID)
	}
	words := (len(b) - start - extensionHeaderLen) / 4
	if words > 0xffff {
		panic("rtp: header extensions exceed what their length field can say")
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(words))
	return b
}

// formFor returns the shorter form that all extensions fit.
func formFor(exts []Extension) form {
	f := formOneByte
	for _, e := range exts {
		if e.ID == paddingID || len(e.Value) > MaxExtensionLen {
			panic("rtp: header extension with id 0 or a value that is too long")
		}
		if e.ID > oneByteMaxID || len(e.Value) == 0 || len(e.Value) > oneByteMaxLen {
			f = formTwoByte
		}
	}
	return f
}

// ValueOffset returns where AppendHeader writes the value of exts[i], in bytes from the beginning of the header: for values
// that are filled in later, such as the time of sending.
func (h *Header) ValueOffset(exts []Extension, i int) int {
	head := 1
	if formFor(exts) == formTwoByte {
		head = 2
	}
	offset := FixedHeaderLen + len(h.CSRCs) + extensionHeaderLen + head
	for _, e := range exts[:i] {
		offset += len(e.Value) + head
	}
	return offset
}
