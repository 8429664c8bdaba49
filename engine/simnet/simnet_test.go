package simnet_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

const start = unit.Time(1_000_000_000_000)

// trace sends n packets of size bytes, one each interval, and returns a line for each that arrives.
func trace(seed uint64, c simnet.Conditions, n, size int, interval time.Duration) ([]string, simnet.Stats) {
	net := simnet.New(seed, start)
	var lines []string
	link := net.Link(c, func(now unit.Time, data []byte) {
		lines = append(lines, fmt.Sprintf("%d@%v", data[0], now.Sub(start)))
	})
	for i := range n {
		net.After(time.Duration(i)*interval, func(unit.Time) {
			data := make([]byte, size)
			data[0] = byte(i)
			link.Send(data)
			data[0] = 255 // the link has its own copy
		})
	}
	net.Advance(time.Hour)
	return lines, link.Stats()
}

func TestLinks(t *testing.T) {
	for name, test := range map[string]struct {
		conditions simnet.Conditions
		want       []string
		stats      simnet.Stats
	}{
		"perfect": {
			simnet.Conditions{},
			[]string{"0@0s", "1@1ms", "2@2ms"},
			simnet.Stats{Sent: 3, Delivered: 3},
		},
		"delay": {
			simnet.Conditions{Delay: 50 * time.Millisecond},
			[]string{"0@50ms", "1@51ms", "2@52ms"},
			simnet.Stats{Sent: 3, Delivered: 3},
		},
		"all lost": {
			simnet.Conditions{Loss: 1},
			nil,
			simnet.Stats{Sent: 3, Lost: 3},
		},
		"all twice": {
			simnet.Conditions{Duplicate: 1},
			[]string{"0@0s", "0@0s", "1@1ms", "1@1ms", "2@2ms", "2@2ms"},
			simnet.Stats{Sent: 3, Delivered: 6, Duplicated: 3},
		},
		"1000 bytes at 1 Mbit/s take 8 ms": {
			simnet.Conditions{Rate: 1_000_000},
			[]string{"0@8ms", "1@16ms", "2@24ms"},
			simnet.Stats{Sent: 3, Delivered: 3},
		},
		"one packet may wait": {
			simnet.Conditions{Rate: 1_000_000, Queue: 1000},
			[]string{"0@8ms", "1@16ms"},
			simnet.Stats{Sent: 3, Delivered: 2, QueueDropped: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			lines, stats := trace(1, test.conditions, 3, 1000, time.Millisecond)
			require.Equal(t, test.want, lines)
			require.Equal(t, test.stats, stats)
		})
	}
}

func TestQueueDrains(t *testing.T) {
	_, stats := trace(1, simnet.Conditions{Rate: 1_000_000, Queue: 1000}, 100, 1000, 8*time.Millisecond)
	require.Equal(t, simnet.Stats{Sent: 100, Delivered: 100}, stats)
}

func TestHeldBackPacketsAreOvertaken(t *testing.T) {
	c := simnet.Conditions{Delay: 10 * time.Millisecond, Reorder: 0.3, ReorderBy: 3500 * time.Microsecond}
	lines, stats := trace(4, c, 40, 10, time.Millisecond)
	require.Equal(t, 40, stats.Delivered)
	require.NotZero(t, stats.Reordered)
	var order []int
	for _, line := range lines {
		var i int
		_, err := fmt.Sscanf(line, "%d@", &i)
		require.NoError(t, err)
		order = append(order, i)
	}
	require.False(t, slices.IsSorted(order))
}

func TestJitterKeepsTheOrder(t *testing.T) {
	c := simnet.Conditions{Delay: 10 * time.Millisecond, Jitter: 20 * time.Millisecond}
	lines, _ := trace(7, c, 100, 10, time.Millisecond)
	require.Len(t, lines, 100)
	perfect, _ := trace(7, simnet.Conditions{Delay: 10 * time.Millisecond}, 100, 10, time.Millisecond)
	require.NotEqual(t, perfect, lines)
	for i, line := range lines {
		require.Contains(t, line, fmt.Sprintf("%d@", i))
	}
}

