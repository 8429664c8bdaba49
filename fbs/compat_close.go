package fbs

// closeRule: up to 3.19.17, the application closes a worker by a request, WORKER_CLOSE, and waits for the answer. Now it
// sends a notification. The channel takes both. Before 3.16.0, the Node library used neither, but a signal.
var closeRule = CompatRule{
	Name: "closing a worker", Until: "3.19.17",
	Text: "WORKER_CLOSE was a request",
}
