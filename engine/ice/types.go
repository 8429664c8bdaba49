package ice

import (
	"net/netip"
	"time"

	"gazpacho/engine/api"
)

// From mediasoup:
const (
	// MaxTuples is the number of tuples that a Server keeps. One more evicts the oldest that is not selected.
	MaxTuples = 8

	// MinConsentTimeout and MaxConsentTimeout bound a consent timeout that is not 0.
	MinConsentTimeout = 10 * time.Second
	MaxConsentTimeout = 60 * time.Second
)

// Protocol is a tuple's transport protocol.
type Protocol = api.Protocol

// The protocols.
const (
	UDP = api.ProtocolUDP
	TCP = api.ProtocolTCP
)

// Tuple is the path of a packet: a remote address and a local socket. It is comparable, and equal only if every part is.
type Tuple struct {
	Remote   netip.AddrPort
	Socket   uint32 // the local socket or TCP connection, numbered by the caller
	Protocol Protocol
}

// State is the state of ICE.
type State = api.ICEState

// The states after api.ICEStateNew. Connected: a check succeeded, so packets can flow. Completed: the peer nominated a
// tuple. Disconnected: the selected tuple was lost with no other to replace it, or consent expired.
const (
	Connected    = api.ICEStateConnected
	Completed    = api.ICEStateCompleted
	Disconnected = api.ICEStateDisconnected
)

// Output is what happened in a Server's calls. The caller acts on it after each call and then resets it. Each list is in
// the order of the events. Process the lists in the order that mediasoup's applications see: fragments, added tuples,
// removed tuples, selected tuples, states.
type Output struct {
	AddedFragments   []string // username fragments that requests may be addressed to from now on
	RemovedFragments []string // username fragments no longer in use
	AddedTuples      []Tuple
	RemovedTuples    []Tuple // if a tuple is a TCP connection, close it
	SelectedTuples   []Tuple // the selected tuple each time it changed
	States           []State // the state each time it changed
}

// Empty reports whether there is nothing to act on.
func (o *Output) Empty() bool {
	return len(o.AddedFragments)+len(o.RemovedFragments)+len(o.AddedTuples)+len(o.RemovedTuples)+
		len(o.SelectedTuples)+len(o.States) == 0
}

// Reset empties the lists and keeps their memory.
func (o *Output) Reset() {
	*o = Output{
		AddedFragments:   o.AddedFragments[:0],
		RemovedFragments: o.RemovedFragments[:0],
		AddedTuples:      o.AddedTuples[:0],
		RemovedTuples:    o.RemovedTuples[:0],
		SelectedTuples:   o.SelectedTuples[:0],
		States:           o.States[:0],
	}
}

// Counters counts the messages that a Server handled, by outcome, and events.
type Counters struct {
	Accepted       uint64 // requests answered with success
	Malformed      uint64 // dropped: not STUN, or malformed STUN
	Ignored        uint64 // indications and responses, which a lite agent does not need
	BadRequests    uint64 // refused with 400
	Unauthorized   uint64 // refused with 401
	RoleConflicts  uint64 // refused with 487
	EvictedTuples  uint64 // removed because there were more than MaxTuples
	ConsentExpired uint64 // how often the peer stopped its checks
	GivenUp        uint64 // selected tuples that no authentic traffic came from
}
