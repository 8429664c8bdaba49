package transport_test

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/srtp"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

func TestListenInfo(t *testing.T) {
	tests := map[string]struct {
		change func(*api.ListenInfo)
		want   netio.UDPConfig
	}{
		"the worker's range": {func(*api.ListenInfo) {}, netio.UDPConfig{PortMin: 10000, PortMax: 20000}},
		"a fixed port":       {func(l *api.ListenInfo) { l.Port = 7777 }, netio.UDPConfig{Port: 7777}},
		"a range of its own": {func(l *api.ListenInfo) { l.Port, l.PortRange = 7777, &api.PortRange{Min: 5, Max: 9} }, netio.UDPConfig{PortMin: 5, PortMax: 9}},
		"flags and sizes": {func(l *api.ListenInfo) {
			l.Flags = &api.SocketFlags{IPv6Only: true, UDPReusePort: true}
			l.Port, l.SendBufferSize, l.RecvBufferSize = 1, 2, 3
		}, netio.UDPConfig{Port: 1, IPv6Only: true, ReusePort: true, SendBufferSize: 2, RecvBufferSize: 3}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t)
			r.plain(func(o *api.PlainTransportOptions) { test.change(o.ListenInfo) })
			test.want.Address = netip.MustParseAddr("198.51.100.1")
			require.Equal(t, []netio.UDPConfig{test.want}, r.asked)
		})
	}
}

func TestPlainOptionsThatAreRefused(t *testing.T) {
	suite := api.SRTPCryptoSuite(99)
	tests := map[string]struct {
		kind   api.ErrorKind
		change func(*api.PlainTransportOptions)
	}{
		"unsupported listen protocol": {api.ErrorKindType, func(o *api.PlainTransportOptions) { o.ListenInfo.Protocol = api.ProtocolTCP }},
		"unsupported RTCP listen protocol": {api.ErrorKindType, func(o *api.PlainTransportOptions) {
			o.RTCPMux, o.RTCPListenInfo = false, &api.ListenInfo{Protocol: api.ProtocolTCP}
		}},
		"invalid IP 'nowhere'":         {api.ErrorKindType, func(o *api.PlainTransportOptions) { o.ListenInfo.IP = "nowhere" }},
		"missing srtpCryptoSuite":      {api.ErrorKindType, func(o *api.PlainTransportOptions) { o.EnableSRTP = true }},
		"unknown SRTP crypto suite 99": {api.ErrorKindType, func(o *api.PlainTransportOptions) { o.EnableSRTP, o.SRTPCryptoSuite = true, &suite }},
	}
	for text, test := range tests {
		t.Run(text, func(t *testing.T) {
			r := newFixture(t)
			options := plainOptions()
			test.change(options)
			_, err := transport.NewPlain("plain", options, r.env)
			var refusal *api.Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, test.kind, refusal.Kind)
			require.Contains(t, refusal.Reason, text)
			for _, s := range r.sockets {
				require.Equal(t, 1, s.Closed(), "nothing stays open")
			}
		})
	}
}

func TestASocketThatCannotBeBound(t *testing.T) {
	for kind, failure := range map[api.ErrorKind]error{
		api.ErrorKindError: errors.New("no port"),
		api.ErrorKindType:  &netio.BindError{Reason: netio.BindInvalidRange},
	} {
		r := newFixture(t)
		r.refuse = failure
		options := plainOptions()
		options.RTCPMux = false
		_, err := transport.NewPlain("plain", options, r.env)
		var refusal *api.Error
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, kind, refusal.Kind)
		require.Equal(t, 1, r.sockets[0].Closed(), "the RTP socket does not stay open")
	}
}

