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
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
)

// blast sends media of one stream to a transport until stop is closed.
func blast(group *sync.WaitGroup, from *enginetest.Peer, to *api.TransportTuple, stop <-chan struct{}) {
	target := netip.AddrPortFrom(netip.MustParseAddr(to.LocalAddress), to.LocalPort)
	group.Go(func() {
		for seq := unit.SeqNo(1); ; seq++ {
			select {
			case <-stop:
				return
			default:
			}
			_, _ = from.Conn.WriteToUDPAddrPort(keyFrame(10, seq, 200), target) // nobody may be there any more
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
	case <-time.After(enginetest.Patience):
		stacks := make([]byte, 1<<20)
		t.Fatalf("it hangs:\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// Whatever is closed while media flows between shards, the request returns, and so does closing the worker.
func TestNothingHangsThatIsClosedUnderLoad(t *testing.T) {
	for name, end := range map[string]func(a *app){
		"producer": func(a *app) {
			a.Must("in", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "p"})
		},
		"producer's transport": func(a *app) {
			a.Must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "in"})
		},
		"consumer's transport": func(a *app) {
			a.Must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "A"})
		},
		"router": func(a *app) { a.Must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r"}) },
		"server": func(a *app) {
			a.Must("", api.MethodWorkerWebRtcServerClose, &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
		},
		"worker": func(a *app) { a.worker.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, engine.Options{Shards: 2})
			a.CreateRouter("r")
			a.server("s")
			source, sink := enginetest.NewPeer(t), enginetest.NewPeer(t)
			in := a.CreatePlain("r", "in", plainOptions())
			a.ConnectPlain("in", source.Addr())
			a.Produce("in", "p", enginetest.Video(10))
			for i := range 24 { // more than stay on one shard
				id := string(rune('A' + i))
				a.CreatePlain("r", id, plainOptions())
				a.ConnectPlain(id, sink.Addr())
				a.Consume(id, "c"+id, "p", 20)
			}
			web := a.webRtc("r", "web", "s")
			stop := make(chan struct{})
			var group sync.WaitGroup
			defer group.Wait()
			defer close(stop)
			blast(&group, source, in.Tuple, stop)
			stray := candidate(web, api.ProtocolUDP)
			blast(&group, enginetest.NewPeer(t), &api.TransportTuple{LocalAddress: stray.Addr().String(), LocalPort: stray.Port()}, stop)
			for range 50 {
				sink.Receive()
			}
			within(t, func() { end(a) })
			within(t, a.worker.Close)
			require.Error(t, func() error { _, err := a.Try("", api.MethodWorkerDump, nil); return err }())
		})
	}
}
