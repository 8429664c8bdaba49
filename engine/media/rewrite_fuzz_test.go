package media_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
	"gazpacho/engine/wire/rtp"
	"gazpacho/internal/fuzzseed"
)

// FuzzRewriteVP8 sends a simulcast consumer streams with arbitrary payloads: data holds, for each packet, a byte with stream and
// steps, a length, and so many bytes of payload. What comes out must differ from what went in by the rewritten numbers only.
func FuzzRewriteVP8(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	encoder := enginetest.NewSimulcastEncoder(1, simulcastStream(), false)
	var seed []byte
	for range 6 {
		for _, e := range encoder.Streams {
			for _, p := range e.Encode(0) {
				payload := p.Payload[:20]
				seed = append(append(seed, byte(e.Index)|1<<2, byte(len(payload))), payload...)
			}
		}
	}
	f.Add(seed)
	f.Add(append([]byte{0, 9}, vp8(true, 5, 1, 0, true, true)...))
	f.Add(append([]byte{0, 6, 0x90, 0x40, 7, 0, 1, 2}, 0, 3, 0x10, 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newSimulcastFixture(t, 1, false)
		var seqs [3]unit.SeqNo
		var ts [3]unit.Timestamp
		for len(data) > 2 {
			head, n := data[0], min(int(data[1]), len(data)-2)
			payload := data[2 : 2+n]
			data = data[2+n:]
			i := int(head & 3 % 3)
			seqs[i] += unit.SeqNo(head >> 2 & 3)
			ts[i] += unit.Timestamp(head>>4) * 1500
			if head == 0xff {
				s.c.SetPreferredLayers(s.now, prefer(head&1, uint8(n)))
			}
			p := of(i, seqs[i], ts[i], payload)
			_, outs := s.receive(p)
			for _, o := range outs {
				if len(outs) == 1 {
					requireRewritten(t, payload, o.Payload())
				}
			}
			s.after(5 * time.Millisecond)
		}
	})
}

// requireRewritten checks that got is payload with another picture id, of two bytes, and another TL0PICIDX.
func requireRewritten(t testing.TB, payload, got []byte) {
	t.Helper()
	var before, after codec.Descriptor
	if codec.Parse(codec.VP8, payload, nil, &before) != nil {
		require.Equal(t, payload, got)
		return
	}
	require.NoError(t, codec.Parse(codec.VP8, got, nil, &after))
	blank := func(b []byte, d *codec.Descriptor) []byte {
		b = bytes.Clone(b)
		if d.HasTL0PicIdx() {
			b[d.TL0PicIdxOffset] = 0
		}
		if d.HasPictureID() {
			b = append(b[:d.PictureIDOffset], b[int(d.PictureIDOffset)+int(d.PictureIDLen):]...)
		}
		return b
	}
	require.Equal(t, blank(payload, &before), blank(got, &after))
	if before.HasPictureID() {
		require.EqualValues(t, 2, after.PictureIDLen)
	}
}

// FuzzLayeredStream does the same with the descriptors of SVC streams, which nothing rewrites.
func FuzzLayeredStream(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	for i, v := range svcStreams {
		encoder := newSVCFixture(f, v.codec, v.mode, uint64(i)).encoder
		seed := []byte{byte(i)}
		for n := range 4 {
			for _, p := range encoder.Encode(time.Duration(33*n) * time.Millisecond) {
				descriptor := p.Payload[:len(p.Payload)-enginetest.PictureLen]
				if v.codec == enginetest.AV1 {
					descriptor = p.Extensions[0].Value
				}
				seed = append(append(seed, byte(len(descriptor))), descriptor...)
			}
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		v := svcStreams[int(data[0])%len(svcStreams)]
		s := newSVCFixture(t, v.codec, v.mode, 0)
		data = data[1:]
		var last out
		for n := 0; len(data) > 1; n++ {
			size := min(int(data[0])&0x7f, len(data)-1)
			p := enginetest.Packet{Seq: unit.SeqNo(n), Timestamp: unit.Timestamp(300 * n), Payload: append(bytes.Clone(data[1:1+size]), 1, 2, 3)}
			if v.codec == enginetest.AV1 && size > 0 {
				p.Extensions = []rtp.Extension{{ID: inDD, Value: data[1 : 1+size]}}
			}
			data = data[1+size:]
			_, outs := s.receive(p)
			for _, o := range outs {
				if last.Len > 0 && len(outs) == 1 {
					require.Equal(t, last.SequenceNumber+1, o.SequenceNumber, "what is left out leaves no gap")
				}
				last = o
			}
			s.after(20 * time.Millisecond)
		}
	})
}
