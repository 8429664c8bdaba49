package front_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"

	"gazpacho/engine/api"
)

// generator makes requests as applications do, and some as they should not. It remembers which ids it has used for what, not whether
// the requests were accepted.
type generator struct {
	*rand.Rand
	ids map[string][]string // by kind of object
	all []string
	of  map[string]string // what an object was asked to be created in: a transport's Router, a producer's transport

	unanswered map[string]bool // ids of new objects since answers were waited for last
	again      bool            // the last request has one of them once more

	listen, wildcard api.ListenInfo // where transports listen, and a few of them
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, seed)), ids: map[string][]string{}, of: map[string]string{}, unanswered: map[string]bool{}, listen: loopback(), wildcard: wildcard()}
}

// fresh returns an id for a new object: now and then one that is taken.
func (g *generator) fresh(kind string) string {
	if len(g.all) > 0 && g.IntN(20) == 0 {
		id := g.all[g.IntN(len(g.all))]
		g.again = g.unanswered[id]
		return id
	}
	id := fmt.Sprint(kind, len(g.all))
	g.unanswered[id] = true
	g.ids[kind] = append(g.ids[kind], id)
	g.all = append(g.all, id)
	return id
}

// some returns an id of an object of a kind: mostly a young one, now and then one of another kind, or of nothing.
func (g *generator) some(kind string) string {
	list := g.ids[kind]
	switch n := g.IntN(60); {
	case n == 0 && len(g.all) > 0:
		return g.all[g.IntN(len(g.all))]
	case n == 1 || len(list) == 0:
		return "nothing"
	}
	if recent := 12; len(list) > recent && g.IntN(4) > 0 {
		list = list[len(list)-recent:]
	}
	return list[g.IntN(len(list))]
}

// inside returns an id of an object of a kind that was to be created in another one, mostly.
func (g *generator) inside(kind, parent string) string {
	var list []string
	for _, id := range g.ids[kind] {
		if g.of[id] == parent {
			list = append(list, id)
		}
	}
	if len(list) == 0 || g.IntN(20) == 0 {
		return g.some(kind)
	}
	return list[g.IntN(len(list))]
}

// parent returns what an object was to be created in, mostly.
func (g *generator) parent(kind, id string) string {
	if of, ok := g.of[id]; ok && g.IntN(20) > 0 {
		return of
	}
	return g.some(kind)
}

// partner returns a transport in the Router of a producer.
func (g *generator) partner(producer string) string { return g.inside("t", g.of[g.of[producer]]) }

// call is a request without its number.
type call struct {
	method  api.Method
	handler string
	body    api.RequestBody
}

// next returns another request.
func (g *generator) next() call {
	if g.IntN(100) == 0 { // any method of anybody, without a body
		return call{api.Method(g.IntN(70)), g.some("r"), nil}
	}
	makers := []struct {
		weight int
		make   func() call
	}{
		{3, g.createRouter},
		{1, g.closeRouter},
		{1, g.createServer},
		{1, g.closeServer},
		{14, g.createTransport},
		{4, g.closeTransport},
		{8, g.onTransport},
		{10, g.produce},
		{3, g.closeProducer},
		{14, g.onProducer},
		{20, g.consume},
		{6, g.closeConsumer},
		{14, g.onConsumer},
		{6, g.produceData},
		{2, g.closeDataProducer},
		{6, g.onDataProducer},
		{10, g.consumeData},
		{3, g.closeDataConsumer},
		{8, g.onDataConsumer},
		{3, g.createObserver},
		{1, g.closeObserver},
		{6, g.onObserver},
		{4, g.dump},
	}
	total := 0
	for _, m := range makers {
		total += m.weight
	}
	n := g.IntN(total)
	for _, m := range makers {
		if n -= m.weight; n < 0 {
			return m.make()
		}
	}
	panic("unreachable")
}

func (g *generator) createRouter() call {
	return call{api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: g.fresh("r")}}
}

