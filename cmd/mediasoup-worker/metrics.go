package main

import (
	"fmt"
	"io"
	"os"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/metrics"
)

const (
	// metricsEnv is where metrics are served: an IP address with a port or a range of ports, or unix: and a folder. Empty: nowhere.
	metricsEnv = "GAZPACHO_METRICS"
	// profilesEnv is where Go's profiles are served, likewise; this host only.
	profilesEnv = "GAZPACHO_PPROF"
	// monitorEnv is unix: and a folder in which a socket answers the monitor ("gazpacho monitor --workers").
	monitorEnv = "GAZPACHO_MONITOR"
)

// shown is a worker that operators can look at.
type shown struct {
	api.Worker
	host    *engine.Host
	servers []*metrics.Server
	watched io.Closer // nil unless a monitor may look
}

// show serves metrics and profiles of a worker where the environment says so. An error means that the environment is wrong. A port that is
// not free is no reason to carry no calls: it is logged.
func show(worker api.Worker, release string, ch *channel.Channel) (*shown, error) {
	s := &shown{Worker: worker}
	switch w := worker.(type) {
	case *engine.Worker:
		s.host = w.Host()
	case *cluster:
		s.host = w.host
	}
	err := s.serve(metricsEnv, ch, func(a metrics.Address) (*metrics.Server, error) {
		requests := metrics.NewRequests()
		sources := metrics.Sources{
			Version: version, Release: release, Requests: requests,
			Routers: func() int { return worker.Load().Routers }, Channel: ch.Figures, Host: s.host,
		}
		if c, ok := worker.(*cluster); ok {
			sources.Front, sources.Certificate = c.Front.Figures, c.certificate
		}
		s.Worker = requests.Of(worker)
		return metrics.Serve(a, sources)
	})
	if err == nil {
		err = s.serve(profilesEnv, ch, metrics.ServeProfiles)
	}
	if err == nil {
		err = s.watch(release, ch)
	}
	if err != nil {
		s.hide()
		return nil, err
	}
	return s, nil
}

// serve calls start with the address in a variable, if there is one.
func (s *shown) serve(variable string, ch *channel.Channel, start func(metrics.Address) (*metrics.Server, error)) error {
	text := os.Getenv(variable)
	if text == "" {
		return nil
	}
	address, err := metrics.ParseAddress(text)
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	server, err := start(address)
	if err != nil {
		ch.Logger().Error("what "+variable+" asks for is not served", "address", text, "error", err)
		return nil
	}
	ch.Logger().Debug("served for "+variable, channel.TagKey, "info", "at", server.Where())
	s.servers = append(s.servers, server)
	return nil
}

// hide ends what show began.
func (s *shown) hide() {
	if s.watched != nil {
		s.watched.Close()
	}
	for _, server := range s.servers {
		server.Close()
	}
}
