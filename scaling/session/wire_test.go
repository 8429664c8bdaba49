package session_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/internal/fuzzseed"
	"gazpacho/scaling/session"
)

// opened returns a front and a node with an open conversation, and what the front's connection carried towards the node.
func opened(t testing.TB) (front *session.Front, node *session.Node, now unit.Time) {
	t.Helper()
	now = start
	front = session.NewFront(now, session.SessionID{1}, testLimits)
	node = session.NewNode(func() uint64 { return 42 }, testLimits)
	front.Connected()
	first, rest, ok, err := session.ReadFirst(take(front.Output()))
	require.NoError(t, err)
	require.True(t, ok)
	require.Empty(t, rest)
	require.Zero(t, node.Accept(now, *first.Hello))
	front.Receive(now, take(node.Output()))
	node.Receive(now, take(front.Output()))
	front.Receive(now, take(node.Output()))
	return front, node, now
}

// take drains an output and returns its bytes.
func take(o *session.Output) []byte {
	b := o.Bytes
	o.Reset()
	return b
}

// frame builds a frame of numbers.
func frame(kind byte, values ...uint64) []byte {
	b := []byte{0, 0, 0, byte(1 + 8*len(values)), kind}
	for _, v := range values {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

// part builds a frame of kind 4 or 12 that carries a message or a piece of one.
func part(kind byte, number uint64, content string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(17+len(content)))
	b = append(b, kind)
	b = binary.BigEndian.AppendUint64(b, number)
	return append(append(b, make([]byte, 8)...), content...)
}

func TestHello(t *testing.T) {
	front := session.NewFront(start, session.SessionID{1, 2}, testLimits)
	front.Connected()
	whole := take(front.Output())
	for n := range whole {
		_, _, ok, err := session.ReadFirst(whole[:n])
		require.NoError(t, err)
		require.False(t, ok)
	}
	first, rest, ok, err := session.ReadFirst(append(whole, "rest"...))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "rest", string(rest))
	require.Equal(t, &session.Hello{MinVersion: 2, MaxVersion: 2, Session: session.SessionID{1, 2}, Epoch: 1}, first.Hello)

	broken := append([]byte(nil), whole...)
	broken[5] ^= 1 // the magic word
	for name, b := range map[string][]byte{
		"magic": broken, "too short": {0, 0, 0, 1, 1}, "another kind": frame(6, 1, 2),
		"an HTTP request": []byte("GET / HTTP/1.1\r\n\r\n"), "empty": {0, 0, 0, 0},
	} {
		_, _, _, err := session.ReadFirst(b)
		require.ErrorIs(t, err, session.ErrMalformed, name)
	}
}

func TestQuery(t *testing.T) {
	question := session.AppendQuery(nil, "status")
	first, rest, ok, err := session.ReadFirst(append(question, 1))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, session.First{Query: "status"}, first)
	require.Equal(t, []byte{1}, rest)

	whole := session.AppendReply(nil, []byte("fine"))
	for n := range whole {
		_, ok, err := session.ReadReply(whole[:n], 100)
		require.NoError(t, err)
		require.False(t, ok)
	}
	reply, ok, err := session.ReadReply(whole, 100)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "fine", string(reply))
	_, _, err = session.ReadReply(whole, 4)
	require.ErrorIs(t, err, session.ErrMalformed)
	_, _, err = session.ReadReply(session.AppendRefusal(nil, session.RefuseIdentity, "not yours"), 100)
	require.ErrorContains(t, err, "(wrong identity): not yours")
	_, _, err = session.ReadReply(question, 100)
	require.ErrorIs(t, err, session.ErrMalformed)
}

// A side that does not keep to the protocol loses its connection, not its conversation; nothing that it sends is followed.
func TestBrokenPeers(t *testing.T) {
	now := uint64(start)
	for name, b := range map[string][]byte{
		"unknown kind":                        frame(99),
		"kind 0":                              frame(0),
		"a second hello":                      frame(1, 1),
		"a gap":                               frame(4, 2, 0),
		"acknowledges what was not sent":      frame(4, 1, 1),
		"acknowledges in an ack":              frame(5, 1),
		"message without header":              frame(4, 1),
		"piece without header":                frame(12, 1),
		"empty piece":                         frame(12, 1, 0),
		"gap before a piece":                  part(12, 2, "x"),
		"piece that acknowledges too much":    append(frame(12, 1, 1), 'x'),
		"piece of more than 64 KiB":           {0, 1, 0, 18, 12},
		"message of more than 64 KiB":         {0, 1, 0, 18, 4},
		"ack of the wrong length":             frame(5, 0, 0),
		"ping or pong of the wrong length":    frame(6, 0),
		"pong of the wrong length":            frame(7, 0),
		"ping or pong acknowledges too much":  frame(6, now, 5),
		"pong acknowledges what was not sent": frame(7, now, 5),
		"ping echoes the future":              frame(6, now+1e15, 0),
		"ping echoes the time before":         frame(6, 0, 0),
		"goodbye of great length":             frame(8, make([]uint64, 31)...),
		"frame of great length":               {0xff, 0xff, 0xff, 0xff},
		"frame without kind":                  {0, 0, 0, 0},
	} {
		if len(b) > 200 {
			b = append([]byte{0, 0, 1, 10, 8}, make([]byte, 265)...)
		}
		t.Run(name, func(t *testing.T) {
			front, node, at := opened(t)
			for _, m := range []interface {
				Receive(unit.Time, []byte)
				Output() *session.Output
			}{front, node} {
				m.Receive(at, b)
				out := *m.Output()
				require.Len(t, out.Events, 1)
				require.Equal(t, session.EventBroken, out.Events[0].Kind)
				require.True(t, out.Drop)
				m.Output().Reset()
				m.Receive(at, frame(8)) // what follows on that connection is not looked at
				require.True(t, m.Output().Empty())
			}
			front.Connected()
			first, _, _, _ := session.ReadFirst(take(front.Output()))
			require.Zero(t, node.Accept(at, *first.Hello))
			front.Receive(at, node.Output().Bytes)
			require.Equal(t, session.EventResumed, front.Output().Events[0].Kind)
		})
	}
}