func (g *generator) closeRouter() call {
	if len(g.ids["r"]) < 4 || g.IntN(3) > 0 {
		return g.createRouter()
	}
	return call{api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: g.some("r")}}
}

func (g *generator) createServer() call {
	infos := []api.ListenInfo{g.listen}
	if g.IntN(2) == 0 {
		tcp := g.listen
		tcp.Protocol = api.ProtocolTCP
		infos = append(infos, tcp)
	}
	if g.IntN(10) == 0 {
		infos = nil
	}
	return call{api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: g.fresh("s"), ListenInfos: infos}}
}

func (g *generator) closeServer() call {
	return call{api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: g.some("s")}}
}

func (g *generator) dump() call {
	switch g.IntN(8) {
	case 0:
		return call{api.MethodWorkerDump, "", nil}
	case 1:
		return call{api.MethodWorkerGetResourceUsage, "", nil}
	case 2:
		return call{api.MethodWorkerUpdateSettings, "", &api.WorkerUpdateSettingsRequest{}}
	case 3:
		return call{api.MethodWebRtcServerDump, g.some("s"), nil}
	default:
		return call{api.MethodRouterDump, g.some("r"), nil}
	}
}

func (g *generator) options() *api.TransportOptions {
	return &api.TransportOptions{
		EnableSCTP: g.IntN(2) == 0, MaxSendMessageSize: 1 << 18, MaxReceiveMessageSize: 1 << 18, SCTPSendBufferSize: 1 << 18,
		SCTPPerStreamSendQueueLimit: 1 << 18, SCTPMaxReceiverWindowBufferSize: 1 << 20,
	}
}

func (g *generator) createTransport() call {
	router, info, id := g.some("r"), g.listen, g.fresh("t")
	g.of[id] = router
	switch g.IntN(12) {
	case 0:
		info.IP = "no address"
	case 1:
		info = g.wildcard
	}
	switch g.IntN(6) {
	case 0:
		o := g.options()
		o.Direct, o.EnableSCTP = true, g.IntN(8) == 0
		return call{api.MethodRouterCreateDirectTransport, router, &api.RouterCreateDirectTransportRequest{
			TransportID: id, Options: &api.DirectTransportOptions{Base: o},
		}}
	case 1:
		return call{api.MethodRouterCreatePipeTransport, router, &api.RouterCreatePipeTransportRequest{
			TransportID: id, Options: &api.PipeTransportOptions{
				Base: g.options(), ListenInfo: &info, EnableRTX: g.IntN(2) == 0, EnableSRTP: g.IntN(2) == 0,
			},
		}}
	case 2:
		return call{api.MethodRouterCreateWebRtcTransport, router, &api.RouterCreateWebRtcTransportRequest{
			TransportID: id, Options: &api.WebRtcTransportOptions{
				Base: g.options(), Listen: &api.ListenIndividual{ListenInfos: []api.ListenInfo{info}}, EnableUDP: true,
			},
		}}
	case 3:
		return call{api.MethodRouterCreateWebRtcTransportWithServer, router, &api.RouterCreateWebRtcTransportRequest{
			TransportID: id, Options: &api.WebRtcTransportOptions{
				Base: g.options(), Listen: &api.ListenServer{WebRtcServerID: g.some("s")}, EnableUDP: true, EnableTCP: g.IntN(2) == 0,
			},
		}}
	default:
		srtp := g.IntN(4) == 0
		return call{api.MethodRouterCreatePlainTransport, router, &api.RouterCreatePlainTransportRequest{
			TransportID: id, Options: &api.PlainTransportOptions{
				Base: g.options(), ListenInfo: &info, RTCPMux: g.IntN(2) == 0, Comedia: !srtp && g.IntN(2) == 0,
				EnableSRTP: srtp, SRTPCryptoSuite: new(api.SRTPCryptoSuiteAEADAES256GCM),
			},
		}}
	}
}

func (g *generator) closeTransport() call {
	t := g.some("t")
	return call{api.MethodRouterCloseTransport, g.parent("r", t), &api.RouterCloseTransportRequest{TransportID: t}}
}

