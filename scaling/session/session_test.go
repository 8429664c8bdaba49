package session_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/session"
)

var update = flag.Bool("update", false, "rewrite the golden transcripts")

// golden compares the transcript of a whole conversation with the file of that name.
func (f *fixture) golden(name string) {
	f.t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		require.NoError(f.t, os.MkdirAll("testdata", 0o755))
		require.NoError(f.t, os.WriteFile(file, []byte(f.transcript.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(f.t, err)
	require.Equal(f.t, string(want), f.transcript.String())
}

func newTranscript(t *testing.T) *fixture {
	f := newFixture(t, 1)
	f.transcript = new(strings.Builder)
	return f
}

func TestConversation(t *testing.T) {
	f := newTranscript(t)
	require.NoError(t, f.send("sent before there is a connection"))
	f.connect()
	f.run(20 * time.Millisecond)
	require.NoError(t, f.sendFromNode("answer"))
	f.run(400 * time.Millisecond)
	require.Zero(t, f.front.Waiting(), "acknowledged by a pong")
	f.front.Goodbye("application closed")
	f.drainFront()
	require.ErrorIs(t, f.front.Send(nil), session.ErrEnded)
	f.run(10 * time.Millisecond)
	require.Equal(t, unit.Never, f.front.NextTimeout())
	f.golden("conversation")
}

// A connection that breaks loses nothing, and delivers nothing twice.
func TestResume(t *testing.T) {
	f := newTranscript(t)
	f.connect()
	f.run(20 * time.Millisecond)
	require.NoError(t, f.send("one"))
	f.run(6 * time.Millisecond) // has arrived; the acknowledgement has not
	require.NoError(t, f.send("two"))
	require.NoError(t, f.sendFromNode("event"))
	f.cut()
	require.NoError(t, f.send("three"))
	f.run(500 * time.Millisecond)
	f.connect()
	f.run(20 * time.Millisecond)
	require.Equal(t, []string{"one", "two", "three"}, f.atNode)
	require.Equal(t, []string{"event"}, f.atFront)
	f.golden("resume")
}

func TestNodeThatRestartsHasAFreshConversation(t *testing.T) {
	f := newTranscript(t)
	f.connect()
	f.run(20 * time.Millisecond)
	require.NoError(t, f.send("created"))
	f.run(20 * time.Millisecond)
	f.cut()
	require.NoError(t, f.send("lost with the old conversation"))
	f.restart(8)
	f.connect()
	f.run(20 * time.Millisecond)
	require.Empty(t, f.atNode)
	require.NoError(t, f.send("created again"))
	f.run(20 * time.Millisecond)
	require.Equal(t, []string{"created again"}, f.atNode)
	f.golden("restart")
}

// Without a connection, the node gives up after the lease, and the front a margin later.
func TestLease(t *testing.T) {
	f := newTranscript(t)
	f.connect()
	f.run(time.Second)
	require.NoError(t, f.send("created"))
	f.run(20 * time.Millisecond)
	f.cut()
	f.run(session.Lease + 2*time.Second)
	f.connect()
	f.run(20 * time.Millisecond)
	f.golden("lease")
}

// A cut under 200 messages a second. Within the lease nothing is lost and nothing arrives twice, whatever waited. Beyond it the
// conversation is over on both sides, and a fresh one begins with what was sent since.
func TestCutUnderLoad(t *testing.T) {
	for _, cut := range []time.Duration{time.Second, 10 * time.Second, 40 * time.Second} {
		t.Run(cut.String(), func(t *testing.T) {
			f := newFixture(t, 1)
			f.limit = session.DefaultLimits
			f.front = session.NewFront(f.now, session.SessionID{1}, f.limit)
			f.restart(f.incarnation)
			sent, fresh := 0, 0 // fresh: the first one after the lease was over
			load := func(d time.Duration) {
				for end := f.now.Add(d); f.now < end; sent++ {
					if !slices.Contains(f.frontEvents, "expired") {
						fresh = sent + 1
					}
					require.NoError(t, f.send(fmt.Sprint(sent)))
					f.run(5 * time.Millisecond)
				}
			}
			f.connect()
			load(time.Second)
			f.cut()
			load(cut)
			f.connect()
			load(time.Second)
			f.run(time.Second)
			requireRising(t, 1, f.atNode)
			require.Equal(t, fmt.Sprint(sent-1), f.atNode[len(f.atNode)-1])
			if cut < session.Lease {
				require.Len(t, f.atNode, sent)
				require.Equal(t, []string{"opened", "suspected", "recovered", "resumed"}, f.frontEvents)
				return
			}
			require.Equal(t, fmt.Sprint(fresh), f.atNode[0])
			require.Equal(t, []string{"opened", "suspected", "expired", "recovered", "opened"}, f.frontEvents)
			require.Contains(t, f.nodeEvents, "expired: the lease is over")
		})
	}
}

// A node that was stopped for longer than its lease looks at the lease before it looks at what waited for it.
func TestFrozenNode(t *testing.T) {
	for _, pause := range []time.Duration{3 * time.Second, 40 * time.Second} {
		t.Run(pause.String(), func(t *testing.T) {
			f := newTranscript(t)
			f.connect()
			f.run(20 * time.Millisecond)
			require.NoError(t, f.send("created"))
			f.run(300 * time.Millisecond)
			f.frozen = true
			require.NoError(t, f.send("waits in the socket"))
			f.run(pause)
			f.frozen = false
			f.run(20 * time.Millisecond)
			if f.conn == nil {
				f.connect()
				f.run(20 * time.Millisecond)
			}
			f.golden("frozen-" + pause.String())
		})
	}
}

// A ping that a slow network delivers after all renews nothing: the time it echoes is old.
func TestLatePingsRenewNothing(t *testing.T) {
	f := newFixture(t, 1)
	f.connect()
	f.run(time.Second)
	require.NoError(t, f.send("created"))
	f.run(time.Second)
	echoed := f.now
	f.delay = 25 * time.Second // in both directions from now on
	f.run(session.Lease + 500*time.Millisecond)
	require.Contains(t, f.nodeEvents[len(f.nodeEvents)-1], "expired")
	require.NotContains(t, f.frontEvents, "expired")
	f.run(time.Second)
	require.Contains(t, f.frontEvents, "expired")
	require.Less(t, f.now.Sub(echoed), session.Lease+3*time.Second)
}

// A connection of an earlier epoch that arrives late is refused and changes nothing.
func TestStaleEpoch(t *testing.T) {
	f := newFixture(t, 1)
	f.connect()
	f.run(20 * time.Millisecond)
	f.connect()
	f.run(20 * time.Millisecond)
	late := session.Hello{MinVersion: 2, MaxVersion: 2, Session: session.SessionID{1}, Epoch: 1}
	require.Equal(t, session.RefuseEpoch, f.node.Accept(f.nodeNow(), late))
	require.True(t, f.node.Output().Empty())
	require.NoError(t, f.send("still here"))
	f.run(20 * time.Millisecond)
	require.Equal(t, []string{"still here"}, f.atNode)
}

func TestVersions(t *testing.T) {
	f := newFixture(t, 1)
	for name, h := range map[string]session.Hello{
		"older":    {MinVersion: 1, MaxVersion: 1, Epoch: 1},
		"younger":  {MinVersion: session.MaxVersion + 1, MaxVersion: session.MaxVersion + 2, Epoch: 1},
		"backward": {MinVersion: 3, MaxVersion: 2, Epoch: 1},
	} {
		require.Equal(t, session.RefuseVersion, f.node.Accept(f.nodeNow(), h), name)
	}
	require.Zero(t, f.node.Accept(f.nodeNow(), session.Hello{MinVersion: 0, MaxVersion: 9, Epoch: 1}))
}

func TestRefusal(t *testing.T) {
	f := newFixture(t, 1)
	f.node.Goodbye("maintenance")
	f.connect()
	f.run(20 * time.Millisecond)
	require.Equal(t, []string{"refused (stopping)"}, f.frontEvents)
	require.Nil(t, f.conn)
	require.Equal(t, "code 77", session.RefuseCode(77).String())
}

func TestGoodbyeOfTheNode(t *testing.T) {
	f := newFixture(t, 1)
	f.connect()
	f.run(20 * time.Millisecond)
	f.node.Goodbye("drained")
	f.drainNode()
	f.run(20 * time.Millisecond)
	require.Contains(t, f.frontEvents, "goodbye: drained")
	require.ErrorIs(t, f.front.Send([]byte("x")), session.ErrEnded)
	f.connect()
	require.True(t, f.front.Output().Empty(), "a session that has ended opens no connection")
}

// What cannot be kept ends the session; nothing is lost silently.
func TestOverflow(t *testing.T) {
	for name, limits := range map[string]session.Limits{
		"messages": {MaxMessage: 100, Pieces: 3, Bytes: 1000},
		"bytes":    {MaxMessage: 100, Pieces: 1000, Bytes: 3},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 1)
			f.front = session.NewFront(f.now, session.SessionID{1}, limits)
			for range 3 {
				require.NoError(t, f.send("x"))
			}
			require.ErrorIs(t, f.send("x"), session.ErrOverflow)
			require.ErrorIs(t, f.send("x"), session.ErrEnded)
		})
	}
	f := newFixture(t, 1)
	require.ErrorIs(t, f.send(strings.Repeat("x", testLimits.MaxMessage+1)), session.ErrTooLong)
	require.NoError(t, f.send("a message that is too long does not end the session"))
	f.front = session.NewFront(f.now, session.SessionID{1}, session.Limits{MaxMessage: 1 << 20, Pieces: 3, Bytes: 1 << 20})
	require.True(t, f.front.Fits(3<<16))
	require.False(t, f.front.Fits(3<<16+1), "each piece counts")
	require.ErrorIs(t, f.send(strings.Repeat("x", 3<<16+1)), session.ErrOverflow)
}

