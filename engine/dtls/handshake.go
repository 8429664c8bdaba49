package dtls

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/gob"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/pion/logging"

	"gazpacho/engine/api"
)

// From RFC 5764 section 4.2.
const exporterLabel = "EXTRACTOR-dtls_srtp"

// From mediasoup: the interval before the first retransmission; it doubles each time.
const flightInterval = 100 * time.Millisecond

// Chosen here:
const (
	// handshakeTimeout counts from the first ClientHello that a client sends or a server receives. mediasoup gives up after
	// 13 retransmissions, which take 34 s.
	handshakeTimeout = 30 * time.Second
	mtu              = 1200      // bytes of DTLS payload, before some 60 bytes of headers; mediasoup keeps datagrams below 1350
	maxHandshakeIn   = 128 << 10 // bytes delivered to one handshake in all, because pion keeps them
	maxInDatagrams   = 32        // datagrams waiting to be read; a flight has at most six
	maxBuffered      = 4         // a ChangeCipherSpec and a few Finished records
	maxDeferred      = 16        // records of the established association that overtook the end of the handshake
)

var errNoSRTP = errors.New("the peer did not negotiate SRTP (use_srtp)")

// association is one running handshake. The transport's lock protects its fields, except slot and displaced.
type association struct {
	t      *Transport
	role   Role
	remote api.Fingerprint
	slot   slot // in the limiter, under its lock
	// displaced: the limiter ended the handshake, because the peer was silent while others waited.
	displaced atomic.Bool

	readable   sync.Cond
	in         [][]byte // for the handshake to read
	buffered   [][]byte // for the handshake to read once it is ready
	deferred   [][]byte // for the session
	delivered  int      // bytes added to in and buffered so far
	sequence   uint64   // number of the last plaintext record
	ready      bool     // the handshake has its keys
	expired    bool     // the read deadline has passed
	connClosed bool
	detached   bool // what the handshake writes is discarded
	abandoned  bool // the result is no longer wanted
	cancel     context.CancelFunc
	lastFlight []byte // the last datagram sent that contains a Finished

	certificate []byte // DER, once verified
	secrets     secrets
}

func newAssociation(t *Transport) *association {
	a := &association{t: t, role: t.role, remote: t.remote}
	a.readable.L = &t.mu
	return a
}

// run is the goroutine of a handshake. It ends soon after abandon, or else at the timeout.
func (a *association) run(ctx context.Context, cancel context.CancelFunc) {
	defer a.t.config.limiter.leave(a)
	defer cancel()

	a.t.mu.Lock()
	if a.abandoned {
		a.t.mu.Unlock()
		return
	}
	a.cancel = cancel
	a.t.mu.Unlock()

	result, err := a.handshake(ctx)
	if err != nil && a.displaced.Load() {
		a.t.handshakeDisplaced(a)
		return
	}
	a.t.handshakeDone(a, result, err)
}

// established is the result of a handshake.
type established struct {
	session *session
	srtp    SRTP
	pem     string
}

func (a *association) handshake(ctx context.Context) (*established, error) {
	c, err := a.newConn()
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // conn's Close returns no error
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return a.takeOver(c)
}

// newConn configures pion: the peer must present a certificate, whose fingerprint is checked within the handshake, before
// any key is derived. There is no HelloVerifyRequest, as in mediasoup: ICE has already verified the peer's address.
func (a *association) newConn() (*piondtls.Conn, error) {
	options := []piondtls.Option{
		piondtls.WithCertificates(a.t.cert.tls),
		piondtls.WithCipherSuites(a.t.config.suites...),
		piondtls.WithSRTPProtectionProfiles(a.t.config.profiles...),
		piondtls.WithExtendedMasterSecret(piondtls.RequestExtendedMasterSecret),
		piondtls.WithFlightInterval(a.t.config.flightInterval),
		piondtls.WithMTU(mtu),
		piondtls.WithVerifyPeerCertificate(a.verify),
		piondtls.WithLoggerFactory(silent{}),
		piondtls.WithKeyLogWriter(keyLog{a}),
		piondtls.WithInsecureSkipVerify(true), // no chain to verify: verify checks the fingerprint instead
	}
	if a.role == Client {
		return piondtls.ClientWithOptions(conn{a}, peer{}, convert[piondtls.ClientOption](options)...)
	}
	return piondtls.ServerWithOptions(conn{a}, peer{}, append(convert[piondtls.ServerOption](options),
		piondtls.WithClientAuth(piondtls.RequireAnyClientCert),
		piondtls.WithInsecureSkipVerifyHello(true))...)
}