// srtp returns a key, or none.
func (g *generator) srtp() *api.SRTPParameters {
	if g.IntN(3) > 0 {
		return nil
	}
	return &api.SRTPParameters{CryptoSuite: api.SRTPCryptoSuiteAEADAES256GCM, KeyBase64: base64.StdEncoding.EncodeToString(make([]byte, 44))}
}

func (g *generator) onTransport() call {
	t := g.some("t")
	switch g.IntN(9) {
	case 0:
		return call{api.MethodPlainTransportConnect, t, &api.PlainTransportConnectRequest{
			IP: "127.0.0.1", Port: new(uint16(9)), RTCPPort: new(uint16(9)), SRTPParameters: g.srtp(),
		}}
	case 1:
		return call{api.MethodPipeTransportConnect, t, &api.PipeTransportConnectRequest{IP: "127.0.0.1", Port: new(uint16(9)), SRTPParameters: g.srtp()}}
	case 2:
		return call{api.MethodTransportSetMaxIncomingBitrate, t, &api.TransportSetMaxIncomingBitrateRequest{MaxIncomingBitrate: g.Uint64() >> g.IntN(60)}}
	case 3:
		return call{api.MethodTransportSetMaxOutgoingBitrate, t, &api.TransportSetMaxOutgoingBitrateRequest{MaxOutgoingBitrate: g.Uint64() >> g.IntN(60)}}
	case 4:
		return call{api.MethodTransportSetMinOutgoingBitrate, t, &api.TransportSetMinOutgoingBitrateRequest{MinOutgoingBitrate: g.Uint64() >> g.IntN(60)}}
	case 5:
		return call{api.MethodTransportRestartICE, t, nil}
	case 6:
		return call{api.MethodTransportEnableTraceEvent, t, &api.TransportEnableTraceEventRequest{Events: []api.TransportTraceEventType{api.TransportTraceEventTypeBWE}}}
	case 7:
		return call{api.MethodTransportGetStats, t, nil}
	default:
		return call{api.MethodTransportDump, t, nil}
	}
}

// shape is how a producer sends.
type shape struct {
	kind      api.MediaKind
	codec     string
	encodings int
	mode      string
}

// shapes are by the last digit of a producer's number, so that consumers know them.
var shapes = []shape{
	{api.MediaKindAudio, "audio/opus", 1, ""},
	{api.MediaKindVideo, "video/VP8", 1, ""},
	{api.MediaKindVideo, "video/VP8", 3, "L1T3"},
	{api.MediaKindVideo, "video/VP9", 1, "L3T3_KEY"},
	{api.MediaKindVideo, "video/H264", 2, "L1T1"},
	{api.MediaKindVideo, "video/AV1", 1, "L2T2"},
	{api.MediaKindAudio, "audio/PCMU", 1, ""},
}

// numberOf returns the number in an id.
func numberOf(id string) (n uint32) {
	for _, c := range id {
		if c >= '0' && c <= '9' {
			n = 10*n + uint32(c-'0')
		}
	}
	return n
}

func shapeOf(id string) shape { return shapes[int(numberOf(id))%len(shapes)] }

func mappedSSRC(id string, encoding int) uint32 { return 1000000 + 10*numberOf(id) + uint32(encoding) }

func (s shape) codecs(pt uint8) []api.RTPCodecParameters {
	c := api.RTPCodecParameters{MimeType: s.codec, PayloadType: pt, ClockRate: 90000, RTCPFeedback: []api.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}}
	if s.kind == api.MediaKindAudio {
		c.ClockRate, c.Channels = 48000, new(uint8(2))
		return []api.RTPCodecParameters{c}
	}
	return []api.RTPCodecParameters{c, {
		MimeType: "video/rtx", PayloadType: pt + 1, ClockRate: 90000,
		Parameters: []api.Parameter{{Name: "apt", Value: &api.ValueInteger32{Value: int32(pt)}}},
	}}
}

