package dtls_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// transcript returns the datagrams of one handshake: the client's, with one of data at their end, then the server's.
var transcript = sync.OnceValue(func() (datagrams [][]byte) {
	tb := &testing.B{}
	p := connected(tb)
	if err := p.client.Write([]byte("data")); err != nil {
		panic(err)
	}
	p.client.poll()
	return append(p.client.sent, p.server.sent...)
})

func addSeeds(f *testing.F) {
	for _, b := range transcript() {
		f.Add(b, b)
		f.Add(b, b[:len(b)/2])
	}
	for _, b := range garbage(transcript()[0]) {
		f.Add(transcript()[0], b)
	}
}

// FuzzHandleDatagram passes two arbitrary datagrams to a transport in each state. It must not panic, and a connected one
// must stay connected. No handshake runs, so that each input has the same effect every time.
func FuzzHandleDatagram(f *testing.F) {
	addSeeds(f)
	established := connected(f)
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
		for _, b := range [][]byte{first, second} {
			established.server.HandleDatagram(b)
			established.client.HandleDatagram(b)
		}
		if established.move() || established.server.data != nil || established.client.data != nil {
			t.Fatal("a forgery had an effect on an established association")
		}
		if established.server.State() != api.DTLSStateConnected || established.client.State() != api.DTLSStateConnected {
			t.Fatal("a forgery ended an established association")
		}
	})
}

// FuzzHandshake does the same with a running handshake, which must not panic, hang or connect.
func FuzzHandshake(f *testing.F) {
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
