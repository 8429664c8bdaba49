package front_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// peer is the other end of a PlainTransport.
type peer struct {
	t    *testing.T
	conn *net.UDPConn

	mu       sync.Mutex
	packets  map[uint32][]*rtp.Packet // by SSRC
	asked    map[uint32]int           // key frames, by SSRC
	pictures map[uint32]int           // key frames received, by SSRC
}

func newPeer(t *testing.T) *peer {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	p := &peer{t: t, conn: conn, packets: map[uint32][]*rtp.Packet{}, asked: map[uint32]int{}, pictures: map[uint32]int{}}
	go p.read()
	return p
}

func (p *peer) read() {
	for {
		b := make([]byte, 2048)
		n, err := p.conn.Read(b)
		if err != nil {
			return
		}
		p.take(b[:n])
	}
}

func (p *peer) take(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !wirertcp.LooksLikeRTCP(b) {
		var pkt rtp.Packet
		if pkt.Parse(b) == nil {
			p.packets[uint32(pkt.SSRC)] = append(p.packets[uint32(pkt.SSRC)], &pkt)
			if isKeyFrame(pkt.Payload()) {
				p.pictures[uint32(pkt.SSRC)]++
			}
		}
		return
	}
	all, err := rtcp.Unmarshal(b)
	if err != nil {
		return
	}
	for _, pkt := range all {
		if pli, ok := pkt.(*rtcp.PictureLossIndication); ok {
			p.asked[pli.MediaSSRC]++
		}
	}
}

func (p *peer) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *peer) received(ssrc uint32) []*rtp.Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.packets[ssrc]
}

// keyFramesAsked returns how often each stream was asked for one since the last call.
func (p *peer) keyFramesAsked() map[uint32]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = map[uint32]int{}
	return asked
}

func isKeyFrame(payload []byte) bool { return len(payload) > 4 && payload[1]&1 == 0 }

// frame is a packet of VP8: a payload descriptor (RFC 7741 section 4.2) and a frame header, whose lowest bit is 0 in key frames (RFC
// 6386 section 9.1).
func frame(ssrc uint32, seq int, key bool) []byte {
	b := rtp.AppendHeader(nil, rtp.Header{
		PayloadType: 111, SequenceNumber: unit.SeqNo(seq), Timestamp: unit.Timestamp(3000 * seq), SSRC: unit.SSRC(ssrc), Marker: true,
	}, nil)
	payload := make([]byte, 200)
	payload[0] = 0x10
	if key {
		copy(payload[1:], []byte{0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00})
	} else {
		payload[1] = 1
	}
	binary.BigEndian.PutUint32(payload[20:], uint32(seq))
	return append(b, payload...)
}

// publisher sends the streams of a producer until the test ends, and a key frame of a stream whenever it is asked for one.
type publisher struct {
	*peer
	ssrcs []uint32
}

// newPublisher makes a Router, a transport and a simulcast producer, and begins to send. The seventh shape but one has three
// encodings.
func newPublisher(a *app, t *testing.T, producer string) *publisher {
	t.Helper()
	s := shapeOf(producer)
	pub := &publisher{peer: newPeer(t)}
	tuple := a.plain(t, "in", pub.peer)
	a.must(api.MethodTransportProduce, "in", produceRequest(producer, false))
	for i := range s.encodings {
		pub.ssrcs = append(pub.ssrcs, mappedSSRC(producer, i)+1000000)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); <-done })
	go pub.run(tuple, stop, done)
	return pub
}

