package main

import (
	"fmt"
	"os"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// Environment variables that say how CPU time is told.
const (
	// usageEnv names an engine.UsageMode.
	usageEnv = "GAZPACHO_RESOURCE_USAGE"
	// maxProcsEnv is read by Go's runtime. Who sets it has divided the cores among the workers already.
	maxProcsEnv = "GOMAXPROCS"
)

// newWorker makes the worker that this process offers to an application of a release with this compatibility. The error tells
// what is wrong with the settings.
func newWorker(
	cfg *config, compat api.Compat, ch *channel.Channel, update func(*api.WorkerUpdateSettingsRequest) error,
) (api.Worker, error) {
	options, err := engineOptions(cfg, compat)
	if err != nil {
		return nil, err
	}
	options.Emit, options.Log, options.UpdateSettings = ch.Emit, ch.Logger(), update
	nodes, err := localNodes(os.Getenv(clusterEnv))
	switch {
	case err != nil:
		return nil, err
	case nodes > 0:
		return newLocalFront(nodes, options, ch)
	}
	return engine.New(options)
}

// engineOptions gathers what command line, environment and release say.
func engineOptions(cfg *config, compat api.Compat) (engine.Options, error) {
	options := engine.Options{RTCMinPort: cfg.rtcMinPort, RTCMaxPort: cfg.rtcMaxPort, Compat: compat}
	var err error
	if options.Usage, err = engine.ParseUsageMode(os.Getenv(usageEnv)); err != nil {
		return options, fmt.Errorf("%s: %w", usageEnv, err)
	}
	if os.Getenv(maxProcsEnv) == "" {
		options.Workers = newNeighbours().workers
	}
	if cfg.dtlsCertFile != "" {
		options.Certificate, err = dtls.LoadCertificate(cfg.dtlsCertFile, cfg.dtlsKeyFile)
	}
	return options, err
}
