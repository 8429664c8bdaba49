package dtls_test

import (
	"crypto"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"runtime"
	"strings"
	"testing"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/internal/fuzzseed"
)

//go:embed testdata/handshake.hex
var recorded string

// transcript holds the datagrams of one handshake: the client's, with one of data at their end, then the server's. It is a
// recording, so that the seeds are the same in every run: one datagram per line, in hexadecimal.
var transcript = decodeLines(recorded)

// certificates holds certificates, then keys, that OpenSSL made: explicit curve parameters and others.
//
//go:embed testdata/certificates.hex
var certificates string

func decodeLines(text string) (decoded [][]byte) {
	for line := range strings.Lines(text) {
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			panic(err)
		}
		decoded = append(decoded, b)
	}
	return decoded
}

func addSeeds(f *fuzzseed.F) {
	for _, b := range transcript {
		f.Add(b, b)
		f.Add(b, b[:len(b)/2])
	}
	for _, b := range garbage(transcript[0]) {
		f.Add(transcript[0], b)
	}
	for n := range 30 { // encrypted records with and without room for an explicit nonce and a tag
		f.Add(encryptedRecord(22, n), encryptedRecord(23, n))
	}
}

// encryptedRecord returns a record of epoch 1 with n bytes.
func encryptedRecord(typ byte, n int) []byte {
	return append([]byte{typ, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, byte(n)}, make([]byte, n)...)
}

// FuzzHandleDatagram passes two arbitrary datagrams to a transport in each state. It must not panic, and a connected one
// must stay connected. No handshake runs, so that each input has the same effect every time.
func FuzzHandleDatagram(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	addSeeds(f)
	var established []*pair
	for _, suite := range suitesOfRecords {
		established = append(established, connectedWith(f, suite))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, role := range []dtls.Role{dtls.Server, dtls.Client} {
			s := newSide(t, dtls.Settings{Limits: dtls.NewLimits(0, 1)})
			s.HandleDatagram(first)
			if err := s.Start(role, sha256Of(s.cert)); err != nil {
				t.Fatal(err)
			}
			s.HandleDatagram(second)
			s.HandleDatagram(first)
			if s.poll() != nil || len(s.states) != 1 || s.data != nil {
				t.Fatal("output without a handshake")
			}
			s.Close()
		}
		for _, p := range established {
			for _, b := range [][]byte{first, second} {
				p.server.HandleDatagram(b)
				p.client.HandleDatagram(b)
			}
			if p.move() || p.server.data != nil || p.client.data != nil {
				t.Fatal("a forgery had an effect on an established association")
			}
			if p.server.State() != api.DTLSStateConnected || p.client.State() != api.DTLSStateConnected {
				t.Fatal("a forgery ended an established association")
			}
		}
	})
}

// FuzzHandshake does the same with a running handshake, which must not panic, hang or connect.
func FuzzHandshake(tf *testing.F) {
	f := fuzzseed.New(tf, 50)
	addSeeds(f)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, role := range []dtls.Role{dtls.Server, dtls.Client} {
			limits := dtls.NewLimits(1, 0)
			s := newSide(t, dtls.Settings{HandshakeTimeout: 5 * time.Millisecond, Limits: limits})
			if err := s.Start(role, sha256Of(s.cert)); err != nil {
				t.Fatal(err)
			}
			s.HandleDatagram(first)
			s.HandleDatagram(second)
			for s.poll(); limits.Running() > 0 && !s.reached(api.DTLSStateFailed); s.poll() {
				select {
				case <-s.woken: // the handshake reads everything, then times out
				case <-time.After(patience):
					stacks := make([]byte, 1<<16)
					t.Fatalf("the handshake hangs\n%s", stacks[:runtime.Stack(stacks, true)])
				}
			}
			s.Close()
			if s.reached(api.DTLSStateConnected) {
				t.Fatal("connected to garbage")
			}
		}
	})
}

// FuzzPublicKey reads arbitrary certificates and keys. What crypto/x509 takes must give the same key.
func FuzzPublicKey(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	for _, b := range decodeLines(certificates) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		key, err := dtls.PublicKeyOf(b)
		if cert, err2 := x509.ParseCertificate(b); err2 == nil {
			if known, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && (err != nil || !known.Equal(key)) {
				t.Fatalf("crypto/x509 has key %v, here it is %v, %v", cert.PublicKey, key, err)
			}
		}
		dtls.ParsePrivateKeys(b)
	})
}
