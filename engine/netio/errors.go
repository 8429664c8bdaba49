package netio

import (
	"fmt"
	"net/netip"
)

// BindReason is why a socket could not be bound.
type BindReason uint8

const (
	// BindInvalidRange: PortMax is less than PortMin. A mistake of the application (mediasoup answers with TypeError).
	BindInvalidRange BindReason = iota
	// BindInvalidAddress: not an IP address. A mistake of the application (mediasoup answers with TypeError).
	BindInvalidAddress
	// BindFailed: the system refused the fixed port, for the reason in Err.
	BindFailed
	// BindNoMorePorts: every port of the range is taken.
	BindNoMorePorts
	// BindTooManyOpenFiles: the process has no file descriptor left.
	BindTooManyOpenFiles
	// BindAddressNotAvailable: this host does not have the address.
	BindAddressNotAvailable
)

// BindError is the error of ListenUDP and ListenTCP. Its text is meant to be sent to the application as the reason.
type BindError struct {
	Reason   BindReason
	Protocol string // "udp" or "tcp"
	Address  netip.Addr
	Port     uint16 // the last port tried
	Attempt  int    // number of the last attempt, from 1; 0 without a range
	Attempts int    // size of the port range; 0 without a range
	Err      error  // the system's error, may be nil
}

// Error returns the reason with protocol, address, port and attempts, worded as mediasoup's.
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
