package rtcp

import (
	"errors"
	"fmt"
	"time"

	"github.com/pion/rtcp"
)

// Upstream's values.
const (
	// MaxAudioInterval and MaxVideoInterval are the longest times between two reports about a stream.
	MaxAudioInterval = 1 * time.Second
	MaxVideoInterval = 1 * time.Second

	// MaxCompoundLen is the length in bytes of the longest compound packet, before SRTCP: an MTU of 1500 less the headers of
	// IPv6 and TCP and the most that libsrtp adds.
	MaxCompoundLen = 1500 - 40 - 20 - 148
)

// ErrTooLong says that packets do not fit into one compound packet.
var ErrTooLong = errors.New("rtcp: compound packet exceeds the MTU")

// AppendCompound appends pkts as one compound packet to dst and returns the longer slice. An error leaves dst as it is: a
// packet that cannot be written, or ErrTooLong when they exceed MaxCompoundLen together.
func AppendCompound(dst []byte, pkts ...rtcp.Packet) ([]byte, error) {
	start := len(dst)
	for _, pkt := range pkts {
		b, err := pkt.Marshal()
		if err != nil {
			return dst[:start], fmt.Errorf("rtcp: cannot write %T: %w", pkt, err)
		}
		dst = append(dst, b...)
	}
	if len(dst)-start > MaxCompoundLen {
		return dst[:start], ErrTooLong
	}
	return dst, nil
}

// NextCompound appends the first of pkts to dst as one compound packet, as many as fit, and returns those that remain for
// the next. Packets that complete a report (source descriptions, extended reports) stay with the one before them, so that
// every compound packet begins with a report or with feedback. An error leaves dst as it is; the packets that caused it are
// not among the remaining ones.
func NextCompound(dst []byte, pkts []rtcp.Packet) ([]byte, []rtcp.Packet, error) {
	start := len(dst)
	for len(pkts) > 0 {
		n := groupLen(pkts)
		end := len(dst)
		next, err := AppendCompound(dst, pkts[:n]...)
		switch {
		case err != nil && end == start:
			return dst[:start], pkts[n:], err
		case err != nil, len(next)-start > MaxCompoundLen:
			return dst[:end], pkts, nil
		}
		dst, pkts = next, pkts[n:]
	}
	return dst, nil, nil
}

// groupLen returns how many of pkts belong together with the first.
func groupLen(pkts []rtcp.Packet) int {
	for n := 1; n < len(pkts); n++ {
		switch pkts[n].(type) {
		case *rtcp.SourceDescription, *rtcp.ExtendedReport:
		default:
			return n
		}
	}
	return len(pkts)
}
