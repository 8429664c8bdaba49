package fbs

import (
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by the error of bytes that are no FlatBuffers message of the dialect.
var ErrMalformed = errors.New("malformed message")

// ErrNotInDialect is wrapped by the error of a message that the dialect has no way to express, such as a notification
// which the application's release of mediasoup does not know.
var ErrNotInDialect = errors.New("not in this dialect")

// UnknownValueError tells that a well-formed message names an enum or union member which the dialect, or Go, does not know.
type UnknownValueError struct {
	Type  string // the schema's name of the enum or union, for instance "FBS.Request.Method"
	Value uint8  // as on the wire
}

// Error names the type and the value.
func (e *UnknownValueError) Error() string {
	return fmt.Sprintf("unknown %s %d", e.Type, e.Value)
}

// RequestError tells that a request cannot be decoded although its id can, so that the sender can be answered.
type RequestError struct {
	ID            uint32 // of the request
	UnknownMethod bool   // the method's number is not one of the dialect
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
