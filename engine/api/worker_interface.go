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
