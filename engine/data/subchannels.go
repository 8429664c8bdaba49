package data

import (
	"encoding/binary"
	"math"
)

// From mediasoup's SubchannelsCodec: a payload that carries an addressing begins with the token, whose first byte cannot begin
// a UTF-8 text; its two lowest bits are the flags of the optional fields. An addressing may be empty: that is how a payload travels
// that itself begins like one.
//
//	token (8) | count (2) | subchannel (2) * count | required (2, if its flag is set) | ignored (2, if its flag is set) | payload
const (
	magicToken uint64 = 0xA5F09CB3D6E1F28C
	allFlags   uint64 = 3
	tokenLen          = 8
	fixedLen          = tokenLen + 2
)

// Pipe is how messages travel over a pipe. The zero value: as on any transport.
type Pipe struct {
	Addressed  bool // in front of its payload, a message carries its addressing
	OldToken   bool // as [api.Compat] has it: OldPipeToken
	Unfiltered bool // as [api.Compat] has it: UnfilteredPipes
}

// flags returns the token's flags; 0 for a field that the format lacks.
func (p Pipe) flags() (required, ignored uint64) {
	if p.OldToken {
		return 1, 0
	}
	return 2, 1
}

// Append appends to dst what the pipe carries for a message: the addressing, unless there is none, and the payload. A message
// with more than 65535 subchannels travels without addressing, as in mediasoup. Unlike mediasoup's, a payload that begins with a
// token gets an empty addressing, which all releases read: the far end would take it for an addressing.
func (p Pipe) Append(dst []byte, a Addressing, payload []byte) []byte {
	flagRequired, flagIgnored := p.flags()
	if flagIgnored == 0 {
		a.IgnoredSubchannel = nil
	}
	if len(a.Subchannels) > math.MaxUint16 {
		a = Addressing{}
	}
	if len(a.Subchannels) == 0 && a.RequiredSubchannel == nil && a.IgnoredSubchannel == nil && !beginsWithToken(payload) {
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

// beginsWithToken reports whether a payload may look like an addressing, in whatever release's format.
func beginsWithToken(payload []byte) bool {
	return len(payload) >= tokenLen && binary.BigEndian.Uint64(payload)&^allFlags == magicToken
}

// Parse splits what the pipe carried. Bytes without a complete addressing are all payload, as in mediasoup. The payload aliases
// b.
func (p Pipe) Parse(b []byte) (a Addressing, payload []byte) {
	if len(b) < fixedLen {
		return a, b
	}
	flagRequired, flagIgnored := p.flags()
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
