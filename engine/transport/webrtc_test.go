package transport_test

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/ice"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/srtp"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/stun"
)

// patience is how long a test waits for a DTLS handshake, whose library has goroutines; only a failing test waits so long.
const patience = 20 * time.Second

var certificates = sync.OnceValue(func() (pair [2]*dtls.Certificate) {
	for i := range pair {
		var err error
		if pair[i], err = dtls.GenerateCertificate(); err != nil {
			panic(err)
		}
	}
	return pair
})

// demuxTable records what a transport enters.
type demuxTable struct {
	fragments map[string]bool
	tuples    map[ice.Tuple]bool
}

func (d *demuxTable) AddFragment(f string)    { d.fragments[f] = true }
func (d *demuxTable) RemoveFragment(f string) { delete(d.fragments, f) }
func (d *demuxTable) AddTuple(t ice.Tuple)    { d.tuples[t] = true }
func (d *demuxTable) RemoveTuple(t ice.Tuple) { delete(d.tuples, t) }

// browser is the other end of a WebRtcTransport: an ICE agent in control, DTLS and SRTP.
type browser struct {
	*fixture
	w        *transport.WebRtc
	dir      *demuxTable
	wake     chan struct{}
	link     *transport.Link
	addr     netip.AddrPort
	sent     [][]byte         // by the transport
	to       []netip.AddrPort // where each of them went
	lost     int              // how many of them the browser has taken
	dtls     *dtls.Transport
	dtlsWake chan struct{}
	sender   *srtp.Sender
	receiver *srtp.Receiver
	onSCTP   func(packet []byte) // nil for nothing
	states   []api.DTLSState
	admitted int
	closed   int
	freed    int
}

