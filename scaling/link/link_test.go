package link_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/link"
	"gazpacho/scaling/session"
)

const (
	start = unit.Time(1_000_000 * time.Second)
	delay = 15 * time.Millisecond
)

// message returns the n-th message of a stream, with a beginning that names it.
func message(stream byte, n, size int) []byte {
	b := bytes.Repeat([]byte{byte(n)}, max(size, 9))
	b[0] = stream
	binary.BigEndian.PutUint64(b[1:], uint64(n))
	return b
}

func token(stream byte) link.Token { return link.Token{stream} }

// chunk is bytes that arrive at a time.
type chunk struct {
	at unit.Time
	b  []byte
}

// connection carries bytes both ways, cut into pieces anywhere, until the budget of one of the ways is used up.
type connection struct {
	toReceiver, toSender []chunk
	budget               [2]int // bytes until the cut, each way
	first                []byte // what came before the receiver's machine had it
	accepted             bool
}

// fixture is a sender and a receiver with a network between them.
type fixture struct {
	t      *testing.T
	rng    *rand.Rand
	now    unit.Time
	least  int // bytes of a connection before it is cut
	spread int // of that, at random; 0: it is not cut
	cuts   int

	sender   *link.Sender
	receiver *link.Receiver
	conn     *connection
	away     bool // no connection can be made
	frozen   bool // the receiver's process is stopped
	numbers  uint64

	arrived []link.Message
	ended   string // the sender, for this reason
	over    string // the receiver, for this reason
}

func newFixture(t *testing.T, seed uint64) *fixture {
	f := &fixture{t: t, rng: rand.New(rand.NewPCG(seed, 3)), now: start}
	f.sender = link.NewSender(f.now, session.SessionID{1})
	f.restart()
	return f
}

// restart gives the receiver a new process.
func (f *fixture) restart() {
	f.numbers += 1000
	f.receiver = link.NewReceiver(func() uint64 { f.numbers++; return f.numbers })
	f.cut()
}

func (f *fixture) cut() {
	if f.conn != nil {
		f.conn = nil
		f.cuts++
		f.sender.HandleDisconnected()
		f.receiver.HandleDisconnected()
		f.drain()
	}
}

// run lets the time pass until done returns true, or for so long.
func (f *fixture) run(d time.Duration, done func() bool) {
	f.t.Helper()
	for end := f.now.Add(d); f.now < end; f.now = f.now.Add(time.Millisecond) {
		f.step()
		if done != nil && done() {
			return
		}
	}
	require.Nil(f.t, done, "it did not happen in %s", d)
}

func (f *fixture) step() {
	if f.conn == nil && !f.away && f.ended == "" {
		f.conn = &connection{budget: [2]int{1 << 62, 1 << 62}}
		if f.spread > 0 {
			f.conn.budget = [2]int{f.least + f.rng.IntN(f.spread), f.least + f.rng.IntN(f.spread)}
		}
		f.sender.HandleConnected()
		f.drain()
	}
	if f.sender.NextTimeout() <= f.now {
		f.sender.HandleTimeout(f.now)
		f.drain()
	}
	if !f.frozen && f.receiver.NextTimeout() <= f.now {
		f.receiver.HandleTimeout(f.now)
		f.drain()
	}
	c := f.conn
	for f.conn == c && c != nil && !f.frozen && len(c.toReceiver) > 0 && c.toReceiver[0].at <= f.now {
		b := c.toReceiver[0].b
		c.toReceiver = c.toReceiver[1:]
		f.toReceiver(c, b)
		f.drain()
	}
	for f.conn == c && c != nil && len(c.toSender) > 0 && c.toSender[0].at <= f.now {
		b := c.toSender[0].b
		c.toSender = c.toSender[1:]
		f.sender.Receive(f.now, b)
		f.drain()
	}
	if c := f.conn; c != nil && (c.budget[0] <= 0 && len(c.toReceiver) == 0 || c.budget[1] <= 0 && len(c.toSender) == 0) {
		f.cut()
	}
}

func (f *fixture) toReceiver(c *connection, b []byte) {
	if c.accepted {
		f.receiver.Receive(f.now, b)
		return
	}
	c.first = append(c.first, b...)
	first, rest, ok, err := session.ReadFirst(c.first)
	require.NoError(f.t, err)
	if !ok {
		return
	}
	require.True(f.t, first.Link)
	if code := f.receiver.Accept(f.now, *first.Hello); code != 0 {
		f.write(&c.toSender, 1, session.AppendRefusal(nil, code, "no"))
		return
	}
	c.accepted = true
	f.drain()
	f.receiver.Receive(f.now, rest)
}

