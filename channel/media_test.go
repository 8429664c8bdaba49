package channel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
)

// startNarrow is start with room for 1 MiB of media, so that a test need not fill more.
func startNarrow(t *testing.T, w api.Worker) *app {
	t.Helper()
	a := setup(t, func(o *channel.Options) { o.MediaLimit = 1 << 20 })
	a.serve(w)
	return a
}

// rtp is a packet of n bytes for a consumer of a DirectTransport.
func rtp(consumer string, n int) *api.Notification {
	return &api.Notification{
		HandlerID: consumer, Event: api.EventConsumerRTP, Body: &api.ConsumerRTPNotification{Data: make([]byte, n)},
	}
}

// An event loop that stands still for seconds loses none of the packets that a recorder lives on: here 20 Mbit/s for 10 s.
func TestARecorderLosesNothingWhileTheEventLoopStands(t *testing.T) {
	const packets = 10 * 20_000_000 / 8 / 1200
	a := start(t, newWorker())
	for range packets {
		a.ch.Emit(rtp("c", 1200))
	}
	for range packets {
		require.Equal(t, api.EventConsumerRTP, a.read().(*api.Notification).Event)
	}
	a.stillWorks(1)
}

// What waits for the application has a bound in bytes, whatever it is, and what was lost is told at the level that is on by
// default, by number and by the objects concerned.
func TestMediaHasABoundInBytes(t *testing.T) {
	for name, limit := range map[string]int{"default": 0, "1 MiB": 1 << 20, "8 MiB": 8 << 20} {
		t.Run(name, func(t *testing.T) {
			a := setup(t, func(o *channel.Options) { o.MediaLimit = limit })
			a.serve(newWorker())
			if limit == 0 {
				limit = channel.DefaultMediaLimit
			}
			const length = 50_000
			sent := 0
			for ; a.ch.Queued() <= limit; sent++ {
				a.ch.Emit(rtp(fmt.Sprint("c", sent%10), length))
			}
			const more = 100
			for i := range more {
				a.ch.Emit(rtp(fmt.Sprint("c", i%10), length))
			}
			require.Less(t, a.ch.Queued(), limit+length+1000)
			got, reported := 0, ""
			for reported == "" {
				switch m := a.read().(type) {
				case *api.Notification:
					got++
				case *api.Log:
					reported = m.Data
				}
			}
			lost := 0
			_, err := fmt.Sscanf(reported, "Emessages dropped because the application reads slowly [media:%d, data:0, logs:0, notifications:0,", &lost)
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(reported, " of:c0 c1 c2 c3]"), reported)
			require.Positive(t, lost)
			for ; got < sent+more-lost; got++ { // what was queued behind the report
				require.IsType(t, &api.Notification{}, a.read())
			}
			a.stillWorks(1)
		})
	}
}

// An application that is always too slow is told, though the outbox never runs empty.
func TestLossesAreToldBeforeTheApplicationHasCaughtUp(t *testing.T) {
	a := startNarrow(t, newWorker())
	for range 2000 {
		a.ch.Emit(rtp("c", 1200))
	}
	for reads := 0; ; reads++ {
		if l, ok := a.read().(*api.Log); ok {
			require.Contains(t, l.Data, "Emessages dropped")
			break
		}
		require.Less(t, reads, 5000)
		if a.ch.Queued() < 300_000 {
			a.ch.Emit(rtp("c", 1200))
		}
	}
}