// produceRequest is the request for a producer of the shape that its id says. Its SSRCs are its mapped ones plus 1000000; with RIDs it
// has none.
func produceRequest(id string, rids bool) *api.TransportProduceRequest {
	s := shapeOf(id)
	r := &api.TransportProduceRequest{
		ProducerID: id, Kind: s.kind,
		RTPParameters: &api.RTPParameters{
			MID: id, Codecs: s.codecs(111), RTCP: &api.RTCPParameters{CNAME: "cname", ReducedSize: true},
			HeaderExtensions: []api.RTPHeaderExtensionParameters{
				{URI: api.RTPHeaderExtensionURIMid, ID: 1},
				{URI: api.RTPHeaderExtensionURIRTPStreamId, ID: 2},
				{URI: api.RTPHeaderExtensionURISsrcAudioLevel, ID: 4},
			},
		},
		RTPMapping: &api.RTPMapping{Codecs: []api.CodecMapping{{PayloadType: 111, MappedPayloadType: 101}, {PayloadType: 112, MappedPayloadType: 102}}},
	}
	for i := range s.encodings {
		ssrc := mappedSSRC(id, i) + 1000000
		e := api.RTPEncodingParameters{SSRC: &ssrc, ScalabilityMode: s.mode}
		m := api.EncodingMapping{SSRC: &ssrc, MappedSSRC: mappedSSRC(id, i)}
		if rids {
			e.SSRC, e.RID, m.SSRC, m.RID = nil, fmt.Sprint("r", i), nil, fmt.Sprint("r", i)
		}
		r.RTPParameters.Encodings = append(r.RTPParameters.Encodings, e)
		r.RTPMapping.Encodings = append(r.RTPMapping.Encodings, m)
	}
	return r
}

// consumeRequest is the request for a consumer of a producer, of type pipe or what the producer's shape wants.
func consumeRequest(id, producer string, pipe bool) *api.TransportConsumeRequest {
	s := shapeOf(producer)
	r := &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: producer, Kind: s.kind,
		RTPParameters: &api.RTPParameters{
			Codecs: s.codecs(101), RTCP: &api.RTCPParameters{CNAME: "cname", ReducedSize: true},
		},
	}
	mode := s.mode
	if s.encodings > 1 {
		mode = fmt.Sprintf("L%dT%c", s.encodings, s.mode[3])
	}
	for i := range s.encodings {
		ssrc := mappedSSRC(producer, i)
		r.ConsumableRTPEncodings = append(r.ConsumableRTPEncodings, api.RTPEncodingParameters{SSRC: &ssrc, ScalabilityMode: s.mode})
		if pipe {
			own := 3000000 + 10*numberOf(id) + uint32(i)
			r.RTPParameters.Encodings = append(r.RTPParameters.Encodings, api.RTPEncodingParameters{SSRC: &own})
		}
	}
	if pipe {
		r.Type = api.RTPTypePipe
		return r
	}
	r.Type = api.RTPTypeSimple
	switch {
	case s.encodings > 1:
		r.Type = api.RTPTypeSimulcast
	case s.mode != "":
		r.Type = api.RTPTypeSVC
	}
	own := 3000000 + 10*numberOf(id)
	r.RTPParameters.Encodings = []api.RTPEncodingParameters{{SSRC: &own, ScalabilityMode: mode}}
	return r
}

func (g *generator) produce() call {
	r := produceRequest(g.fresh("p"), g.IntN(3) == 0)
	r.Paused = g.IntN(4) == 0
	r.EnableMediasoupPacketIDHeaderExtension = g.IntN(4) == 0
	switch g.IntN(30) {
	case 0:
		r.RTPParameters.Codecs = nil
	case 1:
		r.RTPMapping.Encodings = r.RTPMapping.Encodings[1:]
	case 2:
		r.RTPMapping.Codecs = nil
	case 3:
		r.RTPParameters.RTCP = nil
	}
	t := g.some("t")
	g.of[r.ProducerID] = t
	return call{api.MethodTransportProduce, t, r}
}

