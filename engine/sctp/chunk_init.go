package sctp

import (
	"encoding/binary"
	"slices"
)

// From RFC 9260 section 3.3.2 and 3.3.3, RFC 3758 section 3.1, RFC 5061 section 4.2.7, RFC 9653 section 4: parameters.
const (
	paramStateCookie         = 7
	paramUnrecognized        = 8
	paramZeroChecksum        = 0x8001
	paramSupportedExtensions = 0x8008
	paramForwardTSN          = 0xc000

	// zeroChecksumDTLS is the error detection that stands in for the checksum: DTLS (RFC 9653 section 5.1).
	zeroChecksumDTLS = 1

	initLen = 16 // of an INIT's value without parameters
)

// capabilities are what an end can beyond RFC 9260.
type capabilities uint8

const (
	canForwardTSN   capabilities = 1 << iota // partial reliability (RFC 3758)
	canReconfig                              // stream resets (RFC 6525)
	canInterleave                            // I-DATA (RFC 8260)
	canZeroChecksum                          // packets without checksum (RFC 9653)
)

func (c capabilities) has(what capabilities) bool { return c&what != 0 }

// initChunk is an INIT or INIT ACK (RFC 9260 sections 3.3.2 and 3.3.3).
type initChunk struct {
	tag      uint32
	window   uint32 // a_rwnd, bytes
	out, in  uint16 // streams
	tsn      tsn
	can      capabilities
	cookie   []byte // of an INIT ACK; aliases the packet
	unknowns []byte // all parameters, among which are ones to be reported; nil if there are none
}

// parseInit reads an INIT or INIT ACK. An initiate tag of 0, or no streams at all, is none (section 3.3.2).
func parseInit(c chunk) (i initChunk, ok bool) {
	if len(c.value) < initLen {
		return initChunk{}, false
	}
	i = initChunk{
		tag:    binary.BigEndian.Uint32(c.value),
		window: binary.BigEndian.Uint32(c.value[4:]),
		out:    binary.BigEndian.Uint16(c.value[8:]),
		in:     binary.BigEndian.Uint16(c.value[10:]),
		tsn:    tsn(binary.BigEndian.Uint32(c.value[12:])),
	}
	for typ, value := range params(c.value[initLen:]) {
		switch typ {
		case paramStateCookie:
			i.cookie = value
		case paramZeroChecksum:
			if len(value) >= 4 && binary.BigEndian.Uint32(value) == zeroChecksumDTLS {
				i.can |= canZeroChecksum
			}
		case paramForwardTSN:
			i.can |= canForwardTSN
		case paramSupportedExtensions:
			i.can |= extensions(value)
		default:
			if typ&reportUnknownParam != 0 {
				i.unknowns = c.value[initLen:]
			}
			if typ&skipUnknownParam == 0 {
				return i, i.tag != 0 && i.out != 0 && i.in != 0
			}
		}
	}
	return i, i.tag != 0 && i.out != 0 && i.in != 0
}

func extensions(types []byte) (can capabilities) {
	for chunkType, what := range map[byte]capabilities{
		typeForwardTSN: canForwardTSN, typeReconfig: canReconfig, typeIData: canInterleave,
	} {
		if slices.Contains(types, chunkType) {
			can |= what
		}
	}
	return can
}

// append appends the chunk. Parameters of the peer's INIT that it wants reported are quoted, as far as there is room for them.
func (i *initChunk) append(b []byte, typ byte) []byte {
	start := len(b)
	b = append(b, typ, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, i.tag)
	b = binary.BigEndian.AppendUint32(b, i.window)
	b = binary.BigEndian.AppendUint16(b, i.out)
	b = binary.BigEndian.AppendUint16(b, i.in)
	b = binary.BigEndian.AppendUint32(b, uint32(i.tsn))
	if i.cookie != nil {
		b = appendParam(b, paramStateCookie, i.cookie)
	}
	if i.can.has(canForwardTSN) {
		b = appendParam(b, paramForwardTSN, nil)
	}
	if types := i.extensions(); len(types) > 0 {
		b = appendParam(b, paramSupportedExtensions, types)
	}
	if i.can.has(canZeroChecksum) {
		b = appendParam(b, paramZeroChecksum, []byte{0, 0, 0, zeroChecksumDTLS})
	}
	return endTLV(appendUnrecognized(b, i.unknowns), start)
}

func (i *initChunk) extensions() (types []byte) {
	if i.can.has(canForwardTSN) {
		types = append(types, typeForwardTSN)
	}
	if i.can.has(canReconfig) {
		types = append(types, typeReconfig)
	}
	if i.can.has(canInterleave) {
		types = append(types, typeIData, typeIForwardTSN)
	}
	return types
}

// maxQuoted bounds how many bytes of unknown parameters are reported.
const maxQuoted = 256

// appendUnrecognized reports the unknown parameters that want it (RFC 9260 section 3.2.1).
func appendUnrecognized(b, parameters []byte) []byte {
	quoted := 0
	for typ, value := range params(parameters) {
		known := typ == paramStateCookie || typ == paramZeroChecksum || typ == paramForwardTSN || typ == paramSupportedExtensions
		if known {
			continue
		}
		if quoted += padded(len(value) + 2*paramHeaderLen); typ&reportUnknownParam != 0 && quoted <= maxQuoted {
			start := len(b)
			b = beginParam(b, paramUnrecognized)
			b = endTLV(appendParam(b, typ, value), start)
		}
		if typ&skipUnknownParam == 0 {
			break
		}
	}
	return b
}
