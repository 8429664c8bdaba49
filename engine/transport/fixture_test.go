package transport_test

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

var (
	peerAddr     = netip.MustParseAddrPort("192.0.2.1:5000")
	strangerAddr = netip.MustParseAddrPort("192.0.2.66:5000")
)

// socket records what is sent.
type socket struct {
	local   netip.AddrPort
	sent    [][]byte
	to      []netip.AddrPort
	refuses bool // the kernel takes nothing
	closed  int
}

func (s *socket) LocalAddr() netip.AddrPort { return s.local }
func (s *socket) Close()                    { s.closed++ }

func (s *socket) Send(to netip.AddrPort, b *netio.Batch) (sent, dropped int) {
	for pkt := range b.Packets() {
		s.sent = append(s.sent, append([]byte(nil), pkt...))
		s.to = append(s.to, to)
	}
	if s.refuses {
		return 0, b.Len()
	}
	return b.Len(), 0
}

// fixture is an environment without network or clock.
type fixture struct {
	t       *testing.T
	now     unit.Time
	env     transport.Env
	sockets []*socket
	asked   []netio.UDPConfig
	refuse  error // of the next Listen
	news    []api.Notification
}

func newFixture(t *testing.T) *fixture {
	r := &fixture{t: t, now: unit.Time(1_000_000 * time.Hour)}
	r.env.WorkerEnv = transport.WorkerEnv{
		Emit: func(n *api.Notification) { r.news = append(r.news, *n) },
		Log:  slog.New(slog.DiscardHandler), RTCMinPort: 10000, RTCMaxPort: 20000, DataConsumerClosed: func(string) {},
	}
	r.env.ShardEnv = transport.ShardEnv{Batch: netio.NewBatch(), Rand: rand.New(rand.NewPCG(1, 2))}
	r.env.Listen = func(cfg netio.UDPConfig) (transport.Socket, error) {
		r.asked = append(r.asked, cfg)
		if r.refuse != nil && len(r.asked) > 1 {
			return nil, r.refuse
		}
		s := &socket{local: netip.AddrPortFrom(cfg.Address, uint16(40000+len(r.sockets)))}
		r.sockets = append(r.sockets, s)
		return s, nil
	}
	return r
}

func plainOptions() *api.PlainTransportOptions {
	return &api.PlainTransportOptions{
		Base: &api.TransportOptions{}, RTCPMux: true,
		ListenInfo: &api.ListenInfo{
			Protocol: api.ProtocolUDP, IP: "198.51.100.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{},
		},
	}
}

func (r *fixture) plain(change func(*api.PlainTransportOptions)) *transport.Plain {
	r.t.Helper()
	options := plainOptions()
	if change != nil {
		change(options)
	}
	p, err := transport.NewPlain("plain", options, r.env)
	require.NoError(r.t, err)
	return p
}

func connectTo(addr netip.AddrPort) *api.PlainTransportConnectRequest {
	return &api.PlainTransportConnectRequest{IP: addr.Addr().String(), Port: new(addr.Port())}
}

// connected returns a plain transport whose peer is peerAddr.
func (r *fixture) connected() *transport.Plain {
	p := r.plain(nil)
	_, err := p.Connect(r.now, connectTo(peerAddr))
	require.NoError(r.t, err)
	return p
}

// receive hands one datagram to a transport.
func (r *fixture) receive(p *transport.Plain, index int, from netip.AddrPort, data []byte) {
	b := packet.NewBuffer(len(data))
	b.SetLen(copy(b.Space(), data))
	p.HandleDatagrams(r.now, index, []netio.Datagram{{Buffer: b, From: from}})
	p.Settle(r.now)
}

func (r *fixture) receiveRTCP(p *transport.Plain, index int, from netip.AddrPort, pkts ...rtcp.Packet) {
	r.t.Helper()
	b, err := rtcp.Marshal(pkts)
	require.NoError(r.t, err)
	r.receive(p, index, from, b)
}

// events returns the notifications of one kind.
func (r *fixture) events(event api.Event) []api.Notification {
	var found []api.Notification
	for _, n := range r.news {
		if n.Event == event {
			found = append(found, n)
		}
	}
	return found
}

// subscriber records what a producer forwards.
type subscriber struct {
	pkts    []*packet.Packet
	updates []media.StreamUpdate
	then    func(now unit.Time, pkts []*packet.Packet)
}

