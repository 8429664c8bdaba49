package sctp_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
)

var ordered = sctp.SendOptions{Ordered: true}

func ptr[T any](v T) *T { return &v }

func TestBothStart(t *testing.T) {
	a, b := pair(t, sctp.Config{})
	require.Equal(t, api.SCTPStateNew, a.State())
	connect(t, a, b)
	for _, e := range []*end{a, b} {
		require.Equal(t, []api.SCTPState{api.SCTPStateConnecting, api.SCTPStateConnected}, e.seen().States)
		out, in := e.NegotiatedStreams()
		require.Equal(t, []uint16{math.MaxUint16, math.MaxUint16}, []uint16{out, in})
	}
}

func TestOneStarts(t *testing.T) {
	a, b := pair(t, sctp.Config{})
	a.MayConnect()
	a.awaitState(t, api.SCTPStateConnected)
	b.awaitState(t, api.SCTPStateConnected)
}

func TestParameters(t *testing.T) {
	p := sctp.New(sctp.Config{IsDataChannel: true}, func() {}).Parameters()
	require.Equal(t, &api.SCTPParameters{
		Port: 5000, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144, SendBufferSize: 2000000,
		PerStreamSendQueueLimit: 2000000, MaxReceiverWindowBufferSize: 5 << 20, IsDataChannel: true,
	}, p)
}

func TestMessagesOfAllKinds(t *testing.T) {
	a, b := connected(t, sctp.Config{})
	sent := []sctp.Message{
		{StreamID: 0, PPID: 51, Data: []byte("text")},
		{StreamID: 1, PPID: 53, Data: []byte{0, 1, 2}},
		{StreamID: 1, PPID: 56, Data: []byte(" ")},
		{StreamID: 65534, PPID: 57, Data: []byte{0}},
		{StreamID: 2, PPID: 50, Data: []byte("DCEP, passed on")},
		{StreamID: 3, PPID: 123456, Data: bytes.Repeat([]byte("large"), 50000)},
	}
	for _, m := range sent {
		require.NoError(t, a.Send(m, ordered))
	}
	got := b.awaitMessages(t, len(sent))
	require.ElementsMatch(t, sent, got)
	for _, m := range sent {
		require.NoError(t, b.Send(m, sctp.SendOptions{}))
	}
	require.ElementsMatch(t, sent, a.awaitMessages(t, len(sent)))
}

func TestMessagesWaitForTheConnection(t *testing.T) {
	a, b := pair(t, sctp.Config{})
	require.NoError(t, a.Send(sctp.Message{StreamID: 7, PPID: 51, Data: []byte("early")}, ordered))
	require.EqualValues(t, 5, a.BufferedAmount(7))
	connect(t, a, b)
	require.Equal(t, "early", string(b.awaitMessages(t, 1)[0].Data))
	require.Zero(t, a.BufferedAmount(7))
}

func TestOrder(t *testing.T) {
	a, b := connected(t, sctp.Config{})
	const n = 3000
	for i := range n {
		require.NoError(t, a.Send(sctp.Message{StreamID: uint16(i % 3), PPID: 51, Data: fmt.Append(nil, i)}, ordered))
	}
	var next [3]int
	for _, m := range b.awaitMessages(t, n) {
		want := next[m.StreamID]*3 + int(m.StreamID)
		require.Equal(t, fmt.Sprint(want), string(m.Data))
		next[m.StreamID]++
	}
}

func TestRefusals(t *testing.T) {
	a := sctp.New(sctp.Config{MaxSendMessageSize: 100, SendBufferSize: 1000, PerStreamSendQueueLimit: 250}, func() {})
	send := func(id uint16, n int) error {
		return a.Send(sctp.Message{StreamID: id, PPID: 53, Data: make([]byte, n)}, ordered)
	}
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
	a.Close()
	require.ErrorIs(t, send(1, 1), sctp.ErrNotConnected)
}

func TestReset(t *testing.T) {
	a, b := connected(t, sctp.Config{})
	a.ResetStreams()
	for round := range 5 {
		require.NoError(t, a.Send(sctp.Message{StreamID: 5, PPID: 51, Data: fmt.Append(nil, "to b ", round)}, ordered))
		require.NoError(t, b.Send(sctp.Message{StreamID: 5, PPID: 51, Data: fmt.Append(nil, "to a ", round)}, ordered))
		a.ResetStreams(5)
		b.awaitReset(t, 5)
		require.Equal(t, fmt.Sprint("to b ", round), string(b.awaitMessages(t, 1)[0].Data))
		require.Equal(t, fmt.Sprint("to a ", round), string(a.awaitMessages(t, 1)[0].Data), "b's direction is not touched")
	}
	require.Empty(t, a.seen().StreamsReset)
}

