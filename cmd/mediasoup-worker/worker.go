package main

import (
	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
)

// newWorker makes the worker that this process offers.
func newWorker(cfg *config, ch *channel.Channel, update func(*api.WorkerUpdateSettingsRequest) error) api.Worker {
	return engine.New(engine.Options{
		Emit: ch.Emit, Log: ch.Logger(), UpdateSettings: update,
		RTCMinPort: cfg.rtcMinPort, RTCMaxPort: cfg.rtcMaxPort,
	})
}
