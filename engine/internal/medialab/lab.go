package medialab

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/simnet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// Ids of header extensions.
const (
	midID = iota + 1
	sendTimeID
	transportCCID
	playoutDelayID
)

var extensions = []api.RTPHeaderExtensionParameters{
	{URI: api.RTPHeaderExtensionURIMid, ID: midID},
	{URI: api.RTPHeaderExtensionURIAbsSendTime, ID: sendTimeID},
	{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: transportCCID},
	{URI: api.RTPHeaderExtensionURIPlayoutDelay, ID: playoutDelayID},
}

// PacketOverhead is what a packet takes on a link beyond RTP: IPv4 and UDP headers, and the tag of SRTP with AES-GCM.
const PacketOverhead = 20 + 8 + 16

const began = unit.Time(1_700_000_000_000_000_000)

// Lab is a router with publishers and subscribers.
type Lab struct {
	Net         *simnet.Network
	Publishers  []*Publisher
	Subscribers []*Subscriber

	env   transport.Env
	seed  uint64
	asked []func(now unit.Time) // of producers, outside of calls of consumers
}

// New returns a laboratory.
func New(seed uint64) *Lab {
	l := &Lab{Net: simnet.New(seed, began), seed: seed}
	l.env.WorkerEnv = transport.WorkerEnv{
		Emit: func(*api.Notification) {}, Log: slog.New(slog.DiscardHandler), RTCMinPort: 10000, RTCMaxPort: 20000,
		DataConsumerClosed: func(string) {},
	}
	l.env.ShardEnv = transport.ShardEnv{Batch: netio.NewBatch(), Rand: rand.New(rand.NewPCG(seed, 4)), Figures: new(transport.Figures)}
	return l
}

// Now returns the time since the laboratory began.
func (l *Lab) Now() time.Duration { return l.Net.Now().Sub(began) }

// peer is one end of a transport: what it sends goes over one link to the transport, and what that sends over the other one to it.
type peer struct {
	lab       *Lab
	transport *transport.Plain
	up, down  *simnet.Link
	handle    simnet.Deliver // what arrives at the peer
}

var peerAddress = netip.MustParseAddrPort("192.0.2.1:5000")

// connect makes a transport and links to its peer, which takes what arrives.
func (l *Lab) connect(id string, up, down simnet.Conditions, initial unit.Bitrate, handle simnet.Deliver) *peer {
	p := &peer{lab: l, handle: handle}
	env := l.env
	env.Wake = func() {}
	env.Listen = func(cfg netio.UDPConfig) (transport.Socket, error) { return (*socket)(p), nil }
	options := enginetest.PlainOptions("198.51.100.1")
	options.RTCPMux = true
	if initial > 0 {
		options.Base.InitialAvailableOutgoingBitrate = new(uint64(initial))
	}
	var err error
	if p.transport, err = transport.NewPlain(id, options, env); err != nil {
		panic(err)
	}
	up.Overhead, down.Overhead = PacketOverhead, PacketOverhead
	p.down = l.Net.Link(down, handle)
	p.up = l.Net.Link(up, p.receive)
	if _, err := p.transport.Connect(l.Net.Now(), &api.PlainTransportConnectRequest{
		IP: peerAddress.Addr().String(), Port: new(peerAddress.Port()),
	}); err != nil {
		panic(err)
	}
	l.Net.Attach(p.transport, func(now unit.Time) { p.settle(now) })
	return p
}

func (p *peer) receive(now unit.Time, data []byte) {
	b := packet.NewBuffer(len(data))
	b.SetLen(copy(b.Space(), data))
	p.transport.HandleDatagrams(now, 0, []netio.Datagram{{Buffer: b, From: peerAddress}})
	p.settle(now)
}

func (p *peer) settle(now unit.Time) {
	p.transport.Settle(now)
	p.lab.ask(now)
}

// ask passes on what consumers asked of their producers.
func (l *Lab) ask(now unit.Time) {
	for len(l.asked) > 0 {
		asked := l.asked
		l.asked = nil
		for _, f := range asked {
			f(now)
		}
	}
}

