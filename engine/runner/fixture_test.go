package runner_test

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/netio"
	"gazpacho/engine/router"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// peer is where the peers of all transports are.
var peer = netip.MustParseAddrPort("192.0.2.1:5000")

// notified is a notification, as far as the tests compare it.
type notified struct {
	id    string
	event api.Event
	data  string // of an RTP packet or a message
}

// fixture is a router in a runner whose sockets are the test's.
type fixture struct {
	*enginetest.App
	t       *testing.T
	runner  *runner.Runner
	router  *router.Router
	reg     *router.Scope
	sockets []*socket
	fillers int
	ended   bool

	mu  sync.Mutex
	log strings.Builder
}

// socket is a socket of a transport whose peer is at peer.
type socket struct{ *enginetest.Socket }

// receive plays the socket's reader, which gets all datagrams at once.
func (s *socket) receive(datagrams ...[]byte) { s.Receive(peer, datagrams...) }

// stillClock is a clock that stands: no reports are due, however slow the machine is.
type stillClock struct{}

func (stillClock) Now() unit.Time { return 1_700_000_000_000_000_000 }

func newFixture(t *testing.T, shards int) *fixture {
	r := &fixture{t: t}
	r.App = enginetest.NewApp(t, func(request *api.Request) (api.ResponseBody, error) {
		return r.reg.Find(request.HandlerID).HandleRequest(request)
	})
	log := slog.New(slog.NewTextHandler(r, nil))
	var err error
	r.runner, err = runner.New(runner.Options{
		Shards: shards, Clock: stillClock{}, Log: log,
		Listen: func(netio.UDPConfig) (transport.Socket, error) {
			s := &socket{enginetest.NewSocket(netip.MustParseAddrPort("198.51.100.1:40000"))}
			r.sockets = append(r.sockets, s)
			return s, nil
		},
	})
	require.NoError(t, err)
	r.reg = router.NewScope(r.runner, transport.WorkerEnv{Emit: r.Emit, Log: log}, nil)
	r.router = r.newRouter("r")
	t.Cleanup(r.end)
	return r
}

func (r *fixture) newRouter(id string) *router.Router {
	made := router.New(id, r.reg)
	r.reg.Add(id, made)
	return made
}

// end closes everything.
func (r *fixture) end() {
	if !r.ended {
		r.ended = true
		r.router.Close()
		r.runner.Close()
	}
}

// Write implements io.Writer for the log.
func (r *fixture) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

func (r *fixture) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// notified returns the notifications about one object: of the given events, or of all if none is given.
func (r *fixture) notified(id string, events ...api.Event) (list []notified) {
	for _, n := range r.About(id, events...) {
		one := notified{id: n.HandlerID, event: n.Event}
		switch body := n.Body.(type) {
		case *api.ConsumerRTPNotification:
			one.data = string(body.Data)
		case *api.DataConsumerMessageNotification:
			one.data = strings.TrimRight(string(body.Data), " ")
		}
		list = append(list, one)
	}
	return list
}

// requireAllReleased ends everything and checks that no reference to a packet is left, and that nothing went wrong.
func (r *fixture) requireAllReleased() {
	r.t.Helper()
	r.end()
	require.NotContains(r.t, r.logged(), "level=ERROR")
	received := 0
	for _, s := range r.sockets {
		for _, b := range s.Received() {
			received++
			require.PanicsWithValue(r.t, "packet: buffer released twice", b.Release, "a reference to the packet is left")
		}
	}
	require.NotZero(r.t, received)
}

// settle returns when all that was posted before has run on all shards.
func (r *fixture) settle() {
	for _, s := range r.runner.Shards() {
		s.Do(func(unit.Time) {})
	}
}

// on makes a transport on the given shard: where it comes to lie elsewhere, a filler takes its place.
func (r *fixture) on(index int, id string, make func()) {
	r.t.Helper()
	for {
		before := r.runner.Transports()
		make()
		if r.runner.Transports()[index] > before[index] {
			return
		}
		r.CloseTransport("r", id)
		r.CreateDirect("r", fmt.Sprint("filler", r.fillers))
		r.fillers++
	}
}

func (r *fixture) directOn(index int, id string) {
	r.t.Helper()
	r.on(index, id, func() { r.CreateDirect("r", id) })
}

func (r *fixture) plainOn(index int, id string) (s *socket) {
	r.t.Helper()
	r.on(index, id, func() { s = r.plain(id) })
	return s
}

// notify sends a notification of the application.
func (r *fixture) notify(handler string, event api.Event, body api.NotificationBody) {
	r.t.Helper()
	handled, err := r.reg.Find(handler).HandleNotification(&api.Notification{HandlerID: handler, Event: event, Body: body})
	require.NoError(r.t, err)
	require.True(r.t, handled)
}

// refusal returns what a request is refused with, nil when it is not.
func (r *fixture) refusal(handler string, method api.Method, body api.RequestBody) error {
	_, err := r.Try(handler, method, body)
	return err
}

// plain makes a connected PlainTransport and returns its socket.
func (r *fixture) plain(id string) *socket { return r.plainIn("r", id) }

func (r *fixture) plainIn(router, id string) *socket {
	r.t.Helper()
	options := enginetest.PlainOptions("198.51.100.1")
	options.ListenInfo.Port = 40000
	r.CreatePlain(router, id, options)
	r.ConnectPlain(id, peer)
	return r.sockets[len(r.sockets)-1]
}

// produced is what all producers receive, unless the test says otherwise; consumedSSRC is what their consumers send.
var produced = enginetest.Stream{Codec: enginetest.VP8, SSRC: 10}

const consumedSSRC = 20

func (r *fixture) produce(transport, id string) {
	r.t.Helper()
	r.Produce(transport, id, produced)
}

func (r *fixture) consume(transport, id, producer string) {
	r.t.Helper()
	r.Consume(transport, id, producer, consumedSSRC)
}

// keyFrame is an RTP packet of such a producer with a VP8 key frame.
func keyFrame(seq unit.SeqNo) []byte { return enginetest.KeyFrame(produced.SSRC, seq) }
