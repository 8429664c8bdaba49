package ice

import (
	"net/netip"
	"time"

	"gazpacho/engine/api"
)

// Upstream's values.
const (
	// MaxTuples is how many tuples a Server keeps. One more drops the oldest that is not selected.
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

// Tuple says which way a packet came or goes. It is comparable and exact: two tuples are the same only if every part is.
type Tuple struct {
	Remote   netip.AddrPort
	Socket   uint32 // which of the local sockets or TCP connections; the caller numbers them
	Protocol Protocol
}

// State is the state of ICE.
type State = api.ICEState

// The states; the first one is api.ICEStateNew. Connected: a check succeeded, so that packets can flow. Completed: the peer
// nominated a tuple. Disconnected: the selected tuple is lost and no other took its place, or consent expired.
const (
	Connected    = api.ICEStateConnected
	Completed    = api.ICEStateCompleted
	Disconnected = api.ICEStateDisconnected
)

// Output is what a Server's calls brought about. The caller acts on it after each call and then resets it. Each list is in the
// order of the events; between lists, this is the order that upstream's applications see: fragments, added tuples, removed
// tuples, selected tuples, states.
type Output struct {
	AddedFragments   []string // username fragments that requests may now be addressed to
	RemovedFragments []string // the contrary
	AddedTuples      []Tuple
	RemovedTuples    []Tuple // a TCP connection that was removed is to be closed
	SelectedTuples   []Tuple // each one the selected tuple from then on
	States           []State // each one the state from then on
}

// Empty tells whether there is nothing to act on.
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

// Counters tells what became of the messages that a Server was given.
type Counters struct {
	Accepted       uint64 // requests answered with success
	Malformed      uint64 // no STUN, or STUN that the format forbids: dropped
	Ignored        uint64 // indications and responses: a lite agent has no use for them
	BadRequests    uint64 // refused with 400
	Unauthorized   uint64 // refused with 401
	RoleConflicts  uint64 // refused with 487
	EvictedTuples  uint64 // removed because there were more than MaxTuples
	ConsentExpired uint64 // times that the peer stopped its checks
}
