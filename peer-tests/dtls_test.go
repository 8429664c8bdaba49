package peers_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/pion/dtls/v3"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rawpeer"
	"gazpacho/peer-tests/rtcpeer"
)

// TestWrongFingerprint: if a peer's certificate is not the announced one, DTLS fails, whichever side is the client, and nothing
// that the peer sends is received.
func TestWrongFingerprint(t *testing.T) {
	for _, role := range []api.DTLSRole{api.DTLSRoleClient, api.DTLSRoleServer} {
		t.Run("peer is "+role.String(), func(t *testing.T) {
			r := start(t)
			o := listenOn(r, false, api.ProtocolUDP)
			bob := join(t, r, o, rtcpeer.Options{Protocol: api.ProtocolUDP, Role: role})
			mallory := &caller{rtcpeer.New(t, rtcpeer.Options{Protocol: api.ProtocolUDP, Role: role}), r.NewTransport(o)}
			producer := mallory.Produce(api.MediaKindAudio, mallory.SSRC(api.MediaKindAudio))
			bob.Consume(producer, rtcpeer.ReceiveSSRC(api.MediaKindAudio))
			mallory.Transport.Connect(role, bob.Fingerprint())
			mallory.Negotiate(mallory.Transport, nil)
			mallory.WaitDTLS(api.DTLSStateFailed)
			_ = mallory.TrySend(api.MediaKindAudio, 1, []byte("lies")) // it may already have been notified of the failure
			path := rawpeer.Open(t, api.ProtocolUDP, mallory.Candidate(api.ProtocolUDP).Port)
			path.Nominate(mallory.Transport)
			clear := binary.BigEndian.AppendUint32([]byte{0x80, app.OpusPayloadType, 0, 1, 0, 0, 0, 0}, mallory.SSRC(api.MediaKindAudio))
			path.Send(append(clear, "lies"...))
			path.Nominate(mallory.Transport) // when it is answered, everything before it has arrived
			require.Equal(t, []api.DTLSState{api.DTLSStateConnecting, api.DTLSStateFailed}, mallory.DTLSStates())
			require.Zero(t, producer.Received())
			require.Empty(t, bob.RTP.All())
		})
	}
}

// TestProfileCM32 tests the one profile that pion/webrtc lacks.
func TestProfileCM32(t *testing.T) {
	r := start(t)
	c := prepareCall(t, r, listenOn(r, false, api.ProtocolUDP))
	c.alice.Connect(api.ProtocolUDP, dtls.SRTP_AES128_CM_HMAC_SHA1_32)
	c.heard(t)
}

// TestPreferredProfile: if a peer offers all profiles, the worker selects AEAD_AES_256_GCM.
func TestPreferredProfile(t *testing.T) {
	r := start(t)
	c := prepareCall(t, r, listenOn(r, false, api.ProtocolUDP))
	c.alice.Connect(api.ProtocolUDP, dtls.SRTP_AES128_CM_HMAC_SHA1_32, dtls.SRTP_AES128_CM_HMAC_SHA1_80,
		dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM)
	require.Equal(t, dtls.SRTP_AEAD_AES_256_GCM, c.alice.Profile())
	c.heard(t)
}

// TestCloseNotify: the peer's close_notify closes DTLS; its media is no longer received.
func TestCloseNotify(t *testing.T) {
	r := start(t)
	c := newCall(t, r, listenOn(r, false, api.ProtocolUDP))
	c.speak(t)
	c.alice.CloseDTLS()
	c.from.WaitDTLS(api.DTLSStateClosed)
	c.alice.Send(aliceSSRC, 99, "from the grave")
	c.alice.Path().Nominate(c.from) // when it is answered, everything before it has arrived
	require.EqualValues(t, 1, c.producer.Received())
}

// clientHello returns the first datagram of a stranger's DTLS 1.2 handshake: a record of epoch 0 with a ClientHello (RFC 6347
// section 4.2.2) that offers SRTP.
func clientHello(sequence byte) []byte {
	body := append([]byte{0xfe, 0xfd}, make([]byte, 32)...) // version, random
	body = append(body, 0, 0)                               // no session, no cookie
	body = append(body, 0, 2, 0xc0, 0x2b, 1, 0)             // one cipher suite, no compression
	extensions := []byte{
		0, 10, 0, 4, 0, 2, 0, 23, // supported groups: P-256
		0, 13, 0, 4, 0, 2, 4, 3, // signature algorithms: ECDSA with SHA-256
		0, 14, 0, 5, 0, 2, 0, 7, 0, // use_srtp: AEAD_AES_128_GCM
		0, 23, 0, 0, // extended master secret
	}
	body = append(append(body, 0, byte(len(extensions))), extensions...)
	size := []byte{0, 0, byte(len(body))}
	message := append(append([]byte{1}, size...), 0, 0, 0, 0, 0)
	message = append(append(message, size...), body...)
	return append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, sequence, 0, byte(len(message))}, message...)
}

// TestForgedClientHello (Asterisk's CVE-2023-49786): a ClientHello from a tuple that is not ICE-valid changes nothing, before,
// while and after the peer connects. Once DTLS is connected, nor does one from the peer's address, which a stranger may forge.
func TestForgedClientHello(t *testing.T) {
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("server %t", shared), func(t *testing.T) {
			r := start(t)
			c := prepareCall(t, r, listenOn(r, shared, api.ProtocolUDP))
			stranger := rawpeer.Open(t, api.ProtocolUDP, c.from.Candidate(api.ProtocolUDP).Port)
			c.from.Connect(api.DTLSRoleClient, c.alice.Fingerprint())
			stranger.Send(clientHello(0))
			path := c.alice.Open(api.ProtocolUDP)
			path.Send(clientHello(0)) // this tuple is not valid yet
			path.Nominate(c.from)
			stop := repeat(func() { stranger.Send(clientHello(1)) })
			require.NoError(t, c.alice.Handshake())
			c.from.WaitDTLS(api.DTLSStateConnected)
			c.speak(t)
			stop()
			for n := range byte(100) {
				path.Send(clientHello(n))
			}
			c.heard(t)
			require.Empty(t, stranger.STUN.All())
		})
	}
}

// TestForgedAlerts: unencrypted alerts do not end the association (RFC 6347 section 4.1.2.7 allows dropping them), nor does a
// record that fails authentication.
func TestForgedAlerts(t *testing.T) {
	r := start(t)
	c := newCall(t, r, listenOn(r, false, api.ProtocolUDP))
	c.speak(t)
	for _, alert := range [][]byte{{1, 0}, {2, 0}, {2, 40}, {2, 80}} { // close_notify, and fatal ones
		clear := append([]byte{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2}, alert...)
		c.alice.Path().Send(clear)
		for _, typ := range []byte{20, 21, 22, 23} {
			sealed := append([]byte{typ, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 1, 0, 0, 26}, make([]byte, 26)...)
			c.alice.Path().Send(sealed)
		}
	}
	c.heard(t)
}