func TestResetOfUnusedStreams(t *testing.T) {
	a, b := connected(t, sctp.Config{})
	a.ResetStreams(1, 2, 3)
	b.awaitReset(t, 1, 2, 3)
	b.ResetStreams(1, 2, 3)
	a.awaitReset(t, 1, 2, 3)
}

func TestResetWaitsForTheQueue(t *testing.T) {
	a, b := connected(t, sctp.Config{})
	data := bytes.Repeat([]byte("x"), 100000)
	for range 10 {
		require.NoError(t, a.Send(sctp.Message{StreamID: 9, PPID: 53, Data: data}, ordered))
	}
	a.ResetStreams(9)
	require.NoError(t, a.Send(sctp.Message{StreamID: 9, PPID: 51, Data: []byte("after")}, ordered))
	b.awaitMessages(t, 11)
	b.awaitReset(t, 9)
}

func TestBufferedAmountLow(t *testing.T) {
	a, b := connected(t, sctp.Config{DefaultStreamBufferedAmountLowThreshold: 1000})
	require.EqualValues(t, 1000, a.BufferedAmountLowThreshold(4))
	a.SetBufferedAmountLowThreshold(4, 2000)
	require.EqualValues(t, 2000, a.BufferedAmountLowThreshold(4))
	data := make([]byte, 10000)
	for range 20 {
		require.NoError(t, a.Send(sctp.Message{StreamID: 4, PPID: 53, Data: data}, ordered))
	}
	a.await(t, "low", func(got *sctp.Output) bool { return len(got.BufferedAmountLow) > 0 })
	b.awaitMessages(t, 20)
	require.EqualValues(t, 4, a.seen().BufferedAmountLow[0])
	require.Zero(t, a.BufferedAmount(4))
}

func TestSmallMessageDoesNotCountAsBuffered(t *testing.T) {
	a, _ := connected(t, sctp.Config{})
	require.NoError(t, a.Send(sctp.Message{StreamID: 0, PPID: 51, Data: []byte("foo")}, ordered))
	require.Zero(t, a.BufferedAmount(0))
	a.await(t, "low", func(got *sctp.Output) bool { return len(got.BufferedAmountLow) == 1 })
}

func TestPeerCloses(t *testing.T) {
	a, b := connected(t, sctp.Config{})
	a.halt()
	b.awaitState(t, api.SCTPStateClosed)
	require.ErrorIs(t, b.Send(sctp.Message{PPID: 51, Data: []byte("x")}, ordered), sctp.ErrNotConnected)
	require.Equal(t, api.SCTPStateClosed, a.State())
	require.NotContains(t, a.seen().States, api.SCTPStateClosed, "who closes knows")
}

func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	const count = 200 // beside which it does not matter whether goroutines of another test end just now
	var idle []*sctp.Association
	for range count {
		idle = append(idle, sctp.New(sctp.Config{}, func() {}))
	}
	require.Less(t, runtime.NumGoroutine(), before+count, "an idle association has no goroutine")
	for _, a := range idle {
		a.Close()
		a.Close()
	}
	for range count {
		a := newEnd(sctp.Config{})
		b := newEnd(sctp.Config{})
		link(t, a, b, nil)
		link(t, b, a, nil)
		connect(t, a, b)
		require.NoError(t, a.Send(sctp.Message{StreamID: 1, PPID: 51, Data: []byte("x")}, ordered))
		b.awaitMessages(t, 1)
		a.halt()
		b.halt()
	}
	awaitGoroutines(t, before)
}

func TestCloseWhileConnecting(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 800 {
		a := sctp.New(sctp.Config{}, func() {})
		a.MayConnect()
		a.Close()
		var out sctp.Output
		a.Poll(&out)
		require.Empty(t, out.States)
		require.Equal(t, api.SCTPStateClosed, a.State())
	}
	awaitGoroutines(t, before)
}

// TestHeartbeatsAreComplete: a HEARTBEAT has information (RFC 9260 section 3.3.5), without which some peers fail.
func TestHeartbeatsAreComplete(t *testing.T) {
	const heartbeat, header = 4, 12
	a, b := newEnd(sctp.Config{}), newEnd(sctp.Config{})
	var mu sync.Mutex
	var lengths []uint16
	link(t, a, b, func(p []byte) [][]byte {
		if p[header] == heartbeat {
			mu.Lock()
			defer mu.Unlock()
			lengths = append(lengths, binary.BigEndian.Uint16(p[header+2:]))
		}
		return [][]byte{p}
	})
	link(t, b, a, nil)
	connect(t, a, b)
	for range 10 {
		a.Heartbeat()
		require.NoError(t, a.Send(sctp.Message{StreamID: 1, PPID: 53, Data: []byte("after")}, ordered))
		b.awaitMessages(t, 1)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, length := range lengths {
		require.Greater(t, length, uint16(4))
	}
}
