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
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
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
	a.T.Helper()
	a.Reset()
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	descriptors, err := os.ReadDir("/proc/self/fd")
	require.NoError(a.T, err)
	return footprint{runtime.NumGoroutine(), len(descriptors), a.worker.ArmedTimers(), m.HeapAlloc}
}

// awaitNoMoreThan waits until goroutines and descriptors are back at what they were, and returns what is held then. What
// ends a connection ends some of its goroutines a little later.
func (a *app) awaitNoMoreThan(before footprint) footprint {
	a.T.Helper()
	deadline := time.Now().Add(enginetest.Patience)
	for {
		now := a.footprint()
		if now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return now
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			require.FailNow(a.T, "something is left", "before: %+v, now: %+v\n%s", before, now, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// life runs the lives of transports, one after the other, and always with the same ids.
type life struct {
	*app
	sender, receiver *enginetest.Peer
}

// TestNothingLeaks lets a thousand rooms live and compares what is held before and after.
func TestNothingLeaks(t *testing.T) {
	const cycles, maxHeapGrowth = 1000, 200 << 10
	a := newApp(t, engine.Options{Shards: 2, RTCMinPort: minLeakPort, RTCMaxPort: minLeakPort + leakPorts - 1})
	a.server("server")
	l := &life{a, enginetest.NewPeer(t), enginetest.NewPeer(t)}
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
	dump := a.Must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse)
	require.Equal(t, []string{"server"}, dump.ChannelMessageHandlers.ChannelRequestHandlers)
	fragments, tuples := a.worker.ServerSize("server")
	require.Zero(t, fragments+tuples, "%d username fragments, %d tuples", fragments, tuples)
}

// cycle is one room, of the kind that is i's turn. In each forty, two have a DTLS handshake, two a TCP connection and two
// peers that do not answer.
func (l *life) cycle(i int) {
	l.T.Helper()
	l.Reset()
	l.CreateRouter("router")
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
	l.Must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "router"})
}

// mediaRoom carries a packet from a plain transport to a plain transport and to a pipe, and ends in one of four orders.
func (l *life) mediaRoom(i int) {
	l.T.Helper()
	options := plainOptions()
	options.Comedia = i%2 == 0
	in := l.CreatePlain("router", "in", options)
	if !options.Comedia {
		l.ConnectPlain("in", l.sender.Addr())
	}
	l.Produce("in", "producer", enginetest.Video(1111))
	l.CreatePlain("router", "out", plainOptions())
	l.ConnectPlain("out", l.receiver.Addr())
	l.Consume("out", "consumer", "producer", 2222)
	info := loopback(api.ProtocolUDP)
	l.Must("router", api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{
		TransportID: "pipe", Options: &api.PipeTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info},
	})
	l.Must("pipe", api.MethodPipeTransportConnect, &api.PipeTransportConnectRequest{
		IP: "127.0.0.1", Port: new(l.receiver.Addr().Port()),
	})
	piped := l.ConsumeRequest("piped", "producer", 3333)
	piped.Type = api.RTPTypePipe
	l.Must("pipe", api.MethodTransportConsume, piped)
	l.sender.Send(in.Tuple, keyFrame(1111, unit.SeqNo(i), 300))
	awaitRTP(l.T, l.receiver, 2222, 3333)
	if i%4 != 0 {
		for j := range 3 {
			l.Must("router", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{
				TransportID: []string{"in", "out", "pipe"}[(i+j)%3],
			})
		}
	}
}

// awaitRTP reads until a packet of each SSRC has come to a peer.
func awaitRTP(t testing.TB, p *enginetest.Peer, ssrcs ...uint32) {
	t.Helper()
	require.NoError(t, p.Conn.SetReadDeadline(time.Now().Add(enginetest.Patience)))
	for len(ssrcs) > 0 {
		b := p.Receive()
		if rtcp.LooksLikeRTCP(b) || len(b) < 12 {
			continue
		}
		ssrc := binary.BigEndian.Uint32(b[8:])
		ssrcs = slices.DeleteFunc(ssrcs, func(s uint32) bool { return s == ssrc })
	}
}

