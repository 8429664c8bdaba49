package dtls_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// finishedReplacer is the connection of an authentic but malicious peer: it replaces the peer's Finished by another message,
// encrypted with the same keys.
type finishedReplacer struct {
	*memoryConn
	isClient bool
	finished []byte

	mu           sync.Mutex
	clientRandom [32]byte
	serverRandom [32]byte
	masterSecret []byte
}

// Write receives the key log, one line "CLIENT_RANDOM random secret".
func (f *finishedReplacer) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var label, random, secret string
	if _, err := fmt.Sscanf(string(b), "%s %s %s", &label, &random, &secret); err != nil {
		return 0, err
	}
	decoded, err := hex.DecodeString(random)
	if err != nil {
		return 0, err
	}
	copy(f.clientRandom[:], decoded)
	f.masterSecret, err = hex.DecodeString(secret)
	return len(b), err
}

func (f *finishedReplacer) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := f.memoryConn.ReadFrom(b)
	f.readServerRandom(b[:n])
	return n, from, err
}

// readServerRandom reads the random of a ServerHello, and ignores other datagrams.
func (f *finishedReplacer) readServerRandom(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(b) > 60 && b[0] == 22 && b[13] == 2 {
		copy(f.serverRandom[:], b[13+12+2:])
	}
}

func (f *finishedReplacer) WriteTo(b []byte, to net.Addr) (int, error) {
	f.readServerRandom(b)
	replaced := slices.Clone(b[:0])
	for rest := b; len(rest) > 13; {
		n := 13 + int(rest[11])<<8 + int(rest[12])
		record := rest[:n]
		rest = rest[n:]
		if record[0] == 22 && record[4] == 1 {
			var err error
			if record, err = f.seal(); err != nil {
				return 0, err
			}
		}
		replaced = append(replaced, record...)
	}
	if _, err := f.memoryConn.WriteTo(replaced, to); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (f *finishedReplacer) seal() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sealer, err := dtls.NewSealer(f.isClient, f.masterSecret, f.clientRandom, f.serverRandom)
	if err != nil {
		return nil, err
	}
	return sealer.Seal(22, f.finished)
}

// message returns a fragment of a handshake message.
func message(typ byte, length int, seq byte, offset int, fragment []byte) []byte {
	b := []byte{typ, 0, 0, byte(length), 0, seq, 0, 0, byte(offset), 0, 0, byte(len(fragment))}
	return append(b, fragment...)
}

// statesAfterFinished runs a handshake with a peer that sends the given message as its Finished, and returns the states of
// the transport under test.
func statesAfterFinished(t *testing.T, isClient bool, finished []byte) []string {
	t.Helper()
	near, far := memoryPipe()
	d := drive(t, newSide(t, dtls.Settings{HandshakeTimeout: 200 * time.Millisecond}), near)
	cert := generate()
	replacer := &finishedReplacer{memoryConn: far, isClient: isClient, finished: finished}
	options := []piondtls.Option{
		piondtls.WithKeyLogWriter(replacer), piondtls.WithCertificates(tlsCertificate(cert)), piondtls.WithInsecureSkipVerify(true),
		piondtls.WithCipherSuites(piondtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
		piondtls.WithSRTPProtectionProfiles(piondtls.SRTP_AEAD_AES_128_GCM),
	}
	var conn *piondtls.Conn
	var err error
	if isClient {
		require.NoError(t, d.Start(dtls.Server, sha256Of(cert)))
		client := make([]piondtls.ClientOption, len(options))
		for i, o := range options {
			client[i] = o.(piondtls.ClientOption)
		}
		conn, err = piondtls.ClientWithOptions(replacer, far.RemoteAddr(), client...)
	} else {
		server := []piondtls.ServerOption{piondtls.WithClientAuth(piondtls.RequireAnyClientCert)}
		for _, o := range options {
			server = append(server, o.(piondtls.ServerOption))
		}
		conn, err = piondtls.ServerWithOptions(replacer, far.RemoteAddr(), server...)
	}
	require.NoError(t, err)
	p := &pionPeer{conn: conn}
	p.start(d)
	if !isClient {
		require.NoError(t, d.Start(dtls.Client, sha256Of(cert)))
	}
	d.until(t, "an end", func() bool { return d.reached(api.DTLSStateFailed) || d.reached(api.DTLSStateConnected) })
	_ = conn.Close()
	return d.names()
}

// The encrypted Finished is checked before it is delivered to pion's handshake, which panics at some of these.
func TestAuthenticNonsenseInPlaceOfTheFinished(t *testing.T) {
	for _, isClient := range []bool{true, false} {
		seq := byte(4) // of the message, after the unencrypted ones
		if !isClient {
			seq = 6
		}
		for name, finished := range map[string][]byte{
			"an empty message with an offset": message(20, 0, seq, 5, nil),
			"two of them":                     append(message(20, 0, seq, 5, nil), message(20, 0, seq+1, 5, nil)...),
			"beyond the message's end":        message(20, 12, seq, 8, make([]byte, 12)),
			"a truncated fragment":            message(20, 12, seq, 0, make([]byte, 12))[:20],
			"half a header":                   {20, 0, 0, 12, 0, seq},
			"another message":                 message(1, 12, seq, 0, make([]byte, 12)),
			"a short Finished":                message(20, 4, seq, 0, make([]byte, 4)),
			"nothing":                         {},
		} {
			inVirtualTime(t, fmt.Sprint(name, isClient), func(t *testing.T) {
				require.Equal(t, []string{"CONNECTING", "FAILED"}, statesAfterFinished(t, isClient, finished))
			})
		}
	}
}
