package data_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/data"
	"gazpacho/internal/fuzzseed"
)

// The bytes as upstream's worker writes them.
func TestPipedBytes(t *testing.T) {
	tests := []struct {
		name string
		a    data.Addressing
		want []byte
	}{
		{"none", data.Addressing{}, nil},
		{
			"subchannels",
			data.Addressing{Subchannels: []uint16{1, 0x203}},
			[]byte{0xa5, 0xf0, 0x9c, 0xb3, 0xd6, 0xe1, 0xf2, 0x8c, 0, 2, 0, 1, 2, 3},
		},
		{
			"required",
			data.Addressing{RequiredSubchannel: ptr[uint16](5)},
			[]byte{0xa5, 0xf0, 0x9c, 0xb3, 0xd6, 0xe1, 0xf2, 0x8e, 0, 0, 0, 5},
		},
		{
			"ignored",
			data.Addressing{IgnoredSubchannel: ptr[uint16](6)},
			[]byte{0xa5, 0xf0, 0x9c, 0xb3, 0xd6, 0xe1, 0xf2, 0x8d, 0, 0, 0, 6},
		},
		{
			"all",
			data.Addressing{Subchannels: []uint16{7}, RequiredSubchannel: ptr[uint16](5), IgnoredSubchannel: ptr[uint16](6)},
			[]byte{0xa5, 0xf0, 0x9c, 0xb3, 0xd6, 0xe1, 0xf2, 0x8f, 0, 1, 0, 7, 0, 5, 0, 6},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := data.AppendPiped([]byte("before"), tt.a, []byte("payload"))
			require.Equal(t, append(append([]byte("before"), tt.want...), "payload"...), b)
			a, payload := data.ParsePiped(b[len("before"):])
			require.Equal(t, tt.a, a)
			require.Equal(t, "payload", string(payload))
			for n := range tt.want { // cut short, it is all payload
				a, payload = data.ParsePiped(tt.want[:n])
				require.Zero(t, a)
				require.Equal(t, tt.want[:n], payload)
			}
		})
	}
}

func TestTooManySubchannelsTravelWithout(t *testing.T) {
	a := data.Addressing{Subchannels: make([]uint16, 65536)}
	require.Equal(t, []byte("x"), data.AppendPiped(nil, a, []byte("x")))
}

func FuzzParsePiped(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add(data.AppendPiped(nil, data.Addressing{Subchannels: []uint16{1, 2}}, []byte("x")))
	f.Add(data.AppendPiped(nil, data.Addressing{
		Subchannels: []uint16{1}, RequiredSubchannel: ptr[uint16](5), IgnoredSubchannel: ptr[uint16](6),
	}, nil))
	f.Add([]byte("text"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, payload := data.ParsePiped(b)
		require.True(t, bytes.HasSuffix(b, payload))
		if len(payload) == len(b) {
			return
		}
		again := data.AppendPiped(nil, a, payload)
		if len(a.Subchannels) > 0 || a.RequiredSubchannel != nil || a.IgnoredSubchannel != nil {
			require.Equal(t, b, again)
		}
	})
}

func BenchmarkForwardOverPipe(b *testing.B) {
	a := data.Addressing{Subchannels: []uint16{1, 2, 3}}
	payload := make([]byte, 200)
	buffer := make([]byte, 0, 300)
	b.ReportAllocs()
	for b.Loop() {
		buffer = data.AppendPiped(buffer[:0], a, payload)
	}
}
