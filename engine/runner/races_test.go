package runner_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// flood has a socket receive packets until the function that it returns is called, which returns the next sequence number.
func flood(in *socket) (stop func() unit.SeqNo) {
	stopped, seq := make(chan struct{}), make(chan unit.SeqNo)
	go func() {
		next := unit.SeqNo(0)
		for {
			select {
			case <-stopped:
				seq <- next
				return
			default:
				in.receive(keyFrames(next, 4)...)
				next += 4
			}
		}
	}()
	return func() unit.SeqNo {
		close(stopped)
		return <-seq
	}
}

// Requests race with media to three shards. Each consumer notifies of each change once and in order, and sends nothing between the
// pausing and the resuming of its producer.
func TestChangesOfAProducerComeOnceAndInOrderUnderLoad(t *testing.T) {
	const consumers, rounds = 9, 40
	events := []api.Event{
		api.EventConsumerRTP, api.EventConsumerProducerPause, api.EventConsumerProducerResume, api.EventConsumerProducerClose,
	}
	for name, end := range map[string]func(r *fixture){
		"closed by itself":      closings["producer"],
		"closed with transport": closings["producer's transport"],
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, 3)
			for i := range consumers {
				r.directOn(i%3, fmt.Sprint("out", i))
			}
			in := r.plainOn(0, "in")
			r.produce("in", "p")
			for i := range consumers {
				r.consume(fmt.Sprint("out", i), fmt.Sprint("c", i), "p")
			}
			stop := flood(in)
			for i := range rounds {
				r.Must("p", api.MethodProducerPause, nil)
				mine := fmt.Sprint("c", i%consumers)
				r.Must(mine, api.MethodConsumerPause, nil)
				r.Must("p", api.MethodProducerResume, nil)
				r.Must(mine, api.MethodConsumerResume, nil)
			}
			in.receive(keyFrames(stop(), 2)...)
			r.settle()
			stop = flood(in)
			end(r)
			stop()
			for i := range consumers {
				var changes, media int
				paused, closed := false, false
				for _, n := range r.notified(fmt.Sprint("c", i), events...) {
					require.False(t, closed, "nothing comes after the end")
					switch n.event {
					case api.EventConsumerRTP:
						media++
						require.False(t, paused, "no media while paused")
					case api.EventConsumerProducerPause, api.EventConsumerProducerResume:
						changes++
						require.Equal(t, n.event == api.EventConsumerProducerResume, paused)
						paused = !paused
					default:
						closed = true
					}
				}
				require.True(t, closed)
				require.Equal(t, 2*rounds, changes)
				require.NotZero(t, media)
			}
			r.requireAllReleased()
		})
	}
}

// Messages and changes of their producer keep their order on all shards.
func TestChangesOfADataProducerKeepTheirPlaceAmongMessages(t *testing.T) {
	h := newDataHall(t)
	var want []notified
	for i := range 50 {
		for j := range 3 {
			data := fmt.Sprint(i, j)
			h.send(data)
			want = append(want, notified{event: api.EventDataConsumerMessage, data: data})
		}
		for range 2 { // the second changes nothing
			h.Must("p", api.MethodDataProducerPause, nil)
		}
		h.send("lost")
		for range 2 {
			h.Must("p", api.MethodDataProducerResume, nil)
		}
		want = append(want, notified{event: api.EventDataConsumerDataProducerPause}, notified{event: api.EventDataConsumerDataProducerResume})
	}
	h.Must("p", api.MethodDataProducerPause, nil)
	want = append(want, notified{event: api.EventDataConsumerDataProducerPause})
	h.CloseTransport("r", "in")
	want = append(want, notified{event: api.EventDataConsumerDataProducerClose})
	for _, id := range h.consumers {
		for i := range want {
			want[i].id = id
		}
		require.Equal(t, want, h.notified(id))
	}
}
