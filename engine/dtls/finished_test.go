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

// liar is a peer's connection that replaces its Finished by another message, encrypted with the same keys: a peer that is whom
// it says it is, and means harm.
type liar struct {
	*memoryConn
	isClient bool
	finished []byte

	mu           sync.Mutex
	clientRandom [32]byte
	serverRandom [32]byte
	masterSecret []byte
}

// Write takes the key log, one line "CLIENT_RANDOM random secret".
func (l *liar) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var label, random, secret string
	if _, err := fmt.Sscanf(string(b), "%s %s %s", &label, &random, &secret); err != nil {
		return 0, err
	}
	decoded, err := hex.DecodeString(random)
	if err != nil {
		return 0, err
	}
	copy(l.clientRandom[:], decoded)
	l.masterSecret, err = hex.DecodeString(secret)
	return len(b), err
}

func (l *liar) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := l.memoryConn.ReadFrom(b)
	l.note(b[:n])
	return n, from, err
}

// note reads a ServerHello's random.
func (l *liar) note(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(b) > 60 && b[0] == 22 && b[13] == 2 {
		copy(l.serverRandom[:], b[13+12+2:])
	}
}

func (l *liar) WriteTo(b []byte, to net.Addr) (int, error) {
	l.note(b)
	lie := slices.Clone(b[:0])
	for rest := b; len(rest) > 13; {
		n := 13 + int(rest[11])<<8 + int(rest[12])
		record := rest[:n]
		rest = rest[n:]
		if record[0] == 22 && record[4] == 1 {
			var err error
			if record, err = l.seal(); err != nil {
				return 0, err
			}
		}
		lie = append(lie, record...)
	}
	if _, err := l.memoryConn.WriteTo(lie, to); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (l *liar) seal() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sealer, err := dtls.NewSealer(l.isClient, l.masterSecret, l.clientRandom, l.serverRandom)
	if err != nil {
		return nil, err
	}
	return sealer.Seal(22, l.finished)
}

// message is a fragment of a handshake message.
func message(typ byte, length int, seq byte, offset int, fragment []byte) []byte {
	b := []byte{typ, 0, 0, byte(length), 0, seq, 0, 0, byte(offset), 0, 0, byte(len(fragment))}
	return append(b, fragment...)
}

// lied runs a handshake with a liar, and returns the states of our side.
func lied(t *testing.T, isClient bool, finished []byte) []string {
	t.Helper()
	near, far := memoryPipe()
	d := drive(t, newSide(t, dtls.Settings{HandshakeTimeout: 200 * time.Millisecond}), near)
	cert := generate()
	l := &liar{memoryConn: far, isClient: isClient, finished: finished}
	options := []piondtls.Option{
		piondtls.WithKeyLogWriter(l), piondtls.WithCertificates(tlsCertificate(cert)), piondtls.WithInsecureSkipVerify(true),
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
		conn, err = piondtls.ClientWithOptions(l, far.RemoteAddr(), client...)
	} else {
		server := []piondtls.ServerOption{piondtls.WithClientAuth(piondtls.RequireAnyClientCert)}
		for _, o := range options {
			server = append(server, o.(piondtls.ServerOption))
		}
		conn, err = piondtls.ServerWithOptions(l, far.RemoteAddr(), server...)
	}
	require.NoError(t, err)
	p := &pionPeer{conn: conn}
	p.begin(d)
	if !isClient {
		require.NoError(t, d.Start(dtls.Client, sha256Of(cert)))
	}
	d.until(t, "an end", func() bool { return d.reached(api.DTLSStateFailed) || d.reached(api.DTLSStateConnected) })
	_ = conn.Close()
	return d.names()
}

// The Finished is encrypted. It is judged when the keys are there, before the handshake sees it, which some of these end with a
// panic.
func TestAuthenticNonsenseInPlaceOfTheFinished(t *testing.T) {
	for _, isClient := range []bool{true, false} {
		seq := byte(4) // of the message, after those in the clear
		if !isClient {
			seq = 6
		}
		for name, finished := range map[string][]byte{
			"an empty message from its middle": message(20, 0, seq, 5, nil),
			"two of them":                      append(message(20, 0, seq, 5, nil), message(20, 0, seq+1, 5, nil)...),
			"more than there is":               message(20, 12, seq, 8, make([]byte, 12)),
			"less than there is":               message(20, 12, seq, 0, make([]byte, 12))[:20],
			"half a header":                    {20, 0, 0, 12, 0, seq},
			"another message":                  message(1, 12, seq, 0, make([]byte, 12)),
			"a short one":                      message(20, 4, seq, 0, make([]byte, 4)),
			"nothing":                          {},
		} {
			inVirtualTime(t, fmt.Sprint(name, isClient), func(t *testing.T) {
				require.Equal(t, []string{"CONNECTING", "FAILED"}, lied(t, isClient, finished))
			})
		}
	}
}
