package runner_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/router"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// peer is where the peers of all transports are.
var peer = netip.MustParseAddrPort("192.0.2.1:5000")

// socket is a UDP socket whose reader the test plays. A faulty one panics.
type socket struct {
	fixture *fixture
	mu      sync.Mutex
	sent    [][]byte
	faulty  bool
	once    sync.Once
	onClose func() // called with the shard's turn held; nil for nothing
	handler netio.Handler
	serving chan struct{}
	closed  chan struct{}
}

func (s *socket) LocalAddr() netip.AddrPort { return netip.MustParseAddrPort("198.51.100.1:40000") }

func (s *socket) Serve(_ *netio.Poller, h netio.Handler) error {
	s.handler = h
	close(s.serving)
	return nil
}

func (s *socket) Send(_ netip.AddrPort, b *netio.Batch) (sent, dropped int) {
	if s.faulty {
		panic("send")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for pkt := range b.Packets() {
		s.sent = append(s.sent, bytes.Clone(pkt))
	}
	return b.Len(), 0
}

func (s *socket) Close() {
	s.once.Do(func() {
		close(s.closed)
		if s.onClose != nil {
			s.onClose()
		}
		if s.faulty {
			panic("close")
		}
	})
}

func (s *socket) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.sent
	s.sent = nil
	return taken
}

// receive plays the socket's reader, which gets all datagrams at once.
func (s *socket) receive(datagrams ...[]byte) {
	<-s.serving
	batch := make([]netio.Datagram, len(datagrams))
	for i, b := range datagrams {
		buffer := packet.NewBuffer(len(b))
		buffer.SetLen(copy(buffer.Space(), b))
		batch[i] = netio.Datagram{Buffer: buffer, From: peer}
		s.fixture.keep(buffer)
	}
	s.handler.HandleDatagrams(batch)
}

// told is a notification, as far as the tests compare it.
type told struct {
	id    string
	event api.Event
	data  string // of an RTP packet or a message
}

// fixture is a router in a runner whose sockets are the test's.
type fixture struct {
	t       *testing.T
	runner  *runner.Runner
	router  *router.Router
	reg     *router.Scope
	sockets []*socket
	fillers int
	ended   bool

	mu      sync.Mutex
	react   func(n *api.Notification)
	news    []told
	log     strings.Builder
	buffers []*packet.Buffer // of all that was received
}

// stillClock is a clock that stands: no reports are due, however slow the machine is.
type stillClock struct{}

func (stillClock) Now() unit.Time { return 1_700_000_000_000_000_000 }

func newFixture(t *testing.T, shards int) *fixture {
	r := &fixture{t: t}
	log := slog.New(slog.NewTextHandler(r, nil))
	var err error
	r.runner, err = runner.New(runner.Options{
		Shards: shards, Clock: stillClock{}, Log: log,
		Listen: func(netio.UDPConfig) (transport.Socket, error) {
			s := &socket{fixture: r, serving: make(chan struct{}), closed: make(chan struct{})}
			r.sockets = append(r.sockets, s)
			return s, nil
		},
	})
	require.NoError(t, err)
	r.reg = router.NewScope(r.runner, transport.WorkerEnv{Emit: r.take, Log: log}, nil)
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

// take implements api.Emitter.
func (r *fixture) take(n *api.Notification) {
	kept := told{id: n.HandlerID, event: n.Event}
	switch body := n.Body.(type) {
	case *api.ConsumerRTPNotification:
		kept.data = string(body.Data)
	case *api.DataConsumerMessageNotification:
		kept.data = strings.TrimRight(string(body.Data), " ")
	}
	r.mu.Lock()
	r.news = append(r.news, kept)
	react := r.react
	r.mu.Unlock()
	if react != nil {
		react(n)
	}
}

// onNews makes f called with each notification, with the turn of the shard that it comes from held.
func (r *fixture) onNews(f func(n *api.Notification)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.react = f
}

// told returns the notifications about one object: of the given events, or of all if none is given.
func (r *fixture) told(id string, events ...api.Event) (found []told) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.news {
		if n.id == id && (len(events) == 0 || slices.Contains(events, n.event)) {
			found = append(found, n)
		}
	}
	return found
}

