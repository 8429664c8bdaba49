package engine_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// patience is how long a test waits for what must come; only a failing test waits that long.
const patience = 20 * time.Second

// app plays the application: it sends requests to a worker and collects its notifications.
type app struct {
	t      *testing.T
	worker *engine.Worker

	mu    sync.Mutex
	seen  []api.Notification
	news  chan struct{}
	count int
}

func newApp(t *testing.T, o engine.Options) *app {
	a := &app{t: t, news: make(chan struct{}, 1)}
	o.Emit = a.take
	var err error
	a.worker, err = engine.New(o)
	require.NoError(t, err)
	t.Cleanup(a.worker.Close)
	return a
}

// take implements api.Emitter. It keeps the bodies, as it may.
func (a *app) take(n *api.Notification) {
	a.mu.Lock()
	a.seen = append(a.seen, *n)
	a.mu.Unlock()
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// await returns the first notification of the given event for the given object, however long ago it came.
func (a *app) await(id string, event api.Event) api.Notification {
	a.t.Helper()
	deadline := time.After(patience)
	for {
		if found := a.notifications(id, event); len(found) > 0 {
			return found[0]
		}
		select {
		case <-a.news:
		case <-deadline:
			require.FailNow(a.t, "no notification", "%s %s", id, event)
		}
	}
}

// awaitCount waits for n notifications of the given event for the given object.
func (a *app) awaitCount(id string, event api.Event, n int) []api.Notification {
	a.t.Helper()
	deadline := time.After(patience)
	for {
		found := a.notifications(id, event)
		if len(found) >= n {
			return found
		}
		select {
		case <-a.news:
		case <-deadline:
			require.FailNow(a.t, "too few notifications", "%s %s: %d of %d", id, event, len(found), n)
		}
	}
}

func (a *app) notifications(id string, event api.Event) []api.Notification {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []api.Notification
	for _, n := range a.seen {
		if n.HandlerID == id && n.Event == event {
			found = append(found, n)
		}
	}
	return found
}

// try sends a request.
func (a *app) try(handler string, method api.Method, body api.RequestBody) (response api.ResponseBody, err error) {
	answered := false
	a.count++
	a.worker.HandleRequest(&api.Request{ID: uint32(a.count), Method: method, HandlerID: handler, Body: body},
		func(b api.ResponseBody, e error) {
			require.False(a.t, answered, "answered twice")
			answered, response, err = true, b, e
		})
	require.True(a.t, answered)
	return response, err
}

// must sends a request that is to succeed.
func (a *app) must(handler string, method api.Method, body api.RequestBody) api.ResponseBody {
	a.t.Helper()
	response, err := a.try(handler, method, body)
	require.NoError(a.t, err)
	return response
}

// refused sends a request that is to be refused, and checks class and text.
func (a *app) refused(kind api.ErrorKind, text string, handler string, method api.Method, body api.RequestBody) {
	a.t.Helper()
	_, err := a.try(handler, method, body)
	var refusal *api.Error
	require.True(a.t, errors.As(err, &refusal), "%v", err)
	require.Equal(a.t, kind, refusal.Kind)
	require.Contains(a.t, refusal.Reason, text)
}

func (a *app) router(id string) {
	a.t.Helper()
	a.must("", api.MethodWorkerCreateRouter, &api.WorkerCreateRouterRequest{RouterID: id})
}

func (a *app) direct(router, id string) {
	a.t.Helper()
	a.must(router, api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
		TransportID: id, Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}},
	})
}

// plainOptions are those of a transport on the loopback interface.
func plainOptions() *api.PlainTransportOptions {
	return &api.PlainTransportOptions{
		Base: &api.TransportOptions{}, RTCPMux: true,
		ListenInfo: &api.ListenInfo{
			Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{},
		},
	}
}

func (a *app) plain(router, id string, options *api.PlainTransportOptions) *api.PlainTransportDumpResponse {
	a.t.Helper()
	return a.must(router, api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{
		TransportID: id, Options: options,
	}).(*api.PlainTransportDumpResponse)
}

// connect makes a plain transport send to the given peer.
func (a *app) connect(id string, peer netip.AddrPort) {
	a.t.Helper()
	a.must(id, api.MethodPlainTransportConnect, &api.PlainTransportConnectRequest{
		IP: peer.Addr().String(), Port: new(peer.Port()),
	})
}

// video are the RTP parameters of a VP8 stream.
func video(ssrc uint32) *api.RTPParameters {
	return &api.RTPParameters{
		Codecs: []api.RTPCodecParameters{{
			MimeType: "video/VP8", PayloadType: 101, ClockRate: 90000,
			RTCPFeedback: []api.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
		}},
		Encodings: []api.RTPEncodingParameters{{SSRC: new(ssrc)}},
		RTCP:      &api.RTCPParameters{CNAME: "them", ReducedSize: true},
	}
}

// audio are the RTP parameters of an Opus stream.
func audio(ssrc uint32) *api.RTPParameters {
	p := video(ssrc)
	p.Codecs[0] = api.RTPCodecParameters{MimeType: "audio/opus", PayloadType: 101, ClockRate: 48000, Channels: new(uint8(2))}
	return p
}

func (a *app) produce(transport, id string, kind api.MediaKind, params *api.RTPParameters) api.ResponseBody {
	a.t.Helper()
	return a.must(transport, api.MethodTransportProduce, produceRequest(id, kind, params))
}

func produceRequest(id string, kind api.MediaKind, params *api.RTPParameters) *api.TransportProduceRequest {
	ssrc := *params.Encodings[0].SSRC
	return &api.TransportProduceRequest{
		ProducerID: id, Kind: kind, RTPParameters: params,
		RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: 101, MappedPayloadType: 101}},
			Encodings: []api.EncodingMapping{{SSRC: new(ssrc), MappedSSRC: mapped(ssrc)}},
		},
	}
}

// mapped is the router's SSRC for a producer's.
func mapped(ssrc uint32) uint32 { return ssrc + 1000000 }

// consume has a transport consume a producer whose stream has the given SSRC; it is sent on as another one.
func (a *app) consume(transport, id, producer string, kind api.MediaKind, from, to uint32) *api.TransportConsumeResponse {
	a.t.Helper()
	return a.must(transport, api.MethodTransportConsume, consumeRequest(id, producer, kind, from, to)).(*api.TransportConsumeResponse)
}

func consumeRequest(id, producer string, kind api.MediaKind, from, to uint32) *api.TransportConsumeRequest {
	params := video(to)
	if kind == api.MediaKindAudio {
		params = audio(to)
	}
	return &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: producer, Kind: kind, RTPParameters: params,
		ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: new(mapped(from))}},
	}
}

// peer is a UDP socket of somebody who talks to the worker.
type peer struct {
	t    *testing.T
	conn *net.UDPConn
}

func newPeer(t *testing.T) *peer {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetReadBuffer(1<<22))
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	return &peer{t, conn}
}

func (p *peer) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *peer) send(to *api.TransportTuple, b []byte) {
	p.t.Helper()
	target := netip.MustParseAddrPort(fmt.Sprintf("%s:%d", to.LocalAddress, to.LocalPort))
	_, err := p.conn.WriteToUDPAddrPort(b, target)
	require.NoError(p.t, err)
}

// receive returns the next datagram.
func (p *peer) receive() []byte {
	p.t.Helper()
	b := make([]byte, 65536)
	n, err := p.conn.Read(b)
	require.NoError(p.t, err)
	return b[:n]
}
