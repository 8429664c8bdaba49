package sctp_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

var (
	ordered   = sctp.SendOptions{Ordered: true}
	unordered = sctp.SendOptions{}
)

func text(stream uint16, format string, args ...any) sctp.Message {
	return sctp.Message{StreamID: stream, PPID: 51, Data: fmt.Appendf(nil, format, args...)}
}

func binary(stream uint16, n int) sctp.Message {
	return sctp.Message{StreamID: stream, PPID: 53, Data: bytes.Repeat([]byte("x"), n)}
}

func texts(messages []sctp.Message) (all []string) {
	for _, m := range messages {
		all = append(all, string(m.Data))
	}
	return all
}

func TestBothStart(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.pair(sctp.Config{}, simnet.Conditions{Delay: 20 * time.Millisecond})
	require.Equal(t, api.SCTPStateNew, a.State())
	require.Equal(t, unit.Never, a.NextTimeout())
	w.join(a, b)
	for _, e := range []*end{a, b} {
		require.Equal(t, []api.SCTPState{api.SCTPStateConnecting, api.SCTPStateConnected}, e.states)
		out, in := e.NegotiatedStreams()
		require.Equal(t, []uint16{math.MaxUint16, math.MaxUint16}, []uint16{out, in})
	}
}

func TestOneStarts(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.pair(sctp.Config{}, simnet.Conditions{Delay: 20 * time.Millisecond})
	a.connect()
	a.connect()
	w.Advance(time.Second)
	require.Equal(t, api.SCTPStateConnected, a.State())
	require.Equal(t, api.SCTPStateConnected, b.State())
}

func TestParameters(t *testing.T) {
	p := sctp.New(sctp.Config{IsDataChannel: true}).Parameters()
	require.Equal(t, &api.SCTPParameters{
		Port: 5000, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144, SendBufferSize: 2000000,
		PerStreamSendQueueLimit: 2000000, MaxReceiverWindowBufferSize: 5 << 20, IsDataChannel: true,
	}, p)
}

func TestMessagesOfAllKinds(t *testing.T) {
	w, a, b := quiet(t, sctp.Config{})
	sent := []sctp.Message{
		text(0, "text"),
		{StreamID: 1, PPID: 53, Data: []byte{0, 1, 2}},
		{StreamID: 1, PPID: 56, Data: []byte(" ")},
		{StreamID: 65534, PPID: 57, Data: []byte{0}},
		{StreamID: 2, PPID: 50, Data: []byte("DCEP, passed on")},
		{StreamID: 3, PPID: 123456, Data: bytes.Repeat([]byte("large"), 50000)},
		{StreamID: 4, PPID: 53, Data: bytes.Repeat([]byte("a"), 1156)},
		{StreamID: 4, PPID: 53, Data: bytes.Repeat([]byte("b"), 1157)},
	}
	for _, o := range []sctp.SendOptions{ordered, unordered} {
		for _, m := range sent {
			a.mustSay(m, o)
			b.mustSay(m, o)
		}
		w.Advance(time.Second)
		require.ElementsMatch(t, sent, b.take())
		require.ElementsMatch(t, sent, a.take())
	}
}

func TestMessagesWaitForTheConnection(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.pair(sctp.Config{}, simnet.Conditions{})
	a.mustSay(text(7, "early"), ordered)
	require.EqualValues(t, 5, a.BufferedAmount(7))
	w.join(a, b)
	require.Equal(t, []string{"early"}, texts(b.take()))
	require.Zero(t, a.BufferedAmount(7))
}

func TestOrder(t *testing.T) {
	w := newWorld(t, 7)
	a, b := w.joined(sctp.Config{}, simnet.Conditions{
		Delay: 10 * time.Millisecond, Loss: 0.05, Duplicate: 0.05, Reorder: 0.1, ReorderBy: 15 * time.Millisecond,
	})
	const n = 3000
	for i := range n {
		a.mustSay(text(uint16(i%3), "%d", i), ordered)
	}
	w.Advance(30 * time.Second)
	var next [3]int
	for _, m := range b.take() {
		require.Equal(t, fmt.Sprint(next[m.StreamID]*3+int(m.StreamID)), string(m.Data))
		next[m.StreamID]++
	}
	require.Equal(t, [3]int{n / 3, n / 3, n / 3}, next)
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, 1)
	a := w.end(sctp.Config{MaxSendMessageSize: 100, SendBufferSize: 1000, PerStreamSendQueueLimit: 250})
	send := func(id uint16, n int) error { return a.say(binary(id, n), ordered) }
	require.ErrorIs(t, send(1, 0), sctp.ErrEmpty)
	require.ErrorIs(t, send(1, 101), sctp.ErrTooLarge)
	for range 3 {
		require.NoError(t, send(1, 100))
	}
	require.ErrorIs(t, send(1, 1), sctp.ErrSendBufferFull, "the stream's limit")
	for id := uint16(2); id < 5; id++ {
		require.NoError(t, send(id, 100))
		require.NoError(t, send(id, 100))
	}
	require.NoError(t, send(6, 100))
	require.ErrorIs(t, send(7, 1), sctp.ErrSendBufferFull, "the association's limit")
	a.close()
	require.ErrorIs(t, send(1, 1), sctp.ErrNotConnected)
}

