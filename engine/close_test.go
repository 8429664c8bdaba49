package engine_test

import (
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// blast sends media of one stream to a transport until stop is closed.
func blast(group *sync.WaitGroup, from *peer, to *api.TransportTuple, stop <-chan struct{}) {
	target := netip.AddrPortFrom(netip.MustParseAddr(to.LocalAddress), to.LocalPort)
	group.Go(func() {
		for seq := uint16(1); ; seq++ {
			select {
			case <-stop:
				return
			default:
			}
			_, _ = from.conn.WriteToUDPAddrPort(packetOf(10, seq, 200), target) // nobody may be there any more
		}
	})
}

// within fails the test when f hangs.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		stacks := make([]byte, 1<<20)
		t.Fatalf("it hangs:\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// Whatever is closed while media flows between shards, the request returns, and so does closing the worker.
func TestNothingHangsThatIsClosedUnderLoad(t *testing.T) {
	for name, end := range map[string]func(a *app){
		"producer": func(a *app) {
			a.must("in", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "p"})
		},
		"producer's transport": func(a *app) {
			a.must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "in"})
		},
		"consumer's transport": func(a *app) {
			a.must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "A"})
		},
		"router": func(a *app) { a.must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r"}) },
		"server": func(a *app) {
			a.must("", api.MethodWorkerWebRtcServerClose, &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
		},
		"worker": func(a *app) { a.worker.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, engine.Options{Shards: 2})
			a.router("r")
			a.server("s")
			source, sink := newPeer(t), newPeer(t)
			in := a.plain("r", "in", plainOptions())
			a.connect("in", source.addr())
			a.produce("in", "p", api.MediaKindVideo, video(10))
			for i := range 24 { // more than stay on one shard
				id := string(rune('A' + i))
				a.plain("r", id, plainOptions())
				a.connect(id, sink.addr())
				a.consume(id, "c"+id, "p", api.MediaKindVideo, 10, 20)
			}
			web := a.webRtc("r", "web", "s")
			stop := make(chan struct{})
			var group sync.WaitGroup
			defer group.Wait()
			defer close(stop)
			blast(&group, source, in.Tuple, stop)
			stray := candidate(web, api.ProtocolUDP)
			blast(&group, newPeer(t), &api.TransportTuple{LocalAddress: stray.Addr().String(), LocalPort: stray.Port()}, stop)
			for range 50 {
				sink.receive()
			}
			within(t, func() { end(a) })
			within(t, a.worker.Close)
			require.Error(t, func() error { _, err := a.try("", api.MethodWorkerDump, nil); return err }())
		})
	}
}
