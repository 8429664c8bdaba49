package runner_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/look"
	"gazpacho/engine/unit"
)

var roomR = look.RoomID{Router: "r"}

// There are more transports and consumers than one turn visits, on two shards and in two Routers.
func TestReadingsOfAllTransports(t *testing.T) {
	const transports, inOne = 150, 200
	r := newFixture(t, 2)
	other := r.newRouter("other")
	defer other.Close()
	r.plainIn("other", "elsewhere")
	in := r.plain("in")
	r.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	r.plain("many")
	for i := range inOne {
		r.Consume("many", fmt.Sprint("many", i), "p", unit.SSRC(5000+i))
	}
	for i := range transports {
		r.plain(fmt.Sprint("out", i))
	}
	in.receive(enginetest.KeyFrame(10, 1))
	r.settle()
	readings := map[string]look.Reading{}
	for _, reading := range r.runner.Readings() {
		require.NotContains(t, readings, reading.ID.Transport, "each once")
		readings[reading.ID.Transport] = reading
	}
	require.Len(t, readings, transports+3)
	require.Equal(t, look.RoomID{Router: "other"}, readings["elsewhere"].ID.RoomID)
	require.Equal(t, roomR, readings["in"].ID.RoomID)
	require.Equal(t, look.Plain, readings["in"].Kind)
	require.Positive(t, readings["in"].RecvBitrate)
	require.Positive(t, readings["many"].SendBitrate)
	require.Equal(t, 1, readings["in"].Producers)
	require.Equal(t, inOne, readings["many"].Consumers)
	require.Zero(t, readings["many"].Layers.Stopped)

	for i := range inOne / 2 {
		r.Must(fmt.Sprint("many", i), api.MethodConsumerPause, nil)
	}
	for _, reading := range r.runner.Readings() {
		if reading.ID.Transport == "many" {
			require.Equal(t, inOne/2, reading.Layers.Stopped)
		}
	}
}

func TestLookAtARoom(t *testing.T) {
	r := newFixture(t, 2)
	other := r.newRouter("other")
	defer other.Close()
	r.plainIn("other", "elsewhere")
	r.plain("in")
	r.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	for i := range 50 { // more than one turn looks at
		id := fmt.Sprintf("out%02d", i)
		r.plain(id)
		for j := range 20 {
			r.Consume(id, fmt.Sprintf("%s.%d", id, j), "p", unit.SSRC(5000+j))
		}
	}
	room := r.runner.LookAtRoom(roomR, "")
	require.Len(t, room.Transports, 51)
	require.False(t, room.More)
	require.Equal(t, "in", room.Transports[0].TransportID.Transport, "by their ids")
	require.Equal(t, "p", room.Transports[0].Producers[0].ID)
	for i, transport := range room.Transports[1:] {
		require.Equal(t, fmt.Sprintf("out%02d", i), transport.TransportID.Transport)
		require.Len(t, transport.Consumers, 20)
		require.Equal(t, "p", transport.Consumers[19].ProducerID)
		require.True(t, transport.Consumers[19].Active)
	}
	require.Len(t, r.runner.LookAtRoom(roomR, "out47").Transports, 2)
	require.Empty(t, r.runner.LookAtRoom(look.RoomID{Router: "unknown"}, "").Transports)

	transport, ok := r.runner.LookAtTransport(look.TransportID{RoomID: roomR, Transport: "out07"})
	require.True(t, ok)
	require.Equal(t, room.Transports[8], transport)
	r.CloseTransport("r", "out07")
	_, ok = r.runner.LookAtTransport(look.TransportID{RoomID: roomR, Transport: "out07"})
	require.False(t, ok)
}

// What does not fit into one answer follows in the next ones; of a transport with very many consumers, some are left out.
func TestLooksAreBounded(t *testing.T) {
	r := newFixture(t, 1)
	r.plain("in")
	r.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	for i := range 5 {
		id := fmt.Sprint("out", i)
		r.plain(id)
		for j := range 1100 {
			r.Consume(id, fmt.Sprintf("%s.%d", id, j), "p", unit.SSRC(5000+2*j))
		}
	}
	var ids []string
	after, answers := "", 0
	for more := true; more; answers++ {
		room := r.runner.LookAtRoom(roomR, after)
		for _, transport := range room.Transports {
			after = transport.TransportID.Transport
			ids = append(ids, after)
			if after != "in" {
				require.Len(t, transport.Consumers, 1000)
				require.Equal(t, 100, transport.Omitted)
			}
		}
		more = room.More
	}
	require.Equal(t, []string{"in", "out0", "out1", "out2", "out3", "out4"}, ids)
	require.Equal(t, 2, answers)
}

// A look goes on while transports close, and meets none that has closed.
func TestLooksWhileTransportsClose(t *testing.T) {
	const transports = 300
	r := newFixture(t, 2)
	r.plain("in")
	r.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	for i := range transports {
		id := fmt.Sprint("out", i)
		r.plain(id)
		r.Consume(id, "c"+id, "p", unit.SSRC(2000+i))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			r.runner.Readings()
			room := r.runner.LookAtRoom(roomR, "")
			for _, transport := range room.Transports {
				if transport.Kind != look.Plain {
					t.Errorf("%+v", transport)
				}
			}
			if len(room.Transports) == 1 {
				return
			}
		}
	}()
	for i := range transports {
		r.CloseTransport("r", fmt.Sprint("out", i))
	}
	<-done
}

// A transport out of service is shown as that, and nothing of what it holds.
func TestLookAtATransportOutOfService(t *testing.T) {
	r := newFixture(t, 1)
	in, faulty := r.plain("in"), r.plain("faulty")
	r.produce("in", "p")
	r.consume("faulty", "c", "p")
	faulty.Faulty = true
	in.receive(keyFrame(1))
	transport, ok := r.runner.LookAtTransport(look.TransportID{RoomID: roomR, Transport: "faulty"})
	require.True(t, ok)
	require.True(t, transport.Broken)
	require.Empty(t, transport.Consumers)
	for _, reading := range r.runner.Readings() {
		require.Equal(t, reading.ID.Transport == "faulty", reading.Troubled())
	}
}
