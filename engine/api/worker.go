package api

// ChannelMessageHandlers is FBS.Worker.ChannelMessageHandlers.
type ChannelMessageHandlers struct {
	ChannelRequestHandlers      []string
	ChannelNotificationHandlers []string
}

// WorkerDumpResponse is FBS.Worker.DumpResponse.
type WorkerDumpResponse struct {
	PID                    uint32
	WebRtcServerIDs        []string
	RouterIDs              []string
	ChannelMessageHandlers *ChannelMessageHandlers
}

// WorkerResourceUsageResponse is FBS.Worker.ResourceUsageResponse.
type WorkerResourceUsageResponse struct {
	RuUtime    uint64
	RuStime    uint64
	RuMaxrss   uint64
	RuIxrss    uint64
	RuIdrss    uint64
	RuIsrss    uint64
	RuMinflt   uint64
	RuMajflt   uint64
	RuNswap    uint64
	RuInblock  uint64
	RuOublock  uint64
	RuMsgsnd   uint64
	RuMsgrcv   uint64
	RuNsignals uint64
	RuNvcsw    uint64
	RuNivcsw   uint64
}

// WorkerUpdateSettingsRequest is FBS.Worker.UpdateSettingsRequest.
type WorkerUpdateSettingsRequest struct {
	LogLevel string
	LogTags  []string
}

// WorkerCreateWebRtcServerRequest is FBS.Worker.CreateWebRtcServerRequest.
type WorkerCreateWebRtcServerRequest struct {
	WebRtcServerID string
	ListenInfos    []ListenInfo
}

// WorkerCloseWebRtcServerRequest is FBS.Worker.CloseWebRtcServerRequest.
type WorkerCloseWebRtcServerRequest struct {
	WebRtcServerID string
}

// WorkerCreateRouterRequest is FBS.Worker.CreateRouterRequest.
type WorkerCreateRouterRequest struct {
	RouterID string
}

// WorkerCloseRouterRequest is FBS.Worker.CloseRouterRequest.
type WorkerCloseRouterRequest struct {
	RouterID string
}
