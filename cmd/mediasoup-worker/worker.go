package main

import (
	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// newWorker makes the worker that this process offers. The error tells what is wrong with the settings.
func newWorker(cfg *config, ch *channel.Channel, update func(*api.WorkerUpdateSettingsRequest) error) (api.Worker, error) {
	options := engine.Options{
		Emit: ch.Emit, Log: ch.Logger(), UpdateSettings: update,
		RTCMinPort: cfg.rtcMinPort, RTCMaxPort: cfg.rtcMaxPort,
	}
	if cfg.dtlsCertFile != "" {
		var err error
		if options.Certificate, err = dtls.LoadCertificate(cfg.dtlsCertFile, cfg.dtlsKeyFile); err != nil {
			return nil, err
		}
	}
	return engine.New(options)
}
