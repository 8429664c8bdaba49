package peers_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rawpeer"
	"github.com/pion/dtls/v3"
)

var profiles = map[string]dtls.SRTPProtectionProfile{
	"AEAD_AES_256_GCM":        dtls.SRTP_AEAD_AES_256_GCM,
	"AEAD_AES_128_GCM":        dtls.SRTP_AEAD_AES_128_GCM,
	"AES_CM_128_HMAC_SHA1_80": dtls.SRTP_AES128_CM_HMAC_SHA1_80,
	"AES_CM_128_HMAC_SHA1_32": dtls.SRTP_AES128_CM_HMAC_SHA1_32,
}

// TestReplayedSRTP: a packet is counted once and forwarded once, however often it arrives.
func TestReplayedSRTP(t *testing.T) {
	for name, profile := range profiles {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			c := prepareCall(t, r, listenOn(r, false, api.ProtocolUDP))
			c.alice.Connect(api.ProtocolUDP, profile)
			var recorded [][]byte
			for range 10 {
				c.words++
				recorded = append(recorded, c.alice.Protect(aliceSSRC, c.words, fmt.Sprintf("word %d", c.words)))
			}
			for range 3 {
				for _, packet := range recorded {
					c.alice.Path().Send(packet)
				}
			}
			c.heard(t)
		})
	}
}

// TestCorruptedSRTP: a packet with any bit flipped is dropped, and hundreds of them do not end the call (FreeSWITCH's
// CVE-2021-41105).
func TestCorruptedSRTP(t *testing.T) {
	for name, profile := range profiles {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			c := prepareCall(t, r, listenOn(r, true, api.ProtocolUDP))
			c.alice.Connect(api.ProtocolUDP, profile)
			c.speak(t)
			good := c.alice.Protect(aliceSSRC, c.words+1, fmt.Sprintf("word %d", c.words+1))
			for i := range good {
				for bit := range 8 {
					bad := slices.Clone(good)
					bad[i] ^= 1 << bit
					c.alice.Path().Send(bad)
				}
				c.alice.Path().Send(good[:i])
				if i%8 == 0 { // a socket's buffer is limited
					c.alice.Path().Check(rawpeer.CheckOf(c.from, false))
				}
			}
			c.alice.Path().Send(good)
			c.words++
			c.hear(t, fmt.Sprintf("word %d", c.words))
			c.heard(t)
		})
	}
}

// TestInjectedSRTP: all packets from a stranger's address are dropped: unencrypted ones, and even packets recorded from the peer
// that the worker has not received yet.
func TestInjectedSRTP(t *testing.T) {
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("server %t", shared), func(t *testing.T) {
			r := start(t)
			c := newCall(t, r, listenOn(r, shared, api.ProtocolUDP, api.ProtocolTCP))
			c.speak(t)
			for _, protocol := range []api.Protocol{api.ProtocolUDP, api.ProtocolTCP} {
				stranger := rawpeer.Open(t, protocol, c.from.Candidate(protocol).Port)
				for n := range uint16(50) {
					stranger.Send(c.alice.Protect(aliceSSRC, 1000+n, "stolen"))
				}
			}
			clear := binary.BigEndian.AppendUint32([]byte{0x80, app.OpusPayloadType, 0, 50, 0, 0, 0, 0}, aliceSSRC)
			c.alice.Path().Send(append(clear, "in the clear"...))
			c.heard(t)
		})
	}
}
