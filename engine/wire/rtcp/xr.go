package rtcp

import (
	"encoding/binary"

	"github.com/pion/rtcp"
)

// Layout of extended reports (RFC 3611 sections 2, 3, 4.4 and 4.5).
const (
	xrFixedLen       = headerLen + ssrcLen
	xrBlockHeaderLen = 4
	rrtrLen          = 8
	dlrrReportLen    = 12
)

// parseXR reads the blocks of an extended report that carry round-trip times and skips the others. A block that exceeds
// the packet ends it; what came before counts, as in mediasoup. It stands in for pion's method, which reads blocks of
// unknown type byte by byte through reflection.
func parseXR(b []byte) (rtcp.Packet, error) {
	if len(b) < xrFixedLen {
		return nil, ErrPacket
	}
	pkt := &rtcp.ExtendedReport{SenderSSRC: binary.BigEndian.Uint32(b[headerLen:])}
	for b = b[xrFixedLen:]; len(b) >= xrBlockHeaderLen; {
		words := binary.BigEndian.Uint16(b[2:])
		n := xrBlockHeaderLen + 4*int(words)
		if n > len(b) {
			break
		}
		header := rtcp.XRHeader{BlockType: rtcp.BlockTypeType(b[0]), BlockLength: words}
		if block := parseXRBlock(header, b[xrBlockHeaderLen:n]); block != nil {
			pkt.Reports = append(pkt.Reports, block)
		}
		b = b[n:]
	}
	return pkt, nil
}

// parseXRBlock reads the contents of a block; it returns nil for a type that is to be skipped.
func parseXRBlock(header rtcp.XRHeader, b []byte) rtcp.ReportBlock {
	switch header.BlockType {
	case rtcp.ReceiverReferenceTimeReportBlockType:
		if len(b) == rrtrLen {
			return &rtcp.ReceiverReferenceTimeReportBlock{XRHeader: header, NTPTimestamp: binary.BigEndian.Uint64(b)}
		}
	case rtcp.DLRRReportBlockType:
		block := &rtcp.DLRRReportBlock{XRHeader: header, Reports: make([]rtcp.DLRRReport, len(b)/dlrrReportLen)}
		for i := range block.Reports {
			report := b[dlrrReportLen*i:]
			block.Reports[i] = rtcp.DLRRReport{
				SSRC:   binary.BigEndian.Uint32(report),
				LastRR: binary.BigEndian.Uint32(report[4:]),
				DLRR:   binary.BigEndian.Uint32(report[8:]),
			}
		}
		return block
	}
	return nil
}
