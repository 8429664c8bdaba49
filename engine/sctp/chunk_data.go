package sctp

import "encoding/binary"

// From RFC 9260 section 3.3.1 and RFC 7053: flags of DATA and I-DATA.
const (
	flagEnd       = 1
	flagBegin     = 2
	flagUnordered = 4
	flagImmediate = 8 // acknowledge at once

	dataLen  = 12 // of the value of DATA without user data
	iDataLen = 16
)

// dataChunk is a DATA or I-DATA chunk (RFC 9260 section 3.3.1, RFC 8260 section 2.1).
type dataChunk struct {
	tsn     tsn
	stream  uint16
	flags   byte
	seq     uint32 // the message's: 16 bits in DATA, 32 in I-DATA
	fsn     uint32 // the fragment's; I-DATA only
	ppid    uint32 // in I-DATA of the first fragment only
	payload []byte // aliases the packet
}

func (d *dataChunk) begin() bool     { return d.flags&flagBegin != 0 }
func (d *dataChunk) end() bool       { return d.flags&flagEnd != 0 }
func (d *dataChunk) unordered() bool { return d.flags&flagUnordered != 0 }

// parseData reads a chunk of the kind that was negotiated. There are no chunks without user data.
func parseData(c chunk, interleaved bool) (d dataChunk, ok bool) {
	n := dataLen
	if interleaved {
		n = iDataLen
	}
	if len(c.value) <= n {
		return dataChunk{}, false
	}
	d = dataChunk{
		tsn:    tsn(binary.BigEndian.Uint32(c.value)),
		stream: binary.BigEndian.Uint16(c.value[4:]),
		flags:  c.flags, payload: c.value[n:],
	}
	last := binary.BigEndian.Uint32(c.value[n-4:])
	switch {
	case !interleaved:
		d.seq, d.ppid = uint32(binary.BigEndian.Uint16(c.value[6:])), last
	case d.begin():
		d.seq, d.ppid = binary.BigEndian.Uint32(c.value[8:]), last
	default:
		d.seq, d.fsn = binary.BigEndian.Uint32(c.value[8:]), last
	}
	return d, true
}

func (d *dataChunk) append(b []byte, interleaved bool) []byte {
	start, typ := len(b), byte(typeData)
	if interleaved {
		typ = typeIData
	}
	b = append(b, typ, d.flags, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(d.tsn))
	b = binary.BigEndian.AppendUint16(b, d.stream)
	switch {
	case !interleaved:
		b = binary.BigEndian.AppendUint16(b, uint16(d.seq))
		b = binary.BigEndian.AppendUint32(b, d.ppid)
	case d.begin():
		b = append(b, 0, 0)
		b = binary.BigEndian.AppendUint32(b, d.seq)
		b = binary.BigEndian.AppendUint32(b, d.ppid)
	default:
		b = append(b, 0, 0)
		b = binary.BigEndian.AppendUint32(b, d.seq)
		b = binary.BigEndian.AppendUint32(b, d.fsn)
	}
	return endTLV(append(b, d.payload...), start)
}
