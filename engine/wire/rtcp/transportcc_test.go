package rtcp_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	pion "github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/rtcp"
)

func TestTransportCC(t *testing.T) {
	for name, c := range map[string]struct {
		packet         string
		base, statuses uint16
		deltas         []int64 // in units of 250 us
	}{
		"run of small deltas":        {transportCC, 1, 2, []int64{0x8c, 0x44}},
		"padding of one byte":        {"afcd0005 fa17fa17 000004d2 000d0001 008ab000 2001e401", 13, 1, []int64{0xe4}},
		"padding of two bytes":       {"afcd0006 fa17fa17 1cb7daf3 000e0004 008ab001 2004e808 0cdc0002", 14, 4, []int64{0xe8, 8, 0xc, 0xdc}},
		"vector of one-bit symbols":  {"8fcd0005 fa17fa17 00000001 00010003 00000000 a8000102", 1, 3, []int64{1, 2}},
		"vector of two-bit symbols":  {"8fcd0006 fa17fa17 00000001 00010002 00000000 e400fffe 01000000", 1, 2, []int64{-2, 1}},
		"all lost, one chunk":        {"8fcd0005 fa17fa17 00000001 00010007 00000000 00070000", 1, 7, nil},
		"all lost, two chunks":       {"8fcd0005 fa17fa17 00000001 00010008 00000000 00070001", 1, 8, nil},
		"no statuses":                {"8fcd0004 fa17fa17 09faff67 00270000 fffffe01", 39, 0, nil},
		"as many as can be, no room": {"8fcd0009 fa17fa17 00000001 0001ffff 00000000 1fff1fff 1fff1fff 1fff1fff 1fff1fff 00070000", 1, 65535, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := unhex(t, c.packet)
			got := parseOne(t, b).(*pion.TransportLayerCC)
			require.Equal(t, c.base, got.BaseSequenceNumber)
			require.Equal(t, c.statuses, got.PacketStatusCount)
			require.Equal(t, uint16(len(b)/4-1), got.Header.Length)
			var deltas []int64
			for _, d := range got.RecvDeltas {
				deltas = append(deltas, d.Delta/pion.TypeTCCDeltaScaleFactor)
			}
			require.Equal(t, c.deltas, deltas)
		})
	}
}

func TestTransportCCThatLies(t *testing.T) {
	const head = "8fcd0000 fa17fa17 00000001 0001"
	for name, tail := range map[string]string{
		"65,535 small deltas, none there": "ffff 00000000 3fff3fff 3fff3fff 3fff3fff 3fff3fff 20070000",
		"65,535 large deltas, none there": "ffff 00000000 5fff5fff 5fff5fff 5fff5fff 5fff5fff 40070000",
		"more statuses than chunks":       "0010 00000000 00070000",
		"one delta too few":               "0005 00000000 20050102",
		"one-bit vector, a delta too few": "000e 00000000 bfff0102",
		"two-bit vector, a delta too few": "0007 00000000 eaaa0102",
		"chunks that run out":             "ffff 00000000 00000000",
	} {
		t.Run(name, func(t *testing.T) {
			b := unhex(t, head+tail)
			binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
			pkts, err := rtcp.Parse(b)
			require.ErrorIs(t, err, rtcp.ErrPacket)
			require.Empty(t, pkts)
		})
	}
	for n := 4; n < 20; n += 4 {
		b := make([]byte, n)
		b[0], b[1], b[3] = 0x8f, 205, byte(n/4-1)
		_, err := rtcp.Parse(b)
		require.ErrorIs(t, err, rtcp.ErrPacket, n)
	}
}

// What a feedback packet makes us allocate depends on its length, not on what it claims: a lie of 65,535 arrivals costs no
// more than an empty packet.
func TestTransportCCLiesAreCheap(t *testing.T) {
	lie := unhex(t, "8fcd0009 fa17fa17 00000001 0001ffff 00000000 5fff5fff 5fff5fff 5fff5fff 5fff5fff 40070000")
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() {
		if _, err := rtcp.Parse(lie); err == nil {
			panic("unexpected")
		}
	}), 1.0)
}

// Hostile datagrams of the greatest size: the number of allocations stays below one per two bytes.
func TestParseWorkIsBounded(t *testing.T) {
	const size = 65532
	for name, unit := range map[string]string{
		"BYEs without sources":     "80cb0000",
		"SDES without chunks":      "80ca0000",
		"empty receiver reports":   "80c90001 00000001",
		"XRs with unknown blocks":  "80cf0005 00000001 ff000000 fe000000 fd000000 05000000",
		"generic NACKs":            "81cd0003 00000001 00000002 0000ffff",
		"SDES items without text":  "",
		"XR with one large block":  "",
		"feedback of one-byte run": "8fcd0005 fa17fa17 00000001 00010002 00000000 20020101",
	} {
		t.Run(name, func(t *testing.T) {
			b := make([]byte, 0, size)
			for one := unhex(t, unit); len(one) > 0 && len(b)+len(one) <= size; {
				b = append(b, one...)
			}
			if unit == "" {
				b = hostileBlock(name)
			}
			allocs := testing.AllocsPerRun(1, func() { _, _ = rtcp.Parse(b) })
			require.Less(t, allocs, float64(len(b)/2))
		})
	}
}

// hostileBlock returns one packet of 65,532 bytes: a source description whose items have no text, or an extended report with
// a block of an unknown type.
func hostileBlock(name string) []byte {
	b := make([]byte, 65532)
	b[0], b[1] = 0x81, byte(pion.TypeSourceDescription)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
	if name == "XR with one large block" {
		b[1], b[8] = byte(pion.TypeExtendedReport), 0xff
		binary.BigEndian.PutUint16(b[10:], uint16(len(b)/4-3))
		return b
	}
	for i := 8; i < len(b)-4; i += 2 {
		b[i] = 8
	}
	return b
}

func BenchmarkParseReceiverReport(b *testing.B) {
	data := unhex(b, receiverReport+cname)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rtcp.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleParse() {
	pkts, err := rtcp.Parse([]byte{0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9})
	fmt.Println(len(pkts), pkts[0].DestinationSSRC(), err)
	// Output: 1 [9] <nil>
}