func TestConnectThatIsRefusedChangesNothing(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 28))
	tests := map[string]struct {
		kind  api.ErrorKind
		srtp  bool
		noMux bool
		req   api.PlainTransportConnectRequest
	}{
		"missing ip":   {kind: "TypeError", req: api.PlainTransportConnectRequest{Port: new(uint16(1))}},
		"missing port": {kind: "TypeError", req: api.PlainTransportConnectRequest{IP: "1.2.3.4"}},
		"invalid IP":   {kind: "TypeError", req: api.PlainTransportConnectRequest{IP: "1.2.3", Port: new(uint16(1))}},
		"cannot set rtcpPort with rtcpMux enabled": {kind: "TypeError", req: api.PlainTransportConnectRequest{IP: "1.2.3.4", Port: new(uint16(1)), RTCPPort: new(uint16(2))}},
		"missing rtcpPort":                         {kind: "TypeError", noMux: true, req: api.PlainTransportConnectRequest{IP: "1.2.3.4", Port: new(uint16(1))}},
		"SRTP not enabled":                         {kind: "TypeError", req: api.PlainTransportConnectRequest{SRTPParameters: &api.SRTPParameters{}}},
		"missing srtpParameters":                   {kind: "TypeError", srtp: true, req: api.PlainTransportConnectRequest{IP: "1.2.3.4", Port: new(uint16(1))}},
		"is not base64":                            {kind: "TypeError", srtp: true, req: api.PlainTransportConnectRequest{SRTPParameters: &api.SRTPParameters{CryptoSuite: api.SRTPCryptoSuiteAEADAES128GCM, KeyBase64: "%"}}},
		"invalid decoded SRTP key length":          {kind: "TypeError", srtp: true, req: api.PlainTransportConnectRequest{SRTPParameters: &api.SRTPParameters{CryptoSuite: api.SRTPCryptoSuiteAEADAES256GCM, KeyBase64: key}}},
		"unknown SRTP crypto suite":                {kind: "TypeError", srtp: true, req: api.PlainTransportConnectRequest{SRTPParameters: &api.SRTPParameters{CryptoSuite: 77, KeyBase64: key}}},
	}
	for text, test := range tests {
		t.Run(text, func(t *testing.T) {
			r := newFixture(t)
			suite := api.SRTPCryptoSuiteAEADAES128GCM
			p := r.plain(func(o *api.PlainTransportOptions) {
				o.RTCPMux = !test.noMux
				o.EnableSRTP, o.SRTPCryptoSuite = test.srtp, &suite
			})
			before := p.Dump()
			_, err := p.Connect(r.now, &test.req)
			var refusal *api.Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, test.kind, refusal.Kind)
			require.Contains(t, refusal.Reason, text)
			require.Equal(t, before, p.Dump())
			require.Equal(t, unit.Never, p.NextTimeout())

			// A correct request is still welcome, once.
			good := enginetest.ConnectPlainRequest(peerAddr)
			if test.noMux {
				good.RTCPPort = new(uint16(5001))
			}
			if test.srtp {
				good.SRTPParameters = &api.SRTPParameters{CryptoSuite: suite, KeyBase64: key}
			}
			_, err = p.Connect(r.now, good)
			require.NoError(t, err)
			_, err = p.Connect(r.now, good)
			require.ErrorContains(t, err, "connect() already called")
		})
	}
}