func (o *subscriber) Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, _ []uint8) {
	for _, p := range pkts {
		p.Retain()
	}
	o.pkts, o.updates = append(o.pkts, pkts...), append(o.updates, updates...)
	if o.then != nil {
		o.then(now, pkts)
	}
}

// feedbackRecorder records what a consumer asks of its producer.
type feedbackRecorder struct {
	keyFrames []unit.SSRC
	losses    map[string]uint8
}

func (s *feedbackRecorder) RequestKeyFrame(mapped unit.SSRC) {
	s.keyFrames = append(s.keyFrames, mapped)
}

func (s *feedbackRecorder) ReportFractionLost(id string, _ unit.SSRC, lost uint8) {
	if s.losses == nil {
		s.losses = map[string]uint8{}
	}
	s.losses[id] = lost
}

// params are the RTP parameters of a VP8 stream with RTX, or of an Opus stream with in-band FEC.
func params(kind api.MediaKind, ssrc uint32) *api.RTPParameters {
	p := &api.RTPParameters{
		Encodings: []api.RTPEncodingParameters{{SSRC: new(ssrc)}},
		RTCP:      &api.RTCPParameters{CNAME: "them", ReducedSize: true},
	}
	if kind == api.MediaKindAudio {
		p.Codecs = []api.RTPCodecParameters{{
			MimeType: "audio/opus", PayloadType: 100, ClockRate: 48000, Channels: new(uint8(2)),
			Parameters: []api.Parameter{{Name: "useinbandfec", Value: &api.ValueInteger32{Value: 1}}},
		}}
		return p
	}
	p.Codecs = []api.RTPCodecParameters{
		{MimeType: "video/VP8", PayloadType: 100, ClockRate: 90000, RTCPFeedback: []api.RTCPFeedback{
			{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"},
		}},
		{MimeType: "video/rtx", PayloadType: 101, ClockRate: 90000, Parameters: []api.Parameter{
			{Name: "apt", Value: &api.ValueInteger32{Value: 100}},
		}},
	}
	p.Encodings[0].RTX = &api.RTX{SSRC: ssrc + 1}
	return p
}

func mappedSSRC(ssrc uint32) uint32 { return ssrc + 1000 }

func produceRequest(id string, kind api.MediaKind, ssrc uint32) *api.TransportProduceRequest {
	return &api.TransportProduceRequest{
		ProducerID: id, Kind: kind, RTPParameters: params(kind, ssrc),
		RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: 100, MappedPayloadType: 100}, {PayloadType: 101, MappedPayloadType: 101}},
			Encodings: []api.EncodingMapping{{SSRC: new(ssrc), MappedSSRC: mappedSSRC(ssrc)}},
		},
	}
}

func (r *fixture) produce(t *transport.Transport, id string, kind api.MediaKind, ssrc uint32) *transport.Producer {
	r.t.Helper()
	p, err := t.Produce(r.now, produceRequest(id, kind, ssrc))
	require.NoError(r.t, err)
	return p
}

func (r *fixture) consume(t *transport.Transport, p *transport.Producer, id string, from, to uint32, src transport.ProducerFeedback) *transport.Consumer {
	r.t.Helper()
	c, err := t.Consume(r.now, &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: p.ID(), Kind: p.Kind(), RTPParameters: params(p.Kind(), to),
		ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: new(mappedSSRC(from))}},
	}, src)
	require.NoError(r.t, err)
	return c
}

func (r *fixture) attach(t *transport.Transport, p *transport.Producer, c *transport.Consumer) {
	t.AttachConsumer(r.now, c, p.Paused(), p.Scores(), p.Streams())
}

// keyFrame is an RTP packet with a VP8 key frame (RFC 7741 section 4.2, RFC 6386 section 9.1).
func keyFrame(ssrc uint32, seq uint16) []byte {
	return rtpPacket(ssrc, seq, []byte{0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0, 0x10, 0, 1, 2, 3})
}

func rtpPacket(ssrc uint32, seq uint16, payload []byte) []byte {
	b := rtp.AppendHeader(nil, rtp.Header{
		PayloadType: 100, SequenceNumber: unit.SeqNo(seq), Timestamp: unit.Timestamp(seq) * 3000, SSRC: unit.SSRC(ssrc),
	}, nil)
	return append(b, payload...)
}

func parse(t *testing.T, b []byte) *rtp.Packet {
	t.Helper()
	var p rtp.Packet
	require.NoError(t, p.Parse(b))
	return &p
}
