package dtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"testing/synctest"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// pionPeer is a peer of pion/dtls itself; result gets the result of its handshake.
type pionPeer struct {
	conn   *piondtls.Conn
	result chan error
}

func (p *pionPeer) start(d *driver) {
	p.result = make(chan error, 1)
	go func() {
		p.result <- p.conn.Handshake()
		select {
		case d.woken <- struct{}{}: // driver.until waits on this
		default:
		}
	}()
}

func tlsCertificate(c *dtls.Certificate) tls.Certificate {
	der, key := c.TLS()
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// checkPion compares the results of both ends after the handshake, and carries data.
func checkPion(t *testing.T, d *driver, p *pionPeer, client bool) {
	t.Helper()
	change := d.untilConnected(t)
	d.until(t, "pion", func() bool { return len(p.result) > 0 })
	require.NoError(t, <-p.result)
	state, ok := p.conn.ConnectionState()
	require.True(t, ok)
	material, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*28)
	require.NoError(t, err)
	clientKeySalt := append(append([]byte{}, material[:16]...), material[32:44]...)
	serverKeySalt := append(append([]byte{}, material[16:32]...), material[44:]...)
	require.Equal(t, api.SRTPCryptoSuiteAEADAES128GCM, change.SRTP.Suite)
	if client {
		require.Equal(t, clientKeySalt, change.SRTP.LocalKeySalt)
		require.Equal(t, serverKeySalt, change.SRTP.RemoteKeySalt)
	} else {
		require.Equal(t, serverKeySalt, change.SRTP.LocalKeySalt)
		require.Equal(t, clientKeySalt, change.SRTP.RemoteKeySalt)
	}

	_, err = p.conn.Write([]byte("from pion"))
	require.NoError(t, err)
	d.until(t, "pion's data", func() bool { return len(d.data) > 0 })
	require.Equal(t, []string{"from pion"}, d.data)
	require.NoError(t, d.Write([]byte("to pion")))
	d.until(t, "the datagram to leave", func() bool { return true })
	b := make([]byte, 100)
	n, err := p.conn.Read(b)
	require.NoError(t, err)
	require.Equal(t, "to pion", string(b[:n]))

	require.NoError(t, p.conn.Close())
	d.until(t, "pion's close_notify", func() bool { return d.reached(api.DTLSStateClosed) })
}

func TestWithPionServer(t *testing.T) {
	for _, skipHelloVerify := range []bool{false, true} {
		near, far := memoryPipe()
		d := drive(t, newSide(t, dtls.Settings{}), near)
		cert := generate()
		conn, err := piondtls.ServerWithOptions(far, far.RemoteAddr(),
			piondtls.WithCertificates(tlsCertificate(cert)), piondtls.WithClientAuth(piondtls.RequireAnyClientCert),
			piondtls.WithSRTPProtectionProfiles(piondtls.SRTP_AEAD_AES_128_GCM),
			piondtls.WithInsecureSkipVerifyHello(skipHelloVerify))
		require.NoError(t, err)
		p := &pionPeer{conn: conn}
		p.start(d)
		require.NoError(t, d.Start(dtls.Client, sha256Of(cert)))
		checkPion(t, d, p, true)
	}
}

func TestWithPionClient(t *testing.T) {
	for _, suite := range suitesOfRecords {
		for _, masterSecret := range []piondtls.ExtendedMasterSecretType{piondtls.RequireExtendedMasterSecret, piondtls.DisableExtendedMasterSecret} {
			synctest.Test(t, func(t *testing.T) {
				d, p := pionClient(t, generate(), piondtls.WithCipherSuites(suite), piondtls.WithExtendedMasterSecret(masterSecret),
					piondtls.WithSRTPProtectionProfiles(piondtls.SRTP_AEAD_AES_128_GCM))
				checkPion(t, d, p, false)
			})
		}
	}
}

