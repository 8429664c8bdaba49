package rtcp

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pion/rtcp"
)

// From the specification (RFC 3550 section 6.4.1, RFC 4585 section 6.1).
const (
	headerLen = 4
	ssrcLen   = 4

	version    = 2
	paddingBit = 0x20
	countMask  = 0x1f
	// Feedback begins with the SSRCs of its sender and of the media that it is about.
	feedbackHeaderLen = headerLen + 2*ssrcLen

	receiverReportLen = headerLen + ssrcLen
	senderReportLen   = receiverReportLen + 20
	reportLen         = 24
	firEntryLen       = 8 // RFC 5104 section 4.3.1.1
)

// The reasons why bytes are not RTCP packets. Errors of pion/rtcp come wrapped in ErrPacket.
var (
	ErrNotRTCP = errors.New("rtcp: not an RTCP packet")
	ErrLength  = errors.New("rtcp: packet length exceeds the data")
	ErrPadding = errors.New("rtcp: invalid padding")
	ErrPacket  = errors.New("rtcp: malformed packet")
)

// LooksLikeRTCP reports whether b may be an RTCP packet and not an RTP packet of the same transport: by version and by the
// packet types which RFC 5761 section 4 keeps free of RTP payload types.
func LooksLikeRTCP(b []byte) bool {
	return len(b) >= headerLen && b[0]>>6 == version && b[1] >= 192 && b[1] <= 223
}

// Parse reads a compound packet (RFC 3550 section 6.1), or one of reduced size (RFC 5506). It returns the packets that a
// media server acts on: *rtcp.SenderReport, ReceiverReport, SourceDescription, Goodbye, TransportLayerNack,
// TransportLayerCC, PictureLossIndication, FullIntraRequest, ReceiverEstimatedMaximumBitrate and ExtendedReport, the last
// with DLRR and receiver reference time blocks only. Other types are skipped, as RFC 3550 section 6.1 requires.
//
// A packet that is malformed is left out, and those behind it are read: what a peer gets wrong in one must not silence the others.
// (mediasoup stops there.) Only where it cannot be seen where the next packet begins does it end. The first error is
// returned together with all packets that could be read. Packets may refer to b. Work and memory are proportional to len(b), whatever counts the packets claim.
func Parse(b []byte) ([]rtcp.Packet, error) {
	var pkts []rtcp.Packet
	var first error
	for len(b) > 0 {
		if !LooksLikeRTCP(b) {
			return pkts, cmp.Or(first, ErrNotRTCP)
		}
		n := headerLen + 4*int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) {
			return pkts, cmp.Or(first, ErrLength)
		}
		switch pkt, err := parseOne(b[:n:n]); {
		case err != nil:
			first = cmp.Or(first, err)
		case pkt != nil:
			pkts = append(pkts, pkt)
		}
		b = b[n:]
	}
	return pkts, first
}

// parseOne reads one packet that fills b; it returns nil for a type that is to be skipped.
func parseOne(b []byte) (rtcp.Packet, error) {
	kind, format := rtcp.PacketType(b[1]), b[0]&countMask
	if kind == rtcp.TypeTransportSpecificFeedback && format == rtcp.FormatTCC {
		return parseTransportCC(b)
	}
	b, err := withoutPadding(b)
	if err != nil {
		return nil, err
	}
	switch kind {
	case rtcp.TypeSenderReport:
		return unmarshal(new(rtcp.SenderReport), withWholeReports(b, senderReportLen))
	case rtcp.TypeReceiverReport:
		return unmarshal(new(rtcp.ReceiverReport), withWholeReports(b, receiverReportLen))
	case rtcp.TypeSourceDescription:
		return unmarshal(new(rtcp.SourceDescription), b)
	case rtcp.TypeGoodbye:
		return unmarshal(new(rtcp.Goodbye), b)
	case rtcp.TypeExtendedReport:
		return parseXR(b)
	case rtcp.TypeTransportSpecificFeedback:
		if format == rtcp.FormatTLN {
			return unmarshal(new(rtcp.TransportLayerNack), b)
		}
	case rtcp.TypePayloadSpecificFeedback:
		return parsePayloadFeedback(b, format)
	}
	return nil, nil
}

func parsePayloadFeedback(b []byte, format uint8) (rtcp.Packet, error) {
	switch format {
	case rtcp.FormatPLI:
		return unmarshal(new(rtcp.PictureLossIndication), b)
	case rtcp.FormatFIR:
		return unmarshal(new(rtcp.FullIntraRequest), withWholeEntries(b))
	case rtcp.FormatREMB:
		return parseREMB(b)
	}
	return nil, nil
}

func unmarshal(pkt rtcp.Packet, b []byte) (rtcp.Packet, error) {
	if err := pkt.Unmarshal(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPacket, err)
	}
	return pkt, nil
}

// withWholeReports returns b, or when it announces more report blocks behind the first fixed bytes than it holds a copy that
// announces those that are whole, as mediasoup reads it. pion/rtcp would refuse the sender's information too.
func withWholeReports(b []byte, fixed int) []byte {
	whole := byte(max(0, len(b)-fixed) / reportLen)
	if b[0]&countMask <= whole || len(b) < fixed {
		return b
	}
	return resized(b, fixed+reportLen*int(whole), b[0]&^countMask|whole)
}

// withWholeEntries is the same for the entries of a full intra request.
func withWholeEntries(b []byte) []byte {
	if rest := len(b) - feedbackHeaderLen; rest > firEntryLen && rest%firEntryLen != 0 {
		return resized(b, len(b)-rest%firEntryLen, b[0])
	}
	return b
}

// withoutPadding returns b, or when it ends in padding (RFC 3550 section 6.4.1) a copy that does not: pion/rtcp would take
// the padding of feedback for further items.
func withoutPadding(b []byte) ([]byte, error) {
	if b[0]&paddingBit == 0 {
		return b, nil
	}
	n := int(b[len(b)-1])
	if n == 0 || n%4 != 0 || n > len(b)-headerLen {
		return nil, ErrPadding
	}
	return resized(b[:len(b)-n], len(b)-n, b[0]&^paddingBit), nil
}

// resized returns a copy of the packet b that is size bytes long, says so, and has the given first byte.
func resized(b []byte, size int, first byte) []byte {
	c := make([]byte, size)
	copy(c, b)
	c[0] = first
	binary.BigEndian.PutUint16(c[2:], uint16(size/4-1))
	return c
}
