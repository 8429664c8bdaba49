package api

// Worker is whatever answers a mediasoup application: the engine of this process, a cluster that composes many
// workers, or a client of a remote one. The channel does not know which it talks to.
//
// Requests take effect in the order of the calls. Calls are not concurrent: the caller makes one after the other.
type Worker interface {
	// HandleRequest carries out req and calls reply exactly once, before it returns or later from another goroutine.
	// A nil body with a nil error accepts the request without data. The error is an [*Error] where the application is
	// to see another class than "Error". A refused request has changed nothing.
	HandleRequest(req *Request, reply func(ResponseBody, error))

	// HandleNotification carries out a notification of the application. There is no answer; the error is for the log.
	HandleNotification(n *Notification) error

	// Close closes everything that the worker holds, without notifications, and returns when all is released.
	Close()
}

// Emitter takes the notifications of a worker on their way to the application. It never blocks, may be called from
// any goroutine, and keeps the order of the calls of one goroutine. It does not modify n, nor keep it after it returns.
type Emitter func(n *Notification)

// Compat lists what the C++ workers of older releases do differently from the newest where applications and other workers
// can see it and the schemas do not show it. The zero value is the newest release's behaviour.
type Compat struct {
	// TemporalLimitAtPreferredOnly: a consumer's preferred temporal layer limits its preferred spatial layer. Below that one
	// all temporal layers are forwarded; above it, where a consumer is when there is nothing else, only the lowest.
	TemporalLimitAtPreferredOnly bool
	// PlainPipes: over pipes, messages of data channels travel without their subchannels. Pipe consumers look at
	// subchannels as all others do.
	PlainPipes bool
	// UnfilteredPipes: pipe consumers forward every message of a data producer, whatever their own subchannels. Without
	// meaning if PlainPipes.
	UnfilteredPipes bool
	// OldPipeToken: over pipes, the token in front of a message announces a required subchannel by the flag that announces an
	// ignored one today. There is no ignored subchannel.
	OldPipeToken bool
	// SmallFrames: the application takes messages of at most 4 MiB on the channel, where it takes nearly 8 today.
	SmallFrames bool
}

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

// WorkerUpdateSettingsRequest changes what the worker logs. mediasoup's Node library always sends LogTags, so nil means
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
