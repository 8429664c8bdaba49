package rtcp

import (
	"errors"
	"fmt"
	"time"

	"github.com/pion/rtcp"
)

// From mediasoup:
const (
	// MaxAudioInterval and MaxVideoInterval are the longest times between two reports about a stream.
	MaxAudioInterval = 1 * time.Second
	MaxVideoInterval = 1 * time.Second

	// MaxCompoundLen is the length in bytes of the longest compound packet, before SRTCP: an MTU of 1500 less the headers of
	// IPv6 and TCP and the most that libsrtp adds.
	MaxCompoundLen = 1500 - 40 - 20 - 148
)

// ErrTooLong: packets do not fit into one compound packet.
var ErrTooLong = errors.New("rtcp: compound packet exceeds the MTU")

// AppendCompound appends pkts to dst, which may hold earlier packets of the same compound, and returns the longer slice. An
// error leaves dst as it is: a packet that cannot be written, or ErrTooLong when pkts alone exceed MaxCompoundLen.
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
