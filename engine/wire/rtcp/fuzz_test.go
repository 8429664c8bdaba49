package rtcp_test

import (
	"testing"

	pion "github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/rtcp"
	"gazpacho/internal/fuzzseed"
)

// Whatever arrives, nothing panics, the data stays as it is, and what was read can be read again once written.
func FuzzRTCPParse(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	for _, s := range []string{
		senderReport + cname, receiverReport, nack + pli + fir, remb, dlrr + rrtr, transportCC, goodbye + appDefined,
		"a1cd0004 00000001 0330bdee 0b8f0003 00000004",
		"afcd0006 fa17fa17 1cb7daf3 000e0004 008ab001 2004e808 0cdc0002",
		"8fcd0005 fa17fa17 00000001 00010008 00000000 00070001",
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := append([]byte(nil), data...)
		pkts, err := rtcp.Parse(data)
		require.Equal(t, before, append([]byte(nil), data...))
		if len(data) > 0 && !rtcp.LooksLikeRTCP(data) {
			require.ErrorIs(t, err, rtcp.ErrNotRTCP)
		}
		for _, pkt := range pkts {
			pkt.DestinationSSRC()
			if !rewritable(pkt) {
				continue
			}
			b, err := pkt.Marshal()
			require.NoError(t, err)
			again, err := rtcp.Parse(b)
			require.NoError(t, err)
			require.Len(t, again, 1)
			require.IsType(t, pkt, again[0])
		}
	})
}

// rewritable reports whether pion/rtcp writes all that it reads of this type.
func rewritable(pkt pion.Packet) bool {
	switch p := pkt.(type) {
	case *pion.TransportLayerNack:
		return len(p.Nacks) < 250
	case *pion.PictureLossIndication, *pion.FullIntraRequest, *pion.ReceiverEstimatedMaximumBitrate, *pion.ExtendedReport:
		return true
	}
	return false
}
