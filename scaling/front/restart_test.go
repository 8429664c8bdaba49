package front_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// restartable returns a front over so many nodes that may come back, with a Router.
func restartable(t *testing.T, nodes int, change func(*front.Options)) *room {
	o := options(nodes)
	r := &room{clock: newClock(), nodes: tamper(&o)}
	for i := range o.Nodes {
		o.Nodes[i].Again = true
	}
	o.Clock = r.clock
	if change != nil {
		change(&o)
	}
	r.app = newFrontOf(t, o)
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	return r
}

// own is an address whose ports no other test takes while a node is away.
func own() api.ListenInfo {
	info := loopback()
	info.IP = "127.0.77.1"
	return info
}

// kill ends nodes, and returns when the front knows.
func (r *room) kill(nodes ...int) {
	r.t.Helper()
	for _, i := range nodes {
		r.front().Do(r.nodes[i].kill) // calls of a worker come one at a time
	}
	r.await("the nodes are gone", func() bool {
		away := 0
		for _, what := range r.front().Away() {
			if what == "node" {
				away++
			}
		}
		return away == len(nodes)
	})
}

// revive lets nodes come back, and returns when all that can be restored is.
func (r *room) revive() {
	r.t.Helper()
	r.clock.advance(200 * time.Millisecond)
	r.await("all is restored", func() bool { return len(r.front().Away()) == 0 })
}

func (r *room) restart(nodes ...int) {
	r.t.Helper()
	r.kill(nodes...)
	r.revive()
}

