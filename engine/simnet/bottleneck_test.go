package simnet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

const mbps unit.Bitrate = 1_000_000

// sendAll sends n packets of 1000 bytes at once and returns when each arrives.
func sendAll(net *simnet.Network, c simnet.Conditions, n int) (link *simnet.Link, arrived *[]time.Duration) {
	arrived = new([]time.Duration)
	link = net.Link(c, func(now unit.Time, _ []byte) { *arrived = append(*arrived, now.Sub(start)) })
	for range n {
		link.Send(make([]byte, 1000))
	}
	return link, arrived
}

func TestQueuesInTime(t *testing.T) {
	net := simnet.New(1, start)
	link, arrived := sendAll(net, simnet.Conditions{Rate: mbps, QueueTime: 16 * time.Millisecond}, 5)
	require.Equal(t, 24*time.Millisecond, link.Waits(), "one is on its way, two wait")
	net.Advance(time.Second)
	require.Equal(t, []time.Duration{8 * time.Millisecond, 16 * time.Millisecond, 24 * time.Millisecond}, *arrived)
	require.Equal(t, 2, link.Stats().QueueDropped)
	require.Equal(t, 3000, link.Passed())
}

func TestWhatWaitsLeavesAtTheNewRate(t *testing.T) {
	net := simnet.New(1, start)
	link, arrived := sendAll(net, simnet.Conditions{Rate: mbps}, 3)
	link.SetConditions(simnet.Conditions{Rate: mbps / 10})
	net.Advance(time.Second)
	require.Equal(t, []time.Duration{8 * time.Millisecond, 88 * time.Millisecond, 168 * time.Millisecond}, *arrived)
}

func TestTokenBuckets(t *testing.T) {
	net := simnet.New(1, start)
	_, arrived := sendAll(net, simnet.Conditions{Rate: mbps, Burst: 2000}, 4)
	net.Advance(time.Second)
	require.Equal(t, []time.Duration{0, 0, 8 * time.Millisecond, 16 * time.Millisecond}, *arrived)
}

func TestOverheadTakesTime(t *testing.T) {
	net := simnet.New(1, start)
	_, arrived := sendAll(net, simnet.Conditions{Rate: mbps, Overhead: 250}, 1)
	net.Advance(time.Second)
	require.Equal(t, []time.Duration{10 * time.Millisecond}, *arrived)
}

func TestStalls(t *testing.T) {
	net := simnet.New(1, start)
	link, arrived := sendAll(net, simnet.Conditions{Rate: mbps}, 1)
	link.Stall(time.Second)
	link.Send(make([]byte, 1000))
	require.GreaterOrEqual(t, link.Waits(), time.Second)
	net.Advance(2 * time.Second)
	require.Equal(t, []time.Duration{8 * time.Millisecond, 1008 * time.Millisecond}, *arrived, "the first one had begun")
}

func TestLossesInBursts(t *testing.T) {
	net := simnet.New(1, start)
	var missing []int
	next := 0
	link := net.Link(simnet.Conditions{Bursts: simnet.Bursts{Begin: 0.01, End: 0.2, Loss: 1}}, func(_ unit.Time, b []byte) {
		for n := int(b[0])<<8 | int(b[1]); next <= n; next++ {
			if next < n {
				missing = append(missing, next)
			}
		}
	})
	const packets = 20_000
	for i := range packets {
		link.Send([]byte{byte(i >> 8), byte(i)})
		net.Advance(time.Millisecond)
	}
	require.InDelta(t, 0.01/0.21, float64(len(missing))/packets, 0.01)
	together := 0
	for i := 1; i < len(missing); i++ {
		if missing[i] == missing[i-1]+1 {
			together++
		}
	}
	require.Greater(t, float64(together)/float64(len(missing)), 0.7, "most are next to another one")
}

func TestCoDelKeepsTheQueueShort(t *testing.T) {
	wait := func(managed bool) time.Duration {
		net := simnet.New(1, start)
		link := net.Link(simnet.Conditions{Delay: 20 * time.Millisecond, Rate: 5 * mbps, QueueTime: time.Second, CoDel: managed}, nil)
		flow := link.Cubic(20*time.Millisecond, time.Minute)
		net.Advance(10 * time.Second)
		sum, n := time.Duration(0), 0
		for ; n < 1000; n++ {
			net.Advance(10 * time.Millisecond)
			sum += link.Waits()
		}
		require.Greater(t, flow.Arrived()*8, int(5*mbps)*20*8/10, "the link is used")
		return sum / time.Duration(n)
	}
	require.Less(t, wait(true), 30*time.Millisecond)
	require.Greater(t, wait(false), 300*time.Millisecond)
}

func TestDownloadsShareALink(t *testing.T) {
	net := simnet.New(1, start)
	link := net.Link(simnet.Conditions{Delay: 20 * time.Millisecond, Rate: 10 * mbps, QueueTime: 100 * time.Millisecond}, nil)
	a := link.Cubic(20*time.Millisecond, time.Minute)
	net.Advance(time.Second)
	b := link.Cubic(20*time.Millisecond, time.Minute)
	constant := link.Constant(mbps, time.Minute)
	net.Advance(49 * time.Second)
	constant.Stop()
	arrived := constant.Arrived()
	net.Advance(10 * time.Second)
	require.InDelta(t, int(mbps)*49/8, arrived, 0.1*float64(mbps)*49/8, "what is constant loses little")
	require.InDelta(t, arrived, constant.Arrived(), 30_000, "but for what was under way")
	require.Greater(t, (a.Arrived()+b.Arrived())*8, int(10*mbps)*60*3/4)
	require.Greater(t, a.Arrived(), b.Arrived()/3)
	require.Greater(t, b.Arrived(), a.Arrived()/3)
	before := a.Arrived()
	net.Advance(10 * time.Second)
	require.InDelta(t, before, a.Arrived(), 2_000_000, "a minute is over")
}

func TestADownloadSurvivesAnOutage(t *testing.T) {
	net := simnet.New(1, start)
	good := simnet.Conditions{Delay: 20 * time.Millisecond, Rate: mbps, QueueTime: 100 * time.Millisecond}
	link := net.Link(good, nil)
	flow := link.Cubic(20*time.Millisecond, time.Minute)
	net.Advance(5 * time.Second)
	link.SetConditions(simnet.Conditions{Loss: 1})
	net.Advance(5 * time.Second)
	before := flow.Arrived()
	link.SetConditions(good)
	net.Advance(5 * time.Second)
	require.Greater(t, flow.Arrived()-before, int(mbps)*5/8/2)
}

func TestTraces(t *testing.T) {
	for name, trace := range map[string][]simnet.Segment{
		"LTE":   simnet.LTETrace(1, time.Minute, 4*mbps),
		"Wi-Fi": simnet.WiFiTrace(1, time.Minute, 20*mbps),
	} {
		t.Run(name, func(t *testing.T) {
			total, bits, stalled := time.Duration(0), 0.0, 0
			for _, s := range trace {
				total += s.Lasts
				bits += float64(s.Rate) * s.Lasts.Seconds()
				if s.Rate == 0 {
					stalled++
				}
			}
			require.InDelta(t, time.Minute, total, float64(time.Second))
			require.NotZero(t, stalled)

			net := simnet.New(1, start)
			link := net.Link(simnet.Conditions{Rate: mbps, QueueTime: 50 * time.Millisecond}, nil)
			link.Follow(trace)
			link.Constant(30*mbps, time.Minute) // more than passes
			net.Advance(total)
			require.InDelta(t, bits, float64(link.Passed()*8), bits/10)
		})
	}
}