// write puts bytes on their way in random pieces, up to the connection's budget.
func (f *fixture) write(way *[]chunk, direction int, b []byte) {
	b = b[:min(len(b), max(f.conn.budget[direction], 0))]
	f.conn.budget[direction] -= len(b)
	for len(b) > 0 {
		n := 1 + f.rng.IntN(len(b))
		*way = append(*way, chunk{f.now.Add(delay), b[:n]})
		b = b[n:]
	}
}

func (f *fixture) drain() {
	out := *f.sender.Output()
	*f.sender.Output() = link.SenderOutput{}
	in := *f.receiver.Output()
	*f.receiver.Output() = link.ReceiverOutput{}
	f.arrived = append(f.arrived, in.Messages...)
	if f.conn != nil {
		f.write(&f.conn.toReceiver, 0, out.Bytes)
		if f.conn.accepted {
			f.write(&f.conn.toSender, 1, in.Bytes)
		}
	}
	if out.Ended != "" {
		require.Empty(f.t, f.ended, "it ends once")
		f.ended = out.Ended
	}
	if in.Ended != "" {
		f.over = in.Ended
	}
	if out.Abort || out.Drop && f.ended == "" {
		f.cut()
	}
}

func (f *fixture) send(stream byte, n, size int) link.Outcome {
	outcome := f.sender.Send(token(stream), message(stream, n, size))
	f.drain()
	return outcome
}

// Every message arrives once and in order, however often the connection is cut, and wherever.
func TestOrderedAndComplete(t *testing.T) {
	for _, tt := range []struct {
		name          string
		count, size   int
		least, spread int
		cuts          int
	}{
		{"5,000 of 1 KB", 5000, 1 << 10, 100, 1 << 18, 20},
		{"100 of 200 KB", 100, 200 << 10, 70000, 2 << 20, 10},
		{"one of 15 MiB", 1, 15 << 20, 70000, 2 << 20, 5},
		{"one of 16 MiB", 1, link.MaxMessage, 0, 0, 0},
		{"empty ones", 3000, 0, 0, 5000, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, 7)
			f.least, f.spread = tt.least, tt.spread
			f.sender.Open(token(1), false)
			f.sender.Open(token(2), false)
			next := [3]int{}
			for n := 0; n < tt.count; {
				stream := byte(1 + n%2)
				if f.sender.Waiting() > link.MaxLink/4 {
					f.run(time.Millisecond, nil)
					continue
				}
				require.Equal(t, link.Sent, f.send(stream, n/2, tt.size))
				n++
				if n%8 == 0 {
					f.step()
				}
			}
			f.run(10*time.Minute, func() bool { return f.sender.Waiting() == 0 })
			require.Empty(t, f.ended)
			require.Len(t, f.arrived, tt.count)
			for _, m := range f.arrived {
				stream := m.Token[0]
				require.True(t, bytes.Equal(message(stream, next[stream], tt.size), m.Payload), "message %d of stream %d", next[stream], stream)
				next[stream]++
			}
			require.GreaterOrEqual(t, f.cuts, tt.cuts)
		})
	}
}

// What waits is bounded, for each stream and for all. The first message for which there is no room is told of, and so is the first
// one after there was room again.
func TestBounds(t *testing.T) {
	f := newFixture(t, 1)
	for stream := byte(1); stream <= 3; stream++ {
		f.sender.Open(token(stream), false)
	}
	f.run(time.Second, f.sender.Connected)
	f.frozen = true
	fill := func(stream byte) (sent, full, lost int) {
		for n := range 40 {
			switch f.send(stream, n, 1<<20) {
			case link.Sent:
				sent++
			case link.Full:
				full++
			case link.Lost:
				lost++
			}
		}
		return sent, full, lost
	}
	for stream := byte(1); stream <= 2; stream++ {
		sent, full, lost := fill(stream)
		require.Equal(t, []int{31, 1, 8}, []int{sent, full, lost}, "a stream may have %d bytes", link.MaxStream)
	}
	sent, full, lost := fill(3)
	require.Equal(t, []int{1, 1, 38}, []int{sent, full, lost}, "all together %d", link.MaxLink)
	require.LessOrEqual(t, f.sender.Waiting(), link.MaxLink)

	f.frozen = false
	f.run(time.Minute, func() bool { return f.sender.Waiting() == 0 })
	require.Len(t, f.arrived, 31+31+1)
	f.frozen = true
	_, full, lost = fill(1)
	require.Equal(t, []int{1, 8}, []int{full, lost})
	require.Equal(t, link.Full, f.send(2, 0, link.MaxMessage+1), "no message is longer")
}

