package dtls_test

import (
	"bytes"
	"encoding/pem"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

func TestTwoTransportsConnect(t *testing.T) {
	before := runtime.NumGoroutine()
	p := newPair(t, dtls.Settings{}, dtls.Settings{})
	p.connect(t)
	require.Equal(t, []string{"CONNECTING", "CONNECTED"}, p.client.names())
	require.Equal(t, []string{"CONNECTING", "CONNECTED"}, p.server.names())
	require.Equal(t, api.DTLSStateConnected, p.client.State())

	c, s := p.client.change(t, api.DTLSStateConnected), p.server.change(t, api.DTLSStateConnected)
	require.Equal(t, api.SRTPCryptoSuiteAEADAES256GCM, c.SRTP.Suite)
	require.Equal(t, c.SRTP.Suite, s.SRTP.Suite)
	require.Equal(t, c.SRTP.LocalKeySalt, s.SRTP.RemoteKeySalt)
	require.Equal(t, c.SRTP.RemoteKeySalt, s.SRTP.LocalKeySalt)
	require.NotEqual(t, c.SRTP.RemoteKeySalt, c.SRTP.LocalKeySalt)
	block, rest := pem.Decode([]byte(c.RemoteCertificate))
	require.Empty(t, rest)
	der, _ := p.server.cert.TLS()
	require.Equal(t, der, block.Bytes)

	p.exchange(t, "hello")
	noNewGoroutines(t, before)
	require.Zero(t, p.client.Counters())
	require.Zero(t, p.server.Counters())
}

func TestAutoIsServer(t *testing.T) {
	p := newPair(t, dtls.Settings{}, dtls.Settings{})
	require.NoError(t, p.server.Start(dtls.Auto, sha256Of(p.client.cert)))
	require.NoError(t, p.server.Start(dtls.Server, sha256Of(p.client.cert)), "the same role again does nothing")
	require.NoError(t, p.client.Start(dtls.Client, sha256Of(p.server.cert)))
	p.untilConnected(t)
	p.exchange(t, "auto")
}

func TestSRTPSuites(t *testing.T) {
	all := []struct {
		profile piondtls.SRTPProtectionProfile
		suite   api.SRTPCryptoSuite
		length  int
	}{
		{piondtls.SRTP_AEAD_AES_256_GCM, api.SRTPCryptoSuiteAEADAES256GCM, 44},
		{piondtls.SRTP_AEAD_AES_128_GCM, api.SRTPCryptoSuiteAEADAES128GCM, 28},
		{piondtls.SRTP_AES128_CM_HMAC_SHA1_80, api.SRTPCryptoSuiteAESCM128HMACSHA180, 30},
		{piondtls.SRTP_AES128_CM_HMAC_SHA1_32, api.SRTPCryptoSuiteAESCM128HMACSHA132, 30},
	}
	for i, want := range all {
		t.Run(want.suite.String(), func(t *testing.T) {
			// The peer prefers the weakest; the server's order decides.
			offer := []piondtls.SRTPProtectionProfile{}
			for _, s := range slices.Backward(all[i:]) {
				offer = append(offer, s.profile)
			}
			p := newPair(t, dtls.Settings{Profiles: offer}, dtls.Settings{})
			p.connect(t)
			c, s := p.client.change(t, api.DTLSStateConnected).SRTP, p.server.change(t, api.DTLSStateConnected).SRTP
			require.Equal(t, want.suite, c.Suite)
			require.Equal(t, want.suite, s.Suite)
			require.Len(t, c.LocalKeySalt, want.length)
			require.Equal(t, c.LocalKeySalt, s.RemoteKeySalt)
			require.Equal(t, c.RemoteKeySalt, s.LocalKeySalt)
		})
	}
}

func TestEachFingerprintAlgorithm(t *testing.T) {
	for i, algorithm := range testCertificate.Fingerprints() {
		t.Run(algorithm.Algorithm.String(), func(t *testing.T) {
			p := newPair(t, dtls.Settings{}, dtls.Settings{})
			all := p.client.cert.Fingerprints()
			wrongLater := append(slices.Clone(all[i:i+1]), api.Fingerprint{Value: "00"}) // the first counts, as in mediasoup
			require.NoError(t, p.server.Start(dtls.Server, wrongLater))
			lower := api.Fingerprint{Algorithm: algorithm.Algorithm, Value: strings.ToLower(all[i].Value)}
			require.NoError(t, p.client.Start(dtls.Client, []api.Fingerprint{lower}))
			p.untilConnected(t)
		})
	}
}

func TestWrongFingerprintFails(t *testing.T) {
	right := sha256Of(testCertificate)[0]
	other := sha256Of(generate())[0]
	sha512 := testCertificate.Fingerprints()[4]
	for name, wrong := range map[string]api.Fingerprint{
		"of another certificate":     other,
		"one byte short":             {Algorithm: right.Algorithm, Value: right.Value[:len(right.Value)-3]},
		"empty":                      {Algorithm: right.Algorithm},
		"not hexadecimal":            {Algorithm: right.Algorithm, Value: "fingerprint"},
		"value of another algorithm": {Algorithm: right.Algorithm, Value: sha512.Value},
		"unknown algorithm":          {Algorithm: 9, Value: ""},
	} {
		t.Run("the server gets a fingerprint "+name, func(t *testing.T) {
			p := newPair(t, dtls.Settings{}, dtls.Settings{})
			require.NoError(t, p.server.Start(dtls.Server, []api.Fingerprint{wrong}))
			require.NoError(t, p.client.Start(dtls.Client, sha256Of(p.server.cert)))
			p.requireFailure(t, p.server, p.client)
		})
		t.Run("the client gets a fingerprint "+name, func(t *testing.T) {
			p := newPair(t, dtls.Settings{}, dtls.Settings{})
			require.NoError(t, p.server.Start(dtls.Server, sha256Of(p.client.cert)))
			require.NoError(t, p.client.Start(dtls.Client, []api.Fingerprint{wrong}))
			p.requireFailure(t, p.client, p.server)
		})
	}
}

// requireFailure requires that verifier refuses the peer's certificate and that both fail, with no key exported and no data.
func (p *pair) requireFailure(t *testing.T, verifier, peer *side) {
	t.Helper()
	p.until(t, "both to fail", func() bool {
		return verifier.reached(api.DTLSStateFailed) && peer.reached(api.DTLSStateFailed)
	})
	for _, s := range []*side{verifier, peer} {
		require.Equal(t, []string{"CONNECTING", "FAILED"}, s.names())
		require.Equal(t, api.DTLSStateFailed, s.State())
		require.ErrorIs(t, s.Write([]byte("data")), dtls.ErrNotConnected)
		require.Zero(t, s.states[1].SRTP)
		require.Empty(t, s.states[1].RemoteCertificate)
		require.Empty(t, s.data)
	}
	require.ErrorContains(t, verifier.states[1].Reason, "fingerprint of the peer's certificate is")
	require.ErrorContains(t, peer.states[1].Reason, "BadCertificate")
}

func TestStartErrors(t *testing.T) {
	s := newSide(t, dtls.Settings{})
	var wrong *api.Error
	require.ErrorAs(t, s.Start(dtls.Server, nil), &wrong)
	require.Equal(t, api.ErrorKindType, wrong.Kind)
	require.Equal(t, "empty dtlsParameters.fingerprints array", wrong.Reason)
	require.Equal(t, api.DTLSStateNew, s.State())
	require.NoError(t, s.Start(dtls.Server, sha256Of(s.cert)))
	require.ErrorIs(t, s.Start(dtls.Client, sha256Of(s.cert)), dtls.ErrStarted)
	s.Close()
	require.ErrorIs(t, s.Start(dtls.Server, sha256Of(s.cert)), dtls.ErrClosed)
}

func TestStartAgainAfterFailure(t *testing.T) {
	p := newPair(t, dtls.Settings{}, dtls.Settings{})
	require.NoError(t, p.server.Start(dtls.Server, sha256Of(generate())))
	require.NoError(t, p.client.Start(dtls.Client, sha256Of(p.server.cert)))
	p.requireFailure(t, p.server, p.client)
	p.client.states, p.server.states = nil, nil
	p.connect(t)
	p.exchange(t, "second attempt")
}

func TestStartAgainAfterThePeerClosed(t *testing.T) {
	p := connected(t)
	p.client.Close()
	p.move()
	require.True(t, p.server.reached(api.DTLSStateClosed))
	p.server.poll()
	p.server.states, p.server.data = nil, nil
	p.client = newSide(t, dtls.Settings{})
	p.connect(t)
	p.exchange(t, "another client")
}

func TestAnEarlyClientHelloIsKept(t *testing.T) {
	p := newPair(t, dtls.Settings{}, dtls.Settings{})
	require.NoError(t, p.client.Start(dtls.Client, sha256Of(p.server.cert)))
	p.until(t, "the ClientHello", func() bool { return p.counts[p.client] > 0 })
	require.Empty(t, p.server.poll(), "nothing is sent before Start")
	require.NoError(t, p.server.Start(dtls.Server, sha256Of(p.client.cert)))
	p.untilConnected(t)

	unstarted := newSide(t, dtls.Settings{})
	for range dtls.MaxEarly + 3 {
		unstarted.HandleDatagram([]byte("early"))
	}
	require.Equal(t, uint64(3), unstarted.Counters().InputFull)
}

func TestHandshakeTimeout(t *testing.T) {
	before := runtime.NumGoroutine()
	p := newPair(t, dtls.Settings{HandshakeTimeout: 50 * time.Millisecond}, dtls.Settings{})
	require.NoError(t, p.client.Start(dtls.Client, sha256Of(p.server.cert)))
	p.until(t, "the client to give up", func() bool { return p.client.reached(api.DTLSStateFailed) })
	require.Error(t, p.client.change(t, api.DTLSStateFailed).Reason)
	noNewGoroutines(t, before)
}

// Retransmission recovers from the loss of any one datagram, and from duplication and reordering.
func TestLossDuplicationAndReordering(t *testing.T) {
	quick := dtls.Settings{FlightInterval: 20 * time.Millisecond}
	links := map[string]func(p *pair) func(from *side, n int, b []byte) [][]byte{
		"every datagram twice": func(*pair) func(*side, int, []byte) [][]byte {
			return func(_ *side, _ int, b []byte) [][]byte { return [][]byte{b, b} }
		},
		"records in reverse order": func(*pair) func(*side, int, []byte) [][]byte {
			return func(_ *side, _ int, b []byte) [][]byte {
				records := splitRecords(b)
				slices.Reverse(records)
				return records
			}
		},
		"two of three lost": func(*pair) func(*side, int, []byte) [][]byte {
			return func(_ *side, n int, b []byte) [][]byte {
				if n%3 != 2 {
					return nil
				}
				return [][]byte{b}
			}
		},
	}
	for n := range 4 {
		for _, clients := range []bool{true, false} {
			name := "the server's datagram " + string(rune('0'+n)) + " is lost"
			if clients {
				name = strings.Replace(name, "server", "client", 1)
			}
			links[name] = func(p *pair) func(*side, int, []byte) [][]byte {
				return func(from *side, i int, b []byte) [][]byte {
					if (from == p.client) == clients && i == n {
						return nil
					}
					return [][]byte{b}
				}
			}
		}
	}
	for name, link := range links {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, quick, quick)
			p.link = link(p)
			p.connect(t)
			p.link = nil
			p.exchange(t, "after recovery")
		})
	}
}