func TestTuples(t *testing.T) {
	r := newFixture(t)
	p := r.plain(func(o *api.PlainTransportOptions) {
		o.RTCPMux = false
		o.ListenInfo.AnnouncedAddress = "media.example.org"
	})
	dump := p.Dump().(*api.PlainTransportDumpResponse)
	require.Equal(t, &api.TransportTuple{LocalAddress: "media.example.org", LocalPort: 40000, Protocol: api.ProtocolUDP}, dump.Tuple)
	require.Equal(t, &api.TransportTuple{LocalAddress: "media.example.org", LocalPort: 40001, Protocol: api.ProtocolUDP}, dump.RTCPTuple)
	require.Nil(t, p.Stats(r.now).(*api.PlainTransportGetStatsResponse).RTCPTuple)
	req := enginetest.ConnectPlainRequest(peerAddr)
	req.RTCPPort = new(uint16(5001))
	response, err := p.Connect(r.now, req)
	require.NoError(t, err)
	require.Equal(t, &api.TransportTuple{
		LocalAddress: "media.example.org", LocalPort: 40000, RemoteIP: "192.0.2.1", RemotePort: 5000, Protocol: api.ProtocolUDP,
	}, response.Tuple)
	require.EqualValues(t, 5001, response.RTCPTuple.RemotePort)
	require.Nil(t, response.SRTPParameters)
	require.Equal(t, response.RTCPTuple, p.Stats(r.now).(*api.PlainTransportGetStatsResponse).RTCPTuple)
	require.Len(t, p.Sockets(), 2)
	p.Close()
	require.Equal(t, []int{1, 1}, []int{r.sockets[0].Closed(), r.sockets[1].Closed()})
	// A batch that was on its way is thrown away.
	r.receive(p, 0, peerAddr, enginetest.KeyFrame(10, 1))
}

// With rtcpMux disabled RTCP has a peer of its own; RTP is not taken on its socket.
func TestRTCPOnItsOwnPort(t *testing.T) {
	r := newFixture(t)
	p := r.plain(func(o *api.PlainTransportOptions) { o.RTCPMux, o.Comedia = false, true })
	_, err := p.Connect(r.now, &api.PlainTransportConnectRequest{})
	require.NoError(t, err)
	producer := r.produce(p.Transport, "p", enginetest.Video(10))
	bye := &rtcp.Goodbye{Sources: []uint32{10}}
	rtcpPeer := netip.AddrPortFrom(peerAddr.Addr(), 5001)

	r.receive(p, 1, peerAddr, enginetest.KeyFrame(10, 1))
	require.Equal(t, transport.Drops{ForeignSender: 1}, p.Drops())
	r.receiveRTCP(p, 0, peerAddr, bye)
	require.Equal(t, transport.Drops{ForeignSender: 2}, p.Drops(), "there is no RTP peer yet")
	r.receiveRTCP(p, 1, rtcpPeer, bye)
	require.Len(t, r.notifications.Of(api.EventPlainTransportRTCPTuple), 1)
	require.Empty(t, r.notifications.Of(api.EventPlainTransportTuple))
	r.receive(p, 0, peerAddr, enginetest.KeyFrame(10, 1))
	require.Len(t, r.notifications.Of(api.EventPlainTransportTuple), 1)
	r.receiveRTCP(p, 0, peerAddr, bye)
	require.Equal(t, transport.Drops{ForeignSender: 2}, p.Drops(), "the RTP peer may multiplex")
	r.receiveRTCP(p, 1, strangerAddr, bye)
	r.receive(p, 0, strangerAddr, enginetest.KeyFrame(10, 2))
	require.Equal(t, transport.Drops{ForeignSender: 4}, p.Drops())

	r.now = r.now.Add(time.Millisecond)
	p.RequestKeyFrame(r.now, producer, enginetest.MappedSSRC(10))
	p.Settle(r.now)
	require.Empty(t, r.sockets[0].Sent())
	require.Len(t, r.sockets[1].Sent(), 1)
	require.Equal(t, rtcpPeer, r.sockets[1].To()[0])
}

func TestNothingIsTakenBeforeThePeerIsKnown(t *testing.T) {
	r := newFixture(t)
	for _, mux := range []bool{true, false} {
		p := r.plain(func(o *api.PlainTransportOptions) { o.RTCPMux = mux })
		r.produce(p.Transport, "p", enginetest.Video(10))
		r.receive(p, 0, peerAddr, enginetest.KeyFrame(10, 1))
		r.receiveRTCP(p, 0, peerAddr, &rtcp.Goodbye{})
		require.Equal(t, transport.Drops{ForeignSender: 2}, p.Drops())
	}
	require.Empty(t, r.notifications.All())
}

// secure is a plain transport with SRTP, and the remote side's two contexts.
type secure struct {
	*transport.Plain
	sender   *srtp.Sender
	receiver *srtp.Receiver
}

