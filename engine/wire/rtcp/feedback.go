package rtcp

import (
	"github.com/pion/rtcp"

	"gazpacho/engine/unit"
)

// nackBits is how many sequence numbers after its first a NACK pair can name (RFC 4585 section 6.2.1).
const nackBits = 16

// maxNACKPairs is how many pairs pion/rtcp writes in one packet; it also keeps the packet within MaxCompoundLen.
const maxNACKPairs = 253

// AppendNACKPairs appends the pairs that name seqs, which are in ascending order, to pairs (RFC 4585 section 6.2.1).
func AppendNACKPairs(pairs []rtcp.NackPair, seqs []unit.SeqNo) []rtcp.NackPair {
	first := len(pairs)
	for _, seq := range seqs {
		if last := len(pairs) - 1; last >= first {
			switch d := uint16(seq) - pairs[last].PacketID; {
			case d == 0:
				continue
			case d <= nackBits:
				pairs[last].LostPackets |= 1 << (d - 1)
				continue
			}
		}
		pairs = append(pairs, rtcp.NackPair{PacketID: uint16(seq)})
	}
	return pairs
}

// AppendNACKs appends as many generic NACK packets about media as seqs, which are in ascending order, need.
func AppendNACKs(pkts []rtcp.Packet, media unit.SSRC, seqs []unit.SeqNo) []rtcp.Packet {
	pairs := AppendNACKPairs(nil, seqs)
	for len(pairs) > 0 {
		n := min(len(pairs), maxNACKPairs)
		pkts = append(pkts, &rtcp.TransportLayerNack{MediaSSRC: uint32(media), Nacks: pairs[:n:n]})
		pairs = pairs[n:]
	}
	return pkts
}

// The cumulative number of packets lost is a signed 24-bit field (RFC 3550 section 6.4.1), which pion/rtcp has as a number
// without sign.
const (
	minTotalLost = -1 << 23
	maxTotalLost = 1<<23 - 1
)

// TotalLost returns r's cumulative number of packets lost, which duplicates can make negative.
func TotalLost(r *rtcp.ReceptionReport) int32 { return int32(r.TotalLost<<8) >> 8 }

// SetTotalLost sets r's cumulative number of packets lost, to the nearest that the field can hold.
func SetTotalLost(r *rtcp.ReceptionReport, lost int64) {
	r.TotalLost = uint32(min(max(lost, minTotalLost), maxTotalLost)) & 0xffffff
}
