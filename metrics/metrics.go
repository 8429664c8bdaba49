package metrics

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/scaling/front"
	"gazpacho/scaling/remote"
)

// maxScrapes is how many are answered at once; more get an error. Chosen here.
const maxScrapes = 3

// Sources says what a process has to show. All but Version, Host and Requests may be missing.
type Sources struct {
	Version  string // of the program
	Release  string // of mediasoup, that the application has
	Host     *engine.Host
	Requests *Requests
	Routers  func() int
	Channel  func() channel.Figures
	Front    func() front.Figures
	Node     func() remote.Status
}

// Serve answers at an address, by HTTP: /metrics for Prometheus, /healthz (alive) and /readyz (new work may come).
func Serve(a Address, s Sources) (*Server, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newCollector(s.families(), s.take), s.Requests.total, s.Requests.duration, s.buildInfo(),
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsScheduler)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
	mux.Handle("GET /healthz", &alive{ask: s.Host.TakeTurns})
	mux.Handle("GET /readyz", ready(s.problem))
	return serve(a, mux, writeTime)
}

// families returns those that the process has something to show for.
func (s *Sources) families() (all []family) {
	all = append(all, engineFamilies()...)
	if s.Channel != nil {
		all = append(all, channelFamilies...)
	}
	if s.Front != nil {
		all = append(all, frontFamilies...)
	}
	if s.Node != nil {
		all = append(all, nodeFamilies...)
	}
	return all
}

func engineFamilies() (all []family) {
	for _, group := range [][]family{shardFamilies, objectFamilies, trafficFamilies, qualityFamilies} {
		all = append(all, group...)
	}
	return all
}

// take asks for all figures.
func (s *Sources) take() *figures {
	f := &figures{engine: s.Host.Figures()}
	if s.Channel != nil {
		f.channel = s.Channel()
	}
	if s.Front != nil {
		f.front = s.Front()
	}
	if s.Node != nil {
		f.node = s.Node()
		for _, front := range f.node.Fronts {
			f.routers += front.Load.Routers
		}
	}
	if s.Routers != nil {
		f.routers = s.Routers()
	}
	return f
}

// buildInfo is a metric that is always 1, by the convention of Prometheus' own programs.
func (s *Sources) buildInfo() prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + buildInfo.name, Help: buildInfo.help}, []string{"version", "mediasoup", "goversion"})
	info.WithLabelValues(s.Version, s.Release, runtime.Version()).Set(1)
	return info
}

var buildInfo = family{
	name: "build_info", kind: gauge, help: "Always 1.",
	labels: []label{{"version", "of the program"}, {"mediasoup", "the application's release; empty for a node"}, {"goversion", "of the compiler"}},
}

// problem says why no new work should come.
func (s *Sources) problem() string {
	if s.Node != nil && s.Node().Draining {
		return "draining"
	}
	return ""
}
