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
	ErrStarted      = errors.New("the DTLS transport runs already in the other role")
	ErrNotConnected = errors.New("the DTLS transport is not connected")
	ErrQueueFull    = errors.New("too many DTLS datagrams wait to be sent")
	ErrDataLength   = errors.New("application data is empty or longer than a DTLS record")
)

// Ours: bounds of the queues.
const (
	maxEarly        = 4    // datagrams kept before Start: a ClientHello in fragments
	maxDatagramLen  = 8192 // during the handshake, pion reads no more
	maxOutDatagrams = 256
	maxOutData      = 256 << 10 // bytes
	keptCapacity    = 4         // elements of an empty queue
)

// config is what tests set otherwise.
type config struct {
	flightInterval   time.Duration
	handshakeTimeout time.Duration
	profiles         []piondtls.SRTPProtectionProfile
	limiter          *limiter
}

var defaults = &config{flightInterval, handshakeTimeout, srtpProfiles(), handshakes}

// Transport is one DTLS association. Its methods never block and may be called from any goroutine, though a shard calls them
// from its own; drain it with Poll after each call.
type Transport struct {
	cert   *Certificate
	config *config

	signal wake.Signal // that Poll has something new

	mu       sync.Mutex
	closed   bool
	state    api.DTLSState
	role     Role
	remote   api.Fingerprint
	early    [][]byte
	assoc    *association // while a handshake runs or waits for its turn
	session  *session     // while connected
	out      Output
	dataSize int
	counters Counters
}

// New makes a Transport that does nothing before Start. It keeps a few early datagrams, because a browser sends its
// ClientHello as soon as ICE is connected, which may be before the application has told us its fingerprint.
//
// wake is called, from a goroutine of the running handshake, when Poll has something new; it is not called for what a method
// produces while the caller is in it. It must only post to the shard: not block, and not call Close. Once Close has returned,
// wake is not called again.
func New(cert *Certificate, wake func()) *Transport { return newTransport(cert, wake, defaults) }

func newTransport(cert *Certificate, wake func(), c *config) *Transport {
	t := &Transport{cert: cert, config: c}
	t.signal.Init(wake)
	return t
}

// Start runs the association in the given local role (upstream's Run). remote holds the fingerprints that signalling gave;
// like upstream, the first one counts. The state becomes Connecting; a client sends its ClientHello, a server waits for one
// and uses nothing until then.
//
// Starting again in the same role does nothing. After Failed, or after Closed by the peer, Start begins anew.
// Errors: *api.Error (TypeError) when remote is empty, ErrStarted, ErrClosed.
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
	t.change(StateChange{State: api.DTLSStateConnecting})
	if role == Client {
		t.begin()
	}
	early := t.early
	t.early = nil
	for _, b := range early {
		t.handshakeDatagram(b)
	}
	return nil
}

// State returns the present state.
func (t *Transport) State() api.DTLSState {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// HandleDatagram takes a DTLS datagram. It must come from an ICE-valid tuple; that is the caller's duty. b is copied.
func (t *Transport) HandleDatagram(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
	case t.state == api.DTLSStateConnected:
		t.sessionDatagram(b)
	case len(b) > maxDatagramLen:
		t.counters.Malformed++
	case t.state == api.DTLSStateConnecting:
		t.handshakeDatagram(b)
	case t.state == api.DTLSStateNew && len(t.early) < maxEarly:
		t.early = append(t.early, slices.Clone(b))
	default:
		t.counters.InputFull++
	}
}

// Poll moves everything new into out.
func (t *Transport) Poll(out *Output) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.signal.Seen()
	out.Datagrams = wake.Move(out.Datagrams, &t.out.Datagrams, keptCapacity)
	out.States = wake.Move(out.States, &t.out.States, keptCapacity)
	t.out.States = nil // there will hardly be another one
	out.Data = wake.Move(out.Data, &t.out.Data, keptCapacity)
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

// Close ends the association. A connected peer gets a close_notify, which the last Poll after Close returns. There is no
// state change to Closed, since the caller knows. Close twice is allowed.
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
		_ = t.send(typeAlert, []byte{alertWarning, alertCloseNotify}) // an association out of numbers ends without
		t.session = nil
	}
	t.abandon()
}

// Counters returns what was dropped so far.
func (t *Transport) Counters() Counters {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counters
}

func (t *Transport) active() bool {
	return t.state == api.DTLSStateConnecting || t.state == api.DTLSStateConnected
}

func (t *Transport) change(c StateChange) {
	t.state = c.State
	t.out.States = append(t.out.States, c)
}

// abandon ends a handshake whose result nobody wants.
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

// unlockAndWake ends a change made by a handshake's goroutine: it announces the output, once per Poll.
func (t *Transport) unlockAndWake() {
	t.mu.Unlock()
	t.signal.Send()
}