func (p *peer) sendRTCP(pkts ...rtcp.Packet) {
	if len(pkts) > 0 {
		p.up.Send(enginetest.MarshalRTCP(pkts...))
	}
}

// socket is a transport's way to its peer.
type socket peer

func (s *socket) LocalAddr() netip.AddrPort { return netip.MustParseAddrPort("198.51.100.1:40000") }
func (s *socket) Close()                    {}

func (s *socket) Send(_ netip.AddrPort, b *netio.Batch) (sent, dropped int) {
	for pkt := range b.Packets() {
		s.down.SendTo(pkt, s.handle)
	}
	return b.Len(), 0
}

// Publisher is a browser that sends the picture of a camera, and sound.
type Publisher struct {
	*peer
	Camera      *camera
	kept        map[unit.SSRC]map[unit.SeqNo][]byte // by number modulo maxKept
	audioSeq    unit.SeqNo
	audioTS     unit.Timestamp
	video       published
	audio       *published
	rtxSeq      unit.SeqNo
	pacedAt     unit.Time // when the next packet may leave
	PLIs        int
	Retransmits int
}

// KeyFrame makes the next picture a key frame.
func (p *Publisher) KeyFrame() { p.Camera.wantsKey = true }

// published is a producer with its consumers.
type published struct {
	lab       *Lab
	owner     *peer
	producer  *transport.Producer
	request   *api.TransportProduceRequest
	stream    enginetest.Stream
	consumers []subscribed
}

type subscribed struct {
	*transport.Consumer
	owner *peer
}

// Forward implements transport.Subscriber, as the fan-out of package runner does.
func (p *published) Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8) {
	for _, c := range p.consumers {
		if len(updates) > 0 {
			c.HandleStreamUpdates(now, updates, scores)
			if len(pkts) > 0 {
				c.owner.transport.Settle(now)
			}
		}
		c.Consumer.Forward(now, pkts)
		c.owner.transport.Settle(now)
	}
}

// RequestKeyFrame implements transport.ProducerFeedback.
func (p *published) RequestKeyFrame(mapped unit.SSRC) {
	p.lab.asked = append(p.lab.asked, func(now unit.Time) {
		p.owner.transport.RequestKeyFrame(now, p.producer, mapped)
		p.owner.transport.Settle(now)
	})
}

// ReportFractionLost implements transport.ProducerFeedback.
func (p *published) ReportFractionLost(string, unit.SSRC, uint8) {}

const maxKept = 1 << 11 // packets for retransmission

// Publish adds a publisher, whose uplink is wide.
func (l *Lab) Publish(v Video, withAudio bool) *Publisher {
	i := len(l.Publishers)
	p := &Publisher{kept: map[unit.SSRC]map[unit.SeqNo][]byte{}}
	p.peer = l.connect(fmt.Sprint("in", i), simnet.Conditions{Delay: 5 * time.Millisecond}, simnet.Conditions{Delay: 5 * time.Millisecond}, 0, p.handle)
	ssrc := unit.SSRC(10_000 * (i + 1))
	p.Camera = newCamera(l.seed+uint64(i), v, ssrc)
	s := enginetest.Stream{Codec: enginetest.VP8, SSRC: ssrc, RTX: true, MID: "v", Extensions: extensions[:2], Encodings: len(v.Layers), Mode: "L1T3"}
	if v.SVC {
		s.Codec, s.Encodings, s.Mode = enginetest.VP9, 0, "L3T3_KEY"
	}
	p.video = l.produce(p.peer, fmt.Sprint("video", i), s)
	p.video.producer.AddSubscriber(&p.video)
	if withAudio {
		a := l.produce(p.peer, fmt.Sprint("audio", i), audioStream(ssrc+5000))
		p.audio = &a
		a.producer.AddSubscriber(p.audio)
		l.Net.After(audioInterval, p.sound)
	}
	l.Publishers = append(l.Publishers, p)
	start := time.Duration(7*i) * time.Millisecond // pictures of publishers do not coincide
	l.Net.After(start, p.takePicture)
	l.Net.After(start+200*time.Millisecond, p.report)
	return p
}