func (p *publisher) run(tuple *api.TransportTuple, stop, done chan struct{}) {
	defer close(done)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	served, start := map[uint32]int{}, time.Now()
	to := netip.MustParseAddrPort(fmt.Sprintf("%s:%d", tuple.LocalAddress, tuple.LocalPort))
	for seq := 1; ; seq++ {
		for _, ssrc := range p.ssrcs {
			p.mu.Lock()
			key := seq == 1 || p.asked[ssrc] != served[ssrc]
			served[ssrc] = p.asked[ssrc]
			p.mu.Unlock()
			_, _ = p.conn.WriteToUDPAddrPort(frame(ssrc, seq, key), to)
			if seq%20 == 1 {
				report, _ := (&rtcp.SenderReport{
					SSRC: ssrc, NTPTime: uint64(time.Since(start).Seconds()*(1<<32)) + 1<<60, RTPTime: uint32(3000 * seq),
				}).Marshal()
				_, _ = p.conn.WriteToUDPAddrPort(report, to)
			}
		}
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}

// plain makes a PlainTransport in the Router that is connected with a peer.
func (a *app) plain(t *testing.T, id string, p *peer) *api.TransportTuple {
	t.Helper()
	info := loopback()
	if a.address != nil {
		info = a.address()
	}
	dump := a.must(api.MethodRouterCreatePlainTransport, "r", &api.RouterCreatePlainTransportRequest{
		TransportID: id, Options: &api.PlainTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info, RTCPMux: true},
	}).(*api.PlainTransportDumpResponse)
	a.must(api.MethodPlainTransportConnect, id, &api.PlainTransportConnectRequest{IP: "127.0.0.1", Port: new(p.addr().Port())})
	return dump.Tuple
}

// subscribe makes a transport and a consumer there, and returns its peer and the SSRC that it gets.
func (a *app) subscribe(t *testing.T, consumer, producer string, change func(*api.TransportConsumeRequest)) (*peer, uint32) {
	t.Helper()
	p := newPeer(t)
	a.plain(t, "out-"+consumer, p)
	r := consumeRequest(consumer, producer, false)
	if change != nil {
		change(r)
	}
	a.must(api.MethodTransportConsume, "out-"+consumer, r)
	return p, *r.RTPParameters.Encodings[0].SSRC
}

// inBoth runs a test with one engine and with a front over three, and demands the same result.
func inBoth(t *testing.T, test func(t *testing.T, a *app) any) {
	var results []any
	for _, name := range []string{"one engine", "front"} {
		t.Run(name, func(t *testing.T) {
			a := newEngine(t)
			if name == "front" {
				a = newFrontOf(t, options(3))
			}
			a.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
			results = append(results, test(t, a))
			a.worker.Close()
			if name == "front" {
				c := a.front().Counters()
				require.Positive(t, c.Relays+c.DataRelays)
			}
		})
	}
	if !t.Failed() {
		require.Equal(t, results[0], results[1])
	}
}

// simulcast has three encodings, by its number.
const simulcast, audioProducer, simple = "p2", "p0", "p1"

// A consumer of simulcast behind a relay asks for key frames of the encoding that it forwards, is told layers and scores, and gets all
// packets, as beside the producer.
func TestSimulcastOverRelay(t *testing.T) {
	inBoth(t, func(t *testing.T, a *app) any {
		pub := newPublisher(a, t, simulcast)
		a.await("scores of all encodings", func() bool {
			scores := a.seen(simulcast, api.EventProducerScore)
			return len(scores) > 0 && len(scores[len(scores)-1].Body.(*api.ProducerScoreNotification).Scores) == 3
		})
		p, ssrc := a.subscribe(t, "c100", simulcast, func(r *api.TransportConsumeRequest) {
			r.PreferredLayers = &api.ConsumerLayers{SpatialLayer: 0}
		})
		current := func() int {
			changes := a.seen("c100", api.EventConsumerLayersChange)
			if len(changes) == 0 {
				return -1
			}
			l := changes[len(changes)-1].Body.(*api.ConsumerLayersChangeNotification).Layers
			if l == nil {
				return -1
			}
			return int(l.SpatialLayer)
		}
		a.await("layer 0", func() bool { return current() == 0 })
		a.await("media", func() bool { return len(p.received(ssrc)) > 20 })
		pub.keyFramesAsked()

		a.must(api.MethodConsumerSetPreferredLayers, "c100", &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: 2}})
		a.await("layer 2", func() bool { return current() == 2 })
		asked := pub.keyFramesAsked()
		require.Positive(t, asked[pub.ssrcs[2]])
		require.Zero(t, asked[pub.ssrcs[0]], "nobody needs one of the lowest encoding")

		scores := a.seen("c100", api.EventConsumerScore)
		last := scores[len(scores)-1].Body.(*api.ConsumerScoreNotification).Score
		stats := a.must(api.MethodConsumerGetStats, "c100", nil).(*api.ConsumerGetStatsResponse).Stats
		require.Len(t, stats, 2)
		home := stats[1].Data.(*api.RTPStreamRecvStats).Base.Data.(*api.RTPStreamBaseStats)
		require.Equal(t, pub.ssrcs[2], home.SSRC, "the publisher's stream")

		a.must(api.MethodConsumerPause, "c100", nil)
		a.must(api.MethodConsumerResume, "c100", nil)
		before := len(p.received(ssrc))
		a.await("media after a pause", func() bool { return len(p.received(ssrc)) > before+10 })
		gaps := 0
		packets := p.received(ssrc)
		for i := 1; i < len(packets); i++ {
			if packets[i].SequenceNumber != packets[i-1].SequenceNumber+1 {
				gaps++
			}
		}
		require.LessOrEqual(t, gaps, 3, "numbers go on but for the switches of layers")
		return last
	})
}

