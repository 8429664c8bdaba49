package rtcp_test

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	pion "github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/rtcp"
)

// unhex returns the bytes of a hexadecimal string in which spaces are for the reader.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

const (
	senderReport   = "80c80006 5d931534 dd3ac1b4 76547171 0008cf00 00000e18 0008cf00"
	receiverReport = "81c90007 5d931534 01932db4 50fffffe 000187a0 00000041 00000001 00000002"
	cname          = "81ca0005 9f65e742 010a 74377a51 55596272 4f79 00 00 0000"
	goodbye        = "81cb0001 00624276"
	nack           = "81cd0003 00000001 0330bdee 0b8f0003"
	pli            = "81ce0002 00000001 0330bdee"
	fir            = "84ce0004 00000001 00000000 02d03702 04000000"
	remb           = "8fce0006 fa17fa17 00000000 52454d42 0201df82 02d03702 04a76747"
	appDefined     = "80cc0002 00000001 74657374"
	dlrr           = "80cf0008 5d931534 05000006 11121314 00110011 11001100 21222324 00220022 22002200"
	rrtr           = "80cf0004 5d931534 04000002 11111111 22222222"
	transportCC    = "8fcd0005 fa17fa17 39e94238 00010002 bd57aa00 20028c44"
)

// parseOne returns the only packet of a compound.
func parseOne(t testing.TB, b []byte) pion.Packet {
	t.Helper()
	pkts, err := rtcp.Parse(b)
	require.NoError(t, err)
	require.Len(t, pkts, 1)
	return pkts[0]
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		packet string
		want   pion.Packet
	}{
		"sender report": {senderReport, &pion.SenderReport{
			SSRC: 0x5d931534, NTPTime: 0xdd3ac1b476547171, RTPTime: 577280, PacketCount: 3608, OctetCount: 577280,
		}},
		"receiver report": {receiverReport, &pion.ReceiverReport{
			SSRC: 0x5d931534,
			Reports: []pion.ReceptionReport{{
				SSRC: 0x01932db4, FractionLost: 80, TotalLost: 0xfffffe, LastSequenceNumber: 0x187a0, Jitter: 65,
				LastSenderReport: 1, Delay: 2,
			}},
			ProfileExtensions: []byte{},
		}},
		"source description": {cname, &pion.SourceDescription{Chunks: []pion.SourceDescriptionChunk{{
			Source: 0x9f65e742, Items: []pion.SourceDescriptionItem{{Type: pion.SDESCNAME, Text: "t7zQUYbrOy"}},
		}}}},
		"goodbye":                 {goodbye, &pion.Goodbye{Sources: []uint32{0x00624276}}},
		"NACK":                    {nack, &pion.TransportLayerNack{SenderSSRC: 1, MediaSSRC: 0x0330bdee, Nacks: []pion.NackPair{{PacketID: 0x0b8f, LostPackets: 3}}}},
		"picture loss indication": {pli, &pion.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 0x0330bdee}},
		"full intra request":      {fir, &pion.FullIntraRequest{SenderSSRC: 1, FIR: []pion.FIREntry{{SSRC: 0x02d03702, SequenceNumber: 4}}}},
		"REMB":                    {remb, &pion.ReceiverEstimatedMaximumBitrate{SenderSSRC: 0xfa17fa17, Bitrate: 122754, SSRCs: []uint32{0x02d03702, 0x04a76747}}},
		"receiver reference time": {rrtr, &pion.ExtendedReport{SenderSSRC: 0x5d931534, Reports: []pion.ReportBlock{
			&pion.ReceiverReferenceTimeReportBlock{
				XRHeader: pion.XRHeader{BlockType: 4, BlockLength: 2}, NTPTimestamp: 0x1111111122222222,
			},
		}}},
		"delay since last RR": {dlrr, &pion.ExtendedReport{SenderSSRC: 0x5d931534, Reports: []pion.ReportBlock{
			&pion.DLRRReportBlock{XRHeader: pion.XRHeader{BlockType: 5, BlockLength: 6}, Reports: []pion.DLRRReport{
				{SSRC: 0x11121314, LastRR: 0x00110011, DLRR: 0x11001100}, {SSRC: 0x21222324, LastRR: 0x00220022, DLRR: 0x22002200},
			}},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, parseOne(t, unhex(t, c.packet)))
		})
	}
}

