package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// createServer requests a WebRtcServer with a UDP and a TCP port from the worker's range.
func (p *process) createServer(id string) *api.Response {
	p.t.Helper()
	info := func(protocol api.Protocol) api.ListenInfo {
		return api.ListenInfo{Protocol: protocol, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
	}
	p.send(&api.Request{ID: 1, Method: api.MethodWorkerCreateWebRtcServer, Body: &api.WorkerCreateWebRtcServerRequest{
		WebRtcServerID: id, ListenInfos: []api.ListenInfo{info(api.ProtocolUDP), info(api.ProtocolTCP)},
	}})
	return p.response()
}

// TestWorkersShareAPortRange takes ports of one range from three workers in turn until none is left.
func TestWorkersShareAPortRange(t *testing.T) {
	const limit = 16
	first := 28000 + os.Getpid()%250*limit // a range per process, since this test may run twice at the same time
	var workers []*process
	for range 3 {
		workers = append(workers, spawn(t, fmt.Sprintf("--rtcMinPort=%d", first), fmt.Sprintf("--rtcMaxPort=%d", first+limit-1)))
	}
	udp, tcp := map[uint16]bool{}, map[uint16]bool{}
	refused := 0
	for i := 0; refused == 0; i++ {
		p := workers[i%len(workers)]
		id := string(rune('a' + i))
		if r := p.createServer(id); !r.Accepted {
			require.Contains(t, r.Reason, "no more available ports")
			refused++
			continue
		}
		p.send(&api.Request{ID: 2, Method: api.MethodWebRtcServerDump, HandlerID: id})
		dump := p.response().Body.(*api.WebRtcServerDumpResponse)
		require.False(t, udp[dump.UDPSockets[0].Port], "two workers have the same UDP port")
		require.False(t, tcp[dump.TCPServers[0].Port], "two workers have the same TCP port")
		udp[dump.UDPSockets[0].Port], tcp[dump.TCPServers[0].Port] = true, true
		require.LessOrEqual(t, len(udp), limit)
	}
	require.GreaterOrEqual(t, len(udp), len(workers), "each worker found a port")
	for _, p := range workers {
		require.False(t, p.createServer("more").Accepted, "the range is full for all")
	}
}