func convert[T any](options []piondtls.Option) []T {
	converted := make([]T, len(options))
	for i, option := range options {
		converted[i] = option.(T)
	}
	return converted
}

// verify is called within the handshake, after the peer has proved that it has the first certificate's key.
func (a *association) verify(raw [][]byte, _ [][]*x509.Certificate) error {
	if len(raw) == 0 {
		return errors.New("the peer presented no certificate")
	}
	if err := checkFingerprint(a.remote, raw[0]); err != nil {
		return err
	}
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.certificate = slices.Clone(raw[0])
	if a.role == Server { // it derives the keys now, before it reads again, see buffer
		a.ready = true
	}
	return nil
}

// takeOver takes the established association over from pion. The order matters: first what pion writes is discarded, then
// its sequence number is read, so that no number (which is a nonce) is used twice on the wire.
func (a *association) takeOver(c *piondtls.Conn) (*established, error) {
	a.t.mu.Lock()
	a.detached = true
	certificate, lastFlight := a.certificate, a.lastFlight
	a.t.mu.Unlock()
	if certificate == nil {
		return nil, errors.New("the handshake ended without verifying the peer's certificate")
	}
	profile, ok := c.SelectedSRTPProtectionProfile()
	i := slices.IndexFunc(srtpSuites, func(s srtpSuite) bool { return s.profile == profile })
	if !ok || i < 0 {
		return nil, errNoSRTP
	}
	state, ok := c.ConnectionState()
	if !ok {
		return nil, errors.New("the handshake ended without a state")
	}
	suite := srtpSuites[i]
	material, err := state.ExportKeyingMaterial(exporterLabel, nil, 2*(suite.keyLen+suite.saltLen))
	if err != nil {
		return nil, fmt.Errorf("exporting the SRTP keys: %w", err)
	}
	exported, err := exportState(&state)
	if err != nil {
		return nil, err
	}
	s, err := newSession(exported, lastFlight)
	if err != nil {
		return nil, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	return &established{session: s, srtp: suite.split(material, a.role == Client), pem: string(block)}, nil
}

// exportedState is the part of pion's serialized state that the record layer needs; gob matches the fields by name.
type exportedState struct {
	LocalRandom, RemoteRandom [32]byte
	CipherSuiteID             uint16
	MasterSecret              []byte
	LocalEpoch                uint16
	SequenceNumber            uint64 // the next one to use
	IsClient                  bool
}

func exportState(state *piondtls.State) (*exportedState, error) {
	b, err := state.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("exporting the DTLS state: %w", err)
	}
	var e exportedState
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&e); err != nil {
		return nil, fmt.Errorf("reading the DTLS state: %w", err)
	}
	if len(e.MasterSecret) == 0 || e.LocalEpoch != 1 || e.SequenceNumber == 0 { // the Finished had number 0
		return nil, errors.New("the exported DTLS state is not from a finished handshake")
	}
	return &e, nil
}

// silent keeps pion from logging to standard error: the reasons and the counters hold what matters.
type silent struct{}

var noLog = logging.NewDefaultLeveledLoggerForScope("dtls", logging.LogLevelDisabled, io.Discard)

func (silent) NewLogger(string) logging.LeveledLogger { return noLog }
