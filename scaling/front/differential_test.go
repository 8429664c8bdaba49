package front_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// requests is how many random requests each differential test makes: go test ./scaling/front -run Differential -requests 100000
var requests = flag.Int("requests", 2000, "random requests of each differential test")

// perConversation is how many requests a new worker gets before the next one takes its place.
const perConversation = 400

// compare makes the same random requests of one engine and of a front over three, and demands the same answers and the same events of
// each object. Up to atOnce requests are made without waiting for answers. It returns what the front has done.
func compare(t *testing.T, seed uint64, atOnce int, o front.Options) front.Counters {
	one, many := newEngine(t), newFrontOf(t, o)
	g := newGenerator(seed)
	var history []string
	for sent := 0; sent < perConversation; {
		var calls []call
		var got [2][]<-chan answer
		clear(g.unanswered)
		for range 1 + g.IntN(atOnce) {
			g.again = false
			c := g.next()
			if g.again || alone(c.method) && len(calls) > 0 {
				break // which of two Routers is first to use an id is defined only when one has answered
			}
			calls = append(calls, c)
			got[0] = append(got[0], one.send(c.method, c.handler, c.body))
			got[1] = append(got[1], many.send(c.method, c.handler, c.body))
			if alone(c.method) {
				break
			}
		}
		sent += len(calls)
		for i, c := range calls {
			want, have := receive(t, got[0][i]).describe(t), receive(t, got[1][i]).describe(t)
			history = append(history, fmt.Sprintf("%s %s %s\n  → %.300s", c.method, c.handler, normal(t, c.body), want))
			if want != have {
				require.Equal(t, want, have, "seed %d, request %d: %s %q %s\nbefore:\n%s", seed, sent, c.method, c.handler, normal(t, c.body), tail(history, 25))
			}
		}
	}
	same(t, one, many, fmt.Sprint("seed ", seed))
	one.worker.Close()
	many.worker.Close()
	return many.front().Counters()
}

// alone says that a request is about what belongs to several Routers, which do not wait for each other: its effect is defined only
// when what was asked before is answered.
func alone(m api.Method) bool {
	switch m {
	case api.MethodWorkerDump, api.MethodWebRtcServerDump, api.MethodWorkerWebRtcServerClose, api.MethodRouterCreateWebRtcTransportWithServer:
		return true
	}
	return false
}

func tail(history []string, n int) (text string) {
	for _, line := range history[max(0, len(history)-n):] {
		text += line + "\n"
	}
	return text
}

// same waits until both applications were told the same of each object.
func same(t *testing.T, one, many *app, what string) {
	t.Helper()
	describe := func(a *app) string {
		a.mu.Lock()
		defer a.mu.Unlock()
		all := map[string][]string{}
		for id, events := range a.events {
			for _, e := range events {
				if e.Event != api.EventTransportSCTPStateChange { // comes when the peer does not answer for long enough
					all[id] = append(all[id], e.Event.String()+" "+normal(t, e.Body))
				}
			}
		}
		return normal(t, all)
	}
	equal := false
	for range 200 {
		if equal = describe(one) == describe(many); equal {
			return
		}
		pause()
	}
	require.Equal(t, describe(one), describe(many), what)
}

func compareMany(t *testing.T, seed uint64, atOnce int, options func(seed uint64) front.Options) {
	var relays, dataRelays int
	used := map[string]int{}
	for n := range uint64(max(1, *requests/perConversation)) {
		c := compare(t, seed+n, atOnce, options(seed+n))
		relays, dataRelays = relays+c.Relays, dataRelays+c.DataRelays
		for node, transports := range c.Transports {
			used[node] += transports
		}
	}
	t.Log("relays:", relays, "of data:", dataRelays, "transports:", used)
	require.Positive(t, relays)
	require.Positive(t, dataRelays)
	require.Len(t, used, 4, "every node is used")
}

func near(uint64) front.Options { return options(3) }

func TestDifferentialOneByOne(t *testing.T) { compareMany(t, 1000, 1, near) }

func TestDifferentialPipelined(t *testing.T) { compareMany(t, 5000000, 12, near) }

func TestDifferentialOverDistantNodes(t *testing.T) {
	compareMany(t, 9000000, 12, func(seed uint64) front.Options { return distant(options(3), seed) })
}

// As many relays as can be are fed by others.
func TestDifferentialOverChains(t *testing.T) {
	compareMany(t, 13000000, 12, func(seed uint64) front.Options {
		o := distant(options(3), seed)
		o.FanOut = 1
		return o
	})
}
