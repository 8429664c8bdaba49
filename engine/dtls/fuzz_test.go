package dtls_test

import (
	"sync"
	"testing"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// transcript is the datagrams of one handshake, of the client and of the server, followed by one of data.
var transcript = sync.OnceValue(func() (datagrams [][]byte) {
	tb := &testing.B{}
	p := connected(tb)
	if err := p.client.Write([]byte("data")); err != nil {
		panic(err)
	}
	p.client.poll()
	return append(p.client.sent, p.server.sent...)
})

// FuzzHandleDatagram shows a transport in each state a datagram that may be anything. It must neither panic nor hang nor
// connect; a transport that is connected must stay so.
func FuzzHandleDatagram(f *testing.F) {
	for _, b := range transcript() {
		f.Add(b, b)
		f.Add(b, b[:len(b)/2])
	}
	for _, b := range garbage(transcript()[0]) {
		f.Add(transcript()[0], b)
	}
	established := connected(f)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, role := range []dtls.Role{dtls.Server, dtls.Client} {
			limits := dtls.NewLimits(1, 0)
			s := newSide(t, dtls.Settings{HandshakeTimeout: 5 * time.Millisecond, Limits: limits})
			s.HandleDatagram(first)
			if err := s.Start(role, sha256Of(s.cert)); err != nil {
				t.Fatal(err)
			}
			s.HandleDatagram(second)
			s.HandleDatagram(first)
			for s.poll(); limits.Running() > 0 && !s.reached(api.DTLSStateFailed); s.poll() {
				<-s.woken // the handshake reads all that it is shown, then its time is over
			}
			s.Close()
			if s.reached(api.DTLSStateConnected) {
				t.Fatal("connected to garbage")
			}
		}
		for _, b := range [][]byte{first, second} {
			established.server.HandleDatagram(b)
			established.client.HandleDatagram(b)
		}
		established.move()
		if established.server.State() != api.DTLSStateConnected || established.client.State() != api.DTLSStateConnected {
			t.Fatal("a forgery ended an established association")
		}
	})
}