func (g *generator) closeProducer() call {
	id := g.some("p")
	return call{api.MethodTransportCloseProducer, g.parent("t", id), &api.TransportCloseProducerRequest{ProducerID: id}}
}

func (g *generator) onProducer() call {
	p := g.some("p")
	switch g.IntN(6) {
	case 0:
		return call{api.MethodProducerDump, p, nil}
	case 1:
		return call{api.MethodProducerGetStats, p, nil}
	case 2:
		return call{api.MethodProducerEnableTraceEvent, p, &api.ProducerEnableTraceEventRequest{Events: []api.ProducerTraceEventType{api.ProducerTraceEventTypePLI}}}
	case 3, 4:
		return call{api.MethodProducerPause, p, nil}
	default:
		return call{api.MethodProducerResume, p, nil}
	}
}

func (g *generator) consume() call {
	r := consumeRequest(g.fresh("c"), g.some("p"), g.IntN(6) == 0)
	r.Paused = g.IntN(3) == 0
	r.IgnoreDTX = g.IntN(3) == 0
	if g.IntN(3) == 0 {
		r.PreferredLayers = &api.ConsumerLayers{SpatialLayer: uint8(g.IntN(4))}
	}
	switch g.IntN(30) {
	case 0:
		r.RTPParameters.Codecs = nil
	case 1:
		r.ConsumableRTPEncodings = nil
	case 2:
		r.RTPParameters.Encodings[0].SSRC = new(uint32(3000000))
	}
	t := g.partner(r.ProducerID)
	g.of[r.ConsumerID] = t
	return call{api.MethodTransportConsume, t, r}
}

func (g *generator) closeConsumer() call {
	id := g.some("c")
	return call{api.MethodTransportCloseConsumer, g.parent("t", id), &api.TransportCloseConsumerRequest{ConsumerID: id}}
}

func (g *generator) onConsumer() call {
	c := g.some("c")
	switch g.IntN(8) {
	case 0:
		return call{api.MethodConsumerGetStats, c, nil}
	case 1:
		return call{api.MethodConsumerPause, c, nil}
	case 2:
		return call{api.MethodConsumerResume, c, nil}
	case 3:
		r := &api.ConsumerSetPreferredLayersRequest{}
		if g.IntN(4) > 0 {
			r.PreferredLayers = &api.ConsumerLayers{SpatialLayer: uint8(g.IntN(4)), TemporalLayer: new(uint8(g.IntN(4)))}
		}
		return call{api.MethodConsumerSetPreferredLayers, c, r}
	case 4:
		return call{api.MethodConsumerSetPriority, c, &api.ConsumerSetPriorityRequest{Priority: uint8(g.IntN(4))}}
	case 5:
		return call{api.MethodConsumerRequestKeyFrame, c, nil}
	case 6:
		return call{api.MethodConsumerEnableTraceEvent, c, &api.ConsumerEnableTraceEventRequest{Events: []api.ConsumerTraceEventType{api.ConsumerTraceEventTypeRTP}}}
	default:
		return call{api.MethodConsumerDump, c, nil}
	}
}

func (g *generator) produceData() call {
	r := &api.TransportProduceDataRequest{DataProducerID: g.fresh("dp"), Label: "label", Protocol: "protocol", Paused: g.IntN(4) == 0}
	if g.IntN(3) == 0 {
		r.Type = api.DataProducerTypeDirect
	} else {
		r.SCTPStreamParameters = &api.SCTPStreamParameters{StreamID: uint16(g.IntN(100))}
	}
	t := g.some("t")
	g.of[r.DataProducerID] = t
	return call{api.MethodTransportProduceData, t, r}
}

func (g *generator) closeDataProducer() call {
	id := g.some("dp")
	return call{api.MethodTransportCloseDataProducer, g.parent("t", id), &api.TransportCloseDataProducerRequest{DataProducerID: id}}
}

