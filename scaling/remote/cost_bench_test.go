package remote_test

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
	"gazpacho/scaling/front"
	"gazpacho/scaling/remote"
)

// What a cluster costs: make bench-cluster runs these. Application, front and nodes are one process, connected by TLS over the loopback
// interface, so that the process's CPU time and memory are those of all of them.

// BenchmarkRequest: a request that changes nothing, one by one.
func BenchmarkRequest(b *testing.B) {
	for name, start := range map[string]func() *spread{
		"local": func() *spread { return newLocal(b, api.Compat{}) },
		"node":  func() *spread { return newSpread(b, 1) },
	} {
		b.Run(name, func(b *testing.B) {
			s := measure(b, start())
			s.room("r", "t")
			var times durations
			for b.Loop() {
				times.of(func() { s.must(api.MethodTransportGetStats, "t", nil) })
			}
			times.report(b, "")
		})
	}
}

// BenchmarkConsume: the first consumer of a Router on a node, which makes a pair and a relay; the first one of another producer, which
// makes a relay; the next one, which makes neither; and one on the producer's node.
func BenchmarkConsume(b *testing.B) {
	s := measure(b, newSpread(b, 2))
	var first, relay, next, home durations
	for b.Loop() {
		s.room("r", "in", "far", "home")
		s.produce("in", "p1", 1000, 1)
		s.produce("in", "p2", 2000, 1)
		first.of(func() { s.consume("far", "c1", "p1", 1000, 1) })
		relay.of(func() { s.consume("far", "c2", "p2", 2000, 1) })
		next.of(func() { s.consume("far", "c3", "p1", 1000, 1) })
		home.of(func() { s.consume("home", "c4", "p1", 1000, 1) })
		s.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	}
	first.report(b, "first-")
	relay.report(b, "another-producer-")
	next.report(b, "next-")
	home.report(b, "home-")
}

// BenchmarkRelayedPacket: CPU time of both ends of a pipe for a packet of 1200 bytes: what consumers on another node cost more than
// those beside their producer. And what those cost more that are in another Router, behind a pipe of the application's on loopback
// addresses: its ends, and relays to both of them.
func BenchmarkRelayedPacket(b *testing.B) {
	const producers = 8
	for _, burst := range []int{1, 10} {
		b.Run(fmt.Sprint("burst=", burst), func(b *testing.B) {
			var perPacket [3]time.Duration
			for i, at := range []string{"home", "far", "other"} {
				s := measure(b, newSpread(b, 2))
				s.room("r", "in", "far", "home")
				s.room("r2", "other")
				send := s.sender("in")
				if at == "other" {
					s.connectRouters("r", "r2")
				}
				for p := range producers {
					id, ssrc := fmt.Sprint("p", p), 1000*uint32(p+1)
					s.produce("in", id, ssrc, 1)
					if at == "other" {
						id, ssrc = s.pipe(id, ssrc)
					}
					s.consume(at, fmt.Sprint("c", p), id, ssrc, 1)
				}
				// So many packets a second, as fast as a large room's.
				pace := time.NewTicker(time.Duration(burst) * 4 * time.Millisecond)
				seq := 0
				round := func() {
					for p := range producers {
						for n := range burst {
							send(1000*uint32(p+1), seq+n)
						}
					}
					seq += burst
					<-pace.C
				}
				for range 50 { // key frames have been asked for
					round()
				}
				before, sent := processTime(b), s.packetsSent(at)
				for range b.N {
					round()
				}
				used, forwarded := processTime(b)-before, s.packetsSent(at)-sent
				pace.Stop()
				require.Greater(b, forwarded, uint64(b.N*producers*burst*9/10), "packets are lost: the machine is too busy")
				perPacket[i] = used / time.Duration(b.N*producers*burst)
				s.worker.Close()
			}
			b.ReportMetric(micro(perPacket[1]-perPacket[0]), "relay-CPU-µs/packet")
			b.ReportMetric(micro(perPacket[2]-perPacket[0]), "pipe-CPU-µs/packet")
			b.ReportMetric(micro(perPacket[0]), "home-CPU-µs/packet")
		})
	}
}

