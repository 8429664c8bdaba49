package sctp_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
)

// patience is how long anything may take before a test fails; pion's timers are real ones.
const patience = 30 * time.Second

// end is an association with what came out of it so far.
type end struct {
	*sctp.Association
	wakes chan struct{}
	stop  chan struct{}
	done  chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	got     sctp.Output
	send    func(packet []byte)
}

func newEnd(cfg sctp.Config) *end {
	e := &end{wakes: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	e.changed = sync.NewCond(&e.mu)
	e.Association = sctp.New(cfg, func() {
		select {
		case e.wakes <- struct{}{}:
		default:
		}
	})
	return e
}

// run drains the association until the test ends, handing packets to send.
func (e *end) run(t *testing.T, send func([]byte)) {
	t.Helper()
	e.send = send
	go func() {
		defer close(e.done)
		for {
			select {
			case <-e.wakes:
				e.drain()
			case <-e.stop:
				return
			}
		}
	}()
	t.Cleanup(e.halt)
}

func (e *end) halt() {
	e.Close()
	select {
	case <-e.stop:
	default:
		close(e.stop)
		<-e.done
	}
	e.drain()
}

func (e *end) drain() {
	var out sctp.Output
	e.Poll(&out)
	for _, p := range out.Packets {
		e.send(p)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got.States = append(e.got.States, out.States...)
	e.got.Messages = append(e.got.Messages, out.Messages...)
	e.got.StreamsReset = append(e.got.StreamsReset, out.StreamsReset...)
	e.got.BufferedAmountLow = append(e.got.BufferedAmountLow, out.BufferedAmountLow...)
	e.changed.Broadcast()
}

// await waits until ok holds for what came out.
func (e *end) await(t *testing.T, what string, ok func(got *sctp.Output) bool) {
	t.Helper()
	timer := time.AfterFunc(patience, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.changed.Broadcast()
	})
	defer timer.Stop()
	deadline := time.Now().Add(patience)
	e.mu.Lock()
	defer e.mu.Unlock()
	for !ok(&e.got) {
		require.True(t, time.Now().Before(deadline), "waited in vain for %s, state %s, counters %+v, %d messages",
			what, e.State(), e.Counters(), len(e.got.Messages))
		e.changed.Wait()
	}
}

// seen returns what came out so far.
func (e *end) seen() sctp.Output {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.got
}

func (e *end) awaitState(t *testing.T, s api.SCTPState) {
	t.Helper()
	e.await(t, s.String(), func(got *sctp.Output) bool { return len(got.States) > 0 && got.States[len(got.States)-1] == s })
}

func (e *end) awaitMessages(t *testing.T, n int) []sctp.Message {
	t.Helper()
	e.await(t, "messages", func(got *sctp.Output) bool { return len(got.Messages) >= n })
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.got.Messages
	e.got.Messages = nil
	require.Len(t, m, n)
	return m
}

func (e *end) awaitReset(t *testing.T, ids ...uint16) {
	t.Helper()
	e.await(t, "reset", func(got *sctp.Output) bool { return len(got.StreamsReset) >= len(ids) })
	e.mu.Lock()
	defer e.mu.Unlock()
	require.ElementsMatch(t, ids, e.got.StreamsReset)
	e.got.StreamsReset = nil
}

// link carries packets from one end to the other without recursion; filter may drop or change them.
func link(t *testing.T, from, to *end, filter func([]byte) [][]byte) {
	t.Helper()
	from.run(t, func(p []byte) {
		if filter == nil {
			to.HandlePacket(p)
			return
		}
		for _, p := range filter(p) {
			to.HandlePacket(p)
		}
	})
}

func pair(t *testing.T, cfg sctp.Config) (a, b *end) {
	t.Helper()
	a, b = newEnd(cfg), newEnd(cfg)
	link(t, a, b, nil)
	link(t, b, a, nil)
	return a, b
}

func connect(t *testing.T, a, b *end) {
	t.Helper()
	a.MayConnect()
	b.MayConnect()
	a.awaitState(t, api.SCTPStateConnected)
	b.awaitState(t, api.SCTPStateConnected)
}

func connected(t *testing.T, cfg sctp.Config) (a, b *end) {
	t.Helper()
	a, b = pair(t, cfg)
	connect(t, a, b)
	return a, b
}

// eventually waits for something that no wake announces.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), "waited in vain for %s", what)
	}
}

// awaitGoroutines waits until no more goroutines run than before.
func awaitGoroutines(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			require.FailNow(t, "goroutines left", "%d > %d\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
	}
}
