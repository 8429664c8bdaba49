package dtls

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // one of the five algorithms that mediasoup offers; signalling chooses
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"time"

	"gazpacho/engine/api"
)

// From mediasoup, for the certificate it generates.
const (
	certificateName     = "mediasoup"               // followed by a random number
	certificateValidity = 10 * 365 * 24 * time.Hour // before and after now, in case a clock is wrong
)

// Certificate is the certificate that this process presents to every peer.
type Certificate struct {
	tls          tls.Certificate
	fingerprints []api.Fingerprint
}

// GenerateCertificate creates a self-signed certificate with a new ECDSA P-256 key, valid for ten years before and after now.
func GenerateCertificate() (*Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating the DTLS key: %w", err)
	}
	number, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, fmt.Errorf("generating the DTLS certificate's serial number: %w", err)
	}
	name := fmt.Sprintf("%s%06d", certificateName, new(big.Int).Mod(number, big.NewInt(1_000_000)))
	subject := pkix.Name{Organization: []string{name}, CommonName: name}
	template := &x509.Certificate{
		SerialNumber: number.Add(number, big.NewInt(1)), // RFC 5280 section 4.1.2.2: positive
		Subject:      subject,
		NotBefore:    time.Now().Add(-certificateValidity),
		NotAfter:     time.Now().Add(certificateValidity),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("generating the DTLS certificate: %w", err)
	}
	return newCertificate(der, key), nil
}

// LoadCertificate reads a PEM certificate (the first in its file) and its PEM private key (RSA, ECDSA on a NIST curve, or
// Ed25519; PKCS #1, SEC 1 or PKCS #8). Of the certificate only the key is read. The error names the file and what is wrong with
// it.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("DTLS certificate file %q: %w", certFile, err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("DTLS private key file %q: %w", keyFile, err)
	}
	return ParseCertificate(fmt.Sprintf("file %q", certFile), certPEM, fmt.Sprintf("file %q", keyFile), keyPEM)
}

// ParseCertificate is [LoadCertificate] for what the files contain. The names are for errors.
func ParseCertificate(certName string, certPEM []byte, keyName string, keyPEM []byte) (*Certificate, error) {
	der, public, err := parseCertificate(certPEM)
	if err != nil {
		return nil, fmt.Errorf("DTLS certificate %s: %w", certName, err)
	}
	key, err := parsePrivateKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("DTLS private key %s: %w", keyName, err)
	}
	if !keysMatch(public, key) {
		return nil, fmt.Errorf("the DTLS private key in %s does not belong to the certificate in %s", keyName, certName)
	}
	return newCertificate(der, key), nil
}

// Fingerprints returns the certificate's fingerprints, one per algorithm in the order sha-1, sha-224, sha-256, sha-384,
// sha-512, each in upper-case hexadecimal with colons (RFC 8122 section 5). The caller must not modify the slice.
func (c *Certificate) Fingerprints() []api.Fingerprint { return c.fingerprints }

// PEM returns the certificate and its private key as [ParseCertificate] reads them.
func (c *Certificate) PEM() (certificate, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.tls.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding the DTLS key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.tls.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func newCertificate(der []byte, key any) *Certificate {
	return &Certificate{
		tls:          tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		fingerprints: fingerprintsOf(der),
	}
}

func parseCertificate(data []byte) (der []byte, key any, err error) {
	block, err := firstBlock(data, func(kind string) bool { return kind == "CERTIFICATE" })
	if err != nil {
		return nil, nil, err
	}
	key, err = publicKeyOf(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("not an X.509 certificate that can be used: %w", err)
	}
	return block.Bytes, key, nil
}

func parsePrivateKey(data []byte) (any, error) {
	block, err := firstBlock(data, func(kind string) bool { return strings.HasSuffix(kind, "PRIVATE KEY") })
	if err != nil {
		return nil, err
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, errors.New("the key is encrypted; use an unencrypted one")
	}
	return parseKey(block)
}

func parseKey(block *pem.Block) (key any, err error) {
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = parseSEC1(block.Bytes)
	default:
		key, err = parsePKCS8(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("not a private key that can be used: %w", err)
	}
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("the key is a %T; DTLS-SRTP needs RSA, ECDSA or Ed25519", key)
}

// firstBlock returns the first PEM block of a wanted type: files often have text or EC parameters before it.
func firstBlock(data []byte, wanted func(kind string) bool) (*pem.Block, error) {
	var others []string
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		switch {
		case block == nil && len(others) == 0:
			return nil, errors.New("not a PEM file")
		case block == nil:
			return nil, fmt.Errorf("contains only PEM blocks of other types: %s", strings.Join(others, ", "))
		case wanted(block.Type):
			return block, nil
		}
		others = append(others, block.Type)
	}
}

func keysMatch(public, private any) bool {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		return key.PublicKey.Equal(public)
	case *ecdsa.PrivateKey:
		return key.PublicKey.Equal(public)
	case ed25519.PrivateKey:
		return key.Public().(ed25519.PublicKey).Equal(public)
	}
	return false
}

// algorithms in mediasoup's order (those of RFC 8122 section 5 without MD2 and MD5).
var algorithms = []api.FingerprintAlgorithm{
	api.FingerprintAlgorithmSha1,
	api.FingerprintAlgorithmSha224,
	api.FingerprintAlgorithmSha256,
	api.FingerprintAlgorithmSha384,
	api.FingerprintAlgorithmSha512,
}

// digest hashes a DER certificate. It returns nil for an unknown algorithm.
func digest(algorithm api.FingerprintAlgorithm, der []byte) []byte {
	switch algorithm {
	case api.FingerprintAlgorithmSha1:
		sum := sha1.Sum(der) //nolint:gosec // see the import
		return sum[:]
	case api.FingerprintAlgorithmSha224:
		sum := sha256.Sum224(der)
		return sum[:]
	case api.FingerprintAlgorithmSha256:
		sum := sha256.Sum256(der)
		return sum[:]
	case api.FingerprintAlgorithmSha384:
		sum := sha512.Sum384(der)
		return sum[:]
	case api.FingerprintAlgorithmSha512:
		sum := sha512.Sum512(der)
		return sum[:]
	}
	return nil
}

func fingerprintsOf(der []byte) []api.Fingerprint {
	all := make([]api.Fingerprint, len(algorithms))
	for i, algorithm := range algorithms {
		all[i] = api.Fingerprint{Algorithm: algorithm, Value: formatDigest(digest(algorithm, der))}
	}
	return all
}

// formatDigest writes upper-case hexadecimal with a colon between bytes.
func formatDigest(sum []byte) string {
	var b strings.Builder
	b.Grow(3 * len(sum))
	for i, v := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", v)
	}
	return b.String()
}

// checkFingerprint returns an error unless der is the certificate announced by signalling. A value that is malformed, or
// of the wrong length for its algorithm, matches nothing.
func checkFingerprint(announced api.Fingerprint, der []byte) error {
	got := digest(announced.Algorithm, der)
	want, err := hex.DecodeString(strings.ReplaceAll(announced.Value, ":", ""))
	if got != nil && err == nil && subtle.ConstantTimeCompare(got, want) == 1 {
		return nil
	}
	return fmt.Errorf("the %s fingerprint of the peer's certificate is %s, the announced one %q",
		announced.Algorithm, formatDigest(got), announced.Value)
}