func TestSameSeedSameRun(t *testing.T) {
	c := simnet.Conditions{
		Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.1, Duplicate: 0.05,
		Reorder: 0.1, ReorderBy: 15 * time.Millisecond, Rate: 2_000_000, Queue: 20000,
	}
	first, firstStats := trace(42, c, 200, 1000, 3*time.Millisecond)
	second, secondStats := trace(42, c, 200, 1000, 3*time.Millisecond)
	require.Equal(t, first, second)
	require.Equal(t, firstStats, secondStats)
	require.Equal(t, 200, firstStats.Delivered-firstStats.Duplicated+firstStats.Lost+firstStats.QueueDropped)
	require.NotZero(t, firstStats.Lost)
	other, _ := trace(43, c, 200, 1000, 3*time.Millisecond)
	require.NotEqual(t, first, other)
}

func TestConditionsChange(t *testing.T) {
	net := simnet.New(1, start)
	arrived := 0
	link := net.Link(simnet.Conditions{}, func(unit.Time, []byte) { arrived++ })
	link.Send([]byte{1})
	link.SetConditions(simnet.Conditions{Loss: 1})
	link.Send([]byte{2})
	net.Advance(0)
	require.Equal(t, 1, arrived)
}

// ponger answers each ping and sends one itself every second.
type ponger struct {
	next   unit.Time
	output [][]byte
	pongs  []time.Duration
}

func (p *ponger) NextTimeout() unit.Time { return p.next }

func (p *ponger) HandleTimeout(now unit.Time) {
	if now >= p.next {
		p.next = now.Add(time.Second)
		p.output = append(p.output, []byte("ping"))
	}
}

func (p *ponger) handle(now unit.Time, data []byte) {
	if string(data) == "ping" {
		p.output = append(p.output, []byte("pong"))
		return
	}
	p.pongs = append(p.pongs, now.Sub(start))
}

func TestMachinesBackToBack(t *testing.T) {
	net := simnet.New(1, start)
	a, b := &ponger{next: start.Add(time.Second)}, &ponger{next: unit.Never}
	var toA, toB *simnet.Link
	drain := func(p *ponger, l **simnet.Link) func(unit.Time) {
		return func(unit.Time) {
			for _, data := range p.output {
				(*l).Send(data)
			}
			p.output = nil
		}
	}
	drainA, drainB := drain(a, &toB), drain(b, &toA)
	c := simnet.Conditions{Delay: 30 * time.Millisecond}
	toB = net.Link(c, func(now unit.Time, data []byte) { b.handle(now, data); drainB(now) })
	toA = net.Link(c, func(now unit.Time, data []byte) { a.handle(now, data); drainA(now) })
	net.Attach(a, drainA)
	net.Attach(b, nil)

	require.Equal(t, start.Add(time.Second), net.NextEvent())
	net.Advance(3 * time.Second)
	require.Equal(t, []time.Duration{1060 * time.Millisecond, 2060 * time.Millisecond}, a.pongs)
	require.Equal(t, start.Add(3*time.Second), net.Now())
}

func TestStepUntilNothingIsLeft(t *testing.T) {
	net := simnet.New(1, start)
	require.Equal(t, unit.Never, net.NextEvent())
	require.False(t, net.Step())
	var order []string
	note := func(s string) func(unit.Time) { return func(unit.Time) { order = append(order, s) } }
	net.After(2*time.Second, note("second"))
	net.After(time.Second, note("first"))
	net.After(2*time.Second, note("third, made later"))
	net.At(start-5, note("the past is now"))
	for net.Step() {
	}
	require.Equal(t, []string{"the past is now", "first", "second", "third, made later"}, order)
	require.Equal(t, start.Add(2*time.Second), net.Now())
}

// stuck is always due.
type stuck struct{}

func (stuck) HandleTimeout(unit.Time) {}
func (stuck) NextTimeout() unit.Time  { return start }

func TestMachineThatStaysDue(t *testing.T) {
	net := simnet.New(1, start)
	net.Attach(stuck{}, nil)
	net.After(time.Hour, func(unit.Time) {})
	require.PanicsWithValue(t, "simnet: a machine stays due after its timeout was handled", func() { net.Advance(time.Second) })
}
