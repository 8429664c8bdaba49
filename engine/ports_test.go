package engine_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// The port range that the worker of these tests shares with strangers: below those that the system gives out, and another
// one in each process, since tests may run twice at a time.
var (
	minSharedPort = uint16(20000 + os.Getpid()%500*16)
	maxSharedPort = minSharedPort + 15
)

// occupy takes all ports of the range that are free, as a program that the worker knows nothing of.
func occupy(t *testing.T, p api.Protocol) map[uint16]io.Closer {
	t.Helper()
	held := map[uint16]io.Closer{}
	for port := minSharedPort; port <= maxSharedPort; port++ {
		var socket io.Closer
		var err error
		ip := net.IPv4(127, 0, 0, 1)
		if p == api.ProtocolUDP {
			socket, err = net.ListenUDP("udp4", &net.UDPAddr{IP: ip, Port: int(port)})
		} else {
			socket, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: ip, Port: int(port)})
		}
		if err == nil {
			held[port] = socket
			t.Cleanup(func() { socket.Close() })
		}
	}
	require.NotEmpty(t, held)
	return held
}

// free gives one port back and returns it.
func free(t *testing.T, held map[uint16]io.Closer) uint16 {
	t.Helper()
	for port, socket := range held {
		require.NoError(t, socket.Close())
		delete(held, port)
		return port
	}
	require.Fail(t, "no port is held")
	return 0
}

func serverRequest(id string, protocols ...api.Protocol) *api.WorkerCreateWebRtcServerRequest {
	req := &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: id}
	for _, p := range protocols {
		req.ListenInfos = append(req.ListenInfos, loopback(p))
	}
	return req
}

// TestPortsOfStrangersAreSkipped: a WebRtcServer without a port finds the one that other processes left.
func TestPortsOfStrangersAreSkipped(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1, RTCMinPort: minSharedPort, RTCMaxPort: maxSharedPort})
	heldUDP, heldTCP := occupy(t, api.ProtocolUDP), occupy(t, api.ProtocolTCP)
	method := api.MethodWorkerCreateWebRtcServer
	noMore := func(p api.Protocol, protocols ...api.Protocol) {
		t.Helper()
		a.Refused(api.ErrorKindError, "no more available ports [protocol:"+strings.ToLower(p.String()), "", method, serverRequest("s", protocols...))
	}
	noMore(api.ProtocolUDP, api.ProtocolUDP)
	noMore(api.ProtocolTCP, api.ProtocolTCP)

	udp := free(t, heldUDP)
	noMore(api.ProtocolTCP, api.ProtocolUDP, api.ProtocolTCP)
	tcp := free(t, heldTCP)
	for range 3 { // the refusal before, and each close, gave the UDP port back
		a.Must("", method, serverRequest("s", api.ProtocolUDP, api.ProtocolTCP))
		dump := a.Must("s", api.MethodWebRtcServerDump, nil).(*api.WebRtcServerDumpResponse)
		require.Equal(t, []api.IPPort{{IP: "127.0.0.1", Port: udp}}, dump.UDPSockets)
		require.Equal(t, []api.IPPort{{IP: "127.0.0.1", Port: tcp}}, dump.TCPServers)
		_, err := a.Try("", method, serverRequest("t", api.ProtocolUDP))
		require.ErrorContains(t, err, "no more available ports")
		a.Must("", api.MethodWorkerWebRtcServerClose, &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
	}
}

// TestPlainTransportsSkipPortsOfStrangers: RTP and RTCP get the two ports that are left.
func TestPlainTransportsSkipPortsOfStrangers(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1, RTCMinPort: minSharedPort, RTCMaxPort: maxSharedPort})
	held := occupy(t, api.ProtocolUDP)
	a.CreateRouter("router")
	options := plainOptions()
	options.RTCPMux = false
	first := free(t, held)
	_, err := a.Try("router", api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{TransportID: "t", Options: options})
	require.ErrorContains(t, err, "no more available ports")
	second := free(t, held)
	d := a.CreatePlain("router", "t", options)
	require.ElementsMatch(t, []uint16{first, second}, []uint16{d.Tuple.LocalPort, d.RTCPTuple.LocalPort})
}
