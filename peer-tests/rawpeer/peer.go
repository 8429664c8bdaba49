package rawpeer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/inbox"
)

// Packet is an RTP packet and the path on which it arrived.
type Packet struct {
	*rtp.Packet
	Path *Path
}

// Peer is a peer of one transport. It sends on the path that was added last, and receives on all.
type Peer struct {
	t         testing.TB
	transport *app.Transport
	cert      tls.Certificate
	path      atomic.Pointer[Path]
	wire      *wire
	dtls      *dtls.Conn
	out, in   atomic.Pointer[srtp.Context]

	// RTP holds the packets received and decrypted.
	RTP inbox.Inbox[Packet]
}

// New returns a peer of a transport, without a path.
func New(t testing.TB, tr *app.Transport) *Peer {
	t.Helper()
	p := &Peer{t: t, transport: tr, cert: newCertificate(t)}
	p.wire = newWire(p)
	t.Cleanup(p.wire.close)
	return p
}

func newCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Fingerprint returns the SHA-256 fingerprint of the peer's certificate (RFC 8122 section 5).
func (p *Peer) Fingerprint() api.Fingerprint {
	sum := sha256.Sum256(p.cert.Certificate[0])
	value := strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
	return api.Fingerprint{Algorithm: api.FingerprintAlgorithmSha256, Value: value}
}

// Open opens a path to the transport's port and sends on it from now on.
func (p *Peer) Open(protocol api.Protocol) *Path {
	p.t.Helper()
	path := Open(p.t, protocol, p.transport.Candidate(protocol).Port)
	p.Use(path)
	return path
}

// Use sends on a path from now on.
func (p *Peer) Use(path *Path) {
	path.peer.Store(p)
	p.path.Store(path)
}

// Path returns the path that the peer sends on.
func (p *Peer) Path() *Path { return p.path.Load() }

// Connect connects as usual over a new path: nomination, DTLS as client, SRTP.
func (p *Peer) Connect(protocol api.Protocol, profiles ...dtls.SRTPProtectionProfile) {
	p.t.Helper()
	p.transport.Connect(api.DTLSRoleClient, p.Fingerprint())
	p.Open(protocol).Nominate(p.transport)
	require.NoError(p.t, p.Handshake(profiles...))
	p.transport.WaitDTLS(api.DTLSStateConnected)
}

// Handshake runs DTLS as client.
func (p *Peer) Handshake(profiles ...dtls.SRTPProtectionProfile) error {
	p.t.Helper()
	if len(profiles) == 0 {
		profiles = []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM}
	}
	conn, err := dtls.ClientWithOptions(p.wire, p.wire.RemoteAddr(),
		dtls.WithCertificates(p.cert), dtls.WithInsecureSkipVerify(true), dtls.WithSRTPProtectionProfiles(profiles...),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret), dtls.WithFlightInterval(100*time.Millisecond))
	require.NoError(p.t, err)
	ctx, cancel := context.WithTimeout(context.Background(), app.Patience)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	p.dtls = conn
	p.setKeys()
	return nil
}

// CloseDTLS sends close_notify.
func (p *Peer) CloseDTLS() { _ = p.dtls.Close() }

func (p *Peer) setKeys() {
	p.t.Helper()
	profile, ok := p.dtls.SelectedSRTPProtectionProfile()
	require.True(p.t, ok)
	config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	state, ok := p.dtls.ConnectionState()
	require.True(p.t, ok)
	require.NoError(p.t, config.ExtractSessionKeysFromDTLS(&state, true))
	out, err := srtp.CreateContext(config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt, config.Profile)
	require.NoError(p.t, err)
	in, err := srtp.CreateContext(config.Keys.RemoteMasterKey, config.Keys.RemoteMasterSalt, config.Profile)
	require.NoError(p.t, err)
	p.out.Store(out)
	p.in.Store(in)
}

// Protect returns an RTP packet as SRTP.
func (p *Peer) Protect(ssrc uint32, sequenceNumber uint16, payload string) []byte {
	p.t.Helper()
	return p.ProtectRTP(&rtp.Packet{
		Header: rtp.Header{
			Version: 2, PayloadType: app.OpusPayloadType, SSRC: ssrc, SequenceNumber: sequenceNumber,
			Timestamp: uint32(sequenceNumber) * 960,
		},
		Payload: []byte(payload),
	})
}

// ProtectRTP returns an RTP packet of any kind as SRTP.
func (p *Peer) ProtectRTP(pkt *rtp.Packet) []byte {
	p.t.Helper()
	plain, err := pkt.Marshal()
	require.NoError(p.t, err)
	sealed, err := p.out.Load().EncryptRTP(nil, plain, nil)
	require.NoError(p.t, err)
	return sealed
}

// ProtectRTCP returns an RTCP packet, with any contents after its header of 8 bytes, as SRTCP.
func (p *Peer) ProtectRTCP(plain []byte) []byte {
	p.t.Helper()
	sealed, err := p.out.Load().EncryptRTCP(nil, plain, nil)
	require.NoError(p.t, err)
	return sealed
}

// SendData sends application data of DTLS.
func (p *Peer) SendData(b []byte) {
	p.t.Helper()
	_, err := p.dtls.Write(b)
	require.NoError(p.t, err)
}

// Send sends an RTP packet on the peer's path.
func (p *Peer) Send(ssrc uint32, sequenceNumber uint16, payload string) {
	p.t.Helper()
	p.Path().Send(p.Protect(ssrc, sequenceNumber, payload))
}

// receive handles a packet that is not STUN, on the path's goroutine.
func (p *Peer) receive(path *Path, b []byte) {
	switch {
	case b[0] >= 20 && b[0] < 64:
		p.wire.deliver(b)
	case b[0] >= 128 && b[0] < 192 && (b[1] < 192 || b[1] > 223): // RFC 5761 section 4
		in := p.in.Load()
		if in == nil {
			return
		}
		plain, err := in.DecryptRTP(nil, b, nil)
		pkt := &rtp.Packet{}
		if err == nil && pkt.Unmarshal(plain) == nil {
			p.RTP.Add(Packet{pkt, path})
		}
	}
}

// isRefused reports whether an error is only that an earlier datagram was answered with port unreachable.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// Profile returns the SRTP profile that DTLS negotiated.
func (p *Peer) Profile() dtls.SRTPProtectionProfile {
	profile, _ := p.dtls.SelectedSRTPProtectionProfile()
	return profile
}
