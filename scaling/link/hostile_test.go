package link_test

import (
	"bytes"
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
	require.Zero(t, r.Accept(start, session.Hello{MinVersion: session.MinVersion, MaxVersion: session.MaxVersion, Session: session.SessionID{1}, Epoch: 1}))
	*r.Output() = link.ReceiverOutput{}
	return r
}

// frame returns a message of the session, or with kind 12 a piece of one.
func frame(kind byte, number uint64, content string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(17+len(content)))
	b = append(b, kind)
	b = binary.BigEndian.AppendUint64(b, number)
	b = binary.BigEndian.AppendUint64(b, 0)
	return append(b, content...)
}

const token1 = "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// A sender that leaves the token out ends the link, and what it sends behind that is not handed out.
func TestMessagesWithoutToken(t *testing.T) {
	for name, frames := range map[string][][]byte{
		"empty":     {frame(4, 1, ""), frame(4, 2, token1+"text")},
		"too short": {frame(4, 1, token1[1:]), frame(4, 2, token1+"text")},
		"in pieces": {frame(12, 1, "four"), frame(4, 2, "five"), frame(4, 3, token1+"text")},
	} {
		r := opened(t)
		r.Receive(start, bytes.Join(frames, nil))
		require.Contains(t, r.Output().Ended, "has no token", name)
		require.True(t, r.Output().Drop, name)
		require.Empty(t, r.Output().Messages, name)
	}
}

// A message that never ends is not collected for ever. The connection is dropped; the link stays, for a sender that does better.
func TestEndlessMessage(t *testing.T) {
	r := opened(t)
	r.Receive(start, frame(12, 1, token1))
	piece := string(make([]byte, 64<<10))
	for n := uint64(2); r.Output().Broken == ""; n++ {
		require.Less(t, n, uint64(link.MaxMessage>>16+3))
		*r.Output() = link.ReceiverOutput{}
		r.Receive(start, frame(12, n, piece))
	}
	require.Contains(t, r.Output().Broken, "a message of more than 16777232 bytes")
	require.True(t, r.Output().Drop)
	require.Empty(t, r.Output().Ended)
}

// Whatever the other node sends, the receiver hands out no more than it got, and stays within its bounds.
func FuzzReceiver(tf *testing.F) {
	f := fuzzseed.New(tf, 3000)
	f.Add(frame(4, 1, token1+"text"))
	f.Add(append(frame(12, 1, token1+"te"), frame(4, 2, "xt")...))
	f.Add(append(frame(4, 1, token1), frame(4, 1, token1+"again")...))
	f.Add(append(frame(4, 1, ""), frame(4, 2, token1+"after")...))
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
		require.Equal(t, whole.Output().Broken, cut.Output().Broken)
		total := 0
		for _, m := range whole.Output().Messages {
			total += len(m.Token) + len(m.Payload)
		}
		require.LessOrEqual(t, total, len(b))
		require.LessOrEqual(t, len(whole.Output().Bytes), 300+3*len(b))
		whole.HandleTimeout(whole.NextTimeout())
	})
}
