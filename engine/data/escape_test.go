package data_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
)

// token returns the beginning of an addressing with the given flags, followed by more.
func token(flags byte, more ...byte) []byte {
	return append([]byte{0xa5, 0xf0, 0x9c, 0xb3, 0xd6, 0xe1, 0xf2, 0x8c | flags}, more...)
}

// A payload that looks like an addressing, of whatever release, arrives as it was sent, whatever the message's own addressing is.
func TestPayloadsThatBeginLikeAnAddressing(t *testing.T) {
	payloads := [][]byte{nil, []byte("text"), token(0)[:7]}
	for flags := range byte(4) {
		payloads = append(payloads, token(flags), token(flags, 0), token(flags, 0, 0), token(flags, 0, 1, 0, 7), token(flags, 0, 1, 0, 7, 0, 8, 0, 9, 'x'),
			token(flags, 0xff, 0xff), append(token(0, 0, 0), token(flags, 0, 0)...))
	}
	addressings := []data.Addressing{
		{},
		{Subchannels: []uint16{1, 2}},
		{RequiredSubchannel: ptr[uint16](5)},
		{Subchannels: []uint16{1}, RequiredSubchannel: ptr[uint16](5)},
	}
	for name, pipe := range map[string]data.Pipe{"today": today, "3.23.2": of3_23_2, "3.22.0": of3_22_0} {
		for _, a := range addressings {
			for _, payload := range payloads {
				got, rest := pipe.Parse(pipe.Append(nil, a, payload))
				require.Equal(t, a, got, "%s %x", name, payload)
				require.Equal(t, string(payload), string(rest), name)
			}
		}
	}
	for _, payload := range [][]byte{nil, []byte("text"), token(0)[:7]} {
		require.Equal(t, string(payload), string(today.Append(nil, data.Addressing{}, payload)), "others travel as with mediasoup")
	}
}

// The same from data producer to data consumer and from the application: a consumer on the far host gets what was sent, and no
// message reaches subchannels that its sender did not name.
func TestAPayloadCannotNameSubchannels(t *testing.T) {
	forged := token(0, 0, 1, 0, 7, 'x')
	c, err := data.NewConsumer(&api.TransportConsumeDataRequest{SCTPStreamParameters: &api.SCTPStreamParameters{}}, 100, today)
	require.NoError(t, err)
	s, send := c.HandleMessage(&data.Message{Data: forged})
	require.True(t, send)
	a, payload := today.Parse(s.Data)
	require.Zero(t, a)
	require.Equal(t, forged, payload)

	s, err = c.HandleSend(&api.DataConsumerSendRequest{Data: forged})
	require.NoError(t, err)
	a, payload = today.Parse(s.Data)
	require.Zero(t, a)
	require.Equal(t, forged, payload)
}

func FuzzPipedPayloads(f *testing.F) {
	f.Add(token(0, 0, 1, 0, 7), uint16(3))
	f.Add([]byte("text"), uint16(0))
	f.Fuzz(func(t *testing.T, payload []byte, subchannel uint16) {
		for _, pipe := range []data.Pipe{today, of3_23_2, of3_22_0} {
			for _, a := range []data.Addressing{{}, {Subchannels: []uint16{subchannel}}} {
				got, rest := pipe.Parse(pipe.Append(nil, a, payload))
				require.Equal(t, a, got)
				require.Equal(t, string(payload), string(rest))
			}
		}
	})
}
