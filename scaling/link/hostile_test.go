package link_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/fuzzseed"
	"gazpacho/scaling/link"
	"gazpacho/scaling/session"
)

// opened returns a receiver that has accepted a connection.
func opened(t testing.TB) *link.Receiver {
	r := link.NewReceiver(func() uint64 { return 7 })
	require.Zero(t, r.Accept(start, session.Hello{MinVersion: 1, MaxVersion: 1, Session: session.SessionID{1}, Epoch: 1}))
	*r.Output() = link.ReceiverOutput{}
	return r
}

// frame returns a message of the session with a piece.
func frame(number uint64, piece ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(17+len(piece)))
	b = append(b, 4)
	b = binary.BigEndian.AppendUint64(b, number)
	b = binary.BigEndian.AppendUint64(b, 0)
	return append(b, piece...)
}

// piece returns a piece that begins a message of stream 1.
func piece(flag byte, content string) []byte {
	return append([]byte{flag, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, content...)
}

// A sender that sends what is no piece of a message ends the link.
func TestNoPieces(t *testing.T) {
	for name, pieces := range map[string][][]byte{
		"empty":         {{}},
		"unknown flag":  {piece(2, "x")},
		"no token":      {{0, 1, 2, 3}},
		"half a token":  {{1, 1, 2}, {0, 3}},
		"in the middle": {piece(1, "x"), {7}},
	} {
		r := opened(t)
		for i, p := range pieces {
			r.Receive(start, frame(uint64(i+1), p...))
		}
		require.Contains(t, r.Output().Ended, "no piece of a message", name)
		require.True(t, r.Output().Drop, name)
		require.Empty(t, r.Output().Messages, name)
	}
}

// A message that never ends is not collected for ever.
func TestEndlessMessage(t *testing.T) {
	r := opened(t)
	r.Receive(start, frame(1, piece(1, "x")...))
	more := append([]byte{1}, make([]byte, 64<<10)...)
	for n := uint64(2); r.Output().Ended == ""; n++ {
		require.Less(t, n, uint64(link.MaxMessage>>16+2))
		*r.Output() = link.ReceiverOutput{}
		r.Receive(start, frame(n, more...))
	}
	require.Contains(t, r.Output().Ended, "more than 16777216 bytes")
}

// Whatever the other node sends, the receiver hands out no more than it got, and stays within its bounds.
func FuzzReceiver(tf *testing.F) {
	f := fuzzseed.New(tf, 3000)
	f.Add(frame(1, piece(0, "text")...))
	f.Add(append(frame(1, piece(1, "te")...), frame(2, 0, 'x', 't')...))
	f.Add(append(frame(1, piece(0, "")...), frame(1, piece(0, "again")...)...))
	f.Add(append(frame(1, 0), frame(2, piece(0, "after")...)...))
	f.Add([]byte{0, 0, 0, 17, 6, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 4, 8, 'b', 'y', 'e'})
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, cut := opened(t), opened(t)
		whole.Receive(start, b)
		for rest := b; len(rest) > 0; rest = rest[min(len(rest), 5):] {
			cut.Receive(start, rest[:min(len(rest), 5)])
		}
		require.Equal(t, whole.Output().Messages, cut.Output().Messages)
		require.Equal(t, whole.Output().Ended, cut.Output().Ended)
		total := 0
		for _, m := range whole.Output().Messages {
			total += len(m.Token) + len(m.Payload)
		}
		require.LessOrEqual(t, total, len(b))
		require.LessOrEqual(t, len(whole.Output().Bytes), 300+3*len(b))
		whole.HandleTimeout(whole.NextTimeout())
	})
}