func audioStream(ssrc unit.SSRC) enginetest.Stream {
	s := enginetest.Audio(ssrc)
	s.MID, s.PT, s.Extensions = "a", 110, extensions
	s.Feedback = []api.RTCPFeedback{enginetest.TransportCC}
	return s
}

func (l *Lab) produce(on *peer, id string, s enginetest.Stream) published {
	p := published{lab: l, owner: on, stream: s, request: s.Produce(id)}
	var err error
	if p.producer, err = on.transport.Produce(l.Net.Now(), p.request); err != nil {
		panic(err)
	}
	return p
}

// pacing is how much faster than its bitrate a browser sends a picture, which it spreads (libwebrtc's pacer).
const pacing = 2.5

func (p *Publisher) takePicture(now unit.Time) {
	for _, b := range p.Camera.encode(now) {
		p.keep(b)
		p.pacedAt = max(p.pacedAt, now)
		p.lab.Net.At(p.pacedAt, func(unit.Time) { p.up.Send(b) })
		p.pacedAt = p.pacedAt.Add(time.Duration(float64(8*len(b)) / pacing / float64(p.Camera.total()) * float64(time.Second)))
	}
	p.lab.Net.At(now.Add(p.Camera.interval()), p.takePicture)
}

func (p *Publisher) keep(b []byte) {
	var pkt rtp.Packet
	if pkt.Parse(b) != nil {
		panic("medialab: not RTP")
	}
	if p.kept[pkt.SSRC] == nil {
		p.kept[pkt.SSRC] = map[unit.SeqNo][]byte{}
	}
	p.kept[pkt.SSRC][pkt.SequenceNumber%maxKept] = b
}

func (p *Publisher) sound(now unit.Time) {
	p.audioSeq++
	p.audioTS += 960
	p.up.Send(enginetest.Packet{
		SSRC: p.audio.stream.SSRC, PT: 110, Seq: p.audioSeq, Timestamp: p.audioTS, Payload: make([]byte, audioPayload),
		Extensions: []rtp.Extension{{ID: midID, Value: []byte("a")}},
	}.Bytes())
	p.lab.Net.At(now.Add(audioInterval), p.sound)
}

func (p *Publisher) report(now unit.Time) {
	p.sendRTCP(p.Camera.reports(now)...)
	p.lab.Net.At(now.Add(time.Second), p.report)
}

// handle takes what the worker sends to the publisher.
func (p *Publisher) handle(now unit.Time, data []byte) {
	pkts, _ := wirertcp.Parse(data)
	for _, pkt := range pkts {
		switch pkt := pkt.(type) {
		case *rtcp.PictureLossIndication:
			p.PLIs++
			p.Camera.requestKeyFrame(now)
		case *rtcp.TransportLayerNack:
			p.retransmit(pkt)
		}
	}
}

func (p *Publisher) retransmit(n *rtcp.TransportLayerNack) {
	ssrc := unit.SSRC(n.MediaSSRC)
	for _, pair := range n.Nacks {
		for _, number := range pair.PacketList() {
			b := p.kept[ssrc][unit.SeqNo(number)%maxKept]
			if b == nil {
				continue
			}
			var pkt rtp.Packet
			if pkt.Parse(b) != nil || pkt.SequenceNumber != unit.SeqNo(number) {
				continue
			}
			p.rtxSeq++
			p.Retransmits++
			p.up.Send(enginetest.Packet{
				SSRC: enginetest.RTXSSRC(ssrc), PT: enginetest.RTXPayloadType, Seq: p.rtxSeq, Timestamp: pkt.Timestamp, Marker: pkt.Marker,
				Extensions: []rtp.Extension{{ID: midID, Value: []byte("v")}},
				Payload:    append([]byte{byte(number >> 8), byte(number)}, pkt.Payload()...),
			}.Bytes())
		}
	}
}
