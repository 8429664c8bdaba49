package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/session"
)

// newRoomy returns a fixture with the limits of real sessions.
func newRoomy(t *testing.T, seed uint64) *fixture {
	f := newFixture(t, seed)
	f.limit = session.DefaultLimits
	f.front = session.NewFront(f.now, session.SessionID{1}, f.limit)
	f.restart(f.incarnation)
	return f
}

// long returns a message of a size that begins with its number.
func long(n, size int) string { return fmt.Sprintf("%-10d", n) + strings.Repeat("x", max(0, size-10)) }

// Long messages take their time on a slow network. Meanwhile neither side takes the other for silent, and the lease is renewed, even
// if what waits takes longer than a lease.
func TestLongMessagesOnSlowNetworks(t *testing.T) {
	const size = 15 << 20
	for _, tt := range []struct {
		name               string
		rate               int // bytes per second
		fromFront, toFront int // messages
	}{
		{"one to the node, 1 MB/s", 1e6, 1, 0},
		{"one to the front, 1 MB/s", 1e6, 0, 1},
		{"four both ways at the same time, 1 MB/s", 1e6, 4, 4},
		{"one both ways at the same time, 1 Mbit/s", 125e3, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newRoomy(t, 1)
			f.rate = tt.rate
			f.connect()
			f.run(20 * time.Millisecond)
			for n := range tt.fromFront {
				require.NoError(t, f.send(long(n, size)))
			}
			for n := range tt.toFront {
				require.NoError(t, f.sendFromNode(long(n, size)))
			}
			messages := max(tt.fromFront, tt.toFront)
			shortest := session.Lease // that was left of it
			for end := f.now.Add(time.Duration(messages*size*12/10/tt.rate) * time.Second); f.now < end; f.now = f.now.Add(time.Millisecond) {
				f.step()
				shortest = min(shortest, f.node.NextTimeout().Sub(f.nodeNow()))
			}
			require.Equal(t, []string{"opened"}, withoutMessages(f.frontEvents))
			require.Equal(t, []string{"opened"}, withoutMessages(f.nodeEvents))
			require.Len(t, f.atNode, tt.fromFront)
			require.Len(t, f.atFront, tt.toFront)
			requireRising(t, 1, f.atNode)
			requireRising(t, 1, f.atFront)
			for _, m := range append(f.atNode, f.atFront...) {
				require.Len(t, m, size)
			}
			require.Zero(t, f.front.Waiting()+f.node.Waiting())
			if tt.rate == 1e6 {
				require.Greater(t, shortest, session.Lease*2/3)
			}
		})
	}
}

func withoutMessages(events []string) (others []string) {
	for _, e := range events {
		if !strings.HasPrefix(e, "message") {
			others = append(others, e)
		}
	}
	return others
}

// Connections that break anywhere, within frames too, cost no more than the frame that they break: what has arrived is not sent again.
func TestLongMessagesOverBrokenConnections(t *testing.T) {
	const most = 2 << 20
	for seed := range uint64(10) {
		f := newRoomy(t, seed)
		f.lasts = func() int { return 100 + f.rng.IntN(700<<10) }
		var sent, bytes [2]int
		send := func(direction int, do func(string) error) {
			size := 10 + f.rng.IntN(1+f.rng.IntN(most))
			require.NoError(t, do(long(sent[direction], size)))
			sent[direction]++
			bytes[direction] += size
		}
		connections := 0
		for range 100_000 {
			switch {
			case sent[toNode] < 8 && f.rng.IntN(50) == 0:
				send(toNode, f.send)
			case sent[toFront] < 8 && f.held != nil && f.rng.IntN(50) == 0:
				send(toFront, f.sendFromNode)
			}
			if f.conn == nil || f.breaks() {
				f.connect()
				connections++
			}
			f.run(time.Millisecond)
			if len(f.atNode) == 8 && len(f.atFront) == 8 {
				break
			}
		}
		require.Len(t, f.atNode, 8, "seed %d", seed)
		require.Len(t, f.atFront, 8, "seed %d", seed)
		requireRising(t, seed, f.atNode)
		requireRising(t, seed, f.atFront)
		for direction, arrived := range [2][]string{f.atNode, f.atFront} {
			got := 0
			for _, m := range arrived {
				got += len(m)
			}
			require.Equal(t, bytes[direction], got, "seed %d", seed)
			require.Less(t, f.arrived[direction], bytes[direction]*101/100+connections*(66<<10), "seed %d", seed)
		}
		require.Greater(t, connections, 10, "seed %d", seed)
		require.NotContains(t, strings.Join(f.frontEvents, "\n")+strings.Join(f.nodeEvents, "\n"), "broken", "seed %d", seed)
	}
}

