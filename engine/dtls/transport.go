package dtls

import (
	"errors"

	"gazpacho/engine/api"
)

// Errors of Start and Write.
var (
	ErrClosed       = errors.New("the DTLS transport is closed")
	ErrStarted      = errors.New("the DTLS transport runs already in the other role")
	ErrNotConnected = errors.New("the DTLS transport is not connected")
	ErrQueueFull    = errors.New("too many DTLS datagrams wait to be sent")
	ErrDataLength   = errors.New("application data is empty or longer than a DTLS record")
)

// Transport is one DTLS association. Its methods never block and may be called from any goroutine, though a shard calls them
// from its own; drain it with Poll after each call.
type Transport struct{}

// New makes a Transport that does nothing before Start. It keeps a few early datagrams, because a browser sends its
// ClientHello as soon as ICE is connected, which may be before the application has told us its fingerprint.
//
// wake is called, from a goroutine of the running handshake, when Poll has something new; it is not called for what a method
// produces while the caller is in it. It must only post to the shard: not block, and not call Close. Once Close has returned,
// wake is not called again.
func New(cert *Certificate, wake func()) *Transport { return &Transport{} }

// Start runs the association in the given local role (upstream's Run). remote holds the fingerprints that signalling gave;
// like upstream, the first one counts. The state becomes Connecting; a client sends its ClientHello, a server waits for one
// and uses nothing until then.
//
// Starting again in the same role does nothing. After Failed, or after Closed by the peer, Start begins anew.
// Errors: *api.Error (TypeError) when remote is empty, ErrStarted, ErrClosed.
func (t *Transport) Start(role Role, remote []api.Fingerprint) error { return nil }

// State returns the present state.
func (t *Transport) State() api.DTLSState { return api.DTLSStateNew }

// HandleDatagram takes a DTLS datagram. It must come from an ICE-valid tuple; that is the caller's duty. b is copied.
func (t *Transport) HandleDatagram(b []byte) {}

// Poll moves everything new into out.
func (t *Transport) Poll(out *Output) {}

// Write sends application data in one record. Errors: ErrNotConnected, ErrDataLength, ErrQueueFull.
func (t *Transport) Write(data []byte) error { return nil }

// Close ends the association. A connected peer gets a close_notify, which the last Poll after Close returns. There is no
// state change to Closed, since the caller knows. Close twice is allowed.
func (t *Transport) Close() {}

// Counters returns what was dropped so far.
func (t *Transport) Counters() Counters { return Counters{} }
