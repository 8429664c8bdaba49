package rtp_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// unhex returns the bytes of a hexadecimal string in which spaces are for the reader.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

const (
	plain = "80 01 0008 00000004 00000005"
	// Two CSRCs, a one-byte extension block, four bytes of payload and four of padding.
	everything = "b2 e0 1234 89abcdef 01020304 11111111 22222222 bede 0002 10aa 21bbcc 00 00 00 deadbeef 00000004"
)

func parse(t testing.TB, s string) *rtp.Packet {
	t.Helper()
	var p rtp.Packet
	require.NoError(t, p.Parse(unhex(t, s)))
	return &p
}

func TestParse(t *testing.T) {
	p := parse(t, plain)
	require.False(t, p.Marker)
	require.Equal(t, uint8(1), p.PayloadType)
	require.Equal(t, unit.SeqNo(8), p.SequenceNumber)
	require.Equal(t, unit.Timestamp(4), p.Timestamp)
	require.Equal(t, unit.SSRC(5), p.SSRC)
	require.Empty(t, p.Payload())
	require.Equal(t, 12, p.HeaderLen())
	require.Zero(t, p.PaddingLen())
	require.Nil(t, p.CSRCs())

	p = parse(t, everything)
	require.True(t, p.Marker)
	require.Equal(t, uint8(0x60), p.PayloadType)
	require.Equal(t, unit.SeqNo(0x1234), p.SequenceNumber)
	require.Equal(t, unit.Timestamp(0x89abcdef), p.Timestamp)
	require.Equal(t, unit.SSRC(0x01020304), p.SSRC)
	require.Equal(t, unhex(t, "11111111 22222222"), p.CSRCs())
	require.Equal(t, 32, p.HeaderLen())
	require.Equal(t, []byte{0xde, 0xad, 0xbe, 0xef}, p.Payload())
	require.Equal(t, 4, p.PaddingLen())
	require.Equal(t, []byte{0xaa}, p.Extension(1))
	require.Equal(t, []byte{0xbb, 0xcc}, p.Extension(2))
	require.Nil(t, p.Extension(3))
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		packet string
		err    error
	}{
		"nothing":                         {"", rtp.ErrNotRTP},
		"eleven bytes":                    {"80 01 0008 00000004 000000", rtp.ErrNotRTP},
		"version 0":                       {"00 01 0008 00000004 00000005", rtp.ErrNotRTP},
		"version 1":                       {"40 01 0008 00000004 00000005", rtp.ErrNotRTP},
		"version 3":                       {"c0 01 0008 00000004 00000005", rtp.ErrNotRTP},
		"no room for CSRCs":               {"81 01 0008 00000004 00000005 000000", rtp.ErrCSRCs},
		"no room for 15 CSRCs":            {"8f 01 0008 00000004 00000005" + strings.Repeat(" 00000000", 14), rtp.ErrCSRCs},
		"no extension header":             {"90 01 0008 00000004 00000005 bede00", rtp.ErrExtension},
		"no extension words":              {"90 01 0008 00000004 00000005 bede0001 000000", rtp.ErrExtension},
		"extension longer than all":       {"90 01 0008 00000004 00000005 beefffff 00000000", rtp.ErrExtension},
		"one-byte element too long":       {"90 01 0008 00000004 00000005 bede0001 13000000", rtp.ErrElements},
		"two-byte element too long":       {"90 01 0008 00000004 00000005 10000001 01030000", rtp.ErrElements},
		"padding of zero":                 {"a0 01 0008 00000004 00000005 00", rtp.ErrPadding},
		"padding, but no bytes":           {"a0 01 0008 00000004 00000005", rtp.ErrPadding},
		"padding longer than the payload": {"a0 01 0008 00000004 00000005 0003", rtp.ErrPadding},
		"padding of 255":                  {"a0 01 0008 00000004 00000005 ff", rtp.ErrPadding},
	} {
		t.Run(name, func(t *testing.T) {
			p := rtp.Packet{SSRC: 1}
			require.ErrorIs(t, p.Parse(unhex(t, c.packet)), c.err)
			require.Equal(t, rtp.Packet{}, p)
		})
	}
	long := make([]byte, 65536)
	long[0] = 0x80
	require.ErrorIs(t, new(rtp.Packet).Parse(long), rtp.ErrNotRTP)
	require.NoError(t, new(rtp.Packet).Parse(long[:65535]))
}

func TestParsePaddingOnly(t *testing.T) {
	p := parse(t, "a0 01 0008 00000004 00000005 00000004")
	require.Empty(t, p.Payload())
	require.Equal(t, 4, p.PaddingLen())
}

// A packet cut anywhere in its header is refused; the payload has no length of its own, so cutting there goes unnoticed
// unless the padding then does not fit.
func TestParseTruncated(t *testing.T) {
	whole := unhex(t, everything)
	whole[0] &^= 0x20
	for n := range len(whole) {
		var p rtp.Packet
		err := p.Parse(whole[:n:n])
		if n < 32 {
			require.Error(t, err, n)
			continue
		}
		require.NoError(t, err, n)
		require.Len(t, p.Payload(), n-32)
	}
}

func TestLooksLikeRTP(t *testing.T) {
	b := make([]byte, 12)
	for first := range 256 {
		b[0] = byte(first)
		require.Equal(t, first > 127 && first < 192, rtp.LooksLikeRTP(b), first)
	}
	b[0] = 0x80
	require.False(t, rtp.LooksLikeRTP(b[:11]))
	require.False(t, rtp.LooksLikeRTP(nil))
}

// "When the header extension is of a profile that we do not know it is skipped."
func TestUnknownExtensionProfile(t *testing.T) {
	p := parse(t, "90 01 0008 00000004 00000005 abcd0001 10ff1020 77")
	require.Nil(t, p.Extension(1))
	require.Equal(t, []byte{0x77}, p.Payload())
}

func TestDecodeRTX(t *testing.T) {
	data := unhex(t, "b0 e1 0001 00000004 00000005 bede0001 10aa0000 fffe cafe 0002")
	before := append([]byte(nil), data...)
	var p rtp.Packet
	require.NoError(t, p.Parse(data))
	require.True(t, p.DecodeRTX(96, 7))
	require.Equal(t, unit.SeqNo(0xfffe), p.SequenceNumber)
	require.Equal(t, uint8(96), p.PayloadType)
	require.Equal(t, unit.SSRC(7), p.SSRC)
	require.Equal(t, unit.Timestamp(4), p.Timestamp)
	require.True(t, p.Marker)
	require.Equal(t, []byte{0xca, 0xfe}, p.Payload())
	require.Equal(t, []byte{0xaa}, p.Extension(1))
	require.Equal(t, before, data, "the received bytes stay as they are")
}

func TestDecodeRTXRefusesShortPayloads(t *testing.T) {
	for _, s := range []string{plain, plain + "01", "a0 01 0008 00000004 00000005 01 00000004"} {
		p := parse(t, s)
		before := *p
		require.False(t, p.DecodeRTX(96, 7))
		require.Equal(t, before, *p)
	}
	p := parse(t, plain+"0102")
	require.True(t, p.DecodeRTX(96, 7))
	require.Empty(t, p.Payload())
}

func TestParseDoesNotAllocate(t *testing.T) {
	data := unhex(t, everything)
	var p rtp.Packet
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if p.Parse(data) != nil || len(p.Extension(2)) != 2 || len(p.Payload()) != 4 || !p.DecodeRTX(1, 2) {
			panic("unexpected")
		}
	}))
}

func BenchmarkParse(b *testing.B) {
	data := unhex(b, everything)
	var p rtp.Packet
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
