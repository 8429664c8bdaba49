package api

// Worker is whatever answers a mediasoup application: the engine of this process, a front over many workers, or the client
// of a remote one. Its caller, the channel, does not know which. This comment and those of the methods are the contract;
// package apitest tests it against any implementation.
//
// # Calls
//
// HandleRequest, HandleNotification, RouterOf and Close come one at a time, from one control loop. They return soon: an
// implementation never waits in them for another host. Load, Done and Err may be called from any goroutine at any time.
// Neither an [Emitter] nor a reply may call the worker: both may run inside one of its calls, with its locks held.
//
// # Order
//
// Requests and notifications for one Router, and for what it holds, take effect in the order of the calls. So do those for
// the worker itself (no handler id), and for its WebRtcServers, among themselves. A Router exists for the next call as soon as
// the one that creates it was made, answered or not, and so do the objects in it. Routers do not wait for each other: one that
// cannot be reached delays the answers and notifications of no other. Answers may come in any order.
//
// # Notifications and answers
//
// Notifications of one object keep their order. About an object that a request creates (see [Request.Creates]), they may come
// before its answer: a packet does not wait for the application. The caller that talks to the application puts the answer
// first; package channel does. An implementation that is made of other workers passes both on as they come and leaves that
// to its own caller, but never lets a notification that followed an answer overtake it.
//
// Bodies of requests, responses and notifications are immutable from the moment they are handed over, so either side may keep
// them.
//
// # Ends
//
// A worker ends when Close is called, or by itself when it can do no more, as the client of a remote worker whose lease has
// run out. Either way it first answers with an error what it has not answered yet; then Done is closed. Afterwards it refuses
// requests and notifications with an error, emits nothing, knows no Router, and has no load. Close is called in any case,
// and may be called twice.
type Worker interface {
	// HandleRequest carries out req and calls reply exactly once: before it returns, or later and from any goroutine. A nil
	// body with a nil error accepts the request without data. The error is an [*Error] where the application is to see another
	// class than "Error". A refused request has changed nothing. A request that closes an object is accepted whenever the
	// object exists, reachable or not.
	HandleRequest(req *Request, reply func(ResponseBody, error))

	// HandleNotification takes a notification of the application. There is no answer: the error is for the log, and says only
	// what is known at once.
	HandleNotification(n *Notification) error

	// RouterOf returns the id of the Router that the object with the given id is or belongs to. It is empty for the worker's
	// own objects and for ids that the worker does not know. Objects count from the call that creates them. It answers from
	// tables at hand; the caller bounds by it how much each Router may leave unanswered.
	RouterOf(id string) string

	// Load returns how busy the worker is, for placing Routers and transports. It never blocks.
	Load() Load

	// Done is closed when the worker has ended.
	Done() <-chan struct{}

	// Err is nil until Done is closed. Then it is [ErrClosed] after Close, or says why the worker ended by itself.
	Err() error

	// Close closes everything that the worker holds, without notifications, and returns when all is released.
	Close()
}

// Emitter takes the notifications of a worker on their way to the application. It never blocks, never calls a worker, may be
// called from any goroutine, and keeps the order of the calls of one goroutine. It does not keep n, but may keep n.Body, which
// nothing modifies any more; it modifies neither.
type Emitter func(n *Notification)

// Load is how busy a worker is.
type Load struct {
	// CPU is the fraction, from 0 to 1, that is used of the CPU time open to the worker. At 1 it can forward no more: it uses its
	// cores up, or other processes use those of the machine. It covers the last one to three seconds where it is asked for at
	// least once a second, and the time since the call before otherwise. Workers that share their shards have it in common.
	CPU float64

	// How many of each there are.
	Routers, Transports, Producers, Consumers, DataProducers, DataConsumers int
}

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
	// SharpFirst: of a video's layers that fit into the bandwidth, the highest spatial one is forwarded, with however few frames.
	// No release asks for it: all C++ workers choose so, and applications need not. It is up to the operator.
	SharpFirst bool
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
	// ProducerID and DataProducerID are told a node by a front; in no release's schema. One of them is a producer or a data producer of
	// another application: what is created is no Router of one's own, but stands for that one and its Router (package federation). The
	// answer is a [ProducerDumpResponse] or a [DataProducerDumpResponse].
	ProducerID, DataProducerID string
}

// WorkerCloseRouterRequest closes a router with all that it holds (FBS.Worker.CloseRouterRequest).
type WorkerCloseRouterRequest struct {
	RouterID string
}
