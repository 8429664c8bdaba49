package channel_test

import (
	"io"
	"testing"

	"gazpacho/engine/api"
)

// BenchmarkPipelinedRequests measures requests through pipes of the operating system to a worker that answers at once,
// with the application's reading and writing in the same process.
func BenchmarkPipelinedRequests(b *testing.B) {
	w := newWorker()
	body := &api.WorkerDumpResponse{PID: 7, ChannelMessageHandlers: &api.ChannelMessageHandlers{}}
	w.request = func(_ *api.Request, reply func(api.ResponseBody, error)) { reply(body, nil) }
	a := start(b, w)
	request := a.frame(&api.Request{ID: 1, Method: api.MethodWorkerDump})
	response := len(a.frame(&api.Response{ID: 1, Accepted: true, Body: body}))
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		const batch = 100
		var frames []byte
		for range batch {
			frames = append(frames, request...)
		}
		for sent := 0; sent < b.N; sent += batch {
			if _, err := a.to.Write(frames[:min(batch, b.N-sent)*len(request)]); err != nil {
				b.Errorf("write: %v", err)
				return
			}
		}
	}()
	if _, err := io.CopyN(io.Discard, a.from, int64(b.N)*int64(response)); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkLoneRequests awaits each answer before the next request, as applications mostly do.
func BenchmarkLoneRequests(b *testing.B) {
	w := newWorker()
	body := &api.WorkerDumpResponse{PID: 7, ChannelMessageHandlers: &api.ChannelMessageHandlers{}}
	w.request = func(_ *api.Request, reply func(api.ResponseBody, error)) { reply(body, nil) }
	a := start(b, w)
	request := a.frame(&api.Request{ID: 1, Method: api.MethodWorkerDump})
	response := make([]byte, len(a.frame(&api.Response{ID: 1, Accepted: true, Body: body})))
	for b.Loop() {
		a.write(request)
		if _, err := io.ReadFull(a.from, response); err != nil {
			b.Fatal(err)
		}
	}
}