// held lists what there is of the Router on each node, with what is hidden. The front asks nothing meanwhile.
func (r *room) held(router string) (all []string) {
	r.t.Helper()
	for i, n := range r.nodes {
		answers := make(chan answer, 1)
		r.front().Do(func() {
			n.Worker.HandleRequest(&api.Request{ID: 1 << 30, Method: api.MethodRouterDump, HandlerID: router}, func(b api.ResponseBody, err error) { answers <- answer{b, err} })
		})
		d, ok := receive(r.t, answers).body.(*api.RouterDumpResponse)
		if !ok {
			continue // it does not have the Router
		}
		line := func(words ...string) {
			all = append(all, fmt.Sprint("node ", i, ": ", serial.ReplaceAllString(strings.Join(words, " "), "$1")))
		}
		for _, id := range slices.Concat(d.TransportIDs, d.RTPObserverIDs) {
			if !strings.HasPrefix(id, "gazpacho/data/") { // stays, for further data relays
				line(id)
			}
		}
		for _, rows := range [][]api.StringStringArray{d.MapProducerIDConsumerIDs, d.MapProducerIDObserverIDs, d.MapDataProducerIDDataConsumerIDs} {
			for _, row := range rows {
				line(row.Key)
				for _, id := range row.Values {
					line(row.Key, "→", id)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// serial is the number of a hidden object.
var serial = regexp.MustCompile("(gazpacho/[a-z]+)/[0-9]+")

// exact describes what a request is answered, with ports, credentials and keys.
func (a *app) exact(method api.Method, id string) string {
	a.t.Helper()
	got := a.try(method, id, nil)
	require.NoError(a.t, got.err)
	return got.exactly(a.t)
}

func (got answer) exactly(t testing.TB) string {
	t.Helper()
	if got.err != nil {
		return got.err.Error()
	}
	b, err := json.MarshalIndent(got.body, "", " ")
	require.NoError(t, err)
	return string(b)
}

// told returns the events of all objects, by "id event".
func (a *app) told() (all []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, events := range a.events {
		for _, e := range events {
			all = append(all, id+" "+e.Event.String())
		}
	}
	slices.Sort(all)
	return all
}

// ends returns the events that say that something has ended or changed: those of media's quality and of SCTP, which connects again and
// again, are left out.
func (a *app) ends() []string {
	return slices.DeleteFunc(a.told(), func(s string) bool {
		return strings.HasSuffix(s, "SCORE") || strings.HasSuffix(s, "TRACE") || strings.HasSuffix(s, "SCTP_STATE_CHANGE")
	})
}

// A node restarts under a call: a producer is there, with consumers on the same node and on two others, and a consumer of a
// producer of another node. All streams go on, from and to the same addresses, and the application hears nothing.
func TestMediaGoesOnAfterARestart(t *testing.T) {
	r := restartable(t, 3, nil)
	restart := func() { r.restart(0) }
	r.mediaGoesOn(restart, restart)
}

// mediaGoesOn has the first of three nodes restart in some ways.
func (r *room) mediaGoesOn(restarts ...func()) {
	t := r.t.(*testing.T)
	pub := newPublisher(r.app, t, simulcast)            // on the first node
	one, first := r.subscribe(t, "c1", simulcast, nil)  // on the second
	two, second := r.subscribe(t, "c2", simulcast, nil) // on the third
	back := newPeer(t)
	r.plain(t, "back", back) // on the first
	own := consumeRequest("c3", simulcast, false)
	r.must(api.MethodTransportConsume, "back", own)
	other := newPeer(t)
	tuple := r.plain(t, "other", other) // on the second
	r.must(api.MethodTransportProduce, "other", produceRequest(audioProducer, false))
	audio := consumeRequest("c4", audioProducer, false)
	r.must(api.MethodTransportConsume, "back", audio)

	ssrcs := map[*peer]uint32{one: first, two: second, back: *own.RTPParameters.Encodings[0].SSRC}
	flows := func() {
		t.Helper()
		for p, ssrc := range ssrcs {
			before := len(p.received(ssrc))
			r.await("media flows", func() bool { return len(p.received(ssrc)) > before+20 })
		}
		heard := len(back.received(*audio.RTPParameters.Encodings[0].SSRC))
		for seq := 1; len(back.received(*audio.RTPParameters.Encodings[0].SSRC)) == heard; seq++ {
			require.Less(t, seq, 1000, "no sound arrives")
			_, _ = other.conn.WriteToUDPAddrPort(frame(mappedSSRC(audioProducer, 0)+1000000, seq+heard*1000, false), netip.AddrPortFrom(netip.MustParseAddr(tuple.LocalAddress), tuple.LocalPort))
			pause()
		}
	}
	flows()
	told := r.ends()
	dumps := []string{r.exact(api.MethodRouterDump, "r"), r.exact(api.MethodTransportDump, "back")}
	for _, restart := range restarts {
		restart()
		flows()
	}
	require.NotEmpty(t, pub.ssrcs)
	require.Equal(t, dumps, []string{r.exact(api.MethodRouterDump, "r"), r.exact(api.MethodTransportDump, "back")})
	for _, what := range r.ends() {
		if !slices.Contains(told, what) {
			require.Fail(t, "the application hears", what)
		}
	}
}

// furnished is a Router with an object of each kind on each of two nodes, each changed in all ways that there are, and relays both
// ways. It returns the requests whose answers tell what there is.
func furnished(r *room) (dumps [][2]any) {
	add := func(m api.Method, id string) { dumps = append(dumps, [2]any{m, id}) }
	add(api.MethodWorkerDump, "")
	add(api.MethodRouterDump, "r")
	listen := own()
	r.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{
		WebRtcServerID: "s", ListenInfos: []api.ListenInfo{listen, {Protocol: api.ProtocolTCP, IP: listen.IP, PortRange: listen.PortRange, Flags: listen.Flags}},
	})
	add(api.MethodWebRtcServerDump, "s")
	all := []string{"plain", "comedia", "pipe", "srtp", "srtpPipe", "ice", "served"}
	for _, kind := range all {
		for _, node := range []string{"0", "1"} { // they go to the nodes in turn
			r.furnishTransport(kind, kind+node)
			add(api.MethodTransportDump, kind+node)
		}
	}
	for _, node := range []string{"0", "1"} {
		r.must(api.MethodTransportProduce, "plain"+node, produceRequest("p2"+node, false)) // audio
		r.must(api.MethodTransportProduce, "ice"+node, produceRequest("p5"+node, true))    // video; that of the second node is simulcast
		r.must(api.MethodProducerPause, "p2"+node, nil)
		r.must(api.MethodProducerEnableTraceEvent, "p5"+node, &api.ProducerEnableTraceEventRequest{Events: []api.ProducerTraceEventType{api.ProducerTraceEventTypePLI}})
		r.must(api.MethodTransportProduceData, "plain"+node, &api.TransportProduceDataRequest{
			DataProducerID: "dp" + node, Label: "l", Protocol: "p", SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 7},
		})
		for _, id := range []string{"p2" + node, "p5" + node} {
			add(api.MethodProducerDump, id)
		}
		add(api.MethodDataProducerDump, "dp"+node)
	}
	r.must(api.MethodDataProducerPause, "dp1", nil)
	for _, node := range []string{"0", "1"} {
		for _, of := range []string{"0", "1"} {
			r.furnishConsumers("served"+node, "comedia"+node, of)
			for _, id := range []string{"c2" + node + of, "c5" + node + of} {
				add(api.MethodConsumerDump, id)
			}
			add(api.MethodDataConsumerDump, "dc"+node+of)
		}
	}
	r.must(api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
		RTPObserverID: "o0", Options: &api.AudioLevelObserverOptions{MaxEntries: 3, Threshold: -50, Interval: 5000},
	})
	r.must(api.MethodRouterCreateActiveSpeakerObserver, "r", &api.RouterCreateActiveSpeakerObserverRequest{
		RTPObserverID: "o1", Options: &api.ActiveSpeakerObserverOptions{Interval: 1000},
	})
	for _, w := range []string{"o0", "o1"} {
		r.must(api.MethodRTPObserverPause, w, nil)
		for _, p := range []string{"p20", "p21"} {
			r.must(api.MethodRTPObserverAddProducer, w, &api.RTPObserverAddProducerRequest{ProducerID: p})
		}
	}
	return dumps
}

func (r *room) furnishTransport(kind, id string) {
	r.t.Helper()
	info, base := own(), plainRequest(id).Options.Base
	create := func(m api.Method, body api.RequestBody) { r.must(m, "r", body) }
	suite := api.SRTPCryptoSuiteAEADAES256GCM
	switch kind {
	case "plain", "comedia", "srtp":
		create(api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{TransportID: id, Options: &api.PlainTransportOptions{
			Base: base, ListenInfo: &info, RTCPMux: kind == "plain", Comedia: kind != "plain", EnableSRTP: kind == "srtp", SRTPCryptoSuite: &suite,
		}})
	case "pipe", "srtpPipe":
		info = wildcard() // else it would be on the front's own engine
		info.PortRange = unlikelyPorts
		create(api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{TransportID: id, Options: &api.PipeTransportOptions{
			Base: base, ListenInfo: &info, EnableRTX: true, EnableSRTP: kind == "srtpPipe",
		}})
	case "ice":
		announced := info
		announced.AnnouncedAddress, announced.ExposeInternalIP = "media.example.org", true
		tcp := info
		tcp.Protocol = api.ProtocolTCP
		create(api.MethodRouterCreateWebRtcTransport, &api.RouterCreateWebRtcTransportRequest{TransportID: id, Options: &api.WebRtcTransportOptions{
			Base: base, Listen: &api.ListenIndividual{ListenInfos: []api.ListenInfo{announced, tcp, info}}, EnableUDP: true, EnableTCP: true,
		}})
		r.must(api.MethodTransportRestartICE, id, nil)
		r.must(api.MethodWebRtcTransportConnect, id, &api.WebRtcTransportConnectRequest{DTLSParameters: &api.DTLSParameters{
			Fingerprints: certificate().Fingerprints(), Role: api.DTLSRoleClient,
		}})
	default:
		create(api.MethodRouterCreateWebRtcTransportWithServer, &api.RouterCreateWebRtcTransportRequest{TransportID: id, Options: &api.WebRtcTransportOptions{
			Base: base, Listen: &api.ListenServer{WebRtcServerID: "s"}, EnableUDP: true, EnableTCP: true, PreferTCP: true,
		}})
	}
	switch kind {
	case "plain":
		r.must(api.MethodPlainTransportConnect, id, &api.PlainTransportConnectRequest{IP: "127.0.0.1", Port: new(uint16(9))})
	case "pipe":
		r.must(api.MethodPipeTransportConnect, id, &api.PipeTransportConnectRequest{IP: "127.0.0.1", Port: new(uint16(9))})
	}
	r.must(api.MethodTransportSetMaxIncomingBitrate, id, &api.TransportSetMaxIncomingBitrateRequest{MaxIncomingBitrate: 900000})
	r.must(api.MethodTransportSetMinOutgoingBitrate, id, &api.TransportSetMinOutgoingBitrateRequest{MinOutgoingBitrate: 100000})
	r.must(api.MethodTransportSetMaxOutgoingBitrate, id, &api.TransportSetMaxOutgoingBitrateRequest{MaxOutgoingBitrate: 800000})
	r.must(api.MethodTransportEnableTraceEvent, id, &api.TransportEnableTraceEventRequest{Events: []api.TransportTraceEventType{api.TransportTraceEventTypeBWE}})
}

// furnishConsumers makes consumers of what the other node, or the same one, produces.
func (r *room) furnishConsumers(transport, forData, of string) {
	r.t.Helper()
	node := transport[len(transport)-1:]
	c := "c2" + node + of
	r.must(api.MethodTransportConsume, transport, consumeRequest(c, "p2"+of, false))
	r.must(api.MethodConsumerPause, c, nil)
	r.must(api.MethodConsumerSetPriority, c, &api.ConsumerSetPriorityRequest{Priority: 5})
	c = "c5" + node + of
	r.must(api.MethodTransportConsume, transport, consumeRequest(c, "p5"+of, false))
	r.must(api.MethodConsumerSetPreferredLayers, c, &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: 1, TemporalLayer: new(uint8(1))}})
	r.must(api.MethodConsumerEnableTraceEvent, c, &api.ConsumerEnableTraceEventRequest{Events: []api.ConsumerTraceEventType{api.ConsumerTraceEventTypeRTP}})
	d := "dc" + node + of
	q := dataConsumerRequest(d, "dp"+of)
	q.SCTPStreamParameters.StreamID, q.Subchannels = uint16(len(of)+int(of[0])), []uint16{1}
	r.must(api.MethodTransportConsumeData, forData, q)
	r.must(api.MethodDataConsumerPause, d, nil)
	r.must(api.MethodDataConsumerSetBufferedAmountLowThreshold, d, &api.DataConsumerSetBufferedAmountLowThresholdRequest{Threshold: 77})
	r.must(api.MethodDataConsumerAddSubchannel, d, &api.DataConsumerAddSubchannelRequest{Subchannel: 9})
}

