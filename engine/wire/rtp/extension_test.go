package rtp_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

const extended = "90 01 0008 00000004 00000005 "

// elements returns ids and values in the order of the packet.
func elements(p *rtp.Packet) (ids []uint8, values [][]byte) {
	for e := p.Extensions(); e.Next(); {
		ids, values = append(ids, e.ID()), append(values, e.Value())
	}
	return ids, values
}

func TestExtensions(t *testing.T) {
	for name, c := range map[string]struct {
		block string
		ids   []uint8
		want  map[uint8][]byte
	}{
		// The figure of RFC 8285 section 4.2.
		"one-byte form of RFC 8285": {
			"bede0003 10aa 21bbbb 0000 33cccccccc",
			[]uint8{1, 2, 3},
			map[uint8][]byte{1: {0xaa}, 2: {0xbb, 0xbb}, 3: {0xcc, 0xcc, 0xcc, 0xcc}},
		},
		// The figure of RFC 8285 section 4.3.
		"two-byte form of RFC 8285": {
			"10000003 0100 0201bb 00 0304cccccccc",
			[]uint8{1, 2, 3},
			map[uint8][]byte{1: {}, 2: {0xbb}, 3: {0xcc, 0xcc, 0xcc, 0xcc}},
		},
		"application bits":              {"100f0001 ff01bb00", []uint8{255}, map[uint8][]byte{255: {0xbb}}},
		"empty block":                   {"bede0000", nil, nil},
		"padding only":                  {"bede0001 00000000", nil, nil},
		"padding first":                 {"bede0001 000010aa", []uint8{1}, map[uint8][]byte{1: {0xaa}}},
		"id 0 with a length":            {"bede0001 0310aa00", []uint8{1}, map[uint8][]byte{1: {0xaa}}},
		"id 15 ends a one-byte block":   {"bede0002 10aaf0bb 20cc0000", []uint8{1}, map[uint8][]byte{1: {0xaa}, 2: nil, 15: nil}},
		"behind id 15 all is allowed":   {"bede0002 10aaff11 2fcc1f1f", []uint8{1}, map[uint8][]byte{1: {0xaa}}},
		"id 15 in a two-byte block":     {"10000001 0f01bb00", []uint8{15}, map[uint8][]byte{15: {0xbb}}},
		"single byte of a two-byte one": {"10000001 0201bb03", []uint8{2}, map[uint8][]byte{2: {0xbb}, 3: nil}},
		"the last of one id counts":     {"bede0001 10aa10bb", []uint8{1, 1}, map[uint8][]byte{1: {0xbb}}},
		"value of 16 bytes": {
			"bede0005 1f000102030405060708090a0b0c0d0e0f 000000",
			[]uint8{1},
			map[uint8][]byte{1: {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, extended+c.block+" 77")
			ids, _ := elements(p)
			require.Equal(t, c.ids, ids)
			for id, want := range c.want {
				require.Equal(t, want, p.Extension(id), id)
			}
			require.Nil(t, p.Extension(0))
			require.Equal(t, []byte{0x77}, p.Payload())
		})
	}
}

func TestAppendHeader(t *testing.T) {
	h := rtp.Header{Marker: true, PayloadType: 96, SequenceNumber: 0x1234, Timestamp: 0x89abcdef, SSRC: 0x01020304}
	const fixed = "e0 1234 89abcdef 01020304"
	long := bytes.Repeat([]byte{7}, 17)
	for name, c := range map[string]struct {
		exts []rtp.Extension
		want string
	}{
		"no extensions": {nil, "80" + fixed},
		"one-byte form": {
			[]rtp.Extension{{1, []byte{0xaa}}, {14, []byte{1, 2, 3}}},
			"90" + fixed + "bede0002 10aa e2010203 0000",
		},
		"no padding needed":            {[]rtp.Extension{{2, []byte{1, 2, 3}}}, "90" + fixed + "bede0001 22010203"},
		"two-byte form for the id":     {[]rtp.Extension{{15, []byte{0xaa}}}, "90" + fixed + "10000001 0f01aa00"},
		"two-byte form for no value":   {[]rtp.Extension{{1, nil}, {2, []byte{3}}}, "90" + fixed + "10000002 0100 020103 000000"},
		"two-byte form for the length": {[]rtp.Extension{{1, long}}, "90" + fixed + "10000005 0111 0707070707070707070707070707070707 00"},
	} {
		t.Run(name, func(t *testing.T) {
			want := append([]byte{0xff}, unhex(t, c.want)...)
			require.Equal(t, want, rtp.AppendHeader([]byte{0xff}, h, c.exts))
		})
	}
}

func TestAppendHeaderPanics(t *testing.T) {
	require.Panics(t, func() { rtp.AppendHeader(nil, rtp.Header{}, []rtp.Extension{{0, []byte{1}}}) })
	require.Panics(t, func() { rtp.AppendHeader(nil, rtp.Header{}, []rtp.Extension{{1, make([]byte, 256)}}) })
	many := make([]rtp.Extension, 1100)
	for i := range many {
		many[i] = rtp.Extension{ID: 1, Value: make([]byte, 255)}
	}
	require.Panics(t, func() { rtp.AppendHeader(nil, rtp.Header{}, many) })
}

func TestValueOffset(t *testing.T) {
	for _, exts := range [][]rtp.Extension{
		{{1, []byte{1}}, {2, []byte{2, 2, 2}}, {3, []byte{3, 3}}},
		{{1, []byte{1}}, {200, []byte{2, 2, 2}}, {3, []byte{}}, {4, []byte{4, 4}}},
	} {
		for _, h := range []rtp.Header{{}, {CSRCs: make([]byte, 4*15)}} {
			b := rtp.AppendHeader(nil, h, exts)
			for i, e := range exts {
				at := h.ValueOffset(exts, i)
				require.Equal(t, e.Value, b[at:at+len(e.Value)], i)
			}
		}
	}
}

func TestAppendHeaderDoesNotAllocate(t *testing.T) {
	b := make([]byte, 0, 100)
	exts := []rtp.Extension{{1, []byte("0")}, {3, []byte{1, 2, 3}}, {5, []byte{0, 0}}}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		h := rtp.Header{SSRC: 5}
		out := rtp.AppendHeader(b, h, exts)
		rtp.PutTransportCC(out[h.ValueOffset(exts, 2):], 77)
		rtp.PutAbsSendTime(out[h.ValueOffset(exts, 1):], unit.Time(5))
	}))
}

func BenchmarkAppendHeader(b *testing.B) {
	buf := make([]byte, 0, 100)
	exts := []rtp.Extension{{1, []byte("0")}, {3, []byte{1, 2, 3}}, {5, []byte{0, 0}}}
	b.ReportAllocs()
	for b.Loop() {
		rtp.AppendHeader(buf, rtp.Header{SSRC: 5}, exts)
	}
}
