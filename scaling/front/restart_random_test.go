package front_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// newRestartGenerator makes requests for addresses whose ports nothing else takes while a node is away.
func newRestartGenerator(seed uint64) *generator {
	g := newGenerator(seed)
	g.listen = own()
	g.wildcard.PortRange = unlikelyPorts
	return g
}

// unlikelyPorts are neither those that systems choose from nor mediasoup's.
var unlikelyPorts = &api.PortRange{Min: 5000, Max: 9999}

// inventory returns all objects but Routers and WebRtcServers, by id.
func (r *room) inventory() map[string]front.Item {
	all := map[string]front.Item{}
	for _, i := range r.front().Inventory() {
		all[i.ID] = i
	}
	return all
}

// extensionIDs of a transport may be those of producers that were closed, which are not kept.
var extensionIDs = regexp.MustCompile(`(?s)"RecvRTPHeaderExtensions": \{[^}]*\}`)

// dumpsOf returns what all objects are, as exactly as the application can see it.
func (r *room) dumpsOf(all map[string]front.Item) map[string]string {
	dumps := map[string]string{}
	for id, i := range all {
		if i.Dump != 0 {
			dumps[id] = extensionIDs.ReplaceAllString(r.try(i.Dump, id, nil).exactly(r.t), "")
		}
	}
	return dumps
}

// secured returns the transports whose keys are gone with their nodes, as far as dumps show it: a peer is known, and there is SRTP.
func (r *room) secured(all map[string]front.Item) map[string]bool {
	secured := map[string]bool{}
	for id, i := range all {
		if i.Dump != api.MethodTransportDump {
			continue
		}
		switch d := r.try(i.Dump, id, nil).body.(type) {
		case *api.PlainTransportDumpResponse:
			secured[id] = d.SRTPParameters != nil && d.Tuple.RemoteIP != ""
		case *api.PipeTransportDumpResponse:
			secured[id] = d.SRTPParameters != nil && d.Tuple.RemoteIP != ""
		}
	}
	return secured
}

// counts returns how many events of each kind each object had, but for those of quality and of SCTP.
func (a *app) counts() map[string]int {
	counts := map[string]int{}
	for _, what := range a.ends() {
		counts[what]++
	}
	return counts
}

// checkRestart restarts nodes, and demands that the application sees what it is to see, and no more.
func (r *room) checkRestart(connected map[string]bool, nodes []int) {
	t := r.t
	before := r.inventory()
	dumps, secured, told := r.dumpsOf(before), r.secured(before), r.counts()
	away := func(i front.Item) bool { return i.Node > 0 && slices.Contains(nodes, i.Node-1) }
	lost := map[string]bool{}
	for id, i := range before {
		if i.Transport == id && away(i) && (connected[id] || secured[id]) {
			lost[id] = true
			if connected[id] {
				told[id+" WEBRTCTRANSPORT_ICE_STATE_CHANGE"]++
				told[id+" WEBRTCTRANSPORT_DTLS_STATE_CHANGE"]++
			}
		}
	}
	closed, emptier := map[string]bool{}, map[string]bool{}
	for id, i := range before {
		if i.Producer != "" && lost[before[i.Producer].Transport] && !lost[i.Transport] && i.Node >= 0 {
			closed[id], emptier[i.Transport] = true, true
			if i.Dump == api.MethodConsumerDump {
				told[id+" CONSUMER_PRODUCER_CLOSE"]++
			} else {
				told[id+" DATACONSUMER_DATAPRODUCER_CLOSE"]++
			}
		}
	}
	r.restart(nodes...)
	after := r.dumpsOf(before)
	for id, i := range before {
		switch {
		case closed[id]:
			require.Contains(t, after[id], "not found", id)
		case lost[i.Transport] && i.Dump != 0:
			require.Contains(t, after[id], "is gone", id)
		case emptier[id]:
			require.NotContains(t, after[id], "is gone", id)
		case len(nodes) > 1: // consumers of one transport may come back in the order of their producers' nodes
			require.Equal(t, unordered(dumps[id]), unordered(after[id]), "%s, restarted: %v", id, nodes)
		default:
			require.Equal(t, dumps[id], after[id], "%s, restarted: %v", id, nodes)
		}
	}
	r.await("the application is told", func() bool { return maps.Equal(told, r.counts()) })
}

