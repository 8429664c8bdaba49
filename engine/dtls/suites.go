package dtls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	piondtls "github.com/pion/dtls/v3"
	"golang.org/x/crypto/chacha20poly1305"

	"gazpacho/engine/api"
)

// cipherSuite holds the parameters of a DTLS cipher suite that the record layer needs.
type cipherSuite struct {
	keyLen int
	ivLen  int // implicitNonceLen with AES-GCM, nonceLen with ChaCha20-Poly1305
	hash   func() hash.Hash
	aead   func(key []byte) (cipher.AEAD, error)
}

var (
	aes128GCM = cipherSuite{keyLen: 16, ivLen: implicitNonceLen, hash: sha256.New, aead: newGCM}
	aes256GCM = cipherSuite{keyLen: 32, ivLen: implicitNonceLen, hash: sha512.New384, aead: newGCM}
	chaCha20  = cipherSuite{keyLen: chacha20poly1305.KeySize, ivLen: nonceLen, hash: sha256.New, aead: chacha20poly1305.New}
)

// The cipher suites offered: AEAD with ephemeral keys. Every WebRTC endpoint has TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
// (RFC 8827 section 6.5); the RSA suites are for certificates with RSA keys. CBC is left out because of its padding oracles,
// so a peer with nothing else cannot connect.
var (
	cipherSuiteOrder = []piondtls.CipherSuiteID{
		piondtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		piondtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		piondtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		piondtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		piondtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		piondtls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	cipherSuites = map[piondtls.CipherSuiteID]cipherSuite{
		piondtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       aes128GCM,
		piondtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:         aes128GCM,
		piondtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       aes256GCM,
		piondtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:         aes256GCM,
		piondtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: chaCha20,
		piondtls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:   chaCha20,
	}
)

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// srtpSuite maps an SRTP protection profile to its name in the worker's protocol and to its lengths in bytes.
type srtpSuite struct {
	profile piondtls.SRTPProtectionProfile
	suite   api.SRTPCryptoSuite
	keyLen  int
	saltLen int
}

// srtpSuites in mediasoup's order of preference (RFC 7714 section 12, RFC 5764 section 4.1.2).
var srtpSuites = []srtpSuite{
	{piondtls.SRTP_AEAD_AES_256_GCM, api.SRTPCryptoSuiteAEADAES256GCM, 32, 12},
	{piondtls.SRTP_AEAD_AES_128_GCM, api.SRTPCryptoSuiteAEADAES128GCM, 16, 12},
	{piondtls.SRTP_AES128_CM_HMAC_SHA1_80, api.SRTPCryptoSuiteAESCM128HMACSHA180, 16, 14},
	{piondtls.SRTP_AES128_CM_HMAC_SHA1_32, api.SRTPCryptoSuiteAESCM128HMACSHA132, 16, 14},
}

func srtpProfiles() []piondtls.SRTPProtectionProfile {
	profiles := make([]piondtls.SRTPProtectionProfile, len(srtpSuites))
	for i, s := range srtpSuites {
		profiles[i] = s.profile
	}
	return profiles
}

// split splits exported keying material into this side's and the peer's key and salt (RFC 5764 section 4.2: client key,
// server key, client salt, server salt).
func (s srtpSuite) split(material []byte, isClient bool) SRTP {
	clientKey, rest := material[:s.keyLen], material[s.keyLen:]
	serverKey, rest := rest[:s.keyLen], rest[s.keyLen:]
	clientSalt, serverSalt := rest[:s.saltLen], rest[s.saltLen:]

	client := append(append(make([]byte, 0, s.keyLen+s.saltLen), clientKey...), clientSalt...)
	server := append(append(make([]byte, 0, s.keyLen+s.saltLen), serverKey...), serverSalt...)
	if isClient {
		return SRTP{Suite: s.suite, LocalKeySalt: client, RemoteKeySalt: server}
	}
	return SRTP{Suite: s.suite, LocalKeySalt: server, RemoteKeySalt: client}
}