// dataRoom carries a message from the application through SCTP between two plain transports back to the application.
func (l *life) dataRoom() {
	l.T.Helper()
	options := plainOptions()
	options.Base = &api.TransportOptions{EnableSCTP: true, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144}
	a, b := l.CreatePlain("router", "a", options), l.CreatePlain("router", "b", options)
	for id, to := range map[string]*api.TransportTuple{"a": b.Tuple, "b": a.Tuple} {
		l.Must(id, api.MethodPlainTransportConnect, &api.PlainTransportConnectRequest{IP: to.LocalAddress, Port: new(to.LocalPort)})
	}
	l.Must("router", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
		TransportID: "app",
		Options:     &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144}},
	})
	stream := &api.SCTPStreamParameters{StreamID: 7, Ordered: new(true)}
	l.Must("app", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "said", Type: api.DataProducerTypeDirect,
	})
	l.Must("a", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: "sent", DataProducerID: "said", Type: api.DataConsumerTypeSCTP, SCTPStreamParameters: stream,
	})
	l.Must("b", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "received", Type: api.DataProducerTypeSCTP, SCTPStreamParameters: stream,
	})
	l.Must("app", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: "heard", DataProducerID: "received", Type: api.DataConsumerTypeDirect,
	})
	require.NoError(l.T, l.worker.HandleNotification(&api.Notification{
		HandlerID: "said", Event: api.EventDataProducerSend,
		Body: &api.DataProducerSendNotification{PPID: 51, Data: []byte("hello")},
	}))
	heard := l.Await("heard", api.EventDataConsumerMessage)
	require.Equal(l.T, "hello", string(heard.Body.(*api.DataConsumerMessageNotification).Data))
}

// webRtcRoom carries a packet from a browser, through ICE, DTLS and SRTP, to a plain transport.
func (l *life) webRtcRoom(shared bool) {
	l.T.Helper()
	server := ""
	if shared {
		server = "server"
	}
	b := newBrowser(l.T, l.webRtc("router", "browser", server))
	defer b.close()
	l.connectWebRtc("browser")
	b.checkUDP()
	b.handshake()
	l.AwaitCount("browser", api.EventWebRtcTransportDTLSStateChange, 2)
	l.Produce("browser", "producer", enginetest.Video(1111))
	l.CreatePlain("router", "out", plainOptions())
	l.ConnectPlain("out", l.receiver.Addr())
	l.Consume("out", "consumer", "producer", 2222)
	b.sendRTP(b.sender(), keyFrame(1111, 1, 300))
	awaitRTP(l.T, l.receiver, 2222)
}

// tcpRoom completes ICE over TCP. Either the transport ends first, or its peer's connection.
func (l *life) tcpRoom(closeTransport bool) {
	l.T.Helper()
	d := l.webRtc("router", "browser", "server")
	conn, err := net.Dial("tcp", candidate(d, api.ProtocolTCP).String())
	require.NoError(l.T, err)
	defer conn.Close()
	require.NoError(l.T, conn.SetDeadline(time.Now().Add(enginetest.Patience)))
	request := check(d)
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(request))), request...))
	require.NoError(l.T, err)
	var head [2]byte
	_, err = io.ReadFull(conn, head[:])
	require.NoError(l.T, err)
	answer := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err = io.ReadFull(conn, answer)
	require.NoError(l.T, err)
	requireSuccess(l.T, answer)
	if !closeTransport {
		require.NoError(l.T, conn.Close())
		l.AwaitCount("browser", api.EventWebRtcTransportICEStateChange, 2) // connected at once, then disconnected
		return
	}
	l.Must("router", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "browser"})
	_, err = io.ReadFull(conn, head[:])
	require.ErrorIs(l.T, err, io.EOF)
}

// silentRoom ends while DTLS and SCTP still hope for an answer.
func (l *life) silentRoom() {
	l.T.Helper()
	b := newBrowser(l.T, l.webRtc("router", "browser", ""))
	defer b.close()
	_, fingerprints := identity()
	l.Must("browser", api.MethodWebRtcTransportConnect, &api.WebRtcTransportConnectRequest{
		DTLSParameters: &api.DTLSParameters{Fingerprints: fingerprints, Role: api.DTLSRoleServer},
	})
	b.checkUDP()
	require.True(l.T, transport.LooksLikeDTLS(b.Receive()), "a ClientHello")
	options := plainOptions()
	options.Base.EnableSCTP = true
	l.CreatePlain("router", "plain", options)
	l.ConnectPlain("plain", l.receiver.Addr())
	l.Must("plain", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "received", Type: api.DataProducerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 7, Ordered: new(true)},
	})
	l.AwaitCount("plain", api.EventTransportSCTPStateChange, 1)
}

// TestIdleTransportsArmNoTimers: what nobody is connected to does not wake the worker.
func TestIdleTransportsArmNoTimers(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.server("server")
	a.CreateRouter("router")
	for i := range 50 {
		a.webRtc("router", fmt.Sprint("webRtc", i), "server")
		options := plainOptions()
		options.Base.EnableSCTP = true
		id := fmt.Sprint("plain", i)
		a.CreatePlain("router", id, options)
		a.Produce(id, "producer"+id, enginetest.Video(1111))
		a.Consume(id, "consumer"+id, "producer"+id, 2222)
	}
	require.Zero(t, a.worker.ArmedTimers())
	a.ConnectPlain("plain0", enginetest.NewPeer(t).Addr())
	require.NotZero(t, a.worker.ArmedTimers(), "a connected transport reports")
}
