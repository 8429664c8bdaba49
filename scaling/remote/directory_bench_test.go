package remote_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/remote"
)

// BenchmarkProduce: a producer made and closed, one after the other, on a node without a bus and on one of four members of a directory: what
// registering costs beside the session. The worker is a stand, and the bus loses everything.
func BenchmarkProduce(b *testing.B) {
	for name, join := range map[string]func(*remote.Server){
		"alone":     func(*remote.Server) {},
		"directory": func(s *remote.Server) { isolate(s, "a") },
	} {
		b.Run(name, func(b *testing.B) {
			s := remote.NewServer(remote.ServerOptions{
				Name: "a", NewWorker: func(_ *remote.Opening, emit api.Emitter, _ *slog.Logger) (api.Worker, error) {
					return newStand(emit), nil
				},
			})
			b.Cleanup(s.Close)
			join(s)
			address := "unix:" + filepath.Join(b.TempDir(), "a.sock")
			l, err := remote.Listen(address)
			require.NoError(b, err)
			go s.Serve(l, nil)
			w := dial(b, remote.Options{Address: address, Emit: func(*api.Notification) {}})
			places := make(chan struct{}, 100)
			send := func(method api.Method, handler string, body api.RequestBody) {
				places <- struct{}{}
				w.HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body}, func(_ api.ResponseBody, err error) {
					if err != nil {
						b.Error(err)
					}
					<-places
				})
			}
			send(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
			send(api.MethodRouterCreateDirectTransport, "r", &api.RouterCreateDirectTransportRequest{
				TransportID: "t", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}},
			})
			began, n := processTime(b), 0
			for b.Loop() {
				n++
				id := fmt.Sprintf("1b4e28ba-2fa1-11d2-883f-%012x", n)
				send(api.MethodTransportProduce, "t", &api.TransportProduceRequest{
					ProducerID: id, Kind: api.MediaKindVideo, RTPParameters: video(1, 3), RTPMapping: &api.RTPMapping{},
				})
				send(api.MethodTransportCloseProducer, "t", &api.TransportCloseProducerRequest{ProducerID: id})
			}
			for range cap(places) {
				places <- struct{}{}
			}
			b.ReportMetric(micro(processTime(b)-began)/float64(n), "CPU-µs/producer")
		})
	}
}