// A conversation that breaks within a message, as both sides see it.
func TestResumeWithinAMessage(t *testing.T) {
	f := newTranscript(t)
	f.connect()
	f.run(20 * time.Millisecond)
	f.conn.left[toNode] = 150_000 // two pieces, and a part of the third
	require.NoError(t, f.send(long(0, 200_000)))
	f.run(20 * time.Millisecond)
	f.connect()
	f.run(11 * time.Millisecond)
	f.log("front  %d bytes wait", f.front.Waiting())
	require.Equal(t, 200_000-2<<16, f.front.Waiting(), "two pieces are not repeated")
	f.run(20 * time.Millisecond)
	f.golden("pieces")
}

// A connection is given only so much that is not acknowledged, and the other side cannot acknowledge what it was not sent.
func TestWindow(t *testing.T) {
	now := start
	front := session.NewFront(now, session.SessionID{2}, session.DefaultLimits)
	front.Connected()
	hello, _, _, _ := session.ReadFirst(take(front.Output()))
	node := session.NewNode(func() uint64 { return 1 }, session.DefaultLimits)
	require.Zero(t, node.Accept(now, *hello.Hello))
	front.Receive(now, take(node.Output()))
	take(front.Output())
	require.NoError(t, front.Send(make([]byte, 15<<20)))
	first := take(front.Output())
	require.Less(t, len(first), 1<<20+1000)
	front.Receive(now, frame(5, 10))
	require.Len(t, take(front.Output()), 10*(4+1+16+64<<10), "as much as was acknowledged")
	require.Equal(t, 15<<20-10*64<<10, front.Waiting())
	front.Receive(now, frame(5, 16+10+1))
	require.Equal(t, session.EventBroken, front.Output().Events[0].Kind)
}

// A message that never ends is not collected for ever, and is refused on the next connection too.
func TestEndlessMessage(t *testing.T) {
	_, node, now := opened(t)
	number := uint64(0)
	for node.Output().Empty() || !node.Output().Drop {
		take(node.Output())
		number++
		require.LessOrEqual(t, number, uint64(testLimits.MaxMessage>>16+1))
		node.Receive(now, part(12, number, strings.Repeat("x", 1<<16)))
	}
	require.Contains(t, node.Output().Events[0].Reason, "a message of more than 262144 bytes")
	take(node.Output())
	require.Zero(t, node.Accept(now, session.Hello{
		MinVersion: 2, MaxVersion: 2, Session: session.SessionID{1}, Epoch: 2, Conversation: 42,
	}))
	take(node.Output())
	node.Receive(now, part(4, number, "x"))
	require.True(t, node.Output().Drop)
}

// What had arrived of a message goes with its conversation, and is put in front of no other.
func TestPiecesOfAnEarlierConversation(t *testing.T) {
	for name, begin := range map[string]func(node *session.Node, now unit.Time) unit.Time{
		"the front begins a fresh one": func(_ *session.Node, now unit.Time) unit.Time { return now },
		"the lease is over": func(node *session.Node, _ unit.Time) unit.Time {
			end := node.NextTimeout()
			node.HandleTimeout(end)
			return end
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, node, now := opened(t)
			node.Receive(now, part(12, 1, "half of a message"))
			now = begin(node, now)
			require.Zero(t, node.Accept(now, session.Hello{MinVersion: 2, MaxVersion: 2, Session: session.SessionID{1}, Epoch: 2}))
			take(node.Output())
			node.Receive(now, part(4, 1, "whole"))
			require.Equal(t, []session.Event{{Kind: session.EventMessage, Payload: []byte("whole")}}, node.Output().Events)
		})
	}
}