// Our readers of single types agree with pion's where pion's are right.
func TestParseAgreesWithPion(t *testing.T) {
	for _, s := range []string{remb, dlrr, rrtr, transportCC} {
		want, err := pion.Unmarshal(unhex(t, s))
		require.NoError(t, err)
		got, err := rtcp.Parse(unhex(t, s))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestParseCompound(t *testing.T) {
	all := unhex(t, senderReport+cname+appDefined+rrtr+nack+"80df0000"+pli+"83cd0002 00000001 00000002"+"82ce0003 00000001 00000002 00000003"+goodbye)
	pkts, err := rtcp.Parse(all)
	require.NoError(t, err)
	require.Equal(t, []string{"SenderReport", "SourceDescription", "ExtendedReport", "TransportLayerNack", "PictureLossIndication", "Goodbye"}, names(pkts))
}

func names(pkts []pion.Packet) []string {
	var out []string
	for _, p := range pkts {
		switch p.(type) {
		case *pion.SenderReport:
			out = append(out, "SenderReport")
		case *pion.ReceiverReport:
			out = append(out, "ReceiverReport")
		case *pion.SourceDescription:
			out = append(out, "SourceDescription")
		case *pion.ExtendedReport:
			out = append(out, "ExtendedReport")
		case *pion.TransportLayerNack:
			out = append(out, "TransportLayerNack")
		case *pion.PictureLossIndication:
			out = append(out, "PictureLossIndication")
		case *pion.Goodbye:
			out = append(out, "Goodbye")
		default:
			out = append(out, "other")
		}
	}
	return out
}

// Bad packets are left out; the good ones count. Where the next one begins must be seen.
func TestParseKeepsWhatIsGood(t *testing.T) {
	for name, c := range map[string]struct {
		tail string
		err  error
	}{
		"RTP behind":          {"80600001 00000000 00000000", rtcp.ErrNotRTCP},
		"version 1":           {"40c90001 00000001", rtcp.ErrNotRTCP},
		"three bytes":         {"80c900", rtcp.ErrNotRTCP},
		"length that lies":    {"80c90002 00000001", rtcp.ErrLength},
		"greatest length":     {"80c9ffff 00000001", rtcp.ErrLength},
		"SDES without chunks": {"81ca0000", rtcp.ErrPacket},
		"NACK without pairs":  {"81cd0002 00000001 00000002", rtcp.ErrPacket},
		"PLI without media":   {"81ce0001 00000001", rtcp.ErrPacket},
		"FIR without entries": {"84ce0002 00000001 00000002", rtcp.ErrPacket},
		"AFB without SSRCs":   {"8fce0001 00000001", rtcp.ErrPacket},
		"XR without sender":   {"80cf0000", rtcp.ErrPacket},
		"padding of zero":     {"a1ce0003 00000001 00000002 00000000", rtcp.ErrPadding},
		"padding of three":    {"a1ce0003 00000001 00000002 00000003", rtcp.ErrPadding},
		"padding beyond all":  {"a1ce0003 00000001 00000002 00000010", rtcp.ErrPadding},
	} {
		t.Run(name, func(t *testing.T) {
			want := []string{"SenderReport", "SourceDescription"}
			if c.err != rtcp.ErrNotRTCP && c.err != rtcp.ErrLength {
				c.tail += pli
				want = append(want, "PictureLossIndication")
			}
			pkts, err := rtcp.Parse(unhex(t, senderReport+cname+c.tail))
			require.ErrorIs(t, err, c.err)
			require.Equal(t, want, names(pkts))
		})
	}
	pkts, err := rtcp.Parse(nil)
	require.NoError(t, err)
	require.Empty(t, pkts)
}

func TestParsePadding(t *testing.T) {
	data := unhex(t, "a1cd0004 00000001 0330bdee 0b8f0003 00000004")
	before := append([]byte(nil), data...)
	require.Equal(t, parseOne(t, unhex(t, nack)), parseOne(t, data), "padding is no further pair")
	require.Equal(t, before, data)
	require.Equal(t, parseOne(t, unhex(t, dlrr)), parseOne(t, unhex(t, "a0cf0009"+dlrr[8:]+"00000004")))
	_, err := rtcp.Parse(unhex(t, "a0cc0000"))
	require.ErrorIs(t, err, rtcp.ErrPadding)
}

// Cut anywhere, a compound gives the packets that are whole.
func TestParseTruncated(t *testing.T) {
	parts := []string{senderReport, cname, rrtr, nack, pli, fir, remb, transportCC, goodbye}
	var whole []byte
	complete := map[int]int{}
	for i, s := range parts {
		whole = append(whole, unhex(t, s)...)
		complete[len(whole)] = i + 1
	}
	want := 0
	for n := range len(whole) + 1 {
		pkts, err := rtcp.Parse(whole[:n:n])
		if count, ok := complete[n]; ok {
			want = count
		}
		require.Len(t, pkts, want, n)
		require.Equal(t, n == 0 || complete[n] > 0, err == nil, n)
	}
}

// Each packet, cut at every word with a length that agrees, is refused or read, and never beyond its end.
func TestParseShortened(t *testing.T) {
	for _, s := range []string{senderReport, receiverReport, cname, goodbye, nack, pli, fir, remb, dlrr, rrtr, transportCC} {
		whole := unhex(t, s)
		for n := 4; n < len(whole); n += 4 {
			b := append(make([]byte, 0, n), whole[:n]...)
			binary.BigEndian.PutUint16(b[2:], uint16(n/4-1))
			if pkts, err := rtcp.Parse(b); err != nil {
				require.Empty(t, pkts)
				require.ErrorIs(t, err, rtcp.ErrPacket)
			}
		}
	}
}

func TestLooksLikeRTCP(t *testing.T) {
	b := make([]byte, 4)
	for first := range 256 {
		for kind := range 256 {
			b[0], b[1] = byte(first), byte(kind)
			want := first >= 128 && first < 192 && kind >= 192 && kind <= 223
			if want != rtcp.LooksLikeRTCP(b) {
				t.Fatal(first, kind)
			}
		}
	}
	b[0], b[1] = 0x80, 200
	require.True(t, rtcp.LooksLikeRTCP(b))
	require.False(t, rtcp.LooksLikeRTCP(b[:3]))
}

func TestREMB(t *testing.T) {
	const head = "8fce0004 00000001 00000000 52454d42 00"
	for fields, want := range map[string]float32{
		"000000": 0,
		"fc0000": 0, // zero however great the exponent
		"000001": 1,
		"03ffff": 262143,
		"b40001": 1 << 45,
		"b7ffff": 262143 * (1 << 45), // nearly 2^63
		"f80001": 1 << 62,
	} {
		got := parseOne(t, unhex(t, head+fields)).(*pion.ReceiverEstimatedMaximumBitrate)
		require.Equal(t, want, got.Bitrate, fields)
		require.Empty(t, got.SSRCs)
	}
	for _, fields := range []string{"fc0001", "bbffff", "ffffff"} {
		_, err := rtcp.Parse(unhex(t, head+fields))
		require.ErrorIs(t, err, rtcp.ErrPacket, "2^63 and more: "+fields)
	}
	_, err := rtcp.Parse(unhex(t, "8fce0004 00000001 00000000 52454d42 01000000"))
	require.ErrorIs(t, err, rtcp.ErrPacket, "one SSRC announced, none there")
	got := parseOne(t, unhex(t, "8fce0004 00000001 00000007 52454d42 00000001")).(*pion.ReceiverEstimatedMaximumBitrate)
	require.Equal(t, float32(1), got.Bitrate, "a media SSRC is no reason to refuse")
	for _, other := range []string{"8fce0004 00000001 00000000 41424344 00000000", "8fce0002 00000001 00000000"} {
		pkts, err := rtcp.Parse(unhex(t, other))
		require.NoError(t, err)
		require.Empty(t, pkts, "application layer feedback of others")
	}
}

func TestXR(t *testing.T) {
	reports := func(s string) []pion.ReportBlock {
		return parseOne(t, unhex(t, s)).(*pion.ExtendedReport).Reports
	}
	require.Empty(t, reports("80cf0001 00000001"))
	require.Empty(t, reports("80cf0003 00000001 07000001 00000000"), "a VoIP block, cut short or not")
	require.Empty(t, reports("80cf0003 00000001 04000001 00000000"), "a reference time of four bytes")
	require.Len(t, reports("80cf0006 00000001 ff000001 00000000 04000002 00000000 00000005"), 1, "behind an unknown block")
	require.Len(t, reports("80cf0006 00000001 04000002 00000000 00000005 0500ffff 00000000"), 1, "before a block that lies")
	block := reports("80cf0006 00000001 05000004 00000001 00000002 00000003 00000004")[0].(*pion.DLRRReportBlock)
	require.Equal(t, []pion.DLRRReport{{SSRC: 1, LastRR: 2, DLRR: 3}}, block.Reports, "half a report is none")
}
