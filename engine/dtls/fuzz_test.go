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
			s.requireNoAmplification(t, len(first)+len(second))
		}
	})
}

// requireNoAmplification checks what a transport has sent within a second, in bytes of datagrams like those that it received.
func (s *side) requireNoAmplification(t *testing.T, received int) {
	t.Helper()
	if sent := total(s.sent); sent > 3*received+1000 {
		t.Fatalf("%d bytes were answered with %d", received, sent)
	}
}

// FuzzAuthenticRecords lets a peer with the keys send records of any type, length and order, several in a datagram, and again; now
// and then the transport sends something itself. Four bytes are a step: what is done, the type, two of length.
func FuzzAuthenticRecords(tf *testing.F) {
	f := fuzzseed.New(tf, 100)
	for _, suite := range []byte{0, 1} {
		f.Add(append([]byte{suite}, 0, 23, 0, 100, 1, 22, 0, 12, 0, 21, 0, 1, 2, 23, 64, 0, 3, 0, 0, 0, 5, 0, 0, 0, 4, 9, 0, 0), []byte{20})
		f.Add(append([]byte{suite}, 0, 22, 0, 12, 5, 0, 0, 0, 5, 0, 0, 0, 4, 1, 0, 0, 0, 22, 0, 40, 0, 23, 0, 5, 3, 0, 0, 0), []byte{1, 0, 0, 28})
		f.Add(append([]byte{suite}, 1, 22, 0, 12, 1, 22, 0, 12, 1, 22, 0, 12, 0, 22, 0, 12, 0, 21, 0, 2, 0, 23, 0, 9), []byte{1, 0})
	}
	f.Fuzz(func(t *testing.T, script, plain []byte) {
		if len(script) == 0 {
			return
		}
		peer, victim := authenticPair(t, script[0])
		victim.sent = nil
		received, written := 0, 0
		var waiting, last []byte // of the next datagram; the last one
		deliver := func(b []byte) {
			received += len(b)
			victim.HandleDatagram(b)
			victim.poll()
		}
		for script = script[1:]; len(script) >= 4; script = script[4:] {
			switch n := int(script[2])<<8 | int(script[3]); script[0] % 6 {
			case 0, 1: // a record, in this datagram or the next
				data := append(append([]byte(nil), plain...), make([]byte, 1<<14)...)[:n%(1<<14+1)]
				if peer.SendRecord(20+script[1]%6, data) != nil {
					return
				}
				for _, record := range peer.poll() {
					waiting = append(waiting, record...)
				}
				if script[0]%6 == 0 {
					last, waiting = waiting, nil
					deliver(last)
				}
			case 2: // a forgery
				forged := append([]byte(nil), last...)
				if len(forged) > 0 {
					forged[n%len(forged)] ^= script[1]
				}
				deliver(forged)
			case 3: // cut short
				deliver(last[:n%(len(last)+1)])
			case 4:
				data := make([]byte, 1+n%1000)
				if victim.Write(data) == nil {
					written += len(data) + 100
				}
				victim.poll()
			case 5:
				deliver(last)
			}
		}
		victim.requireNoAmplification(t, received+written)
		for _, b := range victim.data {
			received -= len(b)
		}
		if received < 0 {
			t.Fatal("more data than was received")
		}
	})
}

// authenticPair returns both ends of a new association, of which one is the fuzzer's.
func authenticPair(t *testing.T, which byte) (peer, victim *side) {
	p := connected(t)
	if which&1 == 0 {
		return p.client, p.server
	}
	return p.server, p.client
}

// A peer that repeats its ClientHello does not get the server's flight each time.
func TestARepeatedClientHelloIsNotAmplified(t *testing.T) {
	s := newSide(t, dtls.Settings{Limits: dtls.NewLimits(1, 0)})
	if err := s.Start(dtls.Server, sha256Of(s.cert)); err != nil {
		t.Fatal(err)
	}
	s.HandleDatagram(transcript[0])
	received := len(transcript[0])
	for len(s.poll()) == 0 {
		<-s.woken
	}
	for range 200 {
		s.HandleDatagram(transcript[0])
		received += len(transcript[0])
		s.poll()
	}
	s.Close()
	s.poll()
	t.Logf("%d bytes received, %d sent", received, total(s.sent))
	s.requireNoAmplification(t, received)
}

func total(datagrams [][]byte) (n int) {
	for _, b := range datagrams {
		n += len(b)
	}
	return n
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
