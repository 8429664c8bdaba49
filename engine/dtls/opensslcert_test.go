package dtls_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// opensslRoles are the roles of openssl in which a handshake succeeds.
type opensslRoles int

const (
	never opensslRoles = iota
	asClient
	inBothRoles
)

// certificateKinds are kinds of certificates that OpenSSL makes. docs/security.md lists what does not work, and why.
var certificateKinds = []struct {
	name  string
	args  []string     // of "openssl req"
	peers opensslRoles // when openssl has the certificate
	ours  opensslRoles // when the transport has it; never: it cannot be loaded
}{
	{"negative serial number", ec("P-256", "-set_serial", "-5"), inBothRoles, inBothRoles},
	{"serial number of 32 bytes", ec("P-256", "-set_serial", "0x7f"+
		"0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), inBothRoles, inBothRoles},
	{"P-384", ec("P-384"), inBothRoles, inBothRoles},
	{"P-521", ec("P-521"), asClient, asClient},                         // as a client, pion does not offer the curve
	{"Ed25519", []string{"-newkey", "ed25519"}, asClient, inBothRoles}, // OpenSSL's DTLS server does not use it
	{"RSA, signed with RSA-PSS", []string{"-newkey", "rsa:2048", "-sigopt", "rsa_padding_mode:pss"}, inBothRoles, inBothRoles},
	{"RSA-PSS", []string{"-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"}, never, never},
	{"explicit curve parameters", ec("P-256", "-pkeyopt", "ec_param_enc:explicit"), never, inBothRoles},
	{"explicit parameters of P-384", ec("P-384", "-pkeyopt", "ec_param_enc:explicit"), never, inBothRoles},
	{"secp256k1", ec("secp256k1"), never, never},
	{"Ed448", []string{"-newkey", "ed448"}, never, never},
}

func ec(curve string, more ...string) []string {
	return append([]string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + curve}, more...)
}

// makeCertificate runs "openssl req".
func makeCertificate(t *testing.T, args ...string) pemFiles {
	t.Helper()
	dir := t.TempDir()
	f := pemFiles{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	cmd := exec.Command(opensslPath(t), append([]string{
		"req", "-x509", "-nodes", "-subj", "/CN=peer", "-days", "30", "-out", f.cert, "-keyout", f.key,
	}, args...)...)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	encoded, err := os.ReadFile(f.cert)
	require.NoError(t, err)
	block, _ := pem.Decode(encoded)
	require.NotNil(t, block)
	f.der = block.Bytes
	return f
}

func TestCertificatesOfPeers(t *testing.T) {
	for _, kind := range certificateKinds {
		t.Run(kind.name, func(t *testing.T) {
			files := makeCertificate(t, kind.args...)
			var settings dtls.Settings
			if kind.peers == never { // openssl may send no certificate at all, and pion then waits for one
				settings.HandshakeTimeout = time.Second
			}
			t.Run("openssl is the client", func(t *testing.T) {
				d, o := startOpenSSLClient(t, settings, testCertificate, files, opensslProfiles[1])
				requireOutcome(t, d, o, false, kind.peers != never)
			})
			t.Run("openssl is the server", func(t *testing.T) {
				d, o := startOpenSSLServer(t, settings, testCertificate, files, opensslProfiles[1])
				requireOutcome(t, d, o, true, kind.peers == inBothRoles)
			})
		})
	}
}

func TestCertificatesOfOurs(t *testing.T) {
	for _, kind := range certificateKinds {
		t.Run(kind.name, func(t *testing.T) {
			files := makeCertificate(t, kind.args...)
			own, err := dtls.LoadCertificate(files.cert, files.key)
			if kind.ours == never {
				require.ErrorContains(t, err, files.cert)
				return
			}
			require.NoError(t, err)
			require.Equal(t, files.fingerprint(), own.Fingerprints()[2:3])
			peer := filesOf(t, generate())
			t.Run("openssl is the client", func(t *testing.T) {
				d, o := startOpenSSLClient(t, dtls.Settings{}, own, peer, opensslProfiles[1])
				requireOutcome(t, d, o, false, true)
			})
			t.Run("openssl is the server", func(t *testing.T) {
				d, o := startOpenSSLServer(t, dtls.Settings{}, own, peer, opensslProfiles[1])
				requireOutcome(t, d, o, true, kind.ours == inBothRoles)
			})
		})
	}
}

// requireOutcome requires that both sides connect and exchange data, or that the transport fails without having connected.
func requireOutcome(t *testing.T, d *driver, o *openssl, client, connects bool) {
	t.Helper()
	if connects {
		checkOpenSSL(t, d, o, client, opensslProfiles[1])
		return
	}
	d.until(t, "the refusal", func() bool { return d.reached(api.DTLSStateFailed) })
	require.Equal(t, []string{"CONNECTING", "FAILED"}, d.names())
}

// Explicit parameters that are not those of a named curve, and structures that are cut, are refused.
func TestPublicKeyReader(t *testing.T) {
	files := makeCertificate(t, ec("P-256", "-pkeyopt", "ec_param_enc:explicit")...)
	key, err := dtls.PublicKeyOf(files.der)
	require.NoError(t, err)
	require.Equal(t, elliptic.P256(), key.(*ecdsa.PublicKey).Curve)
	for i := range files.der {
		_, err := dtls.PublicKeyOf(files.der[:i])
		require.Error(t, err)
	}
	for name, n := range map[string]*big.Int{
		"prime": elliptic.P256().Params().P, "b": elliptic.P256().Params().B, "generator": elliptic.P256().Params().Gx,
		"order": elliptic.P256().Params().N,
	} {
		changed := bytes.Clone(files.der)
		at := bytes.Index(changed, n.Bytes())
		require.Positive(t, at, name)
		changed[at+31] ^= 1
		_, err := dtls.PublicKeyOf(changed)
		require.ErrorContains(t, err, "elliptic curve", name)
	}
}

// SEC 1 files with explicit parameters, as "openssl ecparam" writes them.
func TestExplicitParametersInSEC1(t *testing.T) {
	dir := t.TempDir()
	key, cert := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	for _, args := range [][]string{
		{"ecparam", "-name", "prime256v1", "-genkey", "-noout", "-param_enc", "explicit", "-out", key},
		{"req", "-x509", "-key", key, "-subj", "/CN=peer", "-out", cert},
	} {
		output, err := exec.Command(opensslPath(t), args...).CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	encoded, err := os.ReadFile(key)
	require.NoError(t, err)
	require.Contains(t, string(encoded), "BEGIN EC PRIVATE KEY")
	_, err = dtls.LoadCertificate(cert, key)
	require.NoError(t, err)
}
