package data_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/internal/fuzzseed"
)

// The formats of pipes, by release.
var (
	today    = data.Pipe{Addressed: true}
	of3_23_2 = data.Pipe{Addressed: true, OldToken: true}
	of3_22_0 = data.Pipe{Addressed: true, OldToken: true, Unfiltered: true}
)

// TestOldToken: 3.22.0 to 3.23.2 announce a required subchannel by the flag that announces an ignored one today.
func TestOldToken(t *testing.T) {
	a := data.Addressing{Subchannels: []uint16{7}, RequiredSubchannel: ptr[uint16](5)}
	want := []byte{0xa5, 0xf0, 0x9c, 0xb3, 0xd6, 0xe1, 0xf2, 0x8d, 0, 1, 0, 7, 0, 5, 'x'}
	ignoring := a
	ignoring.IgnoredSubchannel = ptr[uint16](6)
	require.Equal(t, want, of3_23_2.Append(nil, a, []byte("x")))
	require.Equal(t, want, of3_23_2.Append(nil, ignoring, []byte("x")), "there is no ignored subchannel")
	require.Equal(t, []byte("x"), of3_23_2.Append(nil, data.Addressing{IgnoredSubchannel: ptr[uint16](6)}, []byte("x")))
	got, payload := of3_23_2.Parse(want)
	require.Equal(t, a, got)
	require.Equal(t, "x", string(payload))

	// Today's flag of a required subchannel is not part of a token: all is payload.
	newer := today.Append(nil, a, []byte("x"))
	got, payload = of3_23_2.Parse(newer)
	require.Zero(t, got)
	require.Equal(t, newer, payload)
	// Without optional fields, all releases write the same.
	a = data.Addressing{Subchannels: []uint16{7}}
	require.Equal(t, today.Append(nil, a, nil), of3_22_0.Append(nil, a, nil))
}

// TestUnfilteredPipes: pipe consumers of 3.22.0 to 3.23.1 forward everything, with all subchannels.
func TestUnfilteredPipes(t *testing.T) {
	m := data.Message{Data: []byte("x"), Addressing: data.Addressing{Subchannels: []uint16{1, 2}, RequiredSubchannel: ptr[uint16](9)}}
	for _, pipe := range []data.Pipe{today, of3_23_2} {
		_, send := consume(t, api.DataConsumerTypeSCTP, pipe, 3).HandleMessage(&m)
		require.False(t, send)
	}
	c, err := data.NewConsumer(&api.TransportConsumeDataRequest{
		SCTPStreamParameters: &api.SCTPStreamParameters{}, Subchannels: []uint16{2},
	}, 100, of3_22_0)
	require.NoError(t, err)
	s, send := c.HandleMessage(&m)
	require.True(t, send)
	got, _ := of3_22_0.Parse(s.Data)
	require.Equal(t, m.Addressing, got)
}

// TestPipedBytes compares with the bytes that the C++ worker writes.
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
			b := today.Append([]byte("before"), tt.a, []byte("payload"))
			require.Equal(t, append(append([]byte("before"), tt.want...), "payload"...), b)
			a, payload := today.Parse(b[len("before"):])
			require.Equal(t, tt.a, a)
			require.Equal(t, "payload", string(payload))
			for n := range tt.want { // cut short, it is all payload
				a, payload = today.Parse(tt.want[:n])
				require.Zero(t, a)
				require.Equal(t, tt.want[:n], payload)
			}
		})
	}
}

func TestTooManySubchannelsTravelWithout(t *testing.T) {
	a := data.Addressing{Subchannels: make([]uint16, 65536)}
	require.Equal(t, []byte("x"), today.Append(nil, a, []byte("x")))
}

func FuzzParsePiped(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add(today.Append(nil, data.Addressing{Subchannels: []uint16{1, 2}}, []byte("x")))
	f.Add(today.Append(nil, data.Addressing{
		Subchannels: []uint16{1}, RequiredSubchannel: ptr[uint16](5), IgnoredSubchannel: ptr[uint16](6),
	}, nil))
	f.Add([]byte("text"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, payload := today.Parse(b)
		require.True(t, bytes.HasSuffix(b, payload))
		if len(payload) == len(b) {
			return
		}
		again := today.Append(nil, a, payload)
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
		buffer = today.Append(buffer[:0], a, payload)
	}
}