// splitRecords splits a datagram into its records.
func splitRecords(b []byte) (records [][]byte) {
	for len(b) > 0 {
		end := 13 + int(b[11])<<8 + int(b[12])
		records = append(records, slices.Clone(b[:end]))
		b = b[end:]
	}
	return records
}

// Data that overtakes the last flight of the handshake is not lost.
func TestDataOvertakesTheFinished(t *testing.T) {
	p := newPair(t, dtls.Settings{}, dtls.Settings{}) // without retransmission, so that there is only one Finished
	var late [][]byte
	p.link = func(from *side, _ int, b []byte) [][]byte {
		if from == p.server && b[0] == 20 && late == nil { // ChangeCipherSpec and Finished
			late = [][]byte{b}
			return nil
		}
		return [][]byte{b}
	}
	p.start(t)
	p.until(t, "the server to connect", func() bool { return p.server.reached(api.DTLSStateConnected) && late != nil })
	require.False(t, p.client.reached(api.DTLSStateConnected))
	for range dtls.MaxDeferred + 2 {
		require.NoError(t, p.server.Write([]byte("early data")))
	}
	for _, b := range p.server.poll() {
		p.client.HandleDatagram(b)
	}
	p.client.HandleDatagram(late[0])
	p.until(t, "the client to connect", func() bool { return p.client.reached(api.DTLSStateConnected) })
	require.Len(t, p.client.data, dtls.MaxDeferred)
	require.Equal(t, uint64(2), p.client.Counters().InputFull)
}