// pionClient starts a Transport as server, and a pion client that presents cert, whose fingerprint the server has.
func pionClient(t *testing.T, cert *dtls.Certificate, options ...piondtls.ClientOption) (*driver, *pionPeer) {
	t.Helper()
	near, far := memoryPipe()
	d := drive(t, newSide(t, dtls.Settings{HandshakeTimeout: 3 * time.Second}), near)
	require.NoError(t, d.Start(dtls.Server, sha256Of(cert)))
	conn, err := piondtls.ClientWithOptions(far, far.RemoteAddr(), append(options,
		piondtls.WithCertificates(tlsCertificate(cert)), piondtls.WithInsecureSkipVerify(true))...)
	require.NoError(t, err)
	p := &pionPeer{conn: conn}
	p.start(d)
	return d, p
}

func requireRefusal(t *testing.T, d *driver, p *pionPeer) {
	t.Helper()
	d.until(t, "both to fail", func() bool { return d.reached(api.DTLSStateFailed) && len(p.result) > 0 })
	require.Error(t, d.change(t, api.DTLSStateFailed).Reason)
	require.False(t, d.reached(api.DTLSStateConnected))
	_ = p.conn.Close()
}

// inVirtualTime runs a subtest in which time passes only when all goroutines are blocked: timeouts come at once, but never
// too early.
func inVirtualTime(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestPeersThatAreRefused(t *testing.T) {
	srtp := piondtls.WithSRTPProtectionProfiles(piondtls.SRTP_AEAD_AES_128_GCM)
	for name, option := range map[string]piondtls.ClientOption{
		"no SRTP profile in common": piondtls.WithSRTPProtectionProfiles(piondtls.SRTP_NULL_HMAC_SHA1_80),
		"no cipher suite in common": piondtls.WithCipherSuites(piondtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA),
	} {
		inVirtualTime(t, name, func(t *testing.T) {
			d, p := pionClient(t, generate(), srtp, option)
			requireRefusal(t, d, p)
		})
	}
	inVirtualTime(t, "no use_srtp", func(t *testing.T) {
		d, p := pionClient(t, generate())
		d.until(t, "the refusal", func() bool { return d.reached(api.DTLSStateFailed) })
		require.ErrorContains(t, d.change(t, api.DTLSStateFailed).Reason, "did not negotiate SRTP")
		require.ErrorIs(t, d.Write([]byte("x")), dtls.ErrNotConnected)
		_ = p.conn.Close()
	})
	inVirtualTime(t, "a client without certificate", func(t *testing.T) {
		d, p := pionClient(t, generate(), srtp, piondtls.WithGetClientCertificate(
			func(*piondtls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }))
		d.until(t, "the refusal, by timeout", func() bool { return d.reached(api.DTLSStateFailed) })
		require.False(t, d.reached(api.DTLSStateConnected))
		_ = p.conn.Close()
	})
	inVirtualTime(t, "a client whose second certificate is the announced one", func(t *testing.T) {
		announced, shown := generate(), tlsCertificate(generate())
		shown.Certificate = append(shown.Certificate, tlsCertificate(announced).Certificate...)
		d, p := pionClient(t, announced, srtp, piondtls.WithGetClientCertificate(
			func(*piondtls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }))
		requireRefusal(t, d, p)
	})
	inVirtualTime(t, "a client that does not own the announced certificate's key", func(t *testing.T) {
		announced, stolen := generate(), tlsCertificate(generate())
		stolen.Certificate = tlsCertificate(announced).Certificate
		d, p := pionClient(t, announced, srtp, piondtls.WithGetClientCertificate(
			func(*piondtls.CertificateRequestInfo) (*tls.Certificate, error) { return &stolen, nil }))
		requireRefusal(t, d, p)
	})
	inVirtualTime(t, "a client that refuses the server's certificate", func(t *testing.T) {
		d, p := pionClient(t, generate(), srtp, piondtls.WithVerifyPeerCertificate(
			func([][]byte, [][]*x509.Certificate) error { return x509.ErrUnsupportedAlgorithm }))
		requireRefusal(t, d, p)
	})
}
