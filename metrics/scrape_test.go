package metrics

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// manyConsumers makes a worker with so many consumers, twenty to a transport.
func manyConsumers(t testing.TB, host *engine.Host, consumers int) api.Worker {
	t.Helper()
	w, err := host.NewWorker(engine.Options{Emit: func(*api.Notification) {}})
	require.NoError(t, err)
	must := func(handler string, method api.Method, body api.RequestBody) {
		t.Helper()
		w.HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body}, func(_ api.ResponseBody, err error) { require.NoError(t, err) })
	}
	direct := func(id string) {
		must("r", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
			TransportID: id, Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}},
		})
	}
	must("", api.MethodWorkerCreateRouter, &api.WorkerCreateRouterRequest{RouterID: "r"})
	direct("in")
	parameters := func(ssrc uint32) *api.RTPParameters {
		return &api.RTPParameters{
			Codecs:    []api.RTPCodecParameters{{MimeType: "video/VP8", PayloadType: 100, ClockRate: 90000}},
			Encodings: []api.RTPEncodingParameters{{SSRC: &ssrc}}, RTCP: &api.RTCPParameters{CNAME: "c"},
		}
	}
	mapped := uint32(1)
	must("in", api.MethodTransportProduce, &api.TransportProduceRequest{
		ProducerID: "p", Kind: api.MediaKindVideo, RTPParameters: parameters(10),
		RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: 100, MappedPayloadType: 100}},
			Encodings: []api.EncodingMapping{{SSRC: new(uint32(10)), MappedSSRC: mapped}},
		},
	})
	for i := range consumers {
		transport := fmt.Sprint("out", i/20)
		if i%20 == 0 {
			direct(transport)
		}
		must(transport, api.MethodTransportConsume, &api.TransportConsumeRequest{
			ConsumerID: fmt.Sprint("c", i), ProducerID: "p", Kind: api.MediaKindVideo, Type: api.RTPTypeSimple,
			RTPParameters: parameters(uint32(5000 + i)), ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: &mapped}},
		})
	}
	return w
}

// BenchmarkScrape scrapes a worker with 10,000 consumers by HTTP, and reports how long a shard was not to be had meanwhile: as
// long as media may have to wait.
func BenchmarkScrape(b *testing.B) {
	host, err := engine.NewHost(engine.HostOptions{})
	require.NoError(b, err)
	defer host.Close()
	w := manyConsumers(b, host, 10_000)
	defer w.Close()
	s := Sources{Host: host, Requests: NewRequests(), Routers: func() int { return w.Load().Routers }}
	stop, waited := make(chan struct{}), make(chan []time.Duration)
	go func() {
		var all []time.Duration
		for {
			select {
			case <-stop:
				waited <- all
				return
			case <-time.After(200 * time.Microsecond):
			}
			began := time.Now()
			host.TakeTurns()
			all = append(all, time.Since(began))
		}
	}()
	var took time.Duration
	for b.Loop() {
		server, err := Serve(Address{host: loopback, first: 0}, s) // another one would show the figures of before
		require.NoError(b, err)
		began := time.Now()
		get(b, server.Where()+"/metrics")
		took += time.Since(began)
		server.Close()
	}
	close(stop)
	all := <-waited
	slices.Sort(all)
	b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "ms/scrape")
	b.ReportMetric(float64(all[len(all)-1].Microseconds()), "max-wait-µs")
	b.ReportMetric(float64(all[len(all)*999/1000].Microseconds()), "p99.9-wait-µs")
	b.ReportMetric(0, "ns/op")
}
