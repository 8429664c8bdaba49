package look_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/look"
)

var room = look.RoomID{Owner: look.Owner{Application: "app", Tenant: "tenant"}, Router: "r"}

func transport(id string) look.TransportID { return look.TransportID{RoomID: room, Transport: id} }

// reading returns one that has sent so many packets again.
func reading(id string, again uint64) look.Reading {
	return look.Reading{
		ID: transport(id), Kind: look.WebRtc, HasICE: true, ICE: api.ICEStateCompleted, DTLS: api.DTLSStateConnected,
		SendBitrate: 1000, LossOut: 0.5, Counters: look.Counters{Retransmitted: again},
	}
}

// Counters are told by how much they grew: not what was before the first sample, and nothing where they fell since something was closed.
func TestSamplesHaveWhatHappenedSinceTheOneBefore(t *testing.T) {
	var h look.History
	for i, again := range []uint64{100, 103, 103, 50, 52} {
		h.Take(uint32(10*i), []look.Reading{reading("t", again)})
	}
	var grown []uint64
	for i, s := range h.Of(transport("t")) {
		grown = append(grown, s.Retransmitted)
		require.EqualValues(t, 10*i, s.At)
		require.Equal(t, "completed", s.ICE)
		require.Equal(t, "connected", s.DTLS)
		require.EqualValues(t, 1000, s.SendBitrate)
		require.InDelta(t, 0.5, s.LossOut, 1e-4)
	}
	require.Equal(t, []uint64{0, 3, 0, 0, 2}, grown)
}

func TestTheLastTenMinutesAreKept(t *testing.T) {
	var h look.History
	for i := range 150 {
		h.Take(uint32(i), []look.Reading{reading("t", 0)})
		samples := h.Of(transport("t"))
		require.Len(t, samples, min(i+1, look.MaxSamples))
		require.EqualValues(t, i, samples[len(samples)-1].At)
		require.EqualValues(t, max(0, i+1-look.MaxSamples), samples[0].At)
	}
}

func TestTransportsThatAreGoneAreForgotten(t *testing.T) {
	var h look.History
	h.Take(1, []look.Reading{reading("a", 0), reading("b", 0), reading("a", 7)}) // a walk may meet one twice
	require.Len(t, h.Of(transport("a")), 1)
	h.Take(2, []look.Reading{reading("b", 0)})
	require.Empty(t, h.Of(transport("a")))
	require.Len(t, h.Of(transport("b")), 2)
	h.Clear()
	require.Empty(t, h.Of(transport("b")))
}

// What does not fit into a sample is as much as does.
func TestLargeNumbers(t *testing.T) {
	var h look.History
	r := reading("t", 0)
	h.Take(1, []look.Reading{r})
	r.SendBitrate, r.RTT, r.LossIn, r.LossOut = 1<<60, 1e9, -1, 7
	r.Counters.Dropped, r.Layers.Spatial[3] = 1<<40, 1<<20
	h.Take(2, []look.Reading{r})
	s := h.Of(transport("t"))[1]
	require.EqualValues(t, 1<<32-1, s.SendBitrate)
	require.EqualValues(t, 1<<16-1, s.RTT)
	require.EqualValues(t, 1<<16-1, s.Dropped)
	require.Equal(t, 1<<16-1, s.Layers.Spatial[3])
	require.Zero(t, s.LossIn)
	require.EqualValues(t, 1, s.LossOut)
}

func TestATransportTakesAtMostFourKilobytes(t *testing.T) {
	const transports = 2000
	readings := make([]look.Reading, transports)
	for i := range readings {
		readings[i] = reading(fmt.Sprintf("%036d", i), 0)
	}
	var h look.History
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := used()
	for i := range 2 * look.MaxSamples {
		h.Take(uint32(i), readings)
	}
	require.Less(t, (used()-before)/transports, uint64(4096))
	runtime.KeepAlive(&h)
}

func TestSamplesOfARouter(t *testing.T) {
	var h look.History
	a, b := reading("a", 0), reading("b", 0)
	a.LossIn, a.EstimateOut, a.RTT, a.Layers.None = 0.1, 0, 20, 1
	b.LossIn, b.EstimateOut, b.RTT = 0.2, 5000, 10
	h.Take(10, []look.Reading{a})
	h.Take(20, []look.Reading{a, b})
	both := h.Together([]look.TransportID{transport("a"), transport("b"), transport("unknown")})
	require.Len(t, both, 2)
	require.EqualValues(t, 1000, both[0].SendBitrate)
	require.EqualValues(t, 2000, both[1].SendBitrate)
	require.InDelta(t, 0.2, both[1].LossIn, 1e-4)
	require.EqualValues(t, 5000, both[1].EstimateOut)
	require.EqualValues(t, 20, both[1].RTT)
	require.Equal(t, 1, both[1].None)

	later := []look.RoomSample{{At: 30, SendBitrate: 1}}
	require.Len(t, look.Merge(later, both), 3)
	require.Len(t, look.Merge(both, later), 3)
	require.EqualValues(t, 30, look.Merge(later, both)[2].At)
}
