package dtls_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

func TestGeneratedCertificate(t *testing.T) {
	der, key := testCertificate.TLS()
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	require.NoError(t, cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature), "self-signed")
	require.Equal(t, elliptic.P256(), key.(*ecdsa.PrivateKey).Curve)
	require.Regexp(t, `^mediasoup\d{6}$`, cert.Subject.CommonName)
	require.Equal(t, cert.Issuer.String(), cert.Subject.String())
	require.Equal(t, 1, cert.SerialNumber.Sign())
	require.True(t, cert.NotBefore.Before(time.Now().AddDate(-9, 0, 0)))
	require.True(t, cert.NotAfter.After(time.Now().AddDate(9, 0, 0)))
	require.NotEqual(t, testCertificate.Fingerprints(), generate().Fingerprints())
}

// A certificate can be taken to another process.
func TestCertificateAsPEM(t *testing.T) {
	c, err := dtls.GenerateCertificate()
	require.NoError(t, err)
	certificate, key, err := c.PEM()
	require.NoError(t, err)
	again, err := dtls.ParseCertificate("certificate", certificate, "key", key)
	require.NoError(t, err)
	require.Equal(t, c.Fingerprints(), again.Fingerprints())
}

func TestFingerprints(t *testing.T) {
	der, _ := testCertificate.TLS()
	all := testCertificate.Fingerprints()
	require.Len(t, all, 5)
	for i, length := range []int{20, 28, 32, 48, 64} {
		require.Equal(t, api.FingerprintAlgorithm(i), all[i].Algorithm)
		require.Regexp(t, regexp.MustCompile(fmt.Sprintf(`^([0-9A-F]{2}:){%d}[0-9A-F]{2}$`, length-1)), all[i].Value)
	}
	want := fmt.Sprintf("%X", sha256.Sum256(der))
	require.Equal(t, want, strings.ReplaceAll(all[2].Value, ":", ""))
}

// keyFiles are PEM files of one key pair.
type keyFiles struct{ cert, pkcs8, own string }

func writeFiles(t *testing.T, key any) keyFiles {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour)}
	var public any
	own := pem.Block{}
	var err error
	switch k := key.(type) {
	case *rsa.PrivateKey:
		public, own = &k.PublicKey, pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}
	case *ecdsa.PrivateKey:
		own.Type = "EC PRIVATE KEY"
		own.Bytes, err = x509.MarshalECPrivateKey(k)
		require.NoError(t, err)
		public = &k.PublicKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{5, 0}})
	return keyFiles{
		cert:  write(t, append([]byte("some text\n"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)),
		pkcs8: write(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
		own:   write(t, append(parameters, pem.EncodeToMemory(&own)...)),
	}
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "*.pem")
	require.NoError(t, err)
	_, err = f.Write(data)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return f.Name()
}

func newKeys(t *testing.T) map[string]any {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	return map[string]any{"RSA": rsaKey, "ECDSA P-256": p256, "ECDSA P-384": p384}
}

func TestLoadedCertificatesConnect(t *testing.T) {
	for name, key := range newKeys(t) {
		t.Run(name, func(t *testing.T) {
			files := writeFiles(t, key)
			loaded, err := dtls.LoadCertificate(files.cert, files.own)
			require.NoError(t, err)
			again, err := dtls.LoadCertificate(files.cert, files.pkcs8)
			require.NoError(t, err)
			require.Equal(t, loaded.Fingerprints(), again.Fingerprints())
			for _, server := range []bool{true, false} {
				p := newPair(t, dtls.Settings{}, dtls.Settings{})
				s := p.client
				if server {
					s = p.server
				}
				s.cert = loaded
				s.Transport = dtls.NewWith(loaded, func() { s.woken <- struct{}{} }, dtls.Settings{})
				t.Cleanup(s.Close)
				p.connect(t)
				p.exchange(t, name)
			}
		})
	}
}

func TestLoadCertificateErrors(t *testing.T) {
	keys := newKeys(t)
	good, other, rsaFiles := writeFiles(t, keys["ECDSA P-256"]), writeFiles(t, keys["ECDSA P-384"]), writeFiles(t, keys["RSA"])
	agreement, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	encodedAgreement, err := x509.MarshalPKCS8PrivateKey(agreement)
	require.NoError(t, err)
	notForSigning := write(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encodedAgreement}))
	missing := filepath.Join(t.TempDir(), "missing.pem")
	text := write(t, []byte("just text"))
	broken := write(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1, 2}}))
	brokenKey := write(t, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{1, 2}}))
	encrypted := write(t, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}))
	old := write(t, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"DEK-Info": "x"}, Bytes: []byte{1}}))

	for _, c := range []struct{ cert, key, file, want string }{
		{missing, good.own, missing, "no such file"},
		{good.cert, missing, missing, "no such file"},
		{text, good.own, text, "not a PEM file"},
		{good.cert, text, text, "not a PEM file"},
		{good.own, good.own, good.own, "contains only PEM blocks of other types: EC PARAMETERS, EC PRIVATE KEY"},
		{good.cert, good.cert, good.cert, "contains only PEM blocks of other types: CERTIFICATE"},
		{broken, good.own, broken, "not a DER certificate"},
		{good.cert, brokenKey, brokenKey, "not a private key that can be used"},
		{good.cert, encrypted, encrypted, "encrypted"},
		{good.cert, old, old, "encrypted"},
		{good.cert, notForSigning, notForSigning, "needs RSA, ECDSA or Ed25519"},
		{good.cert, other.own, other.own, "does not belong to the certificate"},
		{good.cert, rsaFiles.own, rsaFiles.own, "does not belong to the certificate"},
		{rsaFiles.cert, good.own, good.own, "does not belong to the certificate"},
	} {
		_, err := dtls.LoadCertificate(c.cert, c.key)
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, c.file)
	}
}

// Verifying with a key as long as a handshake message allows would take seconds.
func TestLongCertificates(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for length, want := range map[int]api.DTLSState{4000: api.DTLSStateConnected, 5000: api.DTLSStateFailed, 30000: api.DTLSStateFailed} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour),
			ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: make([]byte, length)}},
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		require.NoError(t, err)
		encoded, err := x509.MarshalECPrivateKey(key)
		require.NoError(t, err)
		cert, err := dtls.LoadCertificate(write(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
			write(t, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})))
		require.NoError(t, err)
		inVirtualTime(t, fmt.Sprint(length), func(t *testing.T) {
			d, p := pionClient(t, cert, piondtls.WithSRTPProtectionProfiles(piondtls.SRTP_AEAD_AES_128_GCM))
			d.until(t, "an end", func() bool { return d.reached(api.DTLSStateConnected) || d.reached(api.DTLSStateFailed) })
			require.True(t, d.reached(want), "%v", d.names())
			_ = p.conn.Close()
		})
	}
}
