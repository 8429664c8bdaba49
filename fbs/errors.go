package fbs

import (
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by errors about bytes that are not a FlatBuffers message of the dialect.
var ErrMalformed = errors.New("malformed message")

// ErrNotInDialect is wrapped by errors about a message that the dialect cannot express, such as a notification that the
// application's release of mediasoup does not know.
var ErrNotInDialect = errors.New("not in this dialect")

// UnknownValueError is returned for a well-formed message with an enum or union member that the dialect, or Go, does not know.
type UnknownValueError struct {
	Type  string // the schema's name of the enum or union, for instance "FBS.Request.Method"
	Value uint8  // as on the wire
}

// Error names the type and the value.
func (e *UnknownValueError) Error() string {
	return fmt.Sprintf("unknown %s %d", e.Type, e.Value)
}

// RequestError is returned for a request that cannot be decoded except for its id, so that the sender can be answered.
type RequestError struct {
	ID            uint32 // of the request
	UnknownMethod bool   // the dialect has no method of that number
	Err           error  // what is wrong
}

// Error says what is wrong with which request.
func (e *RequestError) Error() string { return fmt.Sprintf("request %d: %v", e.ID, e.Err) }

// Unwrap returns what is wrong.
func (e *RequestError) Unwrap() error { return e.Err }

// malformedf describes what is wrong with a message's bytes.
func malformedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}
