package engine_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/transport"
	"gazpacho/engine/wire/rtcp"
)

// leakPorts is how many ports the worker of the leak tests has: a port that is not given back is missed soon.
const leakPorts = 64

// minLeakPort is the first of them, another one in each process, since tests may run twice at a time.
var minLeakPort = uint16(12000 + os.Getpid()%100*leakPorts)

// footprint is what a process holds of what can leak.
type footprint struct {
	goroutines, descriptors, timers int
	heap                            uint64 // bytes
}

// footprint returns what is held now. Garbage is collected first; three rounds empty the pools too.
func (a *app) footprint() footprint {
	a.t.Helper()
	a.mu.Lock()
	a.seen = nil
	a.mu.Unlock()
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	descriptors, err := os.ReadDir("/proc/self/fd")
	require.NoError(a.t, err)
	return footprint{runtime.NumGoroutine(), len(descriptors), a.worker.ArmedTimers(), m.HeapAlloc}
}

// awaitNoMoreThan waits until goroutines and descriptors are back at what they were, and returns what is held then. What
// ends a connection ends some of its goroutines a little later.
func (a *app) awaitNoMoreThan(before footprint) footprint {
	a.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		now := a.footprint()
		if now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return now
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			require.FailNow(a.t, "something is left", "before: %+v, now: %+v\n%s", before, now, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// life runs the lives of transports, one after the other, and always with the same ids.
type life struct {
	*app
	sender, receiver *peer
}

// TestNothingLeaks lets a thousand rooms live and compares what is held before and after.
func TestNothingLeaks(t *testing.T) {
	const cycles, maxHeapGrowth = 1000, 200 << 10
	a := newApp(t, engine.Options{Shards: 2, RTCMinPort: minLeakPort, RTCMaxPort: minLeakPort + leakPorts - 1})
	a.server("server")
	l := &life{a, newPeer(t), newPeer(t)}
	for i := range 40 { // what is made once is there before the comparison
		l.cycle(i)
	}
	before := a.footprint()
	for i := range cycles {
		l.cycle(i)
	}
	after := a.awaitNoMoreThan(before)
	require.Zero(t, before.timers)
	require.Zero(t, after.timers)
	require.Less(t, after.heap, before.heap+maxHeapGrowth, "%d bytes more in each cycle", (int64(after.heap)-int64(before.heap))/cycles)
	dump := a.must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse)
	require.Equal(t, []string{"server"}, dump.ChannelMessageHandlers.ChannelRequestHandlers)
	fragments, tuples := a.worker.ServerSize("server")
	require.Zero(t, fragments+tuples, "%d username fragments, %d tuples", fragments, tuples)
}

// cycle is one room, of the kind that is i's turn. In each forty, two have a DTLS handshake, two a TCP connection and two
// peers that do not answer.
func (l *life) cycle(i int) {
	l.t.Helper()
	l.mu.Lock()
	l.seen = nil
	l.mu.Unlock()
	l.router("router")
	switch i % 40 {
	case 0, 20:
		l.webRtcRoom(i%40 == 0)
	case 1, 21:
		l.tcpRoom(i%40 == 1)
	case 2, 22:
		l.silentRoom()
	case 3, 13, 23, 33:
		l.dataRoom()
	default:
		l.mediaRoom(i)
	}
	l.must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "router"})
}

// mediaRoom carries a packet from a plain transport to a plain transport and to a pipe, and ends in one of four orders.
func (l *life) mediaRoom(i int) {
	l.t.Helper()
	options := plainOptions()
	options.Comedia = i%2 == 0
	in := l.plain("router", "in", options)
	if !options.Comedia {
		l.connect("in", l.sender.addr())
	}
	l.produce("in", "producer", api.MediaKindVideo, video(1111))
	l.plain("router", "out", plainOptions())
	l.connect("out", l.receiver.addr())
	l.consume("out", "consumer", "producer", api.MediaKindVideo, 1111, 2222)
	info := loopback(api.ProtocolUDP)
	l.must("router", api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{
		TransportID: "pipe", Options: &api.PipeTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info},
	})
	l.must("pipe", api.MethodPipeTransportConnect, &api.PipeTransportConnectRequest{
		IP: "127.0.0.1", Port: new(l.receiver.addr().Port()),
	})
	piped := consumeRequest("piped", "producer", api.MediaKindVideo, 1111, 3333)
	piped.Type = api.RTPTypePipe
	l.must("pipe", api.MethodTransportConsume, piped)
	l.sender.send(in.Tuple, packetOf(1111, uint16(i), 300))
	l.receiver.awaitRTP(l.t, 2222, 3333)
	if i%4 != 0 {
		for j := range 3 {
			l.must("router", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{
				TransportID: []string{"in", "out", "pipe"}[(i+j)%3],
			})
		}
	}
}

// awaitRTP reads until a packet of each SSRC has come.
func (p *peer) awaitRTP(t *testing.T, ssrcs ...uint32) {
	t.Helper()
	require.NoError(t, p.conn.SetReadDeadline(time.Now().Add(patience)))
	for len(ssrcs) > 0 {
		b := p.receive()
		if rtcp.LooksLikeRTCP(b) || len(b) < 12 {
			continue
		}
		ssrc := binary.BigEndian.Uint32(b[8:])
		ssrcs = slices.DeleteFunc(ssrcs, func(s uint32) bool { return s == ssrc })
	}
}

