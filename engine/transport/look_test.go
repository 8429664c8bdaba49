package transport_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/look"
	"gazpacho/engine/unit"
)

// Readings are taken of all transports every few seconds, in pieces.
func TestReadingsInPieces(t *testing.T) {
	r := newFixture(t)
	in, out := r.connected(), r.connected()
	p := r.produce(in.Transport, "p", enginetest.Video(10))
	for i := range unit.SSRC(20) {
		r.wideConsumer(out.Transport, p, fmt.Sprint("c", i), 100+2*i, true)
	}
	r.receive(in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	r.receive(in, 0, peerAddr, []byte("neither RTP nor RTCP"))
	read := func(reading *look.Reading) (turns int) {
		for from, more := 0, true; more; turns++ {
			var visited int
			visited, more = out.Read(r.now, from, 7, reading)
			from += visited
		}
		return turns
	}
	var reading look.Reading
	require.Equal(t, 3, read(&reading))
	require.Equal(t, look.Plain, reading.Kind)
	require.Equal(t, 20, reading.Consumers)
	require.Positive(t, reading.SendBitrate)
	require.Positive(t, reading.EstimateOut)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		reading = look.Reading{}
		read(&reading)
	}))
	var sender look.Reading
	in.Read(r.now, 0, 100, &sender)
	require.EqualValues(t, 1, sender.Counters.Dropped)

	in.Close()
	visited, more := in.Read(r.now, 0, 1, &sender)
	require.Zero(t, visited)
	require.False(t, more)
	visited, _ = in.Look(r.now, 0, 1, 1, &look.Transport{})
	require.Zero(t, visited)
}
