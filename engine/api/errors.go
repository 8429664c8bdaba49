package api

import (
	"errors"
	"fmt"
)

// ErrClosed is why a [Worker] has ended after Close.
var ErrClosed = errors.New("worker closed")

// ErrorKind is the class that the mediasoup application sees for a refused request.
type ErrorKind string

// The classes of errors which mediasoup's worker gives (Channel/ChannelRequest, release 3.27.1).
const (
	ErrorKindError    ErrorKind = "Error"
	ErrorKindType     ErrorKind = "TypeError"
	ErrorKindNotFound ErrorKind = "NotFoundError"
)

// Error refuses a request: a class and a reason that tells the application's author what to change.
type Error struct {
	Kind   ErrorKind
	Reason string
}

// Error returns the reason alone; the class travels in a field of its own.
func (e *Error) Error() string { return e.Reason }

// TypeErrorf says that a value given by the application is wrong.
func TypeErrorf(format string, args ...any) *Error {
	return &Error{Kind: ErrorKindType, Reason: fmt.Sprintf(format, args...)}
}

// NotFoundErrorf says that an id given by the application names nothing.
func NotFoundErrorf(format string, args ...any) *Error {
	return &Error{Kind: ErrorKindNotFound, Reason: fmt.Sprintf(format, args...)}
}

// Errorf says that a request cannot be carried out in the present state.
func Errorf(format string, args ...any) *Error {
	return &Error{Kind: ErrorKindError, Reason: fmt.Sprintf(format, args...)}
}