// dataRoom carries a message from the application through SCTP between two plain transports back to the application.
func (l *life) dataRoom() {
	l.t.Helper()
	options := plainOptions()
	options.Base = &api.TransportOptions{EnableSCTP: true, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144}
	a, b := l.plain("router", "a", options), l.plain("router", "b", options)
	for id, to := range map[string]*api.TransportTuple{"a": b.Tuple, "b": a.Tuple} {
		l.must(id, api.MethodPlainTransportConnect, &api.PlainTransportConnectRequest{IP: to.LocalAddress, Port: new(to.LocalPort)})
	}
	l.must("router", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
		TransportID: "app",
		Options:     &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144}},
	})
	stream := &api.SCTPStreamParameters{StreamID: 7, Ordered: new(true)}
	l.must("app", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "said", Type: api.DataProducerTypeDirect,
	})
	l.must("a", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: "sent", DataProducerID: "said", Type: api.DataConsumerTypeSCTP, SCTPStreamParameters: stream,
	})
	l.must("b", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "received", Type: api.DataProducerTypeSCTP, SCTPStreamParameters: stream,
	})
	l.must("app", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: "heard", DataProducerID: "received", Type: api.DataConsumerTypeDirect,
	})
	require.NoError(l.t, l.worker.HandleNotification(&api.Notification{
		HandlerID: "said", Event: api.EventDataProducerSend,
		Body: &api.DataProducerSendNotification{PPID: 51, Data: []byte("hello")},
	}))
	heard := l.await("heard", api.EventDataConsumerMessage)
	require.Equal(l.t, "hello", string(heard.Body.(*api.DataConsumerMessageNotification).Data))
}

// webRtcRoom carries a packet from a browser, through ICE, DTLS and SRTP, to a plain transport.
func (l *life) webRtcRoom(shared bool) {
	l.t.Helper()
	server := ""
	if shared {
		server = "server"
	}
	b := newBrowser(l.t, l.webRtc("router", "browser", server))
	defer b.close()
	l.connectWebRtc("browser")
	b.checkUDP()
	b.handshake()
	l.awaitCount("browser", api.EventWebRtcTransportDTLSStateChange, 2)
	l.produce("browser", "producer", api.MediaKindVideo, video(1111))
	l.plain("router", "out", plainOptions())
	l.connect("out", l.receiver.addr())
	l.consume("out", "consumer", "producer", api.MediaKindVideo, 1111, 2222)
	b.sendRTP(b.sender(), packetOf(1111, 1, 300))
	l.receiver.awaitRTP(l.t, 2222)
}

// tcpRoom completes ICE over TCP. Either the transport ends first, or its peer's connection.
func (l *life) tcpRoom(closeTransport bool) {
	l.t.Helper()
	d := l.webRtc("router", "browser", "server")
	conn, err := net.Dial("tcp", candidate(d, api.ProtocolTCP).String())
	require.NoError(l.t, err)
	defer conn.Close()
	require.NoError(l.t, conn.SetDeadline(time.Now().Add(patience)))
	request := check(d)
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(request))), request...))
	require.NoError(l.t, err)
	var head [2]byte
	_, err = io.ReadFull(conn, head[:])
	require.NoError(l.t, err)
	answer := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err = io.ReadFull(conn, answer)
	require.NoError(l.t, err)
	requireSuccess(l.t, answer)
	if !closeTransport {
		require.NoError(l.t, conn.Close())
		l.awaitCount("browser", api.EventWebRtcTransportICEStateChange, 2) // connected at once, then disconnected
		return
	}
	l.must("router", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "browser"})
	_, err = io.ReadFull(conn, head[:])
	require.ErrorIs(l.t, err, io.EOF)
}

// silentRoom ends while DTLS and SCTP still hope for an answer.
func (l *life) silentRoom() {
	l.t.Helper()
	b := newBrowser(l.t, l.webRtc("router", "browser", ""))
	defer b.close()
	_, fingerprints := identity()
	l.must("browser", api.MethodWebRtcTransportConnect, &api.WebRtcTransportConnectRequest{
		DTLSParameters: &api.DTLSParameters{Fingerprints: fingerprints, Role: api.DTLSRoleServer},
	})
	b.checkUDP()
	require.True(l.t, transport.LooksLikeDTLS(b.receive()), "a ClientHello")
	options := plainOptions()
	options.Base.EnableSCTP = true
	l.plain("router", "plain", options)
	l.connect("plain", l.receiver.addr())
	l.must("plain", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "received", Type: api.DataProducerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 7, Ordered: new(true)},
	})
	l.awaitCount("plain", api.EventTransportSCTPStateChange, 1)
}

// TestIdleTransportsArmNoTimers: what nobody is connected to does not wake the worker.
func TestIdleTransportsArmNoTimers(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.server("server")
	a.router("router")
	for i := range 50 {
		a.webRtc("router", fmt.Sprint("webRtc", i), "server")
		options := plainOptions()
		options.Base.EnableSCTP = true
		id := fmt.Sprint("plain", i)
		a.plain("router", id, options)
		a.produce(id, "producer"+id, api.MediaKindVideo, video(1111))
		a.consume(id, "consumer"+id, "producer"+id, api.MediaKindVideo, 1111, 2222)
	}
	require.Zero(t, a.worker.ArmedTimers())
	a.connect("plain0", newPeer(t).addr())
	require.NotZero(t, a.worker.ArmedTimers(), "a connected transport reports")
}