// BenchmarkRelayMemory: what a relay of three encodings takes before there is media, and when its streams have begun and are idle; and
// what a pair takes: at both ends and in the front.
func BenchmarkRelayMemory(b *testing.B) {
	const relays, pairs, encodings = 400, 200, 3
	const silence = 10 * time.Second // after which streams have given back what they can
	for b.Loop() {
		s := measure(b, newSpread(b, 2))
		ssrc := func(i int) uint32 { return uint32(1000 + 10*i) }
		for _, media := range []bool{false, true} {
			s.room("r", "in", "far", "home")
			send := s.sender("in")
			packets := func(seq int) {
				for i := range relays {
					for e := range encodings {
						send(ssrc(i)+uint32(e), seq)
					}
				}
			}
			for i := range relays {
				s.produce("in", fmt.Sprint("p", i), ssrc(i), encodings)
			}
			seq := 1
			if media {
				packets(seq)
				time.Sleep(silence)
			}
			grown := s.growth(relays, func(at string) {
				for i := range relays {
					s.consume(at, fmt.Sprint(at, i), fmt.Sprint("p", i), ssrc(i), encodings)
				}
				if seq++; media {
					packets(seq)
					time.Sleep(silence)
				}
			})
			s.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
			name := "KB/relay"
			if media {
				name = "KB/relay-with-streams"
			}
			b.ReportMetric(grown/1000, name)
		}
		id := func(name string, i int) string { return fmt.Sprint(name, i) }
		for i := range pairs {
			s.room(id("r", i), id("in", i), id("far", i), id("home", i))
			s.produce(id("in", i), id("p", i), 1000, encodings)
		}
		grown := s.growth(pairs, func(at string) {
			for i := range pairs {
				s.consume(id(at, i), id(at+"-c", i), id("p", i), 1000, encodings)
			}
		})
		b.ReportMetric(grown/1000, "KB/pair-with-a-relay")
		s.worker.Close()
	}
}

// growth returns how many bytes more each of n consumers takes on another node than beside its producer.
func (s *measured) growth(n int, consume func(at string)) float64 {
	var after [3]float64
	after[0] = memory()
	for k, at := range []string{"home", "far"} {
		consume(at)
		after[k+1] = memory()
	}
	return ((after[2] - after[1]) - (after[1] - after[0])) / float64(n)
}

// BenchmarkLateNode: requests to one Router, alone and beside another one whose node answers everything 200 ms late.
func BenchmarkLateNode(b *testing.B) {
	var late atomic.Bool
	s := measure(b, newSpreadOf(b, 2, remote.Opening{}, func(o *front.Options) {
		start := o.Nodes[1].Worker
		o.Nodes[1].Worker = func(emit api.Emitter) (api.Worker, error) {
			w, err := start(emit)
			return lateWorker{w, &late}, err
		}
	}))
	s.room("r1", "t1")
	s.room("r2", "t2")
	late.Store(true)
	var alone, beside durations
	for range b.N {
		alone.of(func() { s.must(api.MethodTransportGetStats, "t1", nil) })
	}
	window := make(chan struct{}, 500) // unanswered requests to the late node
	done := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-done:
				return
			case window <- struct{}{}:
				s.ask(api.MethodTransportGetStats, "t2", nil, func(api.ResponseBody, error) { <-window })
			}
		}
	})
	for len(window) < cap(window) {
		runtime.Gosched()
	}
	for range b.N {
		beside.of(func() { s.must(api.MethodTransportGetStats, "t1", nil) })
	}
	close(done)
	asking.Wait()
	alone.report(b, "alone-")
	beside.report(b, "beside-")
}

// lateWorker answers late.
type lateWorker struct {
	api.Worker
	late *atomic.Bool
}

func (w lateWorker) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	w.Worker.HandleRequest(req, func(body api.ResponseBody, err error) {
		if !w.late.Load() {
			reply(body, err)
			return
		}
		time.AfterFunc(200*time.Millisecond, func() { reply(body, err) })
	})
}