// Many small messages are bounded by their number.
func TestSmallMessages(t *testing.T) {
	f := newFixture(t, 1)
	f.away = true
	f.sender.Open(token(1), false)
	for n := range 65536 {
		require.Equal(t, link.Sent, f.send(1, n, 0))
	}
	require.Equal(t, link.Full, f.send(1, 65536, 0))
	f.away = false
	f.run(time.Minute, func() bool { return f.sender.Waiting() == 0 })
	require.Len(t, f.arrived, 65536)
}

// Messages that need not arrive wait for the first connection, and later neither for a connection nor behind much else.
func TestUnreliableMessages(t *testing.T) {
	f := newFixture(t, 1)
	f.sender.Open(token(1), true)
	f.sender.Open(token(2), false)
	require.Equal(t, link.Sent, f.send(1, 0, 100))
	f.run(time.Second, func() bool { return len(f.arrived) == 1 })
	f.away = true
	f.cut()
	require.Equal(t, link.Lost, f.send(1, 1, 100))
	require.Equal(t, link.Sent, f.send(2, 0, 100))
	f.away = false
	f.run(time.Second, func() bool { return len(f.arrived) == 2 })
	f.frozen = true
	require.Equal(t, link.Sent, f.send(2, 1, link.Late-200))
	require.Equal(t, link.Lost, f.send(1, 2, 100), "it would be late")
	f.frozen = false
	f.run(time.Second, func() bool { return f.sender.Waiting() == 0 })
	require.Equal(t, link.Sent, f.send(1, 3, 100))
	f.run(time.Second, func() bool { return len(f.arrived) == 4 })
}

func TestStreamsThatAreNotOpen(t *testing.T) {
	f := newFixture(t, 1)
	require.Equal(t, link.Lost, f.send(1, 0, 1))
	f.sender.Open(token(1), false)
	require.Equal(t, 1, f.sender.Streams())
	require.Equal(t, link.Sent, f.send(1, 1, 1))
	f.sender.Close(token(1))
	require.Zero(t, f.sender.Streams())
	require.Equal(t, link.Lost, f.send(1, 2, 1))
	f.run(time.Second, func() bool { return len(f.arrived) == 1 })
	f.sender.End("done")
	f.drain()
	require.Equal(t, "done", f.ended)
	require.Equal(t, unit.Never, f.sender.NextTimeout())
	f.sender.End("once is enough")
	f.drain()
	require.Equal(t, "done", f.ended)
	f.run(time.Second, func() bool { return f.over == "done" })
}

func TestEnds(t *testing.T) {
	const patience = 2 * time.Minute
	for name, tt := range map[string]struct {
		happens func(f *fixture)
		ended   string
		after   time.Duration // at least
	}{
		"is never reached": {func(f *fixture) {
			f.sender = link.NewSender(f.now, session.SessionID{2})
			f.away = true
			f.cut()
		}, "not reached", link.OpenTime},
		"is away for long":    {func(f *fixture) { f.away = true; f.cut() }, "longer than its lease", session.Lease},
		"is stopped for long": {func(f *fixture) { f.frozen = true }, "longer than its lease", session.Lease},
		"restarts":            {func(f *fixture) { f.restart() }, "restarted", 0},
		"ends":                {func(f *fixture) { f.receiver.End("the node stops"); f.drain() }, "the node stops", 0},
		"refuses": {func(f *fixture) {
			f.receiver.End("")
			f.cut()
		}, "refuses the link: stopping", 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 5)
			f.sender.Open(token(1), false)
			f.run(time.Second, f.sender.Connected)
			begun := f.now
			tt.happens(f)
			f.run(patience, func() bool { return f.ended != "" })
			require.Contains(t, f.ended, tt.ended)
			require.GreaterOrEqual(t, f.now.Sub(begun), tt.after)
			require.Zero(t, f.sender.Streams())
			require.Equal(t, link.Lost, f.send(1, 1, 1))
		})
	}
}

// A node that is stopped for less than its lease loses nothing, and nothing ends.
func TestStoppedForAWhile(t *testing.T) {
	f := newFixture(t, 5)
	f.sender.Open(token(1), false)
	f.run(time.Second, f.sender.Connected)
	f.frozen = true
	for n := range 200 {
		require.Equal(t, link.Sent, f.send(1, n, 1000))
		f.run(100*time.Millisecond, nil)
	}
	f.frozen = false
	f.run(10*time.Second, func() bool { return len(f.arrived) == 200 })
	require.Empty(t, f.ended)
	require.Empty(t, f.over)
}