func (r *room) dumpAll(dumps [][2]any) (all []string) {
	r.t.Helper()
	for _, d := range dumps {
		all = append(all, d[1].(string)+" "+r.exact(d[0].(api.Method), d[1].(string)))
	}
	return all
}

// An object of every kind is as it was before, to the last port and password, whichever of its nodes restarts, and if all do at once.
func TestEveryKindIsRestored(t *testing.T) {
	r := restartable(t, 2, nil)
	dumps := furnished(r)
	before, told, held := r.dumpAll(dumps), r.told(), r.held("r")
	ordered := true
	for _, nodes := range [][]int{{0}, {1}, {0, 1}, {1}} {
		r.restart(nodes...)
		ordered = ordered && len(nodes) == 1 // consumers of one transport may come back in the order of their producers' nodes
		for i, after := range r.dumpAll(dumps) {
			if ordered {
				require.Equal(t, before[i], after, "after the restart of %v", nodes)
			} else {
				require.Equal(t, unordered(before[i]), unordered(after), "after the restart of %v", nodes)
			}
		}
		require.Equal(t, held, r.held("r"), "after the restart of %v", nodes)
	}
	require.Equal(t, slices.Compact(told), slices.Compact(r.told()), "SCTP connects again")
}

// beginDTLS has the front told that a transport's DTLS has come to a state.
func (r *room) beginDTLS(node int, transport string, state api.DTLSState) {
	r.t.Helper()
	r.front().Tell(node, &api.Notification{
		HandlerID: transport, Event: api.EventWebRtcTransportDTLSStateChange,
		Body: &api.WebRtcTransportDTLSStateChangeNotification{DTLSState: state},
	})
	r.awaitEvent(transport, api.EventWebRtcTransportDTLSStateChange)
}

