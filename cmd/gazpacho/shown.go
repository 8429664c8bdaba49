package main

import (
	"log/slog"

	"gazpacho/metrics"
)

// nowhere is the address of what is not to be served.
const nowhere = "none"

// shownAt returns where metrics and profiles are served, nil for nowhere.
func (c *nodeConfig) shownAt() (figures, profiles *metrics.Address, err error) {
	if figures, err = addressOf("metrics", c.metrics); err == nil {
		profiles, err = addressOf("pprof", c.profiles)
	}
	return figures, profiles, err
}

func addressOf(option, text string) (*metrics.Address, error) {
	if text == nowhere {
		return nil, nil
	}
	a, err := metrics.ParseAddress(text)
	if err != nil {
		return nil, usagef("--%s: %w", option, err)
	}
	return &a, nil
}

// serve calls start with the address, if there is one. That a port is not free is no reason to carry no calls: it is logged.
func serve(a *metrics.Address, what string, log *slog.Logger, start func(metrics.Address) (*metrics.Server, error)) *metrics.Server {
	if a == nil {
		return nil
	}
	server, err := start(*a)
	if err != nil {
		log.Error("not served", "what", what, "error", err)
		return nil
	}
	log.Info("served", "what", what, "at", server.Where())
	return server
}