// BenchmarkRooms: rooms over three nodes are created, used and closed, 32 at a time: three people, each with sound and a picture that
// the other two consume.
func BenchmarkRooms(b *testing.B) {
	for name, start := range map[string]func() *spread{
		"local": func() *spread { return newLocal(b, api.Compat{}) },
		"nodes": func() *spread { return newSpread(b, 3) },
	} {
		b.Run(name, func(b *testing.B) {
			s := measure(b, start())
			b.ResetTimer()
			began, before := time.Now(), s.requests.Load()
			var rooms sync.WaitGroup
			places := make(chan struct{}, 32)
			for i := range b.N {
				places <- struct{}{}
				rooms.Go(func() { s.useRoom(i); <-places })
			}
			rooms.Wait()
			b.ReportMetric(float64(s.requests.Load()-before)/time.Since(began).Seconds(), "requests/s")
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "rooms/s")
		})
	}
}

func (s *measured) useRoom(i int) {
	id := func(name string, n int) string { return fmt.Sprint(name, i, "-", n) }
	s.room(id("r", 0), id("t", 0), id("t", 1), id("t", 2))
	for n := range 3 {
		s.produce(id("t", n), id("p", n), 1000, 1)
		s.produce(id("t", n), id("q", n), 2000, 3)
	}
	for n := range 3 {
		for other := range 3 {
			if other != n {
				s.consume(id("t", n), id("c", 10*n+other), id("p", other), 1000, 1)
				s.consume(id("t", n), id("d", 10*n+other), id("q", other), 2000, 3)
			}
		}
		s.must(api.MethodTransportGetStats, id("t", n), nil)
	}
	s.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: id("r", 0)})
}

// measured is an application whose costs a benchmark measures.
type measured struct {
	*spread
	peer *net.UDPConn // of all transports; nothing reads it
}

func measure(b *testing.B, s *spread) *measured {
	s.t = b // sub-benchmarks have their own
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(b, err)
	b.Cleanup(func() { peer.Close() })
	return &measured{s, peer}
}

// room makes a Router and PlainTransports in it, which are spread over the nodes in turn.
func (s *measured) room(router string, transports ...string) {
	s.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: router})
	for _, id := range transports {
		info := loopback()
		s.must(api.MethodRouterCreatePlainTransport, router, &api.RouterCreatePlainTransportRequest{
			TransportID: id, Options: &api.PlainTransportOptions{ListenInfo: &info, RTCPMux: true, Base: &api.TransportOptions{}},
		})
		s.must(api.MethodPlainTransportConnect, id, &api.PlainTransportConnectRequest{
			IP: "127.0.0.1", Port: new(s.peer.LocalAddr().(*net.UDPAddr).AddrPort().Port()),
		})
	}
}

func video(ssrc uint32, encodings int) *api.RTPParameters {
	p := &api.RTPParameters{
		Codecs: []api.RTPCodecParameters{{
			MimeType: "video/VP8", PayloadType: 100, ClockRate: 90000,
			RTCPFeedback: []api.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
		}},
		RTCP: &api.RTCPParameters{CNAME: "cname", ReducedSize: true},
	}
	for i := range encodings {
		p.Encodings = append(p.Encodings, api.RTPEncodingParameters{SSRC: new(ssrc + uint32(i))})
	}
	return p
}

// produce makes a producer of VP8. Its encodings have SSRCs from the given one on, which the router keeps.
func (s *measured) produce(transport, id string, ssrc uint32, encodings int) {
	r := &api.TransportProduceRequest{
		ProducerID: id, Kind: api.MediaKindVideo, RTPParameters: video(ssrc, encodings),
		RTPMapping: &api.RTPMapping{Codecs: []api.CodecMapping{{PayloadType: 100, MappedPayloadType: 100}}},
	}
	for i := range r.RTPParameters.Encodings {
		r.RTPMapping.Encodings = append(r.RTPMapping.Encodings, api.EncodingMapping{SSRC: new(ssrc + uint32(i)), MappedSSRC: ssrc + uint32(i)})
	}
	s.must(api.MethodTransportProduce, transport, r)
}

