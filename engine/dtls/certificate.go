package dtls

import (
	"crypto/tls"

	"gazpacho/engine/api"
)

// Certificate is what this process shows to every peer.
type Certificate struct {
	tls          tls.Certificate
	fingerprints []api.Fingerprint
}

// GenerateCertificate makes a self-signed certificate with a new ECDSA P-256 key, valid for ten years before and after now.
func GenerateCertificate() (*Certificate, error) { return nil, nil }

// LoadCertificate reads a PEM certificate (the first of its file) and its PEM private key (RSA or ECDSA; PKCS #1, SEC 1 or
// PKCS #8). The error names the file and says what is wrong with it.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) { return nil, nil }

// Fingerprints returns the certificate's fingerprints, one per algorithm (sha-1, sha-224, sha-256, sha-384, sha-512, in this
// order), each in upper-case hexadecimal with colons (RFC 8122 section 5). The caller must not modify the slice.
func (c *Certificate) Fingerprints() []api.Fingerprint { return c.fingerprints }
