package runner_test

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/netio"
	"gazpacho/engine/router"
	"gazpacho/engine/runner"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
)

// sharedPort is the UDP port of a WebRtcServer, whose poller the test plays. It records where it sends to, and blocks what is sent to
// one peer.
type sharedPort struct {
	handler netio.Handler
	sent    chan netip.AddrPort
	blocked netip.AddrPort
	waiting chan struct{} // one item while a send is blocked
	release chan struct{}
}

func (p *sharedPort) LocalAddr() netip.AddrPort { return netip.MustParseAddrPort("198.51.100.1:40000") }
func (p *sharedPort) Close()                    {}

func (p *sharedPort) Serve(_ *netio.Poller, h netio.Handler) error {
	p.handler = h
	return nil
}

func (p *sharedPort) Send(to netip.AddrPort, b *netio.Batch) (sent, dropped int) {
	if to == p.blocked {
		p.waiting <- struct{}{}
		<-p.release
	}
	p.sent <- to
	return b.Len(), 0
}

// guest is a transport behind the port and its peer.
type guest struct {
	id   string
	ice  *api.ICEParameters
	peer netip.AddrPort
}

// serverFixture is a WebRtcServer in a runner of two shards, with as many transports on each.
type serverFixture struct {
	t      *testing.T
	port   *sharedPort
	guests []guest
}

func newServerFixture(t *testing.T, guests int) *serverFixture {
	r := &serverFixture{t: t, port: &sharedPort{
		sent: make(chan netip.AddrPort, 1000), waiting: make(chan struct{}, 1), release: make(chan struct{}),
	}}
	certificate, err := dtls.GenerateCertificate()
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	shards, err := runner.New(runner.Options{
		Shards: 2, Clock: shard.SystemClock(), Log: log,
		Listen: func(netio.UDPConfig) (transport.Socket, error) { return r.port, nil },
	})
	require.NoError(t, err)
	scope := router.NewScope(shards, transport.WorkerEnv{Emit: func(*api.Notification) {}, Log: log}, certificate)
	server, err := router.NewServer("server", []api.ListenInfo{{Protocol: api.ProtocolUDP, IP: "198.51.100.1", Port: 40000}}, scope)
	require.NoError(t, err)
	t.Cleanup(func() { server.Close(); shards.Close() })
	for i := range guests {
		// A room of one goes to the shard with the fewest transports.
		room := router.New(fmt.Sprintf("room%d", i), scope)
		id := fmt.Sprintf("guest%d", i)
		body, err := room.HandleRequest(&api.Request{
			Method: api.MethodRouterCreateWebRtcTransportWithServer,
			Body: &api.RouterCreateWebRtcTransportRequest{TransportID: id, Options: &api.WebRtcTransportOptions{
				Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: "server"}, EnableUDP: true,
			}},
		})
		require.NoError(t, err)
		r.guests = append(r.guests, guest{
			id, body.(*api.WebRtcTransportDumpResponse).ICEParameters, netip.AddrPortFrom(peer.Addr(), uint16(6000+i)),
		})
	}
	return r
}

// check is a connectivity check of a guest's peer (RFC 8445 section 7.2.4).
func (g *guest) check() netio.Datagram {
	return enginetest.Datagrams(g.peer, enginetest.ConnectivityCheck(g.ice.UsernameFragment, g.ice.Password, false))[0]
}

// receive plays the poller: one batch with a check of each guest named.
func (r *serverFixture) receive(guests ...int) {
	var batch []netio.Datagram
	for _, i := range guests {
		batch = append(batch, r.guests[i].check())
	}
	r.port.handler.HandleDatagrams(batch)
}

func (r *serverFixture) requireSent(guests ...int) {
	r.t.Helper()
	var want, got []netip.AddrPort
	for _, i := range guests {
		want = append(want, r.guests[i].peer)
		got = append(got, <-r.port.sent)
	}
	require.ElementsMatch(r.t, want, got)
}

// Every datagram of a batch for transports on several shards reaches its transport, the unknown tuples' too.
func TestABatchForManyTransports(t *testing.T) {
	r := newServerFixture(t, 6)
	r.receive(0, 1, 2, 3) // found by username fragment
	r.requireSent(0, 1, 2, 3)
	r.receive(0, 0, 1, 5, 2, 4, 1, 1, 3) // most by tuple
	r.requireSent(0, 0, 1, 5, 2, 4, 1, 1, 3)
	b := r.guests[0].check()
	b.From = netip.AddrPortFrom(peer.Addr(), 1)
	b.Buffer.Space()[20] ^= 1 // no longer STUN that anybody knows
	r.port.handler.HandleDatagrams([]netio.Datagram{r.guests[1].check(), b})
	r.requireSent(1)
}

// What a transport gets of a batch it gets at once.
func TestABatchIsSortedByTransport(t *testing.T) {
	r := newServerFixture(t, 4) // 0 and 2 are on one shard, 1 and 3 on the other
	r.receive(0, 1, 2, 3)
	r.requireSent(0, 1, 2, 3)
	r.receive(0, 2, 0, 2, 2, 0)
	for _, i := range []int{0, 0, 0, 2, 2, 2} {
		require.Equal(t, r.guests[i].peer, <-r.port.sent)
	}
	var many []int // more than are sorted at a time
	for range 50 {
		many = append(many, 0, 1, 2)
	}
	r.receive(many...)
	r.requireSent(many...)
}

// A shard that is busy does not keep the datagrams of another one's transports waiting: the port's poller goes on.
func TestABusyShardDoesNotKeepThePortWaiting(t *testing.T) {
	r := newServerFixture(t, 4) // 0 and 2 are on one shard, 1 and 3 on the other
	r.receive(0, 1, 2, 3)
	r.requireSent(0, 1, 2, 3)
	r.port.blocked = r.guests[0].peer
	r.receive(0, 1) // 0 is posted to its shard, where it waits
	<-r.port.waiting
	r.requireSent(1)
	r.receive(2, 3) // 2 waits behind 0
	r.requireSent(3)
	r.receive(2) // even if it is alone
	r.receive(3)
	r.requireSent(3)
	close(r.port.release)
	r.requireSent(0, 2, 2)
}