// endings are the events of transports and consumers that end.
var (
	iceDisconnected = "WEBRTCTRANSPORT_ICE_STATE_CHANGE " + api.ICEStateDisconnected.String()
	dtlsClosed      = "WEBRTCTRANSPORT_DTLS_STATE_CHANGE " + api.DTLSStateClosed.String()
)

// history returns an object's events, with states.
func (a *app) history(id string) (all []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.events[id] {
		text := e.Event.String()
		switch body := e.Body.(type) {
		case *api.WebRtcTransportICEStateChangeNotification:
			text += " " + body.ICEState.String()
		case *api.WebRtcTransportDTLSStateChangeNotification:
			text += " " + body.DTLSState.String()
		}
		all = append(all, text)
	}
	return all
}

// What had keys is lost with its node: a WebRtcTransport that was connected, plain and pipe transports with SRTP that were. The application hears
// so at once, and consumers of what they held close, on other nodes at once, on the same node when it is back.
func TestKeysAreLost(t *testing.T) {
	r := restartable(t, 2, nil)
	transports := []string{"ice0", "ice1", "srtp0", "srtp1", "srtpPipe0", "srtpPipe1", "plain0", "plain1"}
	for _, id := range transports {
		r.furnishTransport(id[:len(id)-1], id)
	}
	r.beginDTLS(0, "ice0", api.DTLSStateConnecting)
	key := &api.SRTPParameters{CryptoSuite: api.SRTPCryptoSuiteAEADAES256GCM, KeyBase64: strings.Repeat("A", 59) + "="}
	dump := r.must(api.MethodTransportDump, "srtp0", nil).(*api.PlainTransportDumpResponse)
	key.KeyBase64 = dump.SRTPParameters.KeyBase64
	r.must(api.MethodPlainTransportConnect, "srtp0", &api.PlainTransportConnectRequest{SRTPParameters: key})
	r.must(api.MethodPipeTransportConnect, "srtpPipe0", &api.PipeTransportConnectRequest{IP: "127.0.0.1", Port: new(uint16(9)), SRTPParameters: key})
	sources := map[string]string{"ice0": "p21", "srtp0": "p28", "srtpPipe0": "p35"} // audio
	for transport, p := range sources {
		r.must(api.MethodTransportProduce, transport, produceRequest(p, false))
		r.must(api.MethodTransportConsume, "plain0", consumeRequest("c0"+p[1:], p, false))
		r.must(api.MethodTransportConsume, "plain1", consumeRequest("c1"+p[1:], p, false))
	}
	r.must(api.MethodTransportProduceData, "ice0", dataProducerRequest("dp"))
	r.must(api.MethodTransportConsumeData, "plain0", dataConsumerRequest("dc0", "dp"))
	r.must(api.MethodTransportConsumeData, "plain1", dataConsumerRequest("dc1", "dp"))
	r.must(api.MethodTransportConsume, "ice0", consumeRequest("c99", "p28", false))
	r.must(api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
		RTPObserverID: "o", Options: &api.AudioLevelObserverOptions{MaxEntries: 3, Threshold: -50, Interval: 5000},
	})
	for _, p := range []string{"p21", "p28"} {
		r.must(api.MethodRTPObserverAddProducer, "o", &api.RTPObserverAddProducerRequest{ProducerID: p})
	}
	r.kill(0)
	require.Equal(t, []string{iceDisconnected, dtlsClosed}, r.history("ice0")[1:])
	for _, p := range sources {
		r.awaitEvent("c1"+p[1:], api.EventConsumerProducerClose)
		require.Empty(t, r.history("c0"+p[1:]), "its node is not there")
	}
	r.awaitEvent("dc1", api.EventDataConsumerDataProducerClose)

	r.revive()
	for _, p := range sources {
		r.awaitEvent("c0"+p[1:], api.EventConsumerProducerClose)
		r.refused("not found", api.MethodConsumerDump, "c0"+p[1:], nil)
	}
	r.awaitEvent("dc0", api.EventDataConsumerDataProducerClose)
	for _, id := range []string{"ice1", "srtp0", "srtp1", "srtpPipe0", "srtpPipe1", "c99"} {
		require.Empty(t, r.history(id), id)
	}
	for _, id := range []string{"ice0", "srtp0", "srtpPipe0"} {
		r.refused("node node1 is gone: power cut", api.MethodTransportDump, id, nil)
		r.refused("node node1 is gone", api.MethodTransportConsume, id, consumeRequest("c98", "p21", false))
	}
	for transport, p := range sources {
		r.refused("is gone", api.MethodProducerDump, p, nil)
		r.refused("is gone", api.MethodTransportConsume, "plain1", consumeRequest("c97", p, false))
		r.must(api.MethodTransportCloseProducer, transport, &api.TransportCloseProducerRequest{ProducerID: p})
		r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: transport})
	}
	for _, id := range []string{"ice1", "srtp1", "srtpPipe1", "plain0", "plain1"} {
		r.must(api.MethodTransportDump, id, nil)
	}
	r.clock.advance(30 * time.Second)
	require.Empty(t, r.front().Hidden())
	require.Equal(t, []string{"node 0: o", "node 0: plain0", "node 1: ice1", "node 1: plain1", "node 1: srtp1", "node 1: srtpPipe1"}, r.held("r"))
}