func newBrowser(t *testing.T, change func(*api.WebRtcTransportOptions)) *browser {
	b := &browser{
		fixture: newFixture(t), wake: make(chan struct{}, 1), dtlsWake: make(chan struct{}, 1), addr: peerAddr,
		dir: &demuxTable{fragments: map[string]bool{}, tuples: map[ice.Tuple]bool{}},
	}
	b.env.Wake = func() { signal(b.wake) }
	b.link = b.newLink(1, api.ProtocolUDP)
	b.dtls = dtls.New(certificates()[1], func() { signal(b.dtlsWake) })
	options := &api.WebRtcTransportOptions{Base: &api.TransportOptions{}}
	if change != nil {
		change(options)
	}
	var err error
	b.w, err = transport.NewWebRtc("webrtc", options, transport.WebRtcConfig{
		Certificate: certificates()[0], DemuxTable: b.dir, ConsentTimeout: 30 * time.Second,
		Candidates: []api.ICECandidate{{Foundation: "udpcandidate"}}, Close: func() { b.freed++ },
	}, b.env)
	require.NoError(t, err)
	b.audit(b.w.Transport, nil)
	t.Cleanup(func() { b.w.Close(); b.dtls.Close() })
	return b
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (b *browser) newLink(id uint32, protocol api.Protocol) *transport.Link {
	link := &transport.Link{ID: id, Protocol: protocol, Local: netip.MustParseAddrPort("198.51.100.1:40000")}
	link.Send = func(to netip.AddrPort, batch *netio.Batch) (int, int) {
		for pkt := range batch.Packets() {
			b.sent, b.to = append(b.sent, append([]byte(nil), pkt...)), append(b.to, to)
			if !enginetest.IsDTLSData(pkt) { // which pump opens
				b.ledgers[b.w.Transport].Sent(b.now, to, pkt)
			}
		}
		return batch.Len(), 0
	}
	if protocol == api.ProtocolTCP {
		link.Remote = b.addr
		link.Admit, link.Close = func() { b.admitted++ }, func() { b.closed++ }
	}
	return link
}

func (b *browser) dump() *api.WebRtcTransportDumpResponse {
	return b.w.Dump().(*api.WebRtcTransportDumpResponse)
}

// deliver hands a datagram of the browser to the transport.
func (b *browser) deliver(data []byte) {
	b.ledgers[b.w.Transport].Received(b.addr, len(data))
	b.w.HandleDatagrams(b.now, b.link, []transport.Datagram{{Buffer: enginetest.Buffer(data), Tuple: b.link.Tuple(b.addr)}})
	b.w.Settle(b.now)
}

// check makes an ICE connectivity check and returns the answer.
func (b *browser) check(password string, nominate bool) *stun.Message {
	b.t.Helper()
	before := len(b.sent)
	b.deliver(enginetest.ConnectivityCheck(b.dump().ICEParameters.UsernameFragment, password, nominate))
	require.Greater(b.t, len(b.sent), before, "every check is answered")
	var answer stun.Message
	require.NoError(b.t, answer.Parse(b.sent[before]))
	return &answer
}

func (b *browser) password() string { return b.dump().ICEParameters.Password }

// connect answers with the browser's fingerprint: the browser is the DTLS client.
func (b *browser) connect(fingerprints []api.Fingerprint) {
	b.t.Helper()
	response, err := b.w.Connect(b.now, &api.WebRtcTransportConnectRequest{
		DTLSParameters: &api.DTLSParameters{Fingerprints: fingerprints, Role: api.DTLSRoleClient},
	})
	require.NoError(b.t, err)
	require.Equal(b.t, api.DTLSRoleServer, response.DTLSLocalRole)
}

// shake runs the handshake until the browser's side has the given state.
func (b *browser) shake(until api.DTLSState) {
	b.t.Helper()
	deadline := time.After(patience)
	for !contains(b.states, until) || b.dump().DTLSState == api.DTLSStateConnecting {
		b.pump()
		if contains(b.states, until) && b.dump().DTLSState != api.DTLSStateConnecting {
			return
		}
		select {
		case <-b.wake:
			b.w.Poll(b.now)
			b.w.Settle(b.now)
		case <-b.dtlsWake:
		case <-deadline:
			require.FailNow(b.t, "DTLS does not get there", "%v", b.states)
		}
	}
}

func contains(states []api.DTLSState, s api.DTLSState) bool {
	for _, have := range states {
		if have == s {
			return true
		}
	}
	return false
}

// pump moves datagrams between the two DTLS ends.
func (b *browser) pump() {
	for b.lost < len(b.sent) {
		datagram, to := b.sent[b.lost], b.to[b.lost]
		b.lost++
		if transport.LooksLikeDTLS(datagram) {
			b.dtls.HandleDatagram(datagram)
			b.drainDTLS(datagram, to)
		}
	}
	b.drainDTLS(nil, b.addr)
}

// drainDTLS acts on the output of the browser's DTLS. The ledger gets the data that a datagram carried.
func (b *browser) drainDTLS(datagram []byte, to netip.AddrPort) {
	var out dtls.Output
	b.dtls.Poll(&out)
	for _, change := range out.States {
		b.states = append(b.states, change.State)
		if change.State == api.DTLSStateConnected {
			b.setKeys(&change.SRTP)
		}
	}
	for _, packet := range out.Data {
		b.ledgers[b.w.Transport].SentSCTP(b.now, to, len(datagram), packet)
		if b.onSCTP != nil {
			b.onSCTP(packet)
		}
	}
	for _, d := range out.Datagrams {
		b.deliver(d)
	}
}

func (b *browser) setKeys(keys *dtls.SRTP) {
	suite := map[api.SRTPCryptoSuite]srtp.Suite{
		api.SRTPCryptoSuiteAEADAES256GCM: srtp.AEADAES256GCM, api.SRTPCryptoSuiteAEADAES128GCM: srtp.AEADAES128GCM,
	}[keys.Suite]
	var err error
	b.sender, err = srtp.NewSender(suite, keys.LocalKeySalt)
	require.NoError(b.t, err)
	b.receiver, err = srtp.NewReceiver(suite, keys.RemoteKeySalt)
	require.NoError(b.t, err)
}

// established returns a browser that has completed ICE and DTLS over UDP.
func established(t *testing.T, change func(*api.WebRtcTransportOptions)) *browser {
	return establishedBy(t, api.ProtocolUDP, change)
}

func establishedBy(t *testing.T, protocol api.Protocol, change func(*api.WebRtcTransportOptions)) *browser {
	b := newBrowser(t, change)
	b.link = b.newLink(1, protocol)
	b.check(b.password(), true)
	b.connect(certificates()[1].Fingerprints())
	require.NoError(t, b.dtls.Start(dtls.Client, certificates()[0].Fingerprints()))
	b.shake(api.DTLSStateConnected)
	return b
}

func (b *browser) sendRTP(clear []byte) {
	b.t.Helper()
	space := append(append([]byte(nil), clear...), make([]byte, 64)...)
	n, err := b.sender.ProtectRTP(space, len(clear), 12)
	require.NoError(b.t, err)
	b.deliver(space[:n])
}

func (b *browser) sendRTCP(pkts ...rtcp.Packet) {
	b.t.Helper()
	clear, err := rtcp.Marshal(pkts)
	require.NoError(b.t, err)
	sealed, err := b.sender.ProtectRTCP(nil, clear)
	require.NoError(b.t, err)
	b.deliver(sealed)
}

func eventNames(news []api.Notification) (names []string) {
	for _, n := range news {
		switch body := n.Body.(type) {
		case *api.WebRtcTransportICEStateChangeNotification:
			names = append(names, "ice "+body.ICEState.String())
		case *api.WebRtcTransportDTLSStateChangeNotification:
			names = append(names, "dtls "+body.DTLSState.String())
		case *api.WebRtcTransportICESelectedTupleChangeNotification:
			names = append(names, "tuple "+body.Tuple.RemoteIP)
		}
	}
	return names
}

func TestAWebRtcCall(t *testing.T) {
	b := established(t, nil)
	require.Equal(t, []string{"tuple 192.0.2.1", "ice COMPLETED", "dtls CONNECTING", "dtls CONNECTED"}, eventNames(b.notifications.All()))
	dump := b.dump()
	require.Equal(t, api.ICEStateCompleted, dump.ICEState)
	require.Equal(t, api.DTLSRoleServer, dump.DTLSParameters.Role)
	require.EqualValues(t, 5000, dump.ICESelectedTuple.RemotePort)
	require.Equal(t, api.ICERoleControlled, dump.ICERole)

	p := b.produce(b.w.Transport, "p", enginetest.Video(10))
	c := b.consume(b.w.Transport, p, "c", 20, &feedbackRecorder{})
	b.attach(b.w.Transport, p, c)
	p.AddSubscriber(&subscriber{then: func(now unit.Time, pkts []*packet.Packet) { c.Forward(now, pkts) }})
	before := len(b.sent)
	b.sendRTP(enginetest.KeyFrame(10, 1))
	require.Len(t, b.sent, before+1)
	clear, err := b.receiver.UnprotectRTP(b.sent[before])
	require.NoError(t, err)
	require.Equal(t, enginetest.ParseRTP(t, enginetest.KeyFrame(10, 1)).Payload(), enginetest.ParseRTP(t, clear).Payload())

	b.now = b.now.Add(3 * time.Second)
	before = len(b.sent)
	b.w.HandleTimeout(b.now)
	require.Greater(t, len(b.sent), before, "reports")
	_, err = b.receiver.UnprotectRTCP(b.sent[before])
	require.NoError(t, err)
	b.sendRTCP(&rtcp.Goodbye{Sources: []uint32{10}})
	require.Equal(t, transport.Drops{}, b.w.Drops())
	stats := b.w.Stats(b.now).(*api.WebRtcTransportGetStatsResponse)
	require.Equal(t, api.DTLSStateConnected, stats.DTLSState)
	require.NotZero(t, stats.Base.BytesSent)

	// The peer gets close_notify, and the ports are free.
	before = len(b.sent)
	b.w.Close()
	require.Equal(t, 1, b.freed)
	b.pump()
	require.Contains(t, b.states, api.DTLSStateClosed)
	require.Empty(t, b.dir.fragments)
	require.Empty(t, b.dir.tuples)
	b.deliver(enginetest.KeyFrame(10, 2))
	require.Len(t, b.sent, before+1, "nothing but close_notify")
}

func TestThePeerMayCloseDTLS(t *testing.T) {
	b := established(t, nil)
	b.notifications.Reset()
	b.dtls.Close()
	b.pump()
	require.Equal(t, []string{"dtls CLOSED"}, eventNames(b.notifications.All()))
	b.sendRTP(enginetest.KeyFrame(10, 1))
	require.EqualValues(t, 1, b.w.Drops().NotConnected)
}

// A peer that closed DTLS, or failed at it, may begin anew: when ICE comes back, so does DTLS.
func TestDTLSBeginsAnewWithICE(t *testing.T) {
	b := established(t, nil)
	b.dtls.Close()
	b.pump()
	b.notifications.Reset()
	b.states = nil
	b.check(b.password(), true)
	require.Empty(t, b.notifications.All(), "a check that changes no state begins nothing")
	b.now = b.now.Add(31 * time.Second)
	b.w.HandleTimeout(b.now)
	b.check(b.password(), true)
	require.Equal(t, []string{"ice DISCONNECTED", "tuple 192.0.2.1", "ice COMPLETED", "dtls CONNECTING"}, eventNames(b.notifications.All()))

	b.dtls = dtls.New(certificates()[1], func() { signal(b.dtlsWake) })
	require.NoError(t, b.dtls.Start(dtls.Client, certificates()[0].Fingerprints()))
	b.shake(api.DTLSStateConnected)
	require.Equal(t, api.DTLSStateConnected, b.dump().DTLSState)
	b.produce(b.w.Transport, "p", enginetest.Video(10))
	b.sendRTP(enginetest.KeyFrame(10, 1))
	require.NotZero(t, b.w.Stats(b.now).(*api.WebRtcTransportGetStatsResponse).Base.RTPBytesReceived)
}

func TestAWrongPasswordGetsNowhere(t *testing.T) {
	b := newBrowser(t, nil)
	for range 1000 {
		answer := b.check("not the password at all, no no", true)
		code, _, ok := answer.ErrorCode()
		require.True(t, ok)
		require.Equal(t, 401, code)
	}
	require.Empty(t, b.notifications.All())
	require.Equal(t, api.ICEStateNew, b.dump().ICEState)
	require.Empty(t, b.dir.tuples)
}

// A ClientHello, media or garbage from an address that ICE does not vouch for changes nothing.
func TestStrangersChangeNothing(t *testing.T) {
	b := established(t, nil)
	before, news := len(b.sent), len(b.notifications.All())
	honest := b.addr
	b.addr = strangerAddr
	hello := append([]byte{22, 254, 253}, make([]byte, 60)...)
	b.deliver(hello)
	b.sendRTP(enginetest.KeyFrame(10, 1))
	b.sendRTCP(&rtcp.Goodbye{Sources: []uint32{10}})
	b.deliver([]byte("GET / HTTP/1.1\r\n\r\n"))
	b.deliver([]byte{200, 1, 2})
	require.EqualValues(t, 3, b.w.Drops().ForeignSender)
	require.EqualValues(t, 2, b.w.Drops().Unrecognized+b.w.Drops().RTCPMalformed)
	b.addr = honest
	require.Len(t, b.sent, before)
	require.Len(t, b.notifications.All(), news)
	require.Equal(t, api.DTLSStateConnected, b.dump().DTLSState)
}

func TestMediaBeforeTheKeysIsDropped(t *testing.T) {
	b := newBrowser(t, nil)
	b.check(b.password(), true)
	b.deliver(enginetest.KeyFrame(10, 1))
	b.deliver([]byte{0x80, 203, 0, 0})
	require.EqualValues(t, 2, b.w.Drops().NotConnected)
}

func TestReplayedAndCorruptedMediaIsCounted(t *testing.T) {
	b := established(t, nil)
	b.produce(b.w.Transport, "p", enginetest.Video(10))
	space := append(enginetest.KeyFrame(10, 1), make([]byte, 64)...)
	n, err := b.sender.ProtectRTP(space, len(enginetest.KeyFrame(10, 1)), 12)
	require.NoError(t, err)
	for range 3 {
		b.deliver(space[:n])
	}
	require.EqualValues(t, 2, b.w.Drops().Replayed)
	space[n-1]++
	space[3] = 9 // another sequence number
	b.deliver(space[:n])
	b.deliver([]byte{0x80, 201, 0, 1, 0, 0, 0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x80, 0, 0, 0})
	require.EqualValues(t, 2, b.w.Drops().Unauthenticated)
	require.Equal(t, api.DTLSStateConnected, b.dump().DTLSState)
}

func TestAWrongFingerprintFails(t *testing.T) {
	b := newBrowser(t, nil)
	b.check(b.password(), true)
	wrong := append([]api.Fingerprint(nil), certificates()[0].Fingerprints()[2])
	b.connect(wrong)
	require.NoError(t, b.dtls.Start(dtls.Client, certificates()[0].Fingerprints()))
	b.shake(api.DTLSStateFailed)
	require.Contains(t, eventNames(b.notifications.All()), "dtls FAILED")
	require.NotContains(t, eventNames(b.notifications.All()), "dtls CONNECTED")
}

func TestConnectIsCheckedAndComesOnce(t *testing.T) {
	b := newBrowser(t, nil)
	_, err := b.w.Connect(b.now, &api.WebRtcTransportConnectRequest{DTLSParameters: &api.DTLSParameters{}})
	require.ErrorContains(t, err, "empty dtlsParameters.fingerprints array")
	_, err = b.w.Connect(b.now, &api.WebRtcTransportConnectRequest{})
	require.ErrorContains(t, err, "empty dtlsParameters.fingerprints array")
	b.connect(certificates()[1].Fingerprints())
	_, err = b.w.Connect(b.now, &api.WebRtcTransportConnectRequest{
		DTLSParameters: &api.DTLSParameters{Fingerprints: certificates()[1].Fingerprints()},
	})
	require.ErrorContains(t, err, "connect() already called")
	require.Empty(t, b.notifications.All(), "DTLS waits for ICE")
}

func TestWithAPeerThatLeavesTheRoleToUsWeAreClient(t *testing.T) {
	for _, role := range []api.DTLSRole{api.DTLSRoleAuto, api.DTLSRoleServer} {
		b := newBrowser(t, nil)
		response, err := b.w.Connect(b.now, &api.WebRtcTransportConnectRequest{
			DTLSParameters: &api.DTLSParameters{Fingerprints: certificates()[1].Fingerprints(), Role: role},
		})
		require.NoError(t, err)
		require.Equal(t, api.DTLSRoleClient, response.DTLSLocalRole)
		require.NoError(t, b.dtls.Start(dtls.Server, certificates()[0].Fingerprints()))
		b.check(b.password(), false)
		require.Equal(t, []string{"tuple 192.0.2.1", "ice CONNECTED", "dtls CONNECTING"}, eventNames(b.notifications.All()))
		b.shake(api.DTLSStateConnected)
	}
}

func TestICERestartKeepsTheCall(t *testing.T) {
	b := established(t, nil)
	old := b.dump().ICEParameters
	b.notifications.Reset()
	response := b.w.RestartICE(b.now)
	require.NotEqual(t, old.UsernameFragment, response.UsernameFragment)
	require.Len(t, b.dir.fragments, 2, "the old credentials are good until the new ones are used")
	b.addr = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.77"), 6000)
	b.check(response.Password, true)
	require.Len(t, b.dir.fragments, 1)
	require.Contains(t, eventNames(b.notifications.All()), "tuple 192.0.2.77")
	require.NotContains(t, eventNames(b.notifications.All()), "dtls CONNECTING")
	b.produce(b.w.Transport, "p", enginetest.Video(10))
	b.sendRTP(enginetest.KeyFrame(10, 1))
	require.NotZero(t, b.w.Stats(b.now).(*api.WebRtcTransportGetStatsResponse).Base.RTPBytesReceived)
}

func TestExpiredConsentDisconnects(t *testing.T) {
	b := established(t, nil)
	b.notifications.Reset()
	require.LessOrEqual(t, b.w.NextTimeout(), b.now.Add(30*time.Second))
	b.now = b.now.Add(31 * time.Second)
	b.w.HandleTimeout(b.now)
	require.Equal(t, []string{"ice DISCONNECTED"}, eventNames(b.notifications.All()))
	require.Nil(t, b.dump().ICESelectedTuple)
	// The peer comes back.
	b.check(b.password(), true)
	require.Equal(t, []string{"ice DISCONNECTED", "tuple 192.0.2.1", "ice COMPLETED"}, eventNames(b.notifications.All()))
	require.LessOrEqual(t, b.w.NextTimeout(), b.now.Add(time.Second), "reports go on")
}

func TestTCPConnections(t *testing.T) {
	b := newBrowser(t, nil)
	b.link = b.newLink(7, api.ProtocolTCP)
	b.check("a wrong password of some length", true)
	require.Zero(t, b.admitted)
	b.w.HandleLinkClosed(b.now, b.link)
	b.check(b.password(), true)
	require.Equal(t, 1, b.admitted)
	require.Equal(t, api.ProtocolTCP, b.dump().ICESelectedTuple.Protocol)
	b.notifications.Reset()
	b.w.HandleLinkClosed(b.now, b.link)
	require.Equal(t, []string{"ice DISCONNECTED"}, eventNames(b.notifications.All()))
	b.w.HandleLinkClosed(b.now, b.link)
	b.link = b.newLink(8, api.ProtocolTCP)
	b.check(b.password(), true)
	b.w.Close()
	require.Equal(t, 1, b.closed)
	b.w.HandleLinkClosed(b.now, b.link)
}

func TestAnnouncedAddressInTheSelectedTuple(t *testing.T) {
	b := newBrowser(t, nil)
	b.link.Announced = "media.example.org"
	b.check(b.password(), true)
	require.Equal(t, "media.example.org", b.dump().ICESelectedTuple.LocalAddress)
}

func TestZonesStayOnTheHost(t *testing.T) {
	b := newBrowser(t, nil)
	b.link.Local = netip.MustParseAddrPort("[fe80::1%eth0]:40000")
	b.addr = netip.MustParseAddrPort("[fe80::2%4]:5000")
	b.check(b.password(), true)
	tuple := b.dump().ICESelectedTuple
	require.Equal(t, []string{"fe80::1", "fe80::2"}, []string{tuple.LocalAddress, tuple.RemoteIP})
}

func TestDataOverDTLS(t *testing.T) {
	b := established(t, func(o *api.WebRtcTransportOptions) {
		o.Base.EnableSCTP, o.Base.IsDataChannel = true, true
		o.Base.MaxSendMessageSize, o.Base.MaxReceiveMessageSize = 1000, 1000
	})
	require.Equal(t, api.SCTPStateNew, *b.dump().Base.SCTPState)
	p, err := b.w.ProduceData(b.now, &api.TransportProduceDataRequest{
		DataProducerID: "d", Type: api.DataProducerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 3, Ordered: new(true)},
	})
	require.NoError(t, err)
	b.w.Settle(b.now)
	require.Equal(t, api.SCTPStateConnecting, *b.dump().Base.SCTPState)
	require.Len(t, b.notifications.Of(api.EventTransportSCTPStateChange), 1)
	require.Equal(t, []string{"d"}, b.dump().Base.DataProducerIDs)
	_, err = b.w.ConsumeData(b.now, &api.TransportConsumeDataRequest{DataConsumerID: "e", Type: api.DataConsumerTypeDirect})
	require.ErrorContains(t, err, "not a direct Transport")
	b.w.CloseDataProducer(b.now, p)
	require.Empty(t, b.dump().Base.DataProducerIDs)
	b.w.Close()
}

