package netio

import (
	"fmt"
	"net/netip"
)

// BindReason says why a socket could not be bound.
type BindReason uint8

const (
	// BindInvalidRange: PortMax is less than PortMin. A mistake of the application (upstream's TypeError).
	BindInvalidRange BindReason = iota
	// BindInvalidAddress: the address is no IP address. A mistake of the application (upstream's TypeError).
	BindInvalidAddress
	// BindFailed: the system refused the fixed port; Err says why.
	BindFailed
	// BindNoMorePorts: every port of the range is taken.
	BindNoMorePorts
	// BindTooManyOpenFiles: the process has no file descriptor left.
	BindTooManyOpenFiles
	// BindAddressNotAvailable: the address is not one of this host's.
	BindAddressNotAvailable
)

// BindError is the error of ListenUDP and ListenTCP. Its text is fit to be the reason in an answer to the application.
type BindError struct {
	Reason   BindReason
	Protocol string // "udp" or "tcp"
	Address  netip.Addr
	Port     uint16 // the port tried last
	Attempt  int    // number of the last attempt, from 1; 0 without a range
	Attempts int    // number of ports in the range; 0 without a range
	Err      error  // the system's error, may be nil
}

// Error tells the reason with protocol, address, port and attempts.
func (e *BindError) Error() string {
	switch e.Reason {
	case BindInvalidRange:
		return "maxPort cannot be less than minPort"
	case BindInvalidAddress:
		return "invalid IP address"
	case BindNoMorePorts:
		return fmt.Sprintf("no more available ports [protocol:%s, ip:'%s', numAttempt:%d]", e.Protocol, e.Address, e.Attempts)
	case BindTooManyOpenFiles:
		return "port bind failed due to too many open files " + e.where()
	case BindAddressNotAvailable:
		return "port bind failed due to address not available " + e.where()
	default:
		return fmt.Sprintf("port bind failed %s: %v", e.where(), e.Err)
	}
}

func (e *BindError) where() string {
	s := fmt.Sprintf("[protocol:%s, ip:'%s', port:%d", e.Protocol, e.Address, e.Port)
	if e.Attempts > 0 {
		s += fmt.Sprintf(", attempt:%d/%d", e.Attempt, e.Attempts)
	}
	return s + "]"
}

// Unwrap returns the system's error.
func (e *BindError) Unwrap() error { return e.Err }