func (r *fixture) keep(b *packet.Buffer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buffers = append(r.buffers, b)
}

// requireAllReleased ends everything and checks that no reference to a packet is left, and that nothing went wrong.
func (r *fixture) requireAllReleased() {
	r.t.Helper()
	r.end()
	require.NotContains(r.t, r.logged(), "level=ERROR")
	require.NotEmpty(r.t, r.buffers)
	for _, b := range r.buffers {
		require.PanicsWithValue(r.t, "packet: buffer released twice", b.Release, "a reference to the packet is left")
	}
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
		r.closeTransport(id)
		r.direct(fmt.Sprint("filler", r.fillers))
		r.fillers++
	}
}

// direct makes a DirectTransport.
func (r *fixture) direct(id string) {
	r.t.Helper()
	r.must("r", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
		TransportID: id,
		Options: &api.DirectTransportOptions{Base: &api.TransportOptions{
			Direct: true, MaxSendMessageSize: 1 << 22, MaxReceiveMessageSize: 1 << 22,
		}},
	})
}

func (r *fixture) directOn(index int, id string) {
	r.t.Helper()
	r.on(index, id, func() { r.direct(id) })
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

func (r *fixture) try(handler string, method api.Method, body api.RequestBody) error {
	_, err := r.reg.Find(handler).HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body})
	return err
}

func (r *fixture) must(handler string, method api.Method, body api.RequestBody) {
	r.t.Helper()
	require.NoError(r.t, r.try(handler, method, body))
}

// plain makes a connected PlainTransport and returns its socket.
func (r *fixture) plain(id string) *socket { return r.plainIn("r", id) }

func (r *fixture) plainIn(router, id string) *socket {
	r.t.Helper()
	r.must(router, api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{TransportID: id, Options: &api.PlainTransportOptions{
		Base: &api.TransportOptions{}, RTCPMux: true, ListenInfo: &api.ListenInfo{Protocol: api.ProtocolUDP, IP: "198.51.100.1", Port: 40000},
	}})
	r.must(id, api.MethodPlainTransportConnect, &api.PlainTransportConnectRequest{IP: peer.Addr().String(), Port: new(peer.Port())})
	return r.sockets[len(r.sockets)-1]
}

func params(ssrc uint32) *api.RTPParameters {
	return &api.RTPParameters{
		Codecs: []api.RTPCodecParameters{{
			MimeType: "video/VP8", PayloadType: 100, ClockRate: 90000, RTCPFeedback: []api.RTCPFeedback{
				{Type: "nack"}, {Type: "nack", Parameter: "pli"},
			},
		}},
		Encodings: []api.RTPEncodingParameters{{SSRC: new(ssrc)}},
		RTCP:      &api.RTCPParameters{CNAME: "them"},
	}
}

func (r *fixture) produce(transport, id string) {
	r.t.Helper()
	r.produceWith(transport, id, params(10))
}

func (r *fixture) produceWith(transport, id string, p *api.RTPParameters) {
	r.t.Helper()
	r.must(transport, api.MethodTransportProduce, &api.TransportProduceRequest{
		ProducerID: id, Kind: api.MediaKindVideo, RTPParameters: p, RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: 100, MappedPayloadType: 100}},
			Encodings: []api.EncodingMapping{{SSRC: new(uint32(10)), MappedSSRC: 1010}},
		},
	})
}

func (r *fixture) consume(transport, id, producer string) {
	r.t.Helper()
	r.consumeWith(transport, id, producer, params(20))
}

func (r *fixture) consumeWith(transport, id, producer string, p *api.RTPParameters) {
	r.t.Helper()
	r.must(transport, api.MethodTransportConsume, &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: producer, Kind: api.MediaKindVideo, RTPParameters: p,
		ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: new(uint32(1010))}},
	})
}

// keyFrame is an RTP packet with a VP8 key frame (RFC 7741 section 4.2, RFC 6386 section 9.1).
func keyFrame(seq unit.SeqNo) []byte {
	b := rtp.AppendHeader(nil, rtp.Header{PayloadType: 100, SequenceNumber: seq, Timestamp: unit.Timestamp(seq) * 3000, SSRC: 10}, nil)
	return append(b, 0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0, 0x10, 0, 1, 2, 3)
}