// A relay carries only the encodings that somebody at its end wants.
func TestRelayCarriesWhatIsWanted(t *testing.T) {
	a := newFrontOf(t, options(2))
	a.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	newPublisher(a, t, simulcast)
	p, ssrc := a.subscribe(t, "c100", simulcast, func(r *api.TransportConsumeRequest) {
		r.PreferredLayers = &api.ConsumerLayers{SpatialLayer: 0}
	})
	a.await("media", func() bool { return len(p.received(ssrc)) > 20 })
	carried := a.onPipes(t)
	require.Len(t, carried, 1)
	rate := func() (packets []uint64) {
		before := a.onPipes(t)[0]
		pause()
		pause()
		pause()
		for i, after := range a.onPipes(t)[0] {
			packets = append(packets, after-before[i])
		}
		return packets
	}
	a.await("only the lowest encoding", func() bool { r := rate(); return r[0] > 0 && r[1] == 0 && r[2] == 0 })
	a.must(api.MethodConsumerSetPreferredLayers, "c100", &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: 1}})
	a.await("two encodings", func() bool { r := rate(); return r[0] > 0 && r[1] > 0 && r[2] == 0 })
	a.must(api.MethodConsumerPause, "c100", nil)
	a.await("none", func() bool { r := rate(); return r[0] == 0 && r[1] == 0 && r[2] == 0 })
	a.must(api.MethodConsumerResume, "c100", nil)
	before := len(p.received(ssrc))
	a.await("media again", func() bool { return len(p.received(ssrc)) > before+10 })
}

// onPipes returns how many packets of each encoding the front's relays have sent.
func (a *app) onPipes(t *testing.T) (relays [][]uint64) {
	t.Helper()
	for _, body := range a.front().PipeStats() {
		var packets []uint64
		for _, s := range body.Stats {
			packets = append(packets, s.Data.(*api.RTPStreamSendStats).PacketCount)
		}
		relays = append(relays, packets)
	}
	return relays
}

// A producer that is paused from the start and resumed later, with a consumer before and one after.
func TestPausedFromTheStartOverRelay(t *testing.T) {
	inBoth(t, func(t *testing.T, a *app) any {
		newPublisher(a, t, simple)
		a.must(api.MethodProducerPause, simple, nil)
		p, ssrc := a.subscribe(t, "c100", simple, nil)
		q, other := a.subscribe(t, "c101", simple, func(r *api.TransportConsumeRequest) { r.Paused = true })
		require.Empty(t, p.received(ssrc))
		a.must(api.MethodProducerResume, simple, nil)
		a.must(api.MethodConsumerResume, "c101", nil)
		a.await("media", func() bool { return len(p.received(ssrc)) > 10 && len(q.received(other)) > 10 })
		require.True(t, isKeyFrame(p.received(ssrc)[0].Payload()), "video begins with a key frame")
		require.True(t, isKeyFrame(q.received(other)[0].Payload()))
		a.must(api.MethodProducerPause, simple, nil)
		a.must(api.MethodTransportCloseProducer, "in", &api.TransportCloseProducerRequest{ProducerID: simple})
		a.awaitEvent("c100", api.EventConsumerProducerClose)
		var events [][]string
		for _, c := range []string{"c100", "c101"} {
			var of []string
			a.mu.Lock()
			for _, e := range a.events[c] {
				if e.Event != api.EventConsumerScore {
					of = append(of, e.Event.String())
				}
			}
			a.mu.Unlock()
			events = append(events, of)
		}
		return events
	})
}