// checkNodes demands that the nodes hold what the tables say, and nothing else.
func (r *room) checkNodes() {
	r.t.Helper()
	known := r.must(api.MethodWorkerDump, "", nil).(*api.WorkerDumpResponse)
	settle := func() {
		for _, id := range known.RouterIDs {
			r.must(api.MethodRouterDump, id, nil) // answered when all is that was asked before
		}
		for _, n := range r.nodes {
			n.dump(r, known.RouterIDs...) // and what the front asks for by itself
		}
		r.front().Do(func() {})
	}
	for range 8 { // relays get other sources; unused ones end, those behind which others were after these
		settle() // no node counts as silent
		r.clock.advance(6 * time.Second)
		r.front().Do(func() {})
	}
	settle()
	all, hidden := r.inventory(), r.front().Hidden()
	for n, node := range r.nodes {
		want := map[string]bool{}
		for id, i := range all {
			if i.Node != n+1 {
				continue
			}
			want[id] = true
			for _, p := range append(i.Watched, i.Producer) {
				if p != "" {
					want[p] = true // here, or by a relay
				}
			}
		}
		for _, id := range r.front().Feeding(n) {
			want[id] = true
		}
		have := map[string]bool{}
		for _, id := range node.dump(r, known.RouterIDs...).ChannelMessageHandlers.ChannelRequestHandlers {
			switch {
			case strings.HasPrefix(id, "gazpacho/data/"):
			case strings.HasPrefix(id, "gazpacho/"):
				require.Contains(r.t, hidden, id, "node %d", n)
			case !slices.Contains(known.RouterIDs, id) && !slices.Contains(known.WebRtcServerIDs, id):
				have[id] = true
			}
		}
		require.Equal(r.t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(have)), "node %d", n)
	}
}

func (n *tampered) dump(r *room, routers ...string) *api.WorkerDumpResponse {
	ask := func(m api.Method, id string) answer {
		answers := make(chan answer, 1)
		r.front().Do(func() {
			n.Worker.HandleRequest(&api.Request{ID: 1 << 30, Method: m, HandlerID: id}, func(b api.ResponseBody, err error) { answers <- answer{b, err} })
		})
		return receive(r.t, answers)
	}
	for _, id := range routers {
		ask(api.MethodRouterDump, id) // a late worker does what is asked of a Router in its order, and the rest beside it
	}
	return ask(api.MethodWorkerDump, "").body.(*api.WorkerDumpResponse)
}

// Random objects over three nodes, of which one or two restart, again and again: what is restored is as it was, the application hears
// what it is to hear, and no node holds anything that it should not.
func TestRandomRestarts(t *testing.T) {
	for n := range uint64(max(1, *requests/perConversation)) {
		seed := 77000 + n
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := restartable(t, 3, func(o *front.Options) { o.FanOut = int(seed % 2) }) // chains in every second one
			g := newRestartGenerator(seed)
			connected := map[string]bool{}
			for range 4 {
				for range perConversation / 4 {
					c := g.next()
					r.try(c.method, c.handler, c.body)
				}
				for id, i := range r.inventory() {
					if d, ok := r.try(i.Dump, id, nil).body.(*api.WebRtcTransportDumpResponse); ok && !connected[id] && i.Node > 0 && g.IntN(3) == 0 {
						require.Equal(t, api.DTLSStateNew, d.DTLSState)
						connected[id] = true
						r.beginDTLS(i.Node-1, id, api.DTLSStateConnected)
					}
				}
				r.checkRestart(connected, g.Perm(3)[:1+g.IntN(2)])
				r.checkNodes()
			}
			r.checkEmpty()
		})
	}
}

func unordered(dump string) []string {
	lines := strings.Split(strings.ReplaceAll(dump, ",", ""), "\n")
	slices.Sort(lines)
	return lines
}

// checkEmpty closes all that there is, and demands that nothing is left.
func (r *room) checkEmpty() {
	r.t.Helper()
	known := r.must(api.MethodWorkerDump, "", nil).(*api.WorkerDumpResponse)
	for _, id := range known.RouterIDs {
		r.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: id})
	}
	for _, id := range known.WebRtcServerIDs {
		r.must(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: id})
	}
	require.Empty(r.t, r.inventory())
	require.Empty(r.t, r.front().Hidden())
	for i, n := range r.nodes {
		require.Empty(r.t, n.dump(r).ChannelMessageHandlers.ChannelRequestHandlers, "node %d", i)
	}
}

// Nodes restart at any time between requests that do not wait for each other, over nodes that answer late: every request is answered,
// and in the end nodes and tables agree.
func TestRestartsUnderRequests(t *testing.T) {
	for n := range uint64(max(1, *requests/perConversation)) {
		seed := 88000 + n
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			o := distant(options(3), seed)
			r := &room{clock: newClock(), nodes: tamper(&o)}
			for i := range o.Nodes {
				o.Nodes[i].Again = true
			}
			o.Clock, o.FanOut = r.clock, int(seed%2)
			r.app = newFrontOf(t, o)
			g := newRestartGenerator(seed)
			for range 8 {
				var answers []<-chan answer
				settle := func() {
					for _, a := range answers {
						receive(t, a)
					}
					answers = nil
				}
				send := func() {
					for range perConversation / 24 {
						c := g.next()
						if alone(c.method) {
							settle()
						}
						answers = append(answers, r.send(c.method, c.handler, c.body))
						if alone(c.method) {
							settle()
						}
					}
				}
				send()
				r.kill(g.Perm(3)[:1+g.IntN(2)]...)
				send()
				r.clock.advance(200 * time.Millisecond)
				send()
				settle()
				r.await("all is restored", func() bool { return len(r.front().Away()) == 0 })
				r.checkNodes()
			}
			r.checkEmpty()
		})
	}
}
