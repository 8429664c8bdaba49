package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gazpacho/engine/api"
)

// Requests counts the requests of applications and measures how long their answers take.
type Requests struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// Names and help of what Requests measures, and the labels.
var (
	requestsTotal = family{
		name: "requests_total", kind: counter, help: "Requests of applications that were answered.",
		labels: []label{{name: "method", values: "the method's name in mediasoup's error messages, such as transport.consume"}, {name: "result", values: "accepted, refused"}},
	}
	requestDuration = family{
		name: "request_duration_seconds", kind: histogram,
		help:   "Time from a request to its answer. In a cluster, that of an application's worker includes the way to the node and back.",
		labels: []label{{name: "method", values: "likewise"}},
	}
)

// requestBounds, chosen here: most requests take tens of microseconds, and over nodes as long as the network does.
var requestBounds = []float64{25e-6, 50e-6, 100e-6, 250e-6, .001, .005, .025, .1, .5, 2.5, 10}

// NewRequests returns Requests that has seen none.
func NewRequests() *Requests {
	opts := func(f *family) (o prometheus.Opts, labels []string) {
		for _, l := range f.labels {
			labels = append(labels, l.name)
		}
		return prometheus.Opts{Name: prefix + f.name, Help: f.help}, labels
	}
	total, byTotal := opts(&requestsTotal)
	duration, byDuration := opts(&requestDuration)
	return &Requests{
		total: prometheus.NewCounterVec(prometheus.CounterOpts(total), byTotal),
		duration: prometheus.NewHistogramVec(
			prometheus.HistogramOpts{Name: duration.Name, Help: duration.Help, Buckets: requestBounds}, byDuration),
	}
}

// Of returns a worker that measures the requests to w.
func (r *Requests) Of(w api.Worker) api.Worker { return &measured{w, r} }

// measured implements api.Worker.
type measured struct {
	api.Worker
	requests *Requests
}

// HandleRequest implements api.Worker.
func (m *measured) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	method, began := req.Method.Name(), time.Now()
	m.Worker.HandleRequest(req, func(body api.ResponseBody, err error) {
		result := "accepted"
		if err != nil {
			result = "refused"
		}
		m.requests.total.WithLabelValues(method, result).Inc()
		m.requests.duration.WithLabelValues(method).Observe(time.Since(began).Seconds())
		reply(body, err)
	})
}
