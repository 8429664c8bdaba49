package srtp

import (
	"fmt"

	pion "github.com/pion/srtp/v3"
)

// How many packets behind the newest one are still accepted. RFC 3711 section 3.3.2 requires at least 64. Chosen here:
const (
	replayWindow     = 1024 // wide enough for a burst of retransmissions, and it costs only 128 bytes per SSRC
	rtcpReplayWindow = 128  // as in libsrtp: an SSRC has a few of them per second
)

var profiles = [numSuites]pion.ProtectionProfile{
	AEADAES256GCM:      pion.ProtectionProfileAeadAes256Gcm,
	AEADAES128GCM:      pion.ProtectionProfileAeadAes128Gcm,
	AESCM128HMACSHA180: pion.ProtectionProfileAes128CmHmacSha1_80,
	AESCM128HMACSHA132: pion.ProtectionProfileAes128CmHmacSha1_32,
}

// newContext returns pion's context for one direction.
func newContext(s Suite, keySalt []byte, options ...pion.ContextOption) (*pion.Context, error) {
	if len(keySalt) != s.KeyLen()+s.SaltLen() {
		return nil, fmt.Errorf("%w: %d bytes, %s wants %d", ErrKeyLength, len(keySalt), s, s.KeyLen()+s.SaltLen())
	}
	key, salt := keySalt[:s.KeyLen()], keySalt[s.KeyLen():]
	return pion.CreateContext(key, salt, profiles[s], options...)
}
