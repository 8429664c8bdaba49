// Package srtp protects RTP and RTCP (RFC 3711, RFC 7714). A Sender and a Receiver each hold one direction of one
// transport: keys, and the roll-over counter and replay window of each SSRC. Both are plain state without locks, for use
// in the turn of the transport's shard.
package srtp

import "errors"

// Suite is an SRTP protection profile. The values are those that mediasoup offers, in order of preference.
type Suite uint8

const (
	AEADAES256GCM      Suite = iota // AEAD_AES_256_GCM, RFC 7714 section 12
	AEADAES128GCM                   // AEAD_AES_128_GCM, RFC 7714 section 12
	AESCM128HMACSHA180              // AES_CM_128_HMAC_SHA1_80, RFC 4568 section 6.2
	AESCM128HMACSHA132              // AES_CM_128_HMAC_SHA1_32, RFC 4568 section 6.2
	numSuites          = int(iota)
)

// From the RFCs: lengths in bytes.
const (
	cmKeyLen        = 16 // RFC 4568 section 6.2
	cmSaltLen       = 14 // RFC 3711 section 8.2
	gcmSaltLen      = 12 // RFC 7714 section 12
	gcmTagLen       = 16 // RFC 7714 section 13.2
	sha180TagLen    = 10 // RFC 3711 section 5.2
	sha132TagLen    = 4  // RFC 4568 section 6.2
	srtcpTrailerLen = 4  // E flag and SRTCP index, RFC 3711 section 3.4
)

// MaxOverheadRTP is the most bytes that ProtectRTP appends to a packet, with any suite.
const MaxOverheadRTP = gcmTagLen

// Errors of packets and keys. For packets from the network these values are returned unwrapped, which allocates nothing.
var (
	// ErrKeyLength: key and salt together do not have the length that the suite requires.
	ErrKeyLength = errors.New("srtp: wrong length of key and salt")
	// ErrNoSpace: the slice has no room for the tag after the packet. A fault of the caller.
	ErrNoSpace = errors.New("srtp: no room for the authentication tag")
	// ErrMalformed: the packet is too short, or lengths in its header are wrong.
	ErrMalformed = errors.New("srtp: malformed packet")
	// ErrAuthentication: the authentication tag is wrong. The packet is forged or damaged, or made with other keys.
	ErrAuthentication = errors.New("srtp: authentication failed")
	// ErrReplayed: the packet was received before, or is older than the replay window.
	ErrReplayed = errors.New("srtp: replayed packet")
	// ErrTooManySSRCs: the peer has used MaxSSRCs since the last call of Renew.
	ErrTooManySSRCs = errors.New("srtp: too many SSRCs")
	// ErrKeyExhausted: the key has protected as many packets as RFC 3711 section 9.2 allows.
	ErrKeyExhausted = errors.New("srtp: key exhausted")
)

// String returns the name that mediasoup uses (SrtpParameters.cryptoSuite).
func (s Suite) String() string { return suites[s].name }

type suiteInfo struct {
	name                                   string
	keyLen, saltLen, rtpTagLen, rtcpTagLen int
}

var suites = [numSuites]suiteInfo{
	AEADAES256GCM:      {"AEAD_AES_256_GCM", 32, gcmSaltLen, gcmTagLen, gcmTagLen},
	AEADAES128GCM:      {"AEAD_AES_128_GCM", 16, gcmSaltLen, gcmTagLen, gcmTagLen},
	AESCM128HMACSHA180: {"AES_CM_128_HMAC_SHA1_80", cmKeyLen, cmSaltLen, sha180TagLen, sha180TagLen},
	AESCM128HMACSHA132: {"AES_CM_128_HMAC_SHA1_32", cmKeyLen, cmSaltLen, sha132TagLen, sha180TagLen},
}

// KeyLen returns the length of the master key in bytes.
func (s Suite) KeyLen() int { return suites[s].keyLen }

// SaltLen returns the length of the master salt in bytes.
func (s Suite) SaltLen() int { return suites[s].saltLen }

// OverheadRTP returns how many bytes ProtectRTP appends to a packet.
func (s Suite) OverheadRTP() int { return suites[s].rtpTagLen }

// OverheadRTCP returns how many bytes ProtectRTCP appends to a packet: tag and SRTCP index.
func (s Suite) OverheadRTCP() int { return suites[s].rtcpTagLen + srtcpTrailerLen }

func (s Suite) isAEAD() bool { return s <= AEADAES128GCM }
