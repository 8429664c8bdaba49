package dtls

import (
	"hash"
	"time"

	piondtls "github.com/pion/dtls/v3"

	"gazpacho/engine/api"
)

// Limits is a limiter for tests that need their own.
type Limits struct{ l *limiter }

func NewLimits(running, waiting int) Limits { return Limits{newLimiter(running, waiting, time.Hour)} }

// DefaultLimits returns a limiter like that of the process.
func DefaultLimits() Limits { return Limits{newLimiter(maxRunning, maxWaiting, maxSilence)} }

// Running and Waiting return the number of handshakes that run and that wait.
func (l Limits) Running() int {
	l.l.mu.Lock()
	defer l.l.mu.Unlock()
	return l.l.running.Len()
}

func (l Limits) Waiting() int {
	l.l.mu.Lock()
	defer l.l.mu.Unlock()
	return l.l.servers.Len() + l.l.clients.Len()
}

// Settings replaces the package's constants; zero fields keep them.
type Settings struct {
	FlightInterval   time.Duration
	HandshakeTimeout time.Duration
	CipherSuites     []piondtls.CipherSuiteID
	Profiles         []piondtls.SRTPProtectionProfile
	Limits           Limits
}

// NewWith is New with settings.
func NewWith(cert *Certificate, wake func(), s Settings) *Transport {
	c := *defaults
	if s.FlightInterval != 0 {
		c.flightInterval = s.FlightInterval
	}
	if s.HandshakeTimeout != 0 {
		c.handshakeTimeout = s.HandshakeTimeout
	}
	if s.CipherSuites != nil {
		c.suites = s.CipherSuites
	}
	if s.Profiles != nil {
		c.profiles = s.Profiles
	}
	if s.Limits.l != nil {
		c.limiter = s.Limits.l
	}
	return newTransport(cert, wake, &c)
}

// Bounds that tests exceed.
const (
	MaxEarly        = maxEarly
	MaxDatagramLen  = maxDatagramLen
	MaxOutDatagrams = maxOutDatagrams
	MaxOutData      = maxOutData
	MaxPlaintextLen = maxPlaintextLen
	MaxDeferred     = maxDeferred
	MaxInDatagrams  = maxInDatagrams
	MaxRunning      = maxRunning
	MaxSilence      = maxSilence
)

// TLS returns the certificate and its key for a peer of another implementation.
func (c *Certificate) TLS() (der []byte, key any) { return c.tls.Certificate[0], c.tls.PrivateKey }

// ExportState is what the record layer takes from pion's state.
func ExportState(state *piondtls.State) (*Exported, error) { return exportState(state) }

// Exported is the result of ExportState.
type Exported = exportedState

// SuiteHash returns the hash of a cipher suite.
func SuiteHash(id piondtls.CipherSuiteID) func() hash.Hash { return cipherSuites[id].hash }

// FingerprintsOf returns the fingerprints of a DER certificate, see Certificate.Fingerprints.
func FingerprintsOf(der []byte) []api.Fingerprint { return fingerprintsOf(der) }

// PublicKeyOf is the reader of public keys.
func PublicKeyOf(der []byte) (any, error) { return publicKeyOf(der) }

// ParsePrivateKeys reads b as a key in each format that has explicit parameters.
func ParsePrivateKeys(b []byte) {
	_, _ = parsePKCS8(b)
	_, _ = parseSEC1(b)
}

// SkipSequence advances the next sequence number of a connected transport by n.
func (t *Transport) SkipSequence(n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session.nextSequence += n
}

// Window is a replay window.
type Window struct{ w replayWindow }

// Accept marks seq as received and reports whether it was new.
func (w *Window) Accept(seq uint64) bool {
	if !w.w.fresh(seq) {
		return false
	}
	w.w.mark(seq)
	return true
}

// SendRecord sends an encrypted record of any type from a connected transport.
func (t *Transport) SendRecord(typ byte, data []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.send(typ, data)
}

// Sealer seals records of epoch 1 like a peer that has the secrets.
type Sealer struct{ s *session }

// NewSealer derives one side's keys of TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.
func NewSealer(isClient bool, masterSecret []byte, clientRandom, serverRandom [32]byte) (*Sealer, error) {
	e := &exportedState{
		LocalRandom: serverRandom, RemoteRandom: clientRandom, MasterSecret: masterSecret, IsClient: isClient,
		CipherSuiteID: uint16(piondtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
	}
	if isClient {
		e.LocalRandom, e.RemoteRandom = clientRandom, serverRandom
	}
	s, err := newSession(e, nil)
	return &Sealer{s}, err
}

// Seal returns the next record.
func (s *Sealer) Seal(typ byte, data []byte) ([]byte, error) { return s.s.seal(typ, data) }
