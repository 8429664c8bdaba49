package remote_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
)

// The addresses in an application's requests are its own host's; those of a node on another host take their place. What is no address
// of a listener stays as it is, for the engine to refuse.
func TestAddressesAreTheNodes(t *testing.T) {
	c := newCluster(t)
	credentials := c.of("a")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := start(t, l, l.Addr().String(), credentials, c.app.Client(identity.Node), remote.ServerOptions{Addresses: remote.Addresses{
		Media4: netip.MustParseAddr("10.0.0.1"), Announced4: "a.example", Pipe: netip.MustParseAddr("10.1.0.1"),
	}})
	info := func(ip string) *api.ListenInfo {
		return &api.ListenInfo{Protocol: api.ProtocolUDP, IP: ip, AnnouncedAddress: "mine", Port: 7, PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
	}
	base := func(internal bool) *api.TransportOptions { return &api.TransportOptions{Internal: internal} }
	server := func(ips ...string) *api.WorkerCreateWebRtcServerRequest {
		r := &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s"}
		for _, ip := range ips {
			r.ListenInfos = append(r.ListenInfos, *info(ip))
		}
		return r
	}
	plain := func(listen, rtcp *api.ListenInfo) *api.RouterCreatePlainTransportRequest {
		return &api.RouterCreatePlainTransportRequest{
			TransportID: "t", Options: &api.PlainTransportOptions{Base: base(false), ListenInfo: listen, RTCPListenInfo: rtcp},
		}
	}
	piped := func(internal bool) *api.RouterCreatePipeTransportRequest {
		return &api.RouterCreatePipeTransportRequest{
			TransportID: "t", Options: &api.PipeTransportOptions{Base: base(internal), ListenInfo: info("0.0.0.0")},
		}
	}
	webRtc := &api.RouterCreateWebRtcTransportRequest{TransportID: "t", Options: &api.WebRtcTransportOptions{
		Base: base(false), Listen: &api.ListenIndividual{ListenInfos: []api.ListenInfo{*info("0.0.0.0")}},
	}}
	for name, tt := range map[string]struct {
		method  api.Method
		body    api.RequestBody
		want    []string // address and announced address of each listener
		refused bool
	}{
		"WebRtcServer":    {api.MethodWorkerCreateWebRtcServer, server("0.0.0.0", "127.0.0.1"), []string{"10.0.0.1", "a.example", "10.0.0.1", "a.example"}, false},
		"IPv6":            {api.MethodWorkerCreateWebRtcServer, server("0.0.0.0", "::"), nil, true},
		"IPv4 in IPv6":    {api.MethodWorkerCreateWebRtcServer, server("::ffff:1.2.3.4"), []string{"10.0.0.1", "a.example"}, false},
		"no address":      {api.MethodWorkerCreateWebRtcServer, server("chicken"), []string{"chicken", "mine"}, false},
		"WebRtcTransport": {api.MethodRouterCreateWebRtcTransport, webRtc, []string{"10.0.0.1", "a.example"}, false},
		"PlainTransport":  {api.MethodRouterCreatePlainTransport, plain(info("0.0.0.0"), nil), []string{"10.0.0.1", "a.example"}, false},
		"PlainTransport with RTCP": {
			api.MethodRouterCreatePlainTransport, plain(info("0.0.0.0"), info("127.0.0.1")), []string{"10.0.0.1", "a.example", "10.0.0.1", "a.example"}, false,
		},
		"PlainTransport on IPv6": {api.MethodRouterCreatePlainTransport, plain(info("::1"), nil), nil, true},
		"PipeTransport":          {api.MethodRouterCreatePipeTransport, piped(false), []string{"10.0.0.1", "a.example"}, false},
		"end of a relay":         {api.MethodRouterCreatePipeTransport, piped(true), []string{"10.1.0.1", ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			n.inner.mu.Lock()
			n.inner.requests = nil
			n.inner.mu.Unlock()
			err := n.try(tt.method, "r", tt.body)
			n.inner.mu.Lock()
			defer n.inner.mu.Unlock()
			if tt.refused {
				require.ErrorContains(t, err, "the node has no IPv6 address for media")
				require.Empty(t, n.inner.requests)
				return
			}
			require.NoError(t, err)
			var got []string
			for _, i := range listeners(n.inner.requests[0].Body) {
				got = append(got, i.IP, i.AnnouncedAddress)
				require.EqualValues(t, 7, i.Port)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// listeners returns the listeners that a request opens.
func listeners(body api.RequestBody) (all []api.ListenInfo) {
	switch body := body.(type) {
	case *api.WorkerCreateWebRtcServerRequest:
		return body.ListenInfos
	case *api.RouterCreateWebRtcTransportRequest:
		return body.Options.Listen.(*api.ListenIndividual).ListenInfos
	case *api.RouterCreatePipeTransportRequest:
		return []api.ListenInfo{*body.Options.ListenInfo}
	case *api.RouterCreatePlainTransportRequest:
		all = append(all, *body.Options.ListenInfo)
		if body.Options.RTCPListenInfo != nil {
			all = append(all, *body.Options.RTCPListenInfo)
		}
	}
	return all
}