func TestReset(t *testing.T) {
	w, a, b := quiet(t, sctp.Config{})
	a.resetStreams()
	for round := range 5 {
		a.mustSay(text(5, "to b %d", round), ordered)
		b.mustSay(text(5, "to a %d", round), ordered)
		a.resetStreams(5)
		a.resetStreams(5)
		w.Advance(time.Second)
		require.Equal(t, []uint16{5}, b.takeResets())
		require.Equal(t, []string{fmt.Sprint("to b ", round)}, texts(b.take()))
		require.Equal(t, []string{fmt.Sprint("to a ", round)}, texts(a.take()), "b's direction is not touched")
	}
	require.Empty(t, a.resets)
}

func TestResetOfUnusedStreams(t *testing.T) {
	w, a, b := quiet(t, sctp.Config{})
	a.resetStreams(1, 2, 3)
	w.Advance(time.Second)
	require.Equal(t, []uint16{1, 2, 3}, b.takeResets())
	b.resetStreams(1, 2, 3)
	w.Advance(time.Second)
	require.Equal(t, []uint16{1, 2, 3}, a.takeResets())
}

// A reset takes its turn among the messages of its stream, whatever the network does.
func TestResetWaitsForTheQueue(t *testing.T) {
	w := newWorld(t, 3)
	a, b := w.joined(sctp.Config{}, simnet.Conditions{Delay: 10 * time.Millisecond, Loss: 0.1})
	for range 10 {
		a.mustSay(binary(9, 100000), ordered)
	}
	a.resetStreams(9)
	a.mustSay(text(9, "after"), ordered)
	a.resetStreams(9)
	a.mustSay(text(9, "in the end"), ordered)
	w.Advance(time.Minute)
	got := b.take()
	require.Len(t, got, 12)
	require.Equal(t, []string{"after", "in the end"}, texts(got[10:]))
	require.Equal(t, []uint16{9, 9}, b.takeResets())
}

func TestThousandsOfStreams(t *testing.T) {
	w := newWorld(t, 3)
	a, b := w.joined(sctp.Config{}, simnet.Conditions{Delay: 10 * time.Millisecond, Loss: 0.02})
	const n = 4096
	ids := make([]uint16, n)
	for round := range 2 {
		for i := range ids {
			ids[i] = uint16(i * 16)
			a.mustSay(text(ids[i], "%d of %d", round, i), ordered)
		}
		a.resetStreams(ids...)
		w.Advance(time.Minute)
		require.Len(t, b.take(), n)
		require.Equal(t, ids, b.takeResets())
	}
}

func TestBufferedAmountLow(t *testing.T) {
	w, a, b := quiet(t, sctp.Config{DefaultStreamBufferedAmountLowThreshold: 1000})
	require.EqualValues(t, 1000, a.BufferedAmountLowThreshold(4))
	a.SetBufferedAmountLowThreshold(4, 2000)
	require.EqualValues(t, 2000, a.BufferedAmountLowThreshold(4))
	for range 20 {
		a.mustSay(binary(4, 10000), ordered)
	}
	require.NotZero(t, a.BufferedAmount(4))
	w.Advance(time.Second)
	require.Len(t, b.take(), 20)
	require.Equal(t, []uint16{4}, a.low[len(a.low)-1:])
	require.Zero(t, a.BufferedAmount(4))
}

// A threshold that is set above the amount is reached at once.
func TestThresholdMeetsTheAmount(t *testing.T) {
	w := newWorld(t, 1)
	a := w.end(sctp.Config{})
	a.mustSay(text(1, "waits"), ordered)
	a.SetBufferedAmountLowThreshold(1, 4)
	a.drain()
	require.Empty(t, a.low)
	a.SetBufferedAmountLowThreshold(1, 5)
	a.drain()
	require.Equal(t, []uint16{1}, a.low)
}

func TestSmallMessageDoesNotCountAsBuffered(t *testing.T) {
	_, a, _ := quiet(t, sctp.Config{})
	a.mustSay(text(0, "foo"), ordered)
	require.Zero(t, a.BufferedAmount(0))
	require.Equal(t, []uint16{0}, a.low)
}

func TestPeerCloses(t *testing.T) {
	w, a, b := quiet(t, sctp.Config{})
	a.close()
	a.close()
	w.Advance(time.Second)
	require.Equal(t, api.SCTPStateClosed, b.State())
	require.ErrorIs(t, b.say(text(1, "x"), ordered), sctp.ErrNotConnected)
	require.Equal(t, api.SCTPStateClosed, a.State())
	require.NotContains(t, a.states, api.SCTPStateClosed, "who closes knows")
	require.Equal(t, unit.Never, b.NextTimeout())
	b.handle(nil)
	b.resetStreams(1)
	b.connect()
	require.Equal(t, unit.Never, b.NextTimeout())
}

func TestCloseWhileConnecting(t *testing.T) {
	w := newWorld(t, 1)
	a := w.end(sctp.Config{})
	a.MayConnect(w.Now())
	a.close()
	require.Empty(t, a.states)
	require.Equal(t, api.SCTPStateClosed, a.State())
}

func TestTooLargeMessagesAreDropped(t *testing.T) {
	for _, o := range []sctp.SendOptions{ordered, unordered} {
		w := newWorld(t, 1)
		a := w.end(sctp.Config{})
		b := w.end(sctp.Config{MaxReceiveMessageSize: 1000, MaxReceiverWindowBufferSize: 20000})
		w.wire(a, b, simnet.Conditions{})
		w.wire(b, a, simnet.Conditions{})
		w.join(a, b)
		for _, n := range []int{1001, 200000, 1000} { // the second is larger than the window
			a.mustSay(binary(1, n), o)
		}
		w.Advance(10 * time.Second)
		got := b.take()
		require.Len(t, got, 1)
		require.Len(t, got[0].Data, 1000)
		require.EqualValues(t, 2, b.Counters().MessageTooLarge)
	}
}
