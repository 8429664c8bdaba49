// Package remote lets a worker of another process be used like one of this process. A [Worker] is an [api.Worker] whose
// requests travel to a node in a session (package session); a [Server] is the node's side, which gives each front a worker of
// its own.
//
// What travels are the messages of the worker protocol in Gazpacho's own dialect ([fbs.Session]): the newest release's
// schema and what workers tell each other beyond it. Requests, answers and notifications are numbered and arrive once and in
// order; media of DirectTransports and traces are dropped when much waits already. Beside them there are a few control messages, in JSON: the opening
// (what the node has to know of the application), loads, log lines, the end of a worker, the node's status.
//
// A connection is TCP with mutual TLS (package identity), or a unix socket of the same user on one host. Each end has a reader
// and a writer goroutine a connection; all else runs with the lock of the Worker or of the guest, which is held for moments.
package remote
