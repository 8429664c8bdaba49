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

// newWorker makes the worker that this process offers. The error tells what is wrong with the settings.
func newWorker(cfg *config, ch *channel.Channel, update func(*api.WorkerUpdateSettingsRequest) error) (api.Worker, error) {
	options := engine.Options{
		Emit: ch.Emit, Log: ch.Logger(), UpdateSettings: update,
		RTCMinPort: cfg.rtcMinPort, RTCMaxPort: cfg.rtcMaxPort,
	}
	var err error
	if options.Usage, err = engine.ParseUsageMode(os.Getenv(usageEnv)); err != nil {
		return nil, fmt.Errorf("%s: %w", usageEnv, err)
	}
	if os.Getenv(maxProcsEnv) == "" {
		options.Workers = newNeighbours().workers
	}
	if cfg.dtlsCertFile != "" {
		if options.Certificate, err = dtls.LoadCertificate(cfg.dtlsCertFile, cfg.dtlsKeyFile); err != nil {
			return nil, err
		}
	}
	return engine.New(options)
}