// A transport whose port was taken meanwhile, or that would come back with another address or certificate, counts as gone: the
// application hears it then. So do those of a WebRtcServer that does not come back.
func TestTransportsThatDoNotComeBack(t *testing.T) {
	r := restartable(t, 2, nil)
	listen := own()
	r.must(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s", ListenInfos: []api.ListenInfo{listen}})
	for _, id := range []string{"plain0", "plain1", "ice0", "ice1", "served0", "served1", "comedia0", "comedia1"} {
		r.furnishTransport(id[:len(id)-1], id)
	}
	r.must(api.MethodTransportProduce, "plain0", produceRequest("p21", false))
	r.must(api.MethodTransportProduce, "comedia0", produceRequest("p28", false))
	for _, node := range []string{"0", "1"} {
		r.must(api.MethodTransportConsume, "ice"+node, consumeRequest("c1"+node, "p21", false))
		r.must(api.MethodTransportConsume, "comedia"+node, consumeRequest("c2"+node, "p21", false))
		r.must(api.MethodTransportConsume, "plain"+node, consumeRequest("c3"+node, "p28", false))
	}
	take := func(port uint16) {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(listen.IP), Port: int(port)})
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
	}
	plain := r.must(api.MethodTransportDump, "plain0", nil).(*api.PlainTransportDumpResponse)
	server := r.must(api.MethodWebRtcServerDump, "s", nil).(*api.WebRtcServerDumpResponse)
	r.nodes[0].refuseIf(func(req *api.Request) error { // another certificate, as it looks to the front
		if body, ok := req.Body.(*api.RouterCreateWebRtcTransportRequest); ok && body.TransportID == "ice0" {
			body.Options.Base.Restore = nil
		}
		return nil
	})
	r.kill(0)
	require.Empty(t, r.ends())
	take(plain.Tuple.LocalPort)
	take(server.UDPSockets[0].Port)
	r.revive()
	for _, id := range []string{"c20", "c11", "c21"} {
		r.awaitEvent(id, api.EventConsumerProducerClose)
	}
	require.Equal(t, []string{iceDisconnected, dtlsClosed}, r.history("ice0"))
	require.Equal(t, []string{iceDisconnected, dtlsClosed}, r.history("served0"))
	for _, id := range []string{"plain0", "plain1", "ice1", "served1", "comedia0", "comedia1", "c10", "c30", "c31"} {
		require.Empty(t, r.history(id), id)
	}
	for _, id := range []string{"plain0", "ice0", "served0"} {
		r.refused("node node1 is gone", api.MethodTransportDump, id, nil)
	}
	for _, id := range []string{"plain1", "ice1", "served1", "comedia0", "comedia1"} {
		r.must(api.MethodTransportDump, id, nil)
	}
	r.must(api.MethodConsumerDump, "c31", nil)
	r.clock.advance(30 * time.Second)
	require.Equal(t, []string{
		"node 0: comedia0", "node 0: gazpacho/pipe", "node 0: p28", "node 0: p28 → gazpacho/relay", "node 1: comedia1",
		"node 1: gazpacho/pipe", "node 1: ice1", "node 1: p28", "node 1: p28 → c31", "node 1: plain1", "node 1: served1",
	}, slices.Compact(r.held("r")))
	r.must(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
}

