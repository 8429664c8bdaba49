package router_test

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/router"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// peer is where the peers of all transports are.
var peer = netip.MustParseAddrPort("192.0.2.1:5000")

// socket is a UDP socket whose reader the test plays. It fails when it is told to.
type socket struct {
	mu      sync.Mutex
	sent    [][]byte
	faulty  bool
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
	close(s.closed)
	if s.faulty {
		panic("close")
	}
}

func (s *socket) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.sent
	s.sent = nil
	return taken
}

// receive plays the socket's reader.
func (s *socket) receive(b []byte) {
	<-s.serving
	buffer := packet.NewBuffer(len(b))
	buffer.SetLen(copy(buffer.Space(), b))
	s.handler.HandleDatagrams([]netio.Datagram{{Buffer: buffer, From: peer}})
}

// rig is a router in a house whose sockets are the test's.
type rig struct {
	t       *testing.T
	router  *router.Router
	reg     *router.Registry
	sockets []*socket
	log     strings.Builder
}

func newRig(t *testing.T, shards int) *rig {
	r := &rig{t: t, reg: router.NewRegistry()}
	house, err := router.NewHouse(router.HouseOptions{
		Shards: shards, Clock: shard.SystemClock(), Emit: func(*api.Notification) {}, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
		Listen: func(netio.UDPConfig) (transport.Socket, error) {
			s := &socket{serving: make(chan struct{}), closed: make(chan struct{})}
			r.sockets = append(r.sockets, s)
			return s, nil
		},
	})
	require.NoError(t, err)
	r.router = router.New("r", r.reg, house)
	r.reg.Add("r", r.router)
	t.Cleanup(func() { r.router.Close(); house.Close() })
	return r
}

func (r *rig) try(handler string, method api.Method, body api.RequestBody) error {
	_, err := r.reg.Find(handler).HandleRequest(&api.Request{Method: method, HandlerID: handler, Body: body})
	return err
}

func (r *rig) must(handler string, method api.Method, body api.RequestBody) {
	r.t.Helper()
	require.NoError(r.t, r.try(handler, method, body))
}

// plain makes a connected PlainTransport and returns its socket.
func (r *rig) plain(id string) *socket {
	r.t.Helper()
	r.must("r", api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{TransportID: id, Options: &api.PlainTransportOptions{
		Base: &api.TransportOptions{}, RTCPMux: true, ListenInfo: &api.ListenInfo{Protocol: api.ProtocolUDP, IP: "198.51.100.1", Port: 40000},
	}})
	r.must(id, api.MethodPlainTransportConnect, &api.PlainTransportConnectRequest{IP: peer.Addr().String(), Port: new(peer.Port())})
	return r.sockets[len(r.sockets)-1]
}

func params(ssrc uint32) *api.RTPParameters {
	return &api.RTPParameters{
		Codecs: []api.RTPCodecParameters{{
			MimeType: "video/VP8", PayloadType: 100, ClockRate: 90000, RTCPFeedback: []api.RTCPFeedback{{Type: "nack", Parameter: "pli"}},
		}},
		Encodings: []api.RTPEncodingParameters{{SSRC: new(ssrc)}},
		RTCP:      &api.RTCPParameters{CNAME: "them"},
	}
}

func (r *rig) produce(transport, id string) {
	r.t.Helper()
	r.must(transport, api.MethodTransportProduce, &api.TransportProduceRequest{
		ProducerID: id, Kind: api.MediaKindVideo, RTPParameters: params(10), RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: 100, MappedPayloadType: 100}},
			Encodings: []api.EncodingMapping{{SSRC: new(uint32(10)), MappedSSRC: 1010}},
		},
	})
}

func (r *rig) consume(transport, id, producer string) {
	r.t.Helper()
	r.must(transport, api.MethodTransportConsume, &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: producer, Kind: api.MediaKindVideo, RTPParameters: params(20),
		ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: new(uint32(1010))}},
	})
}

// keyFrame is an RTP packet with a VP8 key frame (RFC 7741 section 4.2, RFC 6386 section 9.1).
func keyFrame(seq unit.SeqNo) []byte {
	b := rtp.AppendHeader(nil, rtp.Header{PayloadType: 100, SequenceNumber: seq, Timestamp: unit.Timestamp(seq) * 3000, SSRC: 10}, nil)
	return append(b, 0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0, 0x10, 0, 1, 2, 3)
}

// A fault in one consumer's transport, even one that happens again while it is taken out of service, does not reach the
// producer's nor the other consumers', and the transport can be closed.
func TestAFaultConcernsOneTransport(t *testing.T) {
	r := newRig(t, 1)
	in := r.plain("in")
	first, faulty, last := r.plain("first"), r.plain("faulty"), r.plain("last")
	r.produce("in", "p")
	for _, id := range []string{"first", "faulty", "last"} {
		r.consume(id, "c-"+id, "p")
	}
	in.receive(keyFrame(1))
	require.Len(t, first.take(), 1)
	require.Len(t, faulty.take(), 1)
	require.Len(t, last.take(), 1)

	faulty.faulty = true
	in.receive(keyFrame(2))
	require.Len(t, first.take(), 1)
	require.Len(t, last.take(), 1)
	require.ErrorContains(t, r.try("faulty", api.MethodTransportDump, nil), "out of service")
	require.ErrorContains(t, r.try("c-faulty", api.MethodConsumerDump, nil), "out of service")
	require.Contains(t, r.log.String(), "handling media")
	require.Contains(t, r.log.String(), "while transport faulty is taken out of service: close")

	in.receive(keyFrame(3))
	require.Len(t, first.take(), 1)
	require.Len(t, last.take(), 1)
	r.must("p", api.MethodProducerPause, nil)
	r.must("in", api.MethodTransportDump, nil)
}

// Consumers on other shards that ask for key frames without end have one message under way, not one for each wish.
func TestKeyFrameRequestsDoNotPileUp(t *testing.T) {
	r := newRig(t, 2)
	in := r.plain("in")
	r.produce("in", "p")
	var outs []*socket
	for i := range 40 { // more than stay on one shard
		id := string(rune('A' + i))
		outs = append(outs, r.plain(id))
		r.consume(id, "c-"+id, "p")
	}
	in.receive(keyFrame(1))
	in.take()
	flood := make([]rtcp.Packet, 500)
	for i := range flood {
		flood[i] = &rtcp.PictureLossIndication{MediaSSRC: 20}
	}
	b, err := rtcp.Marshal(flood)
	require.NoError(t, err)
	for _, out := range outs {
		out.receive(b)
	}
	r.must("p", api.MethodProducerDump, nil) // a turn of the producer's shard, which runs what was posted
	var plis int
	for _, b := range in.take() {
		pkts, err := rtcp.Unmarshal(b)
		require.NoError(t, err)
		for _, pkt := range pkts {
			if _, ok := pkt.(*rtcp.PictureLossIndication); ok {
				plis++
			}
		}
	}
	require.Equal(t, 1, plis, "all wishes together are one request")
	require.Zero(t, r.router.KeyFrameRequestAllocs("p", 1010))
}