func TestGarbageDuringTheHandshakeChangesNothing(t *testing.T) {
	p := newPair(t, dtls.Settings{}, dtls.Settings{})
	p.link = func(_ *side, _ int, b []byte) [][]byte {
		return append(append(garbage(b), b), garbage(b)...)
	}
	p.connect(t)
	p.exchange(t, "through garbage")
	require.NotZero(t, p.server.Counters().Malformed)
}

// garbage returns datagrams that a peer must not send, made from a valid one.
func garbage(b []byte) [][]byte {
	record := func(typ byte, version uint16, epoch byte, body ...byte) []byte {
		return append([]byte{typ, byte(version >> 8), byte(version), 0, epoch, 0, 0, 0, 0, 9, 9, 0, byte(len(body))}, body...)
	}
	message := func(typ byte, sequence byte, length, offset, fragment byte, body ...byte) []byte {
		return record(22, 0xfefd, 0, append([]byte{typ, 0, 0, length, 0, sequence, 0, 0, offset, 0, 0, fragment}, body...)...)
	}
	const v = 0xfefd
	return [][]byte{
		{},
		{22},
		b[:len(b)-1],
		append(slices.Clone(b[:1]), bytes.Repeat([]byte{0xff}, 40)...),
		record(19, v, 0, 1), record(24, v, 0, 1), record(25, v, 0, 1),
		record(22, 0x0303, 0, 1), record(22, 0xfefc, 0, 1), record(23, 0xfeff, 1, 1),
		record(22, v, 0), record(22, v, 0, 1), record(22, v, 2, 1), record(20, v, 1, 1),
		record(21, v, 0, 2), record(21, v, 0, 3, 40), record(21, v, 0, 2, 40, 0), record(20, v, 0, 2), record(20, v, 0, 1, 1),
		record(23, v, 0, 1, 2, 3),                         // plain application data: pion gives up
		message(1, 0, 3, 0, 3, 1, 2, 3),                   // a malformed ClientHello
		message(0, 0, 0, 0, 0), message(4, 1, 1, 0, 1, 1), // HelloRequest, NewSessionTicket
		message(20, 1, 1, 0, 1, 1),                                                         // a Finished in the clear
		message(11, 16, 1, 0, 1, 1),                                                        // far ahead
		message(11, 1, 9, 8, 2, 1, 1), message(11, 1, 9, 0, 0), message(11, 1, 2, 0, 2, 1), // fragments with wrong lengths
		bytes.Repeat([]byte{22}, 9000),
	}
}