// A node that comes back after it was given up brings what the application has not been told the end of. Meanwhile transports are
// placed elsewhere.
func TestNodeThatComesBackLate(t *testing.T) {
	r := restartable(t, 2, nil)
	for _, id := range []string{"plain0", "plain1", "ice0", "ice1"} {
		r.furnishTransport(id[:len(id)-1], id)
	}
	r.must(api.MethodTransportProduce, "plain0", produceRequest("p21", false))
	r.must(api.MethodTransportProduce, "plain1", produceRequest("p28", false))
	r.must(api.MethodTransportConsume, "plain0", consumeRequest("c0", "p28", false))
	r.must(api.MethodTransportConsume, "plain0", consumeRequest("c2", "p21", false))
	r.must(api.MethodTransportConsume, "plain1", consumeRequest("c1", "p21", false))
	r.must(api.MethodTransportProduceData, "plain0", dataProducerRequest("dp"))
	r.must(api.MethodTransportConsumeData, "plain1", dataConsumerRequest("dc", "dp"))
	r.must(api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
		RTPObserverID: "o", Options: &api.AudioLevelObserverOptions{MaxEntries: 3, Threshold: -50, Interval: 5000},
	})
	r.must(api.MethodRTPObserverAddProducer, "o", &api.RTPObserverAddProducerRequest{ProducerID: "p28"})
	dump := r.exact(api.MethodTransportDump, "plain0")
	r.nodes[0].freeze() // what comes back does not answer yet
	r.kill(0)
	r.clock.advance(200 * time.Millisecond)
	r.front().Do(func() {})
	r.refused("is gone", api.MethodTransportDump, "plain0", nil)
	require.Empty(t, r.ends())
	r.furnishTransport("plain", "elsewhere")
	r.must(api.MethodTransportDump, "elsewhere", nil)

	r.clock.advance(10 * time.Second)
	r.awaitEvent("c1", api.EventConsumerProducerClose)
	r.awaitEvent("dc", api.EventDataConsumerDataProducerClose)
	require.Equal(t, []string{iceDisconnected, dtlsClosed}, r.history("ice0"))
	r.refused("is gone", api.MethodTransportConsume, "plain1", consumeRequest("c3", "p21", false))
	require.Empty(t, r.front().Hidden())

	r.front().Do(r.nodes[0].thaw)
	r.await("all is restored", func() bool { return len(r.front().Away()) == 0 })
	require.Equal(t, dump, r.exact(api.MethodTransportDump, "plain0"))
	r.refused("is gone", api.MethodTransportDump, "ice0", nil)
	r.must(api.MethodConsumerDump, "c0", nil)
	r.must(api.MethodConsumerDump, "c2", nil)
	r.must(api.MethodTransportConsume, "plain1", consumeRequest("c3", "p21", false))
	r.must(api.MethodConsumerDump, "c3", nil)
	for _, id := range []string{"c0", "c2", "ice1"} {
		require.Empty(t, r.history(id), id)
	}
}