func (r *fixture) secure(created, connected api.SRTPCryptoSuite, suite srtp.Suite, comedia bool) *secure {
	r.t.Helper()
	return r.secureWith(created, connected, suite, func(o *api.PlainTransportOptions) { o.Comedia = comedia })
}

func (r *fixture) secureWith(created, connected api.SRTPCryptoSuite, suite srtp.Suite, change func(*api.PlainTransportOptions)) *secure {
	r.t.Helper()
	p := r.plain(func(o *api.PlainTransportOptions) {
		o.EnableSRTP, o.SRTPCryptoSuite = true, &created
		change(o)
	})
	first := p.Dump().(*api.PlainTransportDumpResponse).SRTPParameters
	require.Equal(r.t, created, first.CryptoSuite)
	key := make([]byte, suite.KeyLen()+suite.SaltLen())
	key[0] = 7
	req := enginetest.ConnectPlainRequest(peerAddr)
	req.SRTPParameters = &api.SRTPParameters{CryptoSuite: connected, KeyBase64: base64.StdEncoding.EncodeToString(key)}
	response, err := p.Connect(r.now, req)
	require.NoError(r.t, err)
	require.Equal(r.t, created == connected, response.SRTPParameters.KeyBase64 == first.KeyBase64, "a new suite has a new key")
	theirs, err := base64.StdEncoding.DecodeString(response.SRTPParameters.KeyBase64)
	require.NoError(r.t, err)
	s := &secure{Plain: p}
	s.sender, err = srtp.NewSender(suite, key)
	require.NoError(r.t, err)
	s.receiver, err = srtp.NewReceiver(suite, theirs)
	require.NoError(r.t, err)
	return s
}

func (r *fixture) protect(s *secure, b []byte) []byte {
	r.t.Helper()
	space := append(append([]byte(nil), b...), make([]byte, 64)...)
	n, err := s.sender.ProtectRTP(space, len(b), 12)
	require.NoError(r.t, err)
	return space[:n]
}

func TestSRTPWithEverySuite(t *testing.T) {
	suites := map[api.SRTPCryptoSuite]srtp.Suite{
		api.SRTPCryptoSuiteAEADAES256GCM:      srtp.AEADAES256GCM,
		api.SRTPCryptoSuiteAEADAES128GCM:      srtp.AEADAES128GCM,
		api.SRTPCryptoSuiteAESCM128HMACSHA180: srtp.AESCM128HMACSHA180,
		api.SRTPCryptoSuiteAESCM128HMACSHA132: srtp.AESCM128HMACSHA132,
	}
	for created := range suites {
		for connected, suite := range suites {
			r := newFixture(t)
			s := r.secure(created, connected, suite, false)
			p := r.produce(s.Transport, "p", enginetest.Video(10))
			c := r.consume(s.Transport, p, "c", 20, &feedbackRecorder{})
			r.attach(s.Transport, p, c)
			p.AddSubscriber(&subscriber{then: func(now unit.Time, pkts []*packet.Packet) { c.Forward(now, pkts) }})
			r.receive(s.Plain, 0, peerAddr, r.protect(s, enginetest.KeyFrame(10, 1)))
			require.Len(t, r.sockets[0].Sent(), 1, connected)
			clear, err := s.receiver.UnprotectRTP(r.sockets[0].Sent()[0])
			require.NoError(t, err)
			require.Equal(t, enginetest.ParseRTP(t, enginetest.KeyFrame(10, 1)).Payload(), enginetest.ParseRTP(t, clear).Payload())
			require.EqualValues(t, 20, enginetest.ParseRTP(t, clear).SSRC)

			r.now = r.now.Add(time.Millisecond)
			s.RequestKeyFrame(r.now, p, enginetest.MappedSSRC(10))
			s.Settle(r.now)
			require.Len(t, r.sockets[0].Sent(), 2)
			clear, err = s.receiver.UnprotectRTCP(r.sockets[0].Sent()[1])
			require.NoError(t, err)
			pli, err := rtcp.Unmarshal(clear)
			require.NoError(t, err)
			require.IsType(t, &rtcp.PictureLossIndication{}, pli[0])

			bye, err := (&rtcp.Goodbye{Sources: []uint32{10}}).Marshal()
			require.NoError(t, err)
			bye, err = s.sender.ProtectRTCP(nil, bye)
			require.NoError(t, err)
			r.receive(s.Plain, 0, peerAddr, bye)
			require.Equal(t, transport.Drops{}, s.Drops())
		}
	}
}

