// Package fbs is the codec of the worker protocol: it turns the plain Go types of engine/api into FlatBuffers messages
// and back.
//
// The protocol is data. A [Dialect] holds one wire format, read from a text file in fbs/schema that fbs/gen makes from a
// release of the mediasoup npm package. The schema of a release that is not among them can be read from its package by
// fbs/source and given to [Compile]. When a dialect is loaded, the Go types are walked once and matched with the schema by
// name: the field handler_id is HandlerID, an enum member is the one that EnumNames lists under that name, a union member is
// the type that the Union table of engine/api lists under that name. So one set of Go types serves every release, whatever
// the numbers on the wire. What a dialect lacks is not sent, and is zero when received.
//
// How the two sides correspond:
//
//   - An absent string or vector and an empty one are the same in Go: "" and nil. Required ones are always written,
//     others only when they hold something (except the few that writtenWhenEmpty lists).
//   - A scalar that may be absent ("= null" in the schema) is a pointer; all others have a default, which is not written.
//   - A table is a pointer to a struct, nil when absent. A nil table that the schema requires is an error.
//   - A union is an interface that holds a pointer to a member, nil when absent.
//
// The FlatBuffers library for Go has no verifier, so [Dialect.DecodeMessage] checks every offset, length and number before
// using it, and bounds nesting and memory: whatever the bytes, it returns a message or an error.
package fbs
