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

import "strconv"

// StringString is an entry of a map from strings to strings (FBS.Common.StringString).
type StringString struct {
	Key   string
	Value string
}

// Uint16String is an entry of a map from 16-bit numbers to strings (FBS.Common.Uint16String).
type Uint16String struct {
	Key   uint16
	Value string
}

// Uint32String is an entry of a map from 32-bit numbers to strings (FBS.Common.Uint32String).
type Uint32String struct {
	Key   uint32
	Value string
}

// StringStringArray is an entry of a map from strings to lists of strings (FBS.Common.StringStringArray).
type StringStringArray struct {
	Key    string
	Values []string
}

// TraceDirection says whether a traced packet was received or sent (FBS.Common.TraceDirection).
type TraceDirection uint8

const (
	TraceDirectionIn  TraceDirection = 0
	TraceDirectionOut TraceDirection = 1
)

var traceDirectionNames = []string{"DIRECTION_IN", "DIRECTION_OUT"}

// EnumNames returns the schema's member names, indexed by value.
func (TraceDirection) EnumNames() []string { return traceDirectionNames }

// String returns the schema's member name.
func (v TraceDirection) String() string { return enumName(traceDirectionNames, uint8(v)) }

// enumName returns the name of v, or its number when the schema knows none.
func enumName(names []string, v uint8) string {
	if int(v) < len(names) && names[v] != "" {
		return names[v]
	}
	return strconv.Itoa(int(v))
}
