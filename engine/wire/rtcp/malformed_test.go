package rtcp_test

import (
	"errors"
	"testing"

	pion "github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/rtcp"
)

// malformed are packets whose contents are wrong, and whose length is right.
var malformed = map[string]string{
	"NACK without items":              "81cd0002 00000001 00000002",
	"NACK of four bytes":              "81cd0000",
	"BYE with sources that lack":      "9fcb0001 00000001",
	"BYE with a reason that is short": "81cb0002 00000001 ff414243",
	"SDES whose item is too long":     "81ca0002 00000001 01ff4142",
	"SDES with too few chunks":        "9fca0002 00000001 00000000",
	"PLI without a media SSRC":        "81ce0001 00000001",
	"FIR without entries":             "84ce0002 00000001 00000000",
	"FIR with half an entry":          "84ce0003 00000001 00000000 00000002",
	"REMB that announces an SSRC":     "8fce0004 00000001 00000000 52454d42 01000000",
	"REMB of 2^63":                    "8fce0004 00000001 00000000 52454d42 00fc0001",
	"transport feedback that lies":    "8fcd0005 fa17fa17 00000001 0001000e 00000000 bfff0102",
	"RR of four bytes":                "80c90000",
	"SR without sender information":   "80c80001 00000001",
	"XR of four bytes":                "80cf0000",
	"padding of no bytes":             "a0c90001 00000000",
	"more padding than packet":        "a0c90001 000000fc",
}

// A malformed packet is left out of a compound, and all others are read.
func TestAMalformedPacketSilencesNoOther(t *testing.T) {
	for name, bad := range malformed {
		t.Run(name, func(t *testing.T) {
			pkts, err := rtcp.Parse(unhex(t, bad))
			require.True(t, errors.Is(err, rtcp.ErrPacket) || errors.Is(err, rtcp.ErrPadding), "%v", err)
			require.Empty(t, pkts)
			pkts, err = rtcp.Parse(unhex(t, senderReport+bad+nack+bad+pli))
			require.Error(t, err)
			require.Equal(t, []string{"SenderReport", "TransportLayerNack", "PictureLossIndication"}, names(pkts))
		})
	}
}

// Reports that announce more blocks than they hold count with those that are whole.
func TestReportsWithTooFewBlocks(t *testing.T) {
	const block = "01020304 00000005 00000006 00000007 00000008 00000009"
	for name, c := range map[string]struct {
		packet string
		blocks int
	}{
		"RR without any":          {"9fc90001 00000001", 0},
		"RR with half a block":    {"81c90004 00000001 01020304 00000005 00000006", 0},
		"RR with one and a half":  {"82c9000a 00000001" + block + "01020304 00000005 00000006", 1},
		"SR without any":          {"81c80006 00000001 00000000 00000000 00000000 00000000 00000000", 0},
		"SR with one of 31":       {"9fc8000c 00000001 00000000 00000000 00000000 00000000 00000000" + block, 1},
		"RR with one, as it says": {"81c90007 00000001" + block, 1},
	} {
		t.Run(name, func(t *testing.T) {
			switch pkt := parseOne(t, unhex(t, c.packet)).(type) {
			case *pion.ReceiverReport:
				require.Equal(t, uint32(1), pkt.SSRC)
				require.Len(t, pkt.Reports, c.blocks)
			case *pion.SenderReport:
				require.Equal(t, uint32(1), pkt.SSRC)
				require.Len(t, pkt.Reports, c.blocks)
			default:
				require.Fail(t, "another type")
			}
		})
	}
	fir := parseOne(t, unhex(t, "84ce0005 00000001 00000000 00000002 01000000 00000003")).(*pion.FullIntraRequest)
	require.Equal(t, []pion.FIREntry{{SSRC: 2, SequenceNumber: 1}}, fir.FIR, "half an entry is none")
}