// A hundred bad packets do not end the call, and their sender does not become the peer.
func TestSRTPThatIsNotAuthenticIsCounted(t *testing.T) {
	r := newFixture(t)
	s := r.secure(api.SRTPCryptoSuiteAEADAES128GCM, api.SRTPCryptoSuiteAEADAES128GCM, srtp.AEADAES128GCM, true)
	r.produce(s.Transport, "p", enginetest.Video(10))
	good := r.protect(s, enginetest.KeyFrame(10, 1))
	for range 100 {
		forged := append([]byte(nil), good...)
		forged[len(forged)-1]++
		r.receive(s.Plain, 0, strangerAddr, forged)
	}
	r.receive(s.Plain, 0, strangerAddr, enginetest.KeyFrame(10, 1)[:14])
	forgedRTCP := append([]byte{0x80, 201, 0, 1, 0, 0, 0, 10}, make([]byte, 20)...)
	r.receive(s.Plain, 0, strangerAddr, forgedRTCP)
	require.Empty(t, r.notifications.All())
	drops := s.Drops()
	require.EqualValues(t, 102, drops.Unauthenticated+drops.RTPMalformed)
	require.GreaterOrEqual(t, drops.Unauthenticated, uint64(101))

	r.receive(s.Plain, 0, peerAddr, append([]byte(nil), good...))
	require.Len(t, r.notifications.Of(api.EventPlainTransportTuple), 1)
	r.receive(s.Plain, 0, peerAddr, append([]byte(nil), good...))
	require.EqualValues(t, 1, s.Drops().Replayed)
}

func TestSRTPBeforeConnectIsDropped(t *testing.T) {
	r := newFixture(t)
	suite := api.SRTPCryptoSuiteAEADAES128GCM
	p := r.plain(func(o *api.PlainTransportOptions) { o.EnableSRTP, o.SRTPCryptoSuite, o.Comedia = true, &suite, true })
	r.receive(p, 0, peerAddr, enginetest.KeyFrame(10, 1))
	r.receiveRTCP(p, 0, peerAddr, &rtcp.Goodbye{})
	require.Equal(t, transport.Drops{NotConnected: 2}, p.Drops())
	require.Empty(t, r.notifications.All())
}

// Reports of many streams leave in several compound packets, none larger than a frame of the network.
func TestReportsOfManyStreams(t *testing.T) {
	r := newFixture(t)
	p := r.connected()
	for i := range unit.SSRC(200) {
		ssrc := 10000 + 2*i
		r.produce(p.Transport, string(rune('a'+i)), enginetest.Video(ssrc))
		r.receive(p, 0, peerAddr, enginetest.KeyFrame(ssrc, 1))
	}
	r.sockets[0].Take()
	r.now = r.now.Add(3 * time.Second)
	p.HandleTimeout(r.now)
	reported := map[uint32]bool{}
	for _, report := range enginetest.Find[*rtcp.ReceiverReport](enginetest.RTCPOf(t, r.sockets[0].Sent())) {
		for _, block := range report.Reports {
			reported[block.SSRC] = true
		}
	}
	require.Len(t, reported, 200)
	require.Greater(t, len(r.sockets[0].Sent()), 1)
	for _, b := range r.sockets[0].Sent() {
		require.LessOrEqual(t, len(b), 1292)
	}
}
