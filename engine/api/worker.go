package api

// ChannelMessageHandlers lists the ids to which requests and notifications can be addressed
// (FBS.Worker.ChannelMessageHandlers).
type ChannelMessageHandlers struct {
	ChannelRequestHandlers      []string
	ChannelNotificationHandlers []string
}

// WorkerDumpResponse is the worker's inner state (FBS.Worker.DumpResponse).
type WorkerDumpResponse struct {
	PID                    uint32
	WebRtcServerIDs        []string
	RouterIDs              []string
	ChannelMessageHandlers *ChannelMessageHandlers
}

// WorkerResourceUsageResponse is what the operating system accounts to the worker's process: getrusage(2), times in
// milliseconds (FBS.Worker.ResourceUsageResponse).
type WorkerResourceUsageResponse struct {
	RuUtime    uint64
	RuStime    uint64
	RuMaxrss   uint64 // as getrusage(2) gives it
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

// WorkerUpdateSettingsRequest changes what the worker logs. Upstream's Node library always sends LogTags, so nil means
// none (FBS.Worker.UpdateSettingsRequest).
type WorkerUpdateSettingsRequest struct {
	LogLevel string // debug, warn, error or none; empty: unchanged
	LogTags  []string
}

// WorkerCreateWebRtcServerRequest creates a WebRTC server (FBS.Worker.CreateWebRtcServerRequest).
type WorkerCreateWebRtcServerRequest struct {
	WebRtcServerID string
	ListenInfos    []ListenInfo // one socket each
}

// WorkerCloseWebRtcServerRequest closes a WebRTC server with all transports on it
// (FBS.Worker.CloseWebRtcServerRequest).
type WorkerCloseWebRtcServerRequest struct {
	WebRtcServerID string
}

// WorkerCreateRouterRequest creates a router (FBS.Worker.CreateRouterRequest).
type WorkerCreateRouterRequest struct {
	RouterID string
}

// WorkerCloseRouterRequest closes a router with all that it holds (FBS.Worker.CloseRouterRequest).
type WorkerCloseRouterRequest struct {
	RouterID string
}
