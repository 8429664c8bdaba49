package runner_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// figures returns the sums over all shards.
func (r *fixture) figures() (all runner.Figures) {
	for _, f := range r.runner.Figures() {
		unit.Add(&all.Transports, &f.Transports)
		unit.Add(&all.Census, &f.Census)
		all.Placed += f.Placed
		all.Faults += f.Faults
	}
	return all
}

// There are more consumers than one turn visits, in one transport and in many, on two shards. What is closed stays counted.
func TestFiguresCountAllOnce(t *testing.T) {
	const transports, inOne, packets = 150, 200, 3
	r := newFixture(t, 2)
	in := r.plain("in")
	r.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	ssrc := unit.SSRC(2000)
	consume := func(transport, id string) {
		ssrc++
		r.Consume(transport, id, "p", ssrc)
	}
	r.plain("many")
	for i := range inOne {
		consume("many", fmt.Sprint("many", i))
	}
	for i := range transports {
		id := fmt.Sprint("out", i)
		r.plain(id)
		consume(id, "c"+id)
	}
	receive := func(first uint16) {
		for i := range packets {
			in.receive(enginetest.KeyFrame(10, unit.SeqNo(first)+unit.SeqNo(i)))
		}
		r.settle()
	}
	receive(1)
	f := r.figures()
	require.Equal(t, transports+2, f.Placed)
	require.Equal(t, transports+2, f.Census.Kinds[transport.KindPlain])
	require.Equal(t, 1, f.Census.VideoProducers)
	require.Equal(t, transport.ConsumerCensus{Active: transports + inOne}, f.Census.Video)
	require.EqualValues(t, packets, f.Transports.Transports.Traffic.Received.Packets)
	require.EqualValues(t, packets*(transports+inOne), f.Transports.Transports.Traffic.Sent.Packets)
	require.Zero(t, f.Transports.Consumers.Drops)
	datagrams := r.runner.Datagrams()
	require.Equal(t, f.Transports.Datagrams, datagrams)
	require.Equal(t, transport.Packets{Packets: packets, Bytes: f.Transports.Transports.Traffic.BytesReceived}, datagrams.Received)
	require.Equal(t, f.Transports.Transports.Traffic.BytesSent, datagrams.Sent.Bytes)
	require.GreaterOrEqual(t, datagrams.Sent.Packets, uint64(packets*(transports+inOne)), "and RTCP")

	r.Must("many0", api.MethodConsumerPause, nil)
	r.Must("p", api.MethodProducerPause, nil)
	receive(1 + packets) // dropped by the producer
	f = r.figures()
	require.Equal(t, transport.ConsumerCensus{Stopped: transports + inOne}, f.Census.Video)
	require.Equal(t, 1, f.Census.PausedProducers)
	require.EqualValues(t, packets, f.Transports.Producers.Drops.Paused)

	// What was not collected before is collected when it is closed.
	r.Must("p", api.MethodProducerResume, nil)
	receive(1 + 2*packets)
	for i := range transports {
		r.Must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: fmt.Sprint("out", i)})
	}
	r.CloseConsumer("many", "many1")
	r.CloseProducer("in", "p")
	f = r.figures()
	require.Equal(t, 2, f.Placed)
	require.Zero(t, f.Census.Video)
	require.Zero(t, f.Census.VideoProducers)
	require.EqualValues(t, packets*(2*(transports+inOne)-1), f.Transports.Transports.Traffic.Sent.Packets, "a paused consumer got none")
	require.EqualValues(t, packets, f.Transports.Producers.Drops.Paused)
	require.Equal(t, f.Transports, r.figures().Transports, "nothing is counted twice")
}

// A transport that closes between two turns of a visit is counted, and so are all others.
func TestTransportsThatCloseWhileTheyAreVisited(t *testing.T) {
	const transports = 300
	r := newFixture(t, 1)
	in := r.plain("in")
	r.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	for i := range transports {
		id := fmt.Sprint("out", i)
		r.plain(id)
		r.Consume(id, "c"+id, "p", unit.SSRC(2000+i))
	}
	done := make(chan uint64)
	go func() {
		var last uint64
		for f := r.figures(); ; f = r.figures() {
			n := f.Transports.Transports.Traffic.Sent.Packets
			if n < last {
				t.Errorf("a counter went back from %d to %d", last, n)
			}
			if last = n; f.Placed == 1 {
				break
			}
		}
		done <- last
	}()
	want := 0
	for i := range transports {
		in.receive(enginetest.KeyFrame(10, unit.SeqNo(i+1)))
		want += transports - i
		r.Must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: fmt.Sprint("out", i)})
	}
	require.EqualValues(t, want, <-done)
}

func TestFaultsAreCounted(t *testing.T) {
	r := newFixture(t, 1)
	in, faulty := r.plain("in"), r.plain("faulty")
	r.produce("in", "p")
	r.consume("faulty", "c", "p")
	faulty.Faulty = true
	in.receive(keyFrame(1))
	f := r.figures()
	require.EqualValues(t, 1, f.Faults)
	require.Equal(t, 1, f.Census.Broken)
	require.Equal(t, 1, f.Census.Kinds[transport.KindPlain])
}
