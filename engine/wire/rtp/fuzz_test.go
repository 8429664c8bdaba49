package rtp_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
	"gazpacho/internal/fuzzseed"
)

// A packet that is taken adds up: header, payload and padding fill the data, and every extension lies within the header.
func FuzzRTPParse(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	for _, s := range []string{plain, everything, extended + "10000003 0100 0201bb 00 0304cccccccc 77", extended + "bede0002 10aaff11 2fcc1f1f"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := append([]byte(nil), data...)
		var p rtp.Packet
		if p.Parse(data) != nil {
			require.Equal(t, rtp.Packet{}, p)
			return
		}
		require.Equal(t, len(data), p.HeaderLen()+len(p.Payload())+p.PaddingLen())
		ids, values := elements(&p)
		size := 0
		for i, id := range ids {
			require.NotNil(t, p.Extension(id))
			size += 1 + len(values[i])
		}
		require.LessOrEqual(t, size+len(p.CSRCs()), p.HeaderLen()-rtp.FixedHeaderLen)
		payload := len(p.Payload())
		if p.DecodeRTX(96, 1) {
			require.Equal(t, payload-2, len(p.Payload()))
		}
		require.Equal(t, before, data)
	})
}

// What AppendHeader writes, Parse reads.
func FuzzRTPRoundTrip(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	f.Add(true, uint8(96), uint16(1), uint32(2), uint32(3), []byte("\x01\x03abc\x0e\x01x"), []byte("payload"))
	f.Add(false, uint8(255), uint16(65535), uint32(1<<31), uint32(1<<32-1), []byte("\x0f\x00\xff\x14"), []byte{})
	f.Fuzz(func(t *testing.T, marker bool, pt uint8, seq uint16, ts, ssrc uint32, spec, payload []byte) {
		h := rtp.Header{
			Marker: marker, PayloadType: pt & 0x7f, SequenceNumber: unit.SeqNo(seq),
			Timestamp: unit.Timestamp(ts), SSRC: unit.SSRC(ssrc),
		}
		if n := 4 * int(pt>>5); n > 0 && n <= len(payload) {
			h.CSRCs = payload[:n]
		}
		exts := extensionsOf(spec)
		b := append(rtp.AppendHeader(nil, h, exts), payload...)
		var p rtp.Packet
		if len(b) > 65535 {
			return
		}
		require.NoError(t, p.Parse(b))
		require.Equal(t, h, rtp.Header{
			Marker: p.Marker, PayloadType: p.PayloadType, SequenceNumber: p.SequenceNumber, Timestamp: p.Timestamp, SSRC: p.SSRC,
			CSRCs: p.CSRCs(),
		})
		require.True(t, bytes.Equal(payload, p.Payload()))
		ids, values := elements(&p)
		require.Len(t, ids, len(exts))
		for i, e := range exts {
			require.Equal(t, e.ID, ids[i])
			require.True(t, bytes.Equal(e.Value, values[i]))
			at := h.ValueOffset(exts, i)
			require.True(t, bytes.Equal(e.Value, b[at:at+len(e.Value)]))
		}
	})
}

// extensionsOf makes extensions of arbitrary bytes: id, length, value, and so on.
func extensionsOf(spec []byte) []rtp.Extension {
	var exts []rtp.Extension
	for len(spec) >= 2 && len(exts) < 64 {
		id, n := max(spec[0], 1), min(int(spec[1]), len(spec)-2)
		exts = append(exts, rtp.Extension{ID: id, Value: spec[2 : 2+n]})
		spec = spec[2+n:]
	}
	return exts
}