// welcome builds a node's answer.
func welcome(version uint16, resumed byte, values ...uint64) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, 0, 0, byte(4 + 8*len(values)), 2}, version)
	b = append(b, resumed)
	for _, v := range values {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func TestBrokenWelcomes(t *testing.T) {
	lease := uint64(session.Lease)
	for name, b := range map[string][]byte{
		"version too old":             welcome(1, 0, 1, 0, 1, lease),
		"version too young":           welcome(3, 0, 1, 0, 1, lease),
		"no lease":                    welcome(2, 0, 1, 0, 1, 0),
		"endless lease":               welcome(2, 0, 1, 0, 1, 1<<62),
		"no number":                   welcome(2, 0, 0, 0, 1, lease),
		"resumes nothing":             welcome(2, 1, 1, 0, 1, lease),
		"fresh with messages":         welcome(2, 0, 1, 5, 1, lease),
		"resumed is no truth value":   welcome(2, 2, 1, 0, 1, lease),
		"too short":                   welcome(2, 0, 1, 0, 1),
		"another kind":                frame(7, 0, 0),
		"an empty refusal":            frame(3),
		"longer than a front buffers": {0, 0, 8, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			front := session.NewFront(start, session.SessionID{1}, testLimits)
			front.Connected()
			take(front.Output())
			front.Receive(start, b)
			require.Len(t, front.Output().Events, 1)
			require.Equal(t, session.EventBroken, front.Output().Events[0].Kind)
			require.True(t, front.Output().Drop)
		})
	}
}

func TestRefusalIsRead(t *testing.T) {
	front := session.NewFront(start, session.SessionID{1}, testLimits)
	front.Connected()
	take(front.Output())
	front.Receive(start, session.AppendRefusal(nil, session.RefuseIdentity, "the certificate is another application's"))
	require.Equal(t, []session.Event{{
		Kind: session.EventRefused, Code: session.RefuseIdentity, Reason: "the certificate is another application's",
	}}, front.Output().Events)
}

func TestRepeatedMessageCountsOnce(t *testing.T) {
	_, node, now := opened(t)
	node.Receive(now, append(frame(4, 1, 0), frame(4, 1, 0)...))
	require.Equal(t, []session.Event{{Kind: session.EventMessage}}, node.Output().Events)
}

// A long message that comes byte by byte is put together in place: the work stays in proportion to its length.
func TestCrumbs(t *testing.T) {
	front, node, now := opened(t)
	require.NoError(t, front.Send(make([]byte, 50000)))
	b := take(front.Output())
	allocs := testing.AllocsPerRun(1, func() {
		if len(b) == 0 {
			return
		}
		for i := range b {
			node.Receive(now, b[i:i+1])
		}
		b = nil
	})
	require.Len(t, node.Output().Events, 1)
	require.Len(t, node.Output().Events[0].Payload, 50000)
	require.Less(t, allocs, 100.0)
}

// conversations are what a peer may send once the conversation is open: seeds for the fuzz targets.
func conversations() [][]byte {
	long := strings.Repeat("x", 300)
	return [][]byte{
		frame(4, 1, 0),
		frame(6, uint64(start), 0),
		frame(7, uint64(start), 0),
		append(frame(4, 1, 0), frame(8)...),
		append(part(12, 1, long), part(4, 2, "end")...),
		append(append(part(12, 1, long), part(12, 2, long)...), append(part(12, 2, long), part(4, 3, "")...)...),
		append(part(12, 1, "endless"), part(12, 2, "pieces")...),
		append(part(12, 1, "x"), frame(8)...),
	}
}

func FuzzFront(tf *testing.F) {
	f := fuzzseed.New(tf, 3000)
	f.Add([]byte{}, false)
	f.Add(welcome(2, 0, 1, 0, 1, uint64(session.Lease)), false)
	for _, b := range conversations() {
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, isOpen bool) {
		front := session.NewFront(start, session.SessionID{1}, testLimits)
		if isOpen {
			front, _, _ = opened(t)
		} else {
			front.Connected()
			take(front.Output())
		}
		requireProportion(t, front, b)
	})
}

func FuzzNode(tf *testing.F) {
	f := fuzzseed.New(tf, 3000)
	for _, b := range conversations() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, node, _ := opened(t)
		requireProportion(t, node, b)
	})
}

// requireProportion feeds a machine whole and cut, wants the same outcome, and answers in proportion to the input.
func requireProportion(t *testing.T, m interface {
	Receive(unit.Time, []byte)
	Output() *session.Output
	NextTimeout() unit.Time
	HandleTimeout(unit.Time)
}, b []byte,
) {
	m.Receive(start, b[:len(b)/2])
	m.Receive(start, b[len(b)/2:])
	out := *m.Output()
	require.LessOrEqual(t, len(out.Bytes), 100+3*len(b))
	require.LessOrEqual(t, len(out.Events), 2+len(b)/5)
	total := 0
	for _, e := range out.Events {
		total += len(e.Payload)
	}
	require.LessOrEqual(t, total, len(b))
	m.Output().Reset()
	m.HandleTimeout(m.NextTimeout())
}