// connectRouters makes what pipeToRouter of mediasoup's library makes by default: a pair of PipeTransports on loopback addresses.
func (s *measured) connectRouters(near, far string) {
	ends := map[string]*api.TransportTuple{}
	for _, router := range []string{near, far} {
		info := loopback()
		ends[router] = s.must(api.MethodRouterCreatePipeTransport, router, &api.RouterCreatePipeTransportRequest{
			TransportID: "pipe-" + router, Options: &api.PipeTransportOptions{ListenInfo: &info, Base: &api.TransportOptions{}},
		}).(*api.PipeTransportDumpResponse).Tuple
	}
	for router, to := range map[string]*api.TransportTuple{near: ends[far], far: ends[near]} {
		s.must(api.MethodPipeTransportConnect, "pipe-"+router, &api.PipeTransportConnectRequest{IP: to.LocalAddress, Port: &to.LocalPort})
	}
}

// pipe pipes a producer with one encoding from Router r to r2, and returns id and SSRC that it has there.
func (s *measured) pipe(producer string, ssrc uint32) (id string, there uint32) {
	id, there = producer+"-piped", 500_000+ssrc
	s.must(api.MethodTransportConsume, "pipe-r", &api.TransportConsumeRequest{
		ConsumerID: "pipe-" + producer, ProducerID: producer, Kind: api.MediaKindVideo, Type: api.RTPTypePipe,
		RTPParameters: video(there, 1), ConsumableRTPEncodings: video(ssrc, 1).Encodings,
	})
	s.produce("pipe-r2", id, there, 1)
	return id, there
}

var consumed atomic.Uint32 // SSRCs of consumers so far

func (s *measured) consume(transport, id, producer string, ssrc uint32, encodings int) {
	r := &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: producer, Kind: api.MediaKindVideo, Type: api.RTPTypeSimple,
		RTPParameters: video(1_000_000+consumed.Add(1), 1), ConsumableRTPEncodings: video(ssrc, encodings).Encodings,
	}
	if encodings > 1 {
		r.Type = api.RTPTypeSimulcast
		r.RTPParameters.Encodings[0].ScalabilityMode = fmt.Sprintf("L%dT1", encodings)
	}
	s.must(api.MethodTransportConsume, transport, r)
}

// sender returns a function that sends key frames of VP8 to a transport.
func (s *measured) sender(transport string) func(ssrc uint32, seq int) {
	tuple := s.must(api.MethodTransportDump, transport, nil).(*api.PlainTransportDumpResponse).Tuple
	to := netip.AddrPortFrom(netip.MustParseAddr(tuple.LocalAddress), tuple.LocalPort)
	payload := make([]byte, 1188)
	copy(payload, []byte{0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00})
	return func(ssrc uint32, seq int) {
		h := rtp.Header{PayloadType: 100, SequenceNumber: unit.SeqNo(seq), Timestamp: unit.Timestamp(900 * seq), SSRC: unit.SSRC(ssrc)}
		_, err := s.peer.WriteToUDPAddrPort(append(rtp.AppendHeader(nil, h, nil), payload...), to)
		require.NoError(s.t, err)
	}
}

// packetsSent returns how many packets a transport has sent. Their length is the same.
func (s *measured) packetsSent(transport string) uint64 {
	return s.must(api.MethodTransportGetStats, transport, nil).(*api.PlainTransportGetStatsResponse).Base.RTPBytesSent / 1200
}

// durations are how long something took, each time.
type durations []time.Duration

func (d *durations) of(do func()) {
	began := time.Now()
	do()
	*d = append(*d, time.Since(began))
}

func (d durations) report(b *testing.B, name string) {
	slices.Sort(d)
	b.ReportMetric(micro(d[len(d)/2]), name+"p50-µs")
	b.ReportMetric(micro(d[len(d)*99/100]), name+"p99-µs")
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// processTime returns the CPU time of the process.
func processTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// memory returns how many bytes of Go's memory are in use, stacks included: the least of several times, as what sockets are read into is
// allocated again and again when pools are emptied.
func memory() float64 {
	least := math.Inf(1)
	for range 20 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		least = min(least, float64(m.HeapAlloc+m.StackInuse))
	}
	return least
}