func (g *generator) onDataProducer() call {
	p := g.some("dp")
	switch g.IntN(4) {
	case 0:
		return call{api.MethodDataProducerDump, p, nil}
	case 1:
		return call{api.MethodDataProducerGetStats, p, nil}
	case 2:
		return call{api.MethodDataProducerPause, p, nil}
	default:
		return call{api.MethodDataProducerResume, p, nil}
	}
}

func (g *generator) consumeData() call {
	r := &api.TransportConsumeDataRequest{
		DataConsumerID: g.fresh("dc"), DataProducerID: g.some("dp"), Label: "label", Paused: g.IntN(4) == 0, Subchannels: []uint16{1, 2},
	}
	if g.IntN(3) == 0 {
		r.Type = api.DataConsumerTypeDirect
	} else {
		r.SCTPStreamParameters = &api.SCTPStreamParameters{StreamID: uint16(g.IntN(100))}
	}
	t := g.partner(r.DataProducerID)
	g.of[r.DataConsumerID] = t
	return call{api.MethodTransportConsumeData, t, r}
}

func (g *generator) closeDataConsumer() call {
	id := g.some("dc")
	return call{api.MethodTransportCloseDataConsumer, g.parent("t", id), &api.TransportCloseDataConsumerRequest{DataConsumerID: id}}
}

func (g *generator) onDataConsumer() call {
	c := g.some("dc")
	switch g.IntN(9) {
	case 0:
		return call{api.MethodDataConsumerDump, c, nil}
	case 1:
		return call{api.MethodDataConsumerGetStats, c, nil}
	case 2:
		return call{api.MethodDataConsumerPause, c, nil}
	case 3:
		return call{api.MethodDataConsumerResume, c, nil}
	case 4:
		return call{api.MethodDataConsumerGetBufferedAmount, c, nil}
	case 5:
		return call{api.MethodDataConsumerSetBufferedAmountLowThreshold, c, &api.DataConsumerSetBufferedAmountLowThresholdRequest{Threshold: 9}}
	case 6:
		return call{api.MethodDataConsumerSetSubchannels, c, &api.DataConsumerSetSubchannelsRequest{Subchannels: []uint16{3}}}
	case 7:
		return call{api.MethodDataConsumerAddSubchannel, c, &api.DataConsumerAddSubchannelRequest{Subchannel: 4}}
	default:
		return call{api.MethodDataConsumerRemoveSubchannel, c, &api.DataConsumerRemoveSubchannelRequest{Subchannel: 3}}
	}
}

func (g *generator) createObserver() call {
	router, id := g.some("r"), g.fresh("o")
	g.of[id] = router
	if g.IntN(2) == 0 {
		return call{api.MethodRouterCreateActiveSpeakerObserver, router, &api.RouterCreateActiveSpeakerObserverRequest{
			RTPObserverID: id, Options: &api.ActiveSpeakerObserverOptions{Interval: 5000},
		}}
	}
	return call{api.MethodRouterCreateAudioLevelObserver, router, &api.RouterCreateAudioLevelObserverRequest{
		RTPObserverID: id, Options: &api.AudioLevelObserverOptions{MaxEntries: uint16(g.IntN(8)), Threshold: -60, Interval: 5000},
	}}
}

func (g *generator) closeObserver() call {
	id := g.some("o")
	return call{api.MethodRouterCloseRTPObserver, g.parent("r", id), &api.RouterCloseRTPObserverRequest{RTPObserverID: id}}
}

func (g *generator) onObserver() call {
	w, p := g.some("o"), g.some("p")
	for range 4 { // likely one of the observer's Router
		if g.of[w] != g.of[g.of[p]] {
			p = g.some("p")
		}
	}
	switch g.IntN(5) {
	case 0:
		return call{api.MethodRTPObserverPause, w, nil}
	case 1:
		return call{api.MethodRTPObserverResume, w, nil}
	case 2:
		return call{api.MethodRTPObserverRemoveProducer, w, &api.RTPObserverRemoveProducerRequest{ProducerID: p}}
	default:
		return call{api.MethodRTPObserverAddProducer, w, &api.RTPObserverAddProducerRequest{ProducerID: p}}
	}
}