func TestBandwidthIsEstimatedInBothDirections(t *testing.T) {
	b := established(t, nil)
	produced, consumed := enginetest.Video(10), enginetest.Video(20)
	for _, s := range []*enginetest.Stream{&produced, &consumed} {
		s.Extensions = []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: 5}}
		s.Feedback = []api.RTCPFeedback{enginetest.TransportCC}
	}
	p := b.produce(b.w.Transport, "p", produced)
	c := b.consumeAs(b.w.Transport, p, "c", consumed, &feedbackRecorder{})
	b.attach(b.w.Transport, p, c)
	p.AddSubscriber(&subscriber{then: func(now unit.Time, pkts []*packet.Packet) { c.Forward(now, pkts) }})
	require.NoError(t, b.w.SetMaxIncomingBitrate(b.now, 500000))

	for seq := range unit.SeqNo(50) {
		frame := enginetest.KeyFrame(10, seq)
		withNumber := append([]byte{0x90}, frame[1:12]...)
		withNumber = append(withNumber, 0xbe, 0xde, 0, 1, 0x51, byte(seq>>8), byte(seq), 0)
		withNumber = append(withNumber, frame[12:]...)
		space := append(append([]byte(nil), withNumber...), make([]byte, 64)...)
		n, err := b.sender.ProtectRTP(space, len(withNumber), 20)
		require.NoError(t, err)
		b.deliver(space[:n])
		b.now = b.now.Add(10 * time.Millisecond)
		if b.w.NextTimeout() <= b.now {
			b.w.HandleTimeout(b.now)
			b.w.Settle(b.now)
		}
	}
	feedback, limits, numbered := 0, 0, map[uint16]bool{}
	for _, sent := range b.sent {
		if len(sent) > 1 && sent[1] >= 192 && sent[1] < 223 {
			clear, err := b.receiver.UnprotectRTCP(append([]byte(nil), sent...))
			require.NoError(t, err)
			pkts, err := rtcp.Unmarshal(clear)
			require.NoError(t, err)
			feedback += len(enginetest.Find[*rtcp.TransportLayerCC](pkts))
			limits += len(enginetest.Find[*rtcp.ReceiverEstimatedMaximumBitrate](pkts))
		} else if clear, err := b.receiver.UnprotectRTP(append([]byte(nil), sent...)); err == nil {
			ext := enginetest.ParseRTP(t, clear).Extension(5)
			require.Len(t, ext, 2)
			numbered[uint16(ext[0])<<8|uint16(ext[1])] = true
		}
	}
	require.GreaterOrEqual(t, feedback, 4)
	require.NotZero(t, limits, "the limit is told by REMB")
	require.GreaterOrEqual(t, len(numbered), 50, "every packet has a number of its own")
	stats := b.w.Stats(b.now).(*api.WebRtcTransportGetStatsResponse).Base
	require.NotZero(t, *stats.AvailableOutgoingBitrate)
	require.NotNil(t, stats.RTPPacketLossSent)
	require.NotNil(t, stats.RTPPacketLossReceived)
	require.NoError(t, b.w.SetMaxOutgoingBitrate(b.now, 100000))
	require.LessOrEqual(t, *b.w.Stats(b.now).(*api.WebRtcTransportGetStatsResponse).Base.AvailableOutgoingBitrate, uint64(100000))
	b.sendRTCP(&rtcp.TransportLayerCC{Header: rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback}, MediaSSRC: 20, PacketStatusCount: 0})
	b.sendRTCP(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 20, FractionLost: 10}}})
}
