package wake_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wake"
)

func TestSignalIsSentOnceUntilItIsSeen(t *testing.T) {
	woken := 0
	var s wake.Signal
	s.Init(func() { woken++ })
	s.Send()
	s.Send()
	require.Equal(t, 1, woken)
	s.Seen()
	s.Seen()
	s.Send()
	require.Equal(t, 2, woken)
	s.Seen()
	s.Close()
	s.Send()
	s.Close()
	require.Equal(t, 2, woken)
}

// machine counts its output instead of storing it.
type machine struct {
	mu     sync.Mutex
	output int
	signal wake.Signal
}

func (m *machine) work() {
	m.mu.Lock()
	m.output++
	m.mu.Unlock()
	m.signal.Send()
}

func (m *machine) poll() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signal.Seen()
	n := m.output
	m.output = 0
	return n
}

// An owner that polls only when woken gets all output, however the goroutines interleave.
func TestNoOutputIsLeft(t *testing.T) {
	const goroutines, each = 4, 2000
	woken := make(chan struct{}, goroutines*each)
	m := &machine{}
	m.signal.Init(func() { woken <- struct{}{} })
	for range goroutines {
		go func() {
			for range each {
				m.work()
			}
		}()
	}
	for got := 0; got < goroutines*each; {
		<-woken // a lost signal would block the test here
		got += m.poll()
	}
}

// When Close has returned, wake is not running and is not called again.
func TestCloseWaitsForWake(t *testing.T) {
	for range 100 {
		var s wake.Signal
		closed := false // written after Close: a later call of wake would be a data race
		s.Init(func() { require.False(t, closed) })
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 100 {
					s.Send()
					s.Seen()
				}
			})
		}
		s.Close()
		closed = true
		group.Wait()
	}
}

func TestMove(t *testing.T) {
	src := append(make([]*int, 0, 4), new(1), new(2))
	whole := src[:4]
	dst := append(make([]*int, 0, 8), new(7), new(8), new(9))
	before := dst[:3]
	dst = wake.Move(dst, &src, 4)
	require.Equal(t, []*int{new(1), new(2)}, dst)
	require.Equal(t, []*int{nil, nil, nil, nil}, whole, "src keeps no references")
	require.Nil(t, before[2], "nor does the rest of dst")
	require.Empty(t, src)
	require.Equal(t, 4, cap(src))

	src = append(make([]*int, 0, 5), new(3))
	dst = wake.Move(dst, &src, 4)
	require.Equal(t, []*int{new(3)}, dst)
	require.Nil(t, src, "its capacity exceeds the limit")
}
