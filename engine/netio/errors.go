package netio

import (
	"fmt"
	"net/netip"
)

// BindReason says why a socket could not be bound.
type BindReason uint8

const (
	// BindInvalidRange: PortMax is less than PortMin. A mistake of the application (TypeError).
	BindInvalidRange BindReason = iota
	// BindInvalidAddress: the address is no IP address.
	BindInvalidAddress
	// BindFailed: the system refused the fixed port; Err says why.
	BindFailed
	// BindNoMorePorts: every port of the range is taken.
	BindNoMorePorts
	// BindTooManyOpenFiles: the process has no file descriptor left.
	BindTooManyOpenFiles
	// BindAddressNotAvailable: the address is not one of this host's.
	BindAddressNotAvailable
	// BindSocketOption: a buffer size or flag was refused.
	BindSocketOption
)

// BindError is the error of ListenUDP. Its text is upstream's, fit to be an answer to the application.
type BindError struct {
	Reason   BindReason
	Protocol string // "udp" or "tcp"
	Address  netip.Addr
	Port     uint16 // the port tried last
	Attempt  int    // number of the last attempt, from 1; range only
	Attempts int    // number of ports in the range; range only
	Err      error  // the system's error, may be nil
}

// Error tells the reason with protocol, address and port.
func (e *BindError) Error() string { return fmt.Sprintf("port bind failed [protocol:%s]", e.Protocol) }

// Unwrap returns the system's error.
func (e *BindError) Unwrap() error { return e.Err }