func TestDroppable(t *testing.T) {
	f := newFixture(t, 1)
	require.True(t, f.front.SendDroppable([]byte("waits for a connection")))
	require.False(t, f.front.SendDroppable(make([]byte, testLimits.MaxMessage+1)))
	require.NoError(t, f.send(strings.Repeat("x", testLimits.DroppableBytes)))
	require.False(t, f.front.SendDroppable([]byte("too much is unacknowledged")))
	f.connect()
	f.run(time.Second)
	require.True(t, f.front.SendDroppable([]byte("passes again")))
	f.drainFront()
	f.run(time.Second)
	require.Len(t, f.atNode, 3)
	for range testLimits.Pieces/2 + 1 {
		require.NoError(t, f.front.Send(nil))
	}
	require.False(t, f.front.SendDroppable([]byte("too many are unacknowledged")))
	f.front.Goodbye("")
	require.False(t, f.front.SendDroppable([]byte("the session has ended")))
}

// Much in one direction is acknowledged before the next ping.
func TestAcknowledgementsOfTheirOwn(t *testing.T) {
	f := newFixture(t, 1)
	f.delay = 0
	f.connect()
	f.run(5 * time.Millisecond)
	for i := range 200 {
		require.NoError(t, f.send(fmt.Sprint(i)))
	}
	f.run(5 * time.Millisecond)
	require.Less(t, f.front.Waiting(), 64*3)
	require.NoError(t, f.sendFromNode(strings.Repeat("x", 1<<16)))
	f.run(5 * time.Millisecond)
	require.Zero(t, f.node.Waiting())
	require.NoError(t, f.sendFromNode(strings.Repeat("x", 60000)))
	f.run(400 * time.Millisecond)
	require.Zero(t, f.node.Waiting())
}

