package rtcp_test

import (
	"testing"

	pion "github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtcp"
)

func TestAppendCompound(t *testing.T) {
	sdes := pion.NewCNAMESourceDescription(1, "cname")
	b, err := rtcp.AppendCompound([]byte{0xff}, &pion.SenderReport{SSRC: 1}, sdes, &pion.ExtendedReport{Reports: []pion.ReportBlock{
		&pion.DLRRReportBlock{Reports: []pion.DLRRReport{{SSRC: 2, LastRR: 3, DLRR: 4}}},
	}})
	require.NoError(t, err)
	require.Equal(t, byte(0xff), b[0])
	pkts, err := rtcp.Parse(b[1:])
	require.NoError(t, err)
	require.Equal(t, []string{"SenderReport", "SourceDescription", "ExtendedReport"}, names(pkts))
	require.Equal(t, sdes, pkts[1])
	require.Equal(t, []pion.DLRRReport{{SSRC: 2, LastRR: 3, DLRR: 4}}, pkts[2].(*pion.ExtendedReport).Reports[0].(*pion.DLRRReportBlock).Reports)
	b, err = rtcp.AppendCompound(nil)
	require.NoError(t, err)
	require.Empty(t, b)
}

func TestAppendCompoundErrors(t *testing.T) {
	dst := []byte{1, 2, 3}
	b, err := rtcp.AppendCompound(dst, &pion.SenderReport{}, &pion.ReceiverReport{Reports: make([]pion.ReceptionReport, 32)})
	require.Error(t, err)
	require.Equal(t, dst, b)
	b, err = rtcp.AppendCompound(dst, compoundOf(47)...)
	require.ErrorIs(t, err, rtcp.ErrTooLong, "47 sender reports of 28 bytes")
	require.Equal(t, dst, b)
	b, err = rtcp.AppendCompound(dst, compoundOf(46)...)
	require.NoError(t, err)
	require.Len(t, b, 3+46*28)
}

func compoundOf(n int) []pion.Packet {
	var pkts []pion.Packet
	for i := range n {
		pkts = append(pkts, &pion.SenderReport{SSRC: uint32(i)})
	}
	return pkts
}

func TestAppendNACKPairs(t *testing.T) {
	for name, c := range map[string]struct {
		seqs []unit.SeqNo
		want []pion.NackPair
	}{
		"none":                    {nil, nil},
		"one":                     {[]unit.SeqNo{5}, []pion.NackPair{{PacketID: 5}}},
		"neighbours":              {[]unit.SeqNo{5, 6, 7}, []pion.NackPair{{PacketID: 5, LostPackets: 3}}},
		"the last bit":            {[]unit.SeqNo{5, 21}, []pion.NackPair{{PacketID: 5, LostPackets: 0x8000}}},
		"beyond the last bit":     {[]unit.SeqNo{5, 22, 23}, []pion.NackPair{{PacketID: 5}, {PacketID: 22, LostPackets: 1}}},
		"across the wrap":         {[]unit.SeqNo{65534, 65535, 0, 14, 15}, []pion.NackPair{{PacketID: 65534, LostPackets: 0x8003}, {PacketID: 15}}},
		"the same twice":          {[]unit.SeqNo{5, 5, 6, 6}, []pion.NackPair{{PacketID: 5, LostPackets: 1}}},
		"out of order is allowed": {[]unit.SeqNo{6, 5}, []pion.NackPair{{PacketID: 6}, {PacketID: 5}}},
	} {
		require.Equal(t, c.want, rtcp.AppendNACKPairs(nil, c.seqs), name)
	}
	kept := []pion.NackPair{{PacketID: 4}}
	require.Equal(t, []pion.NackPair{{PacketID: 4}, {PacketID: 5}}, rtcp.AppendNACKPairs(kept, []unit.SeqNo{5}), "earlier pairs stay as they are")
}

func TestAppendNACKs(t *testing.T) {
	var seqs []unit.SeqNo
	for i := range 600 {
		seqs = append(seqs, unit.SeqNo(65000+20*i))
	}
	pkts := rtcp.AppendNACKs(nil, 9, seqs)
	require.Len(t, pkts, 3)
	var got []unit.SeqNo
	for _, pkt := range pkts {
		b, err := rtcp.AppendCompound(nil, pkt)
		require.NoError(t, err)
		n := parseOne(t, b).(*pion.TransportLayerNack)
		require.Equal(t, uint32(9), n.MediaSSRC)
		for _, pair := range n.Nacks {
			for _, seq := range pair.PacketList() {
				got = append(got, unit.SeqNo(seq))
			}
		}
	}
	require.Equal(t, seqs, got)
	require.Nil(t, rtcp.AppendNACKs(nil, 9, nil))
}

func TestTotalLost(t *testing.T) {
	for lost, want := range map[int64]int32{
		0: 0, 1: 1, -1: -1, 1<<23 - 1: 1<<23 - 1, 1 << 23: 1<<23 - 1, -1 << 23: -1 << 23, -1<<23 - 1: -1 << 23, 1 << 40: 1<<23 - 1,
	} {
		var r pion.ReceptionReport
		rtcp.SetTotalLost(&r, lost)
		require.Equal(t, want, rtcp.TotalLost(&r))
		b, err := rtcp.AppendCompound(nil, &pion.ReceiverReport{Reports: []pion.ReceptionReport{r}})
		require.NoError(t, err)
		read := parseOne(t, b).(*pion.ReceiverReport)
		require.Equal(t, want, rtcp.TotalLost(&read.Reports[0]))
	}
}