// A node that ends again a while after it came back is waited for as long as the first time.
func TestNodeThatEndsAgain(t *testing.T) {
	r := restartable(t, 2, nil)
	for _, id := range []string{"plain0", "plain1", "ice0", "ice1"} {
		r.furnishTransport(id[:len(id)-1], id)
	}
	r.must(api.MethodTransportProduce, "plain0", produceRequest("p21", false))
	r.must(api.MethodTransportConsume, "plain1", consumeRequest("c1", "p21", false))
	r.restart(0)
	r.clock.advance(8 * time.Second)
	r.nodes[0].freeze()
	r.kill(0)
	for range 9 { // until long after it would have been given up the first time
		r.clock.advance(time.Second)
		r.front().Do(func() {})
		require.Empty(t, r.ends())
	}
	r.front().Do(r.nodes[0].thaw)
	r.await("all is restored", func() bool { return len(r.front().Away()) == 0 })
	for _, id := range []string{"plain0", "ice0"} {
		r.must(api.MethodTransportDump, id, nil)
	}
	r.must(api.MethodConsumerDump, "c1", nil)
	require.Empty(t, r.ends())

	r.nodes[0].freeze()
	r.kill(0)
	r.clock.advance(10 * time.Second)
	r.awaitEvent("c1", api.EventConsumerProducerClose)
	require.Equal(t, []string{iceDisconnected, dtlsClosed}, r.history("ice0"))
}

// A pipe's end tells of silence just when its node is about to be told of the new end at a node that came back: that is no cut.
func TestSilenceBeforeARestartIsKnown(t *testing.T) {
	r := restartable(t, 2, nil)
	r.furnishTransport("plain", "a")
	r.furnishTransport("plain", "b")
	r.must(api.MethodTransportProduce, "a", produceRequest("p21", false))
	r.must(api.MethodTransportConsume, "b", consumeRequest("c21", "p21", false))
	told := false // the control goroutine's
	r.nodes[1].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodPipeTransportConnect {
			r.nodes[1].emit(&api.Notification{HandlerID: req.HandlerID, Event: api.EventPipeTransportSilent})
			told = true
		}
		return nil
	})
	r.restart(0)
	r.await("it has told", func() (has bool) {
		r.front().Do(func() { has = told })
		return has
	})
	for range 12 {
		r.clock.advance(time.Second)
		r.front().Do(func() {})
	}
	require.False(t, r.front().Cut(0, 1))
	require.Empty(t, r.ends())
}

// A node that comes back and refuses a part of what was on it, for whatever reason: the rest comes back, consumers of what does not are
// closed, and nothing is left over.
func TestPartsThatDoNotComeBack(t *testing.T) {
	for _, method := range []api.Method{
		api.MethodTransportProduce, api.MethodTransportConsume, api.MethodTransportProduceData, api.MethodTransportConsumeData,
		api.MethodRouterCreatePipeTransport, api.MethodRouterCreateAudioLevelObserver, api.MethodRTPObserverAddProducer,
		api.MethodConsumerSetPriority, api.MethodWorkerCreateWebRtcServer, api.MethodPipeTransportConnect, api.MethodRouterCreateDirectTransport,
	} {
		t.Run(method.Name(), func(t *testing.T) {
			r := restartable(t, 2, nil)
			furnished(r)
			r.nodes[0].refuseIf(func(req *api.Request) error {
				if req.Method == method {
					return api.Errorf("not any more")
				}
				return nil
			})
			r.restart(0)
			r.nodes[0].refuseIf(nil)
			r.checkNodes()
			for _, id := range []string{"plain0", "comedia0", "srtp0", "ice0", "plain1", "comedia1", "ice1", "served1"} {
				r.must(api.MethodTransportDump, id, nil)
			}
			r.restart(0, 1)
			r.checkNodes()
			r.checkEmpty()
		})
	}
}

