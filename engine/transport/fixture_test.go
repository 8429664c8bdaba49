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
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

var (
	peerAddr     = netip.MustParseAddrPort("192.0.2.1:5000")
	strangerAddr = netip.MustParseAddrPort("192.0.2.66:5000")
)

// fixture is an environment without network or clock.
type fixture struct {
	t       *testing.T
	now     unit.Time
	env     transport.Env
	sockets []*enginetest.Socket
	asked   []netio.UDPConfig
	refuse  error // of the next Listen

	notifications enginetest.Notifications
	produced      map[*transport.Producer]*api.TransportProduceRequest
	ledgers       map[*transport.Transport]*enginetest.Ledger // of every transport: nothing that a test sends is amplified
}

func newFixture(t *testing.T) *fixture {
	r := &fixture{
		t: t, now: unit.Time(1_000_000 * time.Hour), produced: map[*transport.Producer]*api.TransportProduceRequest{},
		ledgers: map[*transport.Transport]*enginetest.Ledger{},
	}
	r.env.WorkerEnv = transport.WorkerEnv{
		Emit: r.notifications.Emit,
		Log:  slog.New(slog.DiscardHandler), RTCMinPort: 10000, RTCMaxPort: 20000, DataConsumerClosed: func(string) {},
	}
	r.env.ShardEnv = transport.ShardEnv{Batch: netio.NewBatch(), Rand: rand.New(rand.NewPCG(1, 2)), Figures: new(transport.Figures)}
	r.env.Listen = func(cfg netio.UDPConfig) (transport.Socket, error) {
		r.asked = append(r.asked, cfg)
		if r.refuse != nil && len(r.asked) > 1 {
			return nil, r.refuse
		}
		s := enginetest.NewSocket(netip.AddrPortFrom(cfg.Address, uint16(40000+len(r.sockets))))
		r.sockets = append(r.sockets, s)
		return s, nil
	}
	return r
}

func plainOptions() *api.PlainTransportOptions { return enginetest.PlainOptions("198.51.100.1") }

func (r *fixture) plain(change func(*api.PlainTransportOptions)) *transport.Plain {
	r.t.Helper()
	options := plainOptions()
	if change != nil {
		change(options)
	}
	first := len(r.sockets)
	p, err := transport.NewPlain("plain", options, r.env)
	require.NoError(r.t, err)
	r.audit(p.Transport, r.sockets[first:])
	return p
}

// audit opens a transport's ledger, into which goes what its sockets send.
func (r *fixture) audit(t *transport.Transport, sockets []*enginetest.Socket) {
	l := enginetest.NewLedger(r.t, r.now)
	for _, s := range sockets {
		s.OnSend = func(to netip.AddrPort, pkt []byte) { l.Sent(r.now, to, pkt) }
	}
	r.ledgers[t] = l
}

// connected returns a plain transport whose peer is peerAddr.
func (r *fixture) connected() *transport.Plain {
	p := r.plain(nil)
	_, err := p.Connect(r.now, enginetest.ConnectPlainRequest(peerAddr))
	require.NoError(r.t, err)
	return p
}

// receive hands one datagram to a transport.
func (r *fixture) receive(p *transport.Plain, index int, from netip.AddrPort, data []byte) {
	r.ledgers[p.Transport].Received(from, len(data))
	p.HandleDatagrams(r.now, index, enginetest.Datagrams(from, data))
	p.Settle(r.now)
}

func (r *fixture) receiveRTCP(p *transport.Plain, index int, from netip.AddrPort, pkts ...rtcp.Packet) {
	r.t.Helper()
	r.receive(p, index, from, enginetest.MarshalRTCP(pkts...))
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

// forwarder is the subscriber to some consumers.
type forwarder struct{ consumers []*transport.Consumer }

func (f *forwarder) Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	for _, c := range f.consumers {
		c.HandleStreamUpdates(now, updates, scores)
		c.Forward(now, pkts)
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

func (r *fixture) produce(t *transport.Transport, id string, s enginetest.Stream) *transport.Producer {
	r.t.Helper()
	return r.produceRequest(t, s.Produce(id))
}

func (r *fixture) produceRequest(t *transport.Transport, request *api.TransportProduceRequest) *transport.Producer {
	r.t.Helper()
	p, err := t.Produce(r.now, request)
	require.NoError(r.t, err)
	r.produced[p] = request
	return p
}

// consume has a transport send what p forwards as a stream of the given SSRC, with p's codec.
func (r *fixture) consume(t *transport.Transport, p *transport.Producer, id string, ssrc unit.SSRC, src transport.ProducerFeedback) *transport.Consumer {
	r.t.Helper()
	s := enginetest.Video(ssrc)
	if p.Kind() == api.MediaKindAudio {
		s = enginetest.Audio(ssrc)
	}
	return r.consumeAs(t, p, id, s, src)
}

// consumeAs has a transport send what p forwards as the given stream.
func (r *fixture) consumeAs(t *transport.Transport, p *transport.Producer, id string, s enginetest.Stream, src transport.ProducerFeedback) *transport.Consumer {
	r.t.Helper()
	c, err := t.Consume(r.now, s.Consume(id, r.produced[p]), src)
	require.NoError(r.t, err)
	return c
}

func (r *fixture) attach(t *transport.Transport, p *transport.Producer, c *transport.Consumer) {
	t.AttachConsumer(r.now, c, p.Paused(), p.Scores(), p.Streams())
}
