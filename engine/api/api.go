// Package api is mediasoup's worker protocol as plain Go types: every request, response and notification, the errors, and
// [Worker], the interface that the engine, a cluster of workers and the client of a remote one share. It knows nothing of
// bytes: package fbs puts these types on the wire.
//
// The types are those of the newest release served, mediasoup 3.27.1. Each comment ends with the name that the type has in
// the release's FlatBuffers schemas. Names of fields, enum members (EnumNames) and union members (the Union tables) are
// matched with the schemas, so they follow them: HandlerID is handler_id.
//
// What may be absent is a pointer, an empty string or an empty slice; package fbs tells the rules. Values are plain
// data without references into the engine, so that a message can be kept and sent on to another host.
package api
