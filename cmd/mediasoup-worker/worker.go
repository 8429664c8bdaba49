package main

import (
	"fmt"
	"os"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// Environment variables that set how CPU time is reported.
const (
	// usageEnv is the name of an engine.UsageMode.
	usageEnv = "GAZPACHO_RESOURCE_USAGE"
	// maxProcsEnv is read by Go's runtime. If it is set, the cores are already divided among the workers.
	maxProcsEnv = "GOMAXPROCS"
)

// newWorker returns the worker of this process, for an application whose release needs the given compatibility. An error
// means that the settings are wrong.
func newWorker(
	cfg *config, release string, compat api.Compat, ch *channel.Channel, update func(*api.WorkerUpdateSettingsRequest) error,
) (api.Worker, error) {
	options, err := engineOptions(cfg, compat)
	if err != nil {
		return nil, err
	}
	options.Emit, options.Log, options.UpdateSettings = ch.Emit, ch.Logger(), update
	list := os.Getenv(clusterEnv)
	if list == "" {
		return engine.New(options)
	}
	opening, err := openingOf(cfg, release, compat)
	if err != nil {
		return nil, err
	}
	return newCluster(list, opening, options, ch)
}

// engineOptions returns the options from command line, environment and release.
func engineOptions(cfg *config, compat api.Compat) (engine.Options, error) {
	options := engine.Options{RTCMinPort: cfg.rtcMinPort, RTCMaxPort: cfg.rtcMaxPort, Compat: compat}
	var err error
	if options.Usage, err = engine.ParseUsageMode(os.Getenv(usageEnv)); err != nil {
		return options, fmt.Errorf("%s: %w", usageEnv, err)
	}
	if os.Getenv(maxProcsEnv) == "" {
		options.Workers = newWorkerCounter().workers
	}
	if cfg.dtlsCertFile != "" {
		options.Certificate, err = dtls.LoadCertificate(cfg.dtlsCertFile, cfg.dtlsKeyFile)
	}
	return options, err
}