// Whatever breaks, and wherever: messages arrive once and in order within a conversation, the front hears of each new
// conversation, and never gives a node up that still holds what it created.
func TestBrokenConnections(t *testing.T) {
	for seed := range uint64(100) {
		f := newFixture(t, seed)
		f.drift = (f.rng.Float64() - 0.5) / 20
		var sentToNode, sentToFront int
		for range 400 {
			switch n := f.rng.IntN(100); {
			case n < 40:
				if f.send(fmt.Sprint(sentToNode)) == nil {
					sentToNode++
				}
			case n < 60:
				if f.sendFromNode(fmt.Sprint(sentToFront)) == nil {
					sentToFront++
				}
			case n < 75:
				f.connect()
			case n < 85:
				f.cut()
			case n < 87:
				f.frozen = !f.frozen
			case n < 88:
				f.restart(f.incarnation + 1)
			case n < 90:
				f.delay = time.Duration(f.rng.IntN(500)) * time.Millisecond
			case n < 91:
				f.run(time.Duration(f.rng.IntN(40)) * time.Second)
			default:
				f.run(time.Duration(f.rng.IntN(300)) * time.Millisecond)
			}
			requireRising(t, seed, f.atNode)
			requireRising(t, seed, f.atFront)
		}
		// In the end, with a network that works, everything since the last fresh conversation is there.
		f.frozen, f.delay = false, time.Millisecond
		f.connect()
		f.run(time.Second)
		require.NoError(t, f.send("last"), "seed %d", seed)
		f.run(time.Second)
		require.Equal(t, "last", f.atNode[len(f.atNode)-1], "seed %d", seed)
		require.Zero(t, f.front.Waiting(), "seed %d", seed)
		require.NotContains(t, strings.Join(f.frontEvents, "\n")+strings.Join(f.nodeEvents, "\n"), "broken", "seed %d", seed)
	}
}

// requireRising wants consecutive numbers without a gap or a repetition.
func requireRising(t *testing.T, seed uint64, payloads []string) {
	t.Helper()
	last := -1
	for _, p := range payloads {
		var n int
		fmt.Sscan(p, &n)
		if last >= 0 {
			require.Equal(t, last+1, n, "seed %d: %v", seed, payloads)
		}
		last = n
	}
}
