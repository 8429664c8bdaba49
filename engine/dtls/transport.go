package dtls

import (
	"errors"
	"slices"
	"sync"
	"time"

	piondtls "github.com/pion/dtls/v3"

	"gazpacho/engine/api"
	"gazpacho/engine/wake"
)

// Errors of Start and Write.
var (
	ErrClosed       = errors.New("the DTLS transport is closed")
	ErrStarted      = errors.New("the DTLS transport is already running in the other role")
	ErrNotConnected = errors.New("the DTLS transport is not connected")
	ErrQueueFull    = errors.New("too many DTLS datagrams are waiting to be sent")
	ErrDataLength   = errors.New("application data is empty or longer than a DTLS record")
)

// Chosen here: bounds of the queues.
const (
	maxEarly        = 4    // datagrams kept before Start, enough for a ClientHello in fragments
	maxDatagramLen  = 8192 // bytes during the handshake; pion's read buffer is no larger
	maxOutDatagrams = 256
	maxOutData      = 256 << 10 // bytes
	maxIdleCapacity = 4         // elements for which an empty queue keeps memory
)

// config holds what tests change.
type config struct {
	flightInterval   time.Duration
	handshakeTimeout time.Duration
	suites           []piondtls.CipherSuiteID
	profiles         []piondtls.SRTPProtectionProfile
	limiter          *limiter
}

var defaults = &config{flightInterval, handshakeTimeout, cipherSuiteOrder, srtpProfiles(), handshakes}

// Transport is one DTLS association. Its methods never block and may be called from any goroutine; the engine calls them
// in the turn of the transport's shard. Drain it with Poll after each call.
type Transport struct {
	cert   *Certificate
	config *config

	signal wake.Signal // Poll has something new

	mu       sync.Mutex
	closed   bool
	state    api.DTLSState
	role     Role
	remote   api.Fingerprint
	early    [][]byte
	assoc    *association // while a handshake runs or is queued
	session  *session     // while connected
	out      Output
	dataSize int
	counters Counters
}

// New returns a Transport that does nothing before Start except keep a few early datagrams: a browser sends its ClientHello
// as soon as ICE is connected, which may be before the application passes the fingerprint.
//
// A running handshake calls wake, from its own goroutine, when Poll has something new. Output that a method produces within
// the call is not announced. wake must only post to the shard: it must not block, and must not call Close. After Close has
// returned, wake is not called again.
func New(cert *Certificate, wake func()) *Transport { return newTransport(cert, wake, defaults) }

func newTransport(cert *Certificate, wake func(), c *config) *Transport {
	t := &Transport{cert: cert, config: c}
	t.signal.Init(wake)
	return t
}

// Start runs the association in the given local role (mediasoup's Run). remote holds the fingerprints from signalling; as in
// mediasoup, only the first one counts. The state becomes Connecting; a client sends its ClientHello, a server waits for one
// and takes no resources until then.
//
// Starting again in the same role does nothing. After Failed, or after Closed by the peer, Start runs a new association.
// Errors: *api.Error (TypeError) if remote is empty, ErrStarted, ErrClosed.
func (t *Transport) Start(role Role, remote []api.Fingerprint) error {
	if role == Auto {
		role = Server
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return ErrClosed
	case len(remote) == 0:
		return api.TypeErrorf("empty dtlsParameters.fingerprints array")
	case t.active() && role != t.role:
		return ErrStarted
	case t.active():
		return nil
	}
	t.role, t.remote = role, remote[0]
	t.setState(StateChange{State: api.DTLSStateConnecting})
	if role == Client {
		t.startHandshake()
	}
	early := t.early
	t.early = nil
	for _, b := range early {
		t.handshakeDatagram(b)
	}
	return nil
}

// State returns the current state.
func (t *Transport) State() api.DTLSState {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// HandleDatagram handles a DTLS datagram, which it copies. The caller must have checked that it comes from an ICE-valid tuple.
// It reports whether the datagram is known to be the peer's: one of its records was decrypted.
func (t *Transport) HandleDatagram(b []byte) (authentic bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
	case t.state == api.DTLSStateConnected:
		return t.sessionDatagram(b)
	case len(b) > maxDatagramLen:
		t.counters.Malformed++
	case t.state == api.DTLSStateConnecting:
		t.handshakeDatagram(b)
	case t.state == api.DTLSStateNew && len(t.early) < maxEarly:
		t.early = append(t.early, slices.Clone(b))
	default:
		t.counters.InputFull++
	}
	return false
}

// Poll moves everything new into out.
func (t *Transport) Poll(out *Output) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.signal.Seen()
	out.Datagrams = wake.Move(out.Datagrams, &t.out.Datagrams, maxIdleCapacity)
	out.States = wake.Move(out.States, &t.out.States, maxIdleCapacity)
	t.out.States = nil // another change is unlikely
	out.Data = wake.Move(out.Data, &t.out.Data, maxIdleCapacity)
	t.dataSize = 0
}

// Write sends application data in one record. Errors: ErrNotConnected, ErrDataLength, ErrQueueFull.
func (t *Transport) Write(data []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.session == nil:
		return ErrNotConnected
	case len(data) == 0 || len(data) > maxPlaintextLen:
		return ErrDataLength
	case len(t.out.Datagrams) >= maxOutDatagrams:
		t.counters.OutputFull++
		return ErrQueueFull
	}
	return t.send(typeApplicationData, data)
}

// Close ends the association. For a connected peer, the next Poll returns a close_notify to send. Close reports no state
// change. It may be called twice.
func (t *Transport) Close() {
	t.signal.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	t.state = api.DTLSStateClosed
	t.early, t.out.States, t.out.Data = nil, nil, nil
	if t.session != nil {
		_ = t.send(typeAlert, []byte{alertWarning, alertCloseNotify}) // fails when the sequence numbers are used up
		t.session = nil
	}
	t.abandon()
}

// Counters returns the counters of what was dropped or refused.
func (t *Transport) Counters() Counters {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counters
}

func (t *Transport) active() bool {
	return t.state == api.DTLSStateConnecting || t.state == api.DTLSStateConnected
}

func (t *Transport) setState(c StateChange) {
	t.state = c.State
	t.out.States = append(t.out.States, c)
}

// abandon ends a handshake without waiting for its result.
func (t *Transport) abandon() {
	a := t.assoc
	if a == nil {
		return
	}
	t.assoc = nil
	a.abandoned, a.detached = true, true
	a.in, a.buffered, a.deferred = nil, nil, nil
	a.readable.Broadcast()
	if a.cancel != nil {
		a.cancel()
	}
	t.config.limiter.remove(a)
}

func (t *Transport) pushDatagram(b []byte) {
	if len(t.out.Datagrams) >= maxOutDatagrams {
		t.counters.OutputFull++
		return
	}
	t.out.Datagrams = append(t.out.Datagrams, b)
}

func (t *Transport) pushData(b []byte) {
	if t.dataSize+len(b) > maxOutData {
		t.counters.OutputFull++
		return
	}
	t.dataSize += len(b)
	t.out.Data = append(t.out.Data, b)
}

// unlockAndWake ends a change made by a handshake's goroutine and announces its output, once until the next Poll.
func (t *Transport) unlockAndWake() {
	t.mu.Unlock()
	t.signal.Send()
}