// A node that ends while it is being restored, at any of its answers, is restored when it comes back the next time.
func TestNodeThatEndsWhileItIsRestored(t *testing.T) {
	for _, method := range []api.Method{
		api.MethodWorkerDump, api.MethodWorkerCreateWebRtcServer, api.MethodRouterCreatePlainTransport, api.MethodTransportProduce,
		api.MethodRouterCreatePipeTransport, api.MethodTransportConsume, api.MethodTransportConsumeData, api.MethodRTPObserverAddProducer,
	} {
		t.Run(method.Name(), func(t *testing.T) {
			r := restartable(t, 2, nil)
			furnished(r)
			r.kill(0)
			ended := false // both are the control goroutine's
			r.nodes[0].refuseIf(func(req *api.Request) error {
				if ended = ended || req.Method == method; ended {
					return api.Errorf("power cut")
				}
				return nil
			})
			r.clock.advance(200 * time.Millisecond)
			r.await("it refuses everything", func() (refuses bool) {
				r.front().Do(func() { refuses = ended })
				return refuses && !slices.Contains(r.front().Away(), "router")
			})
			r.front().Do(r.nodes[0].kill)
			r.nodes[0].refuseIf(nil)
			r.await("its end is known", func() bool { return slices.Contains(r.front().Away(), "node") })
			r.revive()
			r.checkNodes()
			for _, id := range []string{"plain0", "comedia0", "pipe0", "srtp0", "srtpPipe0", "ice0", "served0"} {
				r.must(api.MethodTransportDump, id, nil)
			}
			for _, id := range []string{"p20", "p50", "dp0"} {
				require.NotEmpty(t, r.inventory()[id].Node, id)
			}
			r.checkEmpty()
		})
	}
}

// What comedia has found is known again, so that media goes out at once.
func TestComediaAfterARestart(t *testing.T) {
	r := restartable(t, 1, nil)
	p := newPeer(t)
	info := own()
	tuple := r.must(api.MethodRouterCreatePlainTransport, "r", &api.RouterCreatePlainTransportRequest{
		TransportID: "t", Options: &api.PlainTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info, Comedia: true},
	}).(*api.PlainTransportDumpResponse)
	r.must(api.MethodTransportProduce, "t", produceRequest(audioProducer, false))
	for _, local := range []*api.TransportTuple{tuple.Tuple, tuple.RTCPTuple} {
		b := frame(mappedSSRC(audioProducer, 0)+1000000, 1, true)
		if local == tuple.RTCPTuple {
			b = []byte{0x80, 203, 0, 0} // a BYE of no source
		}
		_, err := p.conn.WriteToUDPAddrPort(b, netip.AddrPortFrom(netip.MustParseAddr(local.LocalAddress), local.LocalPort))
		require.NoError(t, err)
	}
	r.awaitEvent("t", api.EventPlainTransportTuple)
	r.awaitEvent("t", api.EventPlainTransportRTCPTuple)
	before, told := r.must(api.MethodTransportDump, "t", nil), r.ends()
	r.restart(0)
	after := r.must(api.MethodTransportDump, "t", nil).(*api.PlainTransportDumpResponse)
	require.Equal(t, p.addr().Port(), after.Tuple.RemotePort)
	require.Equal(t, before.(*api.PlainTransportDumpResponse).Tuple, after.Tuple)
	require.Equal(t, before.(*api.PlainTransportDumpResponse).RTCPTuple, after.RTCPTuple)
	require.Equal(t, told, r.ends())
}

// What a node is to be fed from one node is there for its consumers however long another one takes to feed the rest.
func TestRestoringTakesLong(t *testing.T) {
	r := restartable(t, 3, nil)
	r.plain(t, "first", newPeer(t))
	r.plain(t, "second", newPeer(t))
	r.plain(t, "third", newPeer(t))
	r.must(api.MethodTransportProduce, "first", produceRequest(simulcast, false))
	r.must(api.MethodTransportProduce, "second", produceRequest(audioProducer, false))
	r.must(api.MethodTransportConsume, "third", consumeRequest("c1", simulcast, false))
	r.must(api.MethodTransportConsume, "third", consumeRequest("c2", audioProducer, false))
	sources := []string{"node3: p0 from node2", "node3: p2 from node1"}
	require.Equal(t, sources, r.front().Sources())
	told := r.ends()
	r.kill(2)
	r.nodes[1].freeze()
	r.clock.advance(200 * time.Millisecond)
	r.awaitSources("node3: p2 from node1")
	for range 6 {
		r.clock.advance(time.Second)
		r.front().Do(func() {})
	}
	r.front().Do(r.nodes[1].thaw)
	r.await("all is restored", func() bool { return len(r.front().Away()) == 0 })
	require.Equal(t, sources, r.front().Sources())
	require.Equal(t, told, r.ends())

	// Nothing of it is left when nobody uses it any more.
	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "third"})
	r.clock.advance(5 * time.Second)
	r.front().Do(func() {})
	require.Empty(t, r.front().Sources())
}
