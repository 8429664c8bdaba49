package data

import (
	"encoding/binary"
	"math"
)

// Upstream's values (its SubchannelsCodec). A payload that carries an addressing begins with the token, whose first byte cannot
// begin a UTF-8 text; its two lowest bits say which optional fields follow.
//
//	token (8) | count (2) | subchannel (2) * count | required (2, with flagRequired) | ignored (2, with flagIgnored) | payload
const (
	magicToken   uint64 = 0xA5F09CB3D6E1F28C
	flagRequired uint64 = 2
	flagIgnored  uint64 = 1
	tokenLen            = 8
	fixedLen            = tokenLen + 2
)

// AppendPiped appends to dst what a pipe carries for a message: the addressing, unless there is none, and the payload. A message
// with more than 65535 subchannels travels without addressing, as in upstream.
func AppendPiped(dst []byte, a Addressing, payload []byte) []byte {
	if len(a.Subchannels) == 0 && a.RequiredSubchannel == nil && a.IgnoredSubchannel == nil ||
		len(a.Subchannels) > math.MaxUint16 {
		return append(dst, payload...)
	}
	token := magicToken
	if a.RequiredSubchannel != nil {
		token |= flagRequired
	}
	if a.IgnoredSubchannel != nil {
		token |= flagIgnored
	}
	dst = binary.BigEndian.AppendUint64(dst, token)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(a.Subchannels)))
	for _, s := range a.Subchannels {
		dst = binary.BigEndian.AppendUint16(dst, s)
	}
	for _, s := range []*uint16{a.RequiredSubchannel, a.IgnoredSubchannel} {
		if s != nil {
			dst = binary.BigEndian.AppendUint16(dst, *s)
		}
	}
	return append(dst, payload...)
}

// ParsePiped splits what a pipe carried. Bytes without a complete addressing are all payload, as in upstream. The payload
// aliases b.
func ParsePiped(b []byte) (a Addressing, payload []byte) {
	if len(b) < fixedLen {
		return a, b
	}
	token := binary.BigEndian.Uint64(b)
	if token&^(flagRequired|flagIgnored) != magicToken {
		return a, b
	}
	count := int(binary.BigEndian.Uint16(b[tokenLen:]))
	fields := count
	if token&flagRequired != 0 {
		fields++
	}
	if token&flagIgnored != 0 {
		fields++
	}
	rest := b[fixedLen:]
	if len(rest) < 2*fields {
		return a, b
	}
	next := func() uint16 {
		v := binary.BigEndian.Uint16(rest)
		rest = rest[2:]
		return v
	}
	if count > 0 {
		a.Subchannels = make([]uint16, count)
		for i := range a.Subchannels {
			a.Subchannels[i] = next()
		}
	}
	if token&flagRequired != 0 {
		v := next()
		a.RequiredSubchannel = &v
	}
	if token&flagIgnored != 0 {
		v := next()
		a.IgnoredSubchannel = &v
	}
	return a, rest
}
