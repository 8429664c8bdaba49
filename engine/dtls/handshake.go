package dtls

import (
	"bytes"
	"container/list"
	"context"
	"crypto/x509"
	"encoding/gob"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/pion/logging"

	"gazpacho/engine/api"
)

// From the specification: RFC 5764 section 4.2.
const exporterLabel = "EXTRACTOR-dtls_srtp"

// Upstream's value for the first retransmission; it doubles each time.
const flightInterval = 100 * time.Millisecond

// Ours.
const (
	// handshakeTimeout counts from a client's first or a server's first received ClientHello. Upstream's gives up after 13
	// retransmissions, which takes it 34 s.
	handshakeTimeout = 30 * time.Second
	mtu              = 1200      // of DTLS payload, before some 60 bytes of headers: upstream keeps datagrams below 1350
	maxHandshakeIn   = 128 << 10 // bytes shown to one handshake, which would otherwise keep them all
	maxInDatagrams   = 32        // waiting to be read; a flight has at most six
	maxBuffered      = 4         // a ChangeCipherSpec and some Finished
	maxDeferred      = 16        // records of the established association that overtook the end of the handshake
)

var errNoSRTP = errors.New("the peer did not negotiate SRTP (use_srtp)")

// association is one running handshake. Its fields belong to the transport's lock, except place.
type association struct {
	t      *Transport
	role   Role
	remote api.Fingerprint
	place  *list.Element // in the limiter's queue, under the limiter's lock

	readable   sync.Cond
	in         [][]byte // for the handshake to read
	buffered   [][]byte // to be read once it is ready
	deferred   [][]byte // for the session
	delivered  int      // bytes of in and held so far
	sequence   uint64   // of the last record in the clear
	ready      bool     // the handshake has its keys
	expired    bool     // the reader's deadline is over
	connClosed bool
	detached   bool // what the handshake writes is not sent any more
	abandoned  bool // the transport has no interest in the result
	cancel     context.CancelFunc
	lastFlight []byte // the last datagram sent that holds a Finished

	certificate []byte // DER, once verified
	secrets     secrets
}

func newAssociation(t *Transport) *association {
	a := &association{t: t, role: t.role, remote: t.remote}
	a.readable.L = &t.mu
	return a
}

// run is the goroutine of a handshake. It ends soon after abandon, and after the timeout at the latest.
func (a *association) run() {
	defer a.t.config.limiter.leave()
	ctx, cancel := context.WithTimeout(context.Background(), a.t.config.handshakeTimeout)
	defer cancel()

	a.t.mu.Lock()
	if a.abandoned {
		a.t.mu.Unlock()
		return
	}
	a.cancel = cancel
	a.t.mu.Unlock()

	result, err := a.handshake(ctx)
	a.t.settle(a, result, err)
}

// established is what a handshake leaves behind.
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
	defer c.Close() //nolint:errcheck // conn's Close gives no error
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return a.finish(c)
}

// newConn configures pion: its peer must show a certificate, whose fingerprint is checked within the handshake, before any
// key is derived. The HelloVerifyRequest is left out as in upstream: ICE has proved the peer's address already.
func (a *association) newConn() (*piondtls.Conn, error) {
	options := []piondtls.Option{
		piondtls.WithCertificates(a.t.cert.tls),
		piondtls.WithCipherSuites(cipherSuiteOrder...),
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

// verify is called by the handshake after the peer has proved that it owns the first certificate's key.
func (a *association) verify(raw [][]byte, _ [][]*x509.Certificate) error {
	if len(raw) == 0 {
		return errors.New("the peer showed no certificate")
	}
	if err := checkFingerprint(a.remote, raw[0]); err != nil {
		return err
	}
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.certificate = slices.Clone(raw[0])
	if a.role == Server { // it derives the keys now, before it reads again, see hold
		a.ready = true
	}
	return nil
}

// finish takes over from pion. The order matters: first nothing that pion writes leaves any more, then the sequence number is
// read, so that no number (which is a nonce) is used twice on the wire.
func (a *association) finish(c *piondtls.Conn) (*established, error) {
	a.t.mu.Lock()
	a.detached = true
	certificate, lastFlight := a.certificate, a.lastFlight
	a.t.mu.Unlock()
	if certificate == nil {
		return nil, errors.New("the handshake ended without the peer's certificate being verified")
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
	keys, err := export(&state)
	if err != nil {
		return nil, err
	}
	s, err := newSession(keys, lastFlight)
	if err != nil {
		return nil, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	return &established{session: s, srtp: suite.split(material, a.role == Client), pem: string(block)}, nil
}

// exported is the part of pion's serialised state that the record layer needs; gob matches the fields by their names.
type exported struct {
	LocalRandom, RemoteRandom [32]byte
	CipherSuiteID             uint16
	MasterSecret              []byte
	LocalEpoch                uint16
	SequenceNumber            uint64 // the next one to use
	IsClient                  bool
}

func export(state *piondtls.State) (*exported, error) {
	b, err := state.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("exporting the DTLS state: %w", err)
	}
	var e exported
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&e); err != nil {
		return nil, fmt.Errorf("reading the DTLS state: %w", err)
	}
	if len(e.MasterSecret) == 0 || e.LocalEpoch != 1 {
		return nil, errors.New("the exported DTLS state is not that of a finished handshake")
	}
	return &e, nil
}

// silent keeps pion from writing to the standard error: what it would say is in the reasons and the counters.
type silent struct{}

var noLog = logging.NewDefaultLeveledLoggerForScope("dtls", logging.LogLevelDisabled, io.Discard)

func (silent) NewLogger(string) logging.LeveledLogger { return noLog }