// A ClientHello with many key shares does not fit into one datagram; its fragments may arrive in any order.
func TestFragmentedClientHello(t *testing.T) {
	for _, reversed := range []bool{false, true} {
		p := newPair(t, dtls.Settings{FlightInterval: 20 * time.Millisecond}, dtls.Settings{})
		p.link = func(from *side, _ int, b []byte) [][]byte {
			if from != p.client || b[13] != 1 {
				return [][]byte{b}
			}
			fragments := fragment(b, 60)
			if reversed {
				slices.Reverse(fragments)
				fragments = append(fragments, fragment(b, 60)...)
			}
			return fragments
		}
		p.connect(t)
		p.exchange(t, "fragments")
	}
}

// fragment splits the one handshake message in b into fragments of n bytes, each in its own record.
func fragment(b []byte, n int) (records [][]byte) {
	body := b[25:]
	for offset := 0; offset < len(body); offset += n {
		part := body[offset:min(offset+n, len(body))]
		r := slices.Clone(b[:25])
		r[11], r[12] = 0, byte(12+len(part))
		r[20], r[21] = byte(offset>>8), byte(offset)
		r[22], r[23], r[24] = 0, 0, byte(len(part))
		records = append(records, append(r, part...))
	}
	return records
}

func TestOlderVersionIsRefused(t *testing.T) {
	p := newPair(t, dtls.Settings{}, dtls.Settings{})
	p.link = func(from *side, _ int, b []byte) [][]byte {
		if from == p.client {
			b[26] = 0xff // client_version DTLS 1.0
		}
		return [][]byte{b}
	}
	p.start(t)
	p.until(t, "both to fail", func() bool {
		return p.client.reached(api.DTLSStateFailed) && p.server.reached(api.DTLSStateFailed)
	})
	require.Equal(t, byte(70), p.server.sent[0][14], "protocol_version, RFC 5246 section 7.2")
}
