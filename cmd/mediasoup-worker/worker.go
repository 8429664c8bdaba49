package main

import (
	"os"

	"gazpacho/channel"
	"gazpacho/engine/api"
)

// newWorker makes the worker that this process offers. The error tells what is wrong with the settings.
func newWorker(_ *config, _ *channel.Channel, update func(*api.WorkerUpdateSettingsRequest) error) (api.Worker, error) {
	return &bareWorker{update: update}, nil
}

// bareWorker holds nothing. It answers for the process itself.
type bareWorker struct {
	update func(*api.WorkerUpdateSettingsRequest) error
}

// HandleRequest implements [api.Worker].
func (w *bareWorker) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	switch req.Method {
	case api.MethodWorkerDump:
		reply(&api.WorkerDumpResponse{PID: uint32(os.Getpid()), ChannelMessageHandlers: &api.ChannelMessageHandlers{}}, nil)
	case api.MethodWorkerUpdateSettings:
		body, _ := req.Body.(*api.WorkerUpdateSettingsRequest)
		reply(nil, w.update(body))
	default:
		reply(nil, api.NotFoundErrorf("Channel request handler with ID %s not found [method:%s]", req.HandlerID, req.Method))
	}
}

// HandleNotification implements [api.Worker].
func (w *bareWorker) HandleNotification(n *api.Notification) error {
	return api.NotFoundErrorf("Channel notification handler with ID %s not found", n.HandlerID)
}

// Close implements [api.Worker].
func (w *bareWorker) Close() {}
