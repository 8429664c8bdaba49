package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/scaling/front"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/steering"
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
	Steering func() steering.Figures
	// Certificate returns when the certificate of the cluster ends to be valid.
	Certificate func() time.Time
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

// group is families that belong together.
type group struct {
	title    string
	families []family
	shown    func(*Sources) bool // nil: by all processes
}

// groups is all that is read from figures.
var groups = []group{
	{"Shards", shardFamilies, nil},
	{"Objects and their states", objectFamilies, nil},
	{"Packets and bytes", trafficFamilies, nil},
	{"Quality", qualityFamilies, nil},
	{"The application's worker", channelFamilies, func(s *Sources) bool { return s.Channel != nil }},
	{"The application's worker, over nodes", frontFamilies, func(s *Sources) bool { return s.Front != nil }},
	{"Nodes", nodeFamilies, func(s *Sources) bool { return s.Node != nil }},
	{"Nodes of a cluster with a bus", directoryFamilies, func(s *Sources) bool { return s.Node != nil }},
	{"The cluster, as each of its nodes sees it", clusterFamilies, func(s *Sources) bool { return s.Steering != nil }},
	{"Nodes and workers with certificates", certificateFamilies, func(s *Sources) bool { return s.Certificate != nil }},
}

// families returns those that the process has something to show for.
func (s *Sources) families() (all []family) {
	for _, g := range groups {
		if g.shown == nil || g.shown(s) {
			all = append(all, g.families...)
		}
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
	if s.Steering != nil {
		f.steering = s.Steering()
	}
	if s.Certificate != nil {
		f.certificate = s.Certificate()
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
	labels: []label{{name: "version", values: "of the program"}, {name: "mediasoup", values: "the application's release; empty for a node"}, {name: "goversion", values: "of the compiler"}},
}

// problem says why no new work should come.
func (s *Sources) problem() string {
	if s.Node == nil {
		return ""
	}
	switch node := s.Node(); {
	case !node.Serving:
		return "does not serve yet"
	case node.Draining:
		return "draining"
	}
	return ""
}
