package engine_test

import (
	"strings"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
)

// ordinary returns a method's body as an ordinary application sends it, with ids by the dice; nil for methods without.
func ordinary(m api.Method, d *dice) api.RequestBody {
	switch m {
	case api.MethodWorkerUpdateSettings:
		return &api.WorkerUpdateSettingsRequest{LogLevel: "warn", LogTags: []string{"ice"}}
	case api.MethodWorkerCreateWebRtcServer:
		return &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: d.id(), ListenInfos: []api.ListenInfo{loopback(api.ProtocolUDP)}}
	case api.MethodWorkerCreateRouter:
		return &api.WorkerCreateRouterRequest{RouterID: d.id()}
	case api.MethodWorkerWebRtcServerClose:
		return &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: d.id()}
	case api.MethodWorkerCloseRouter:
		return &api.WorkerCloseRouterRequest{RouterID: d.id()}
	case api.MethodRouterCloseTransport:
		return &api.RouterCloseTransportRequest{TransportID: d.id()}
	case api.MethodRouterCreateActiveSpeakerObserver:
		return &api.RouterCreateActiveSpeakerObserverRequest{RTPObserverID: d.id(), Options: &api.ActiveSpeakerObserverOptions{Interval: 300}}
	case api.MethodRouterCreateAudioLevelObserver:
		return &api.RouterCreateAudioLevelObserverRequest{RTPObserverID: d.id(), Options: &api.AudioLevelObserverOptions{
			MaxEntries: 2, Threshold: -80, Interval: 300,
		}}
	case api.MethodRouterCloseRTPObserver:
		return &api.RouterCloseRTPObserverRequest{RTPObserverID: d.id()}
	case api.MethodRTPObserverAddProducer:
		return &api.RTPObserverAddProducerRequest{ProducerID: d.id()}
	case api.MethodRTPObserverRemoveProducer:
		return &api.RTPObserverRemoveProducerRequest{ProducerID: d.id()}
	}
	if body := ordinaryTransport(m, d); body != nil {
		return body
	}
	return ordinaryEnd(m, d)
}

func ordinaryTransport(m api.Method, d *dice) api.RequestBody {
	switch m {
	case api.MethodRouterCreateWebRtcTransport:
		return &api.RouterCreateWebRtcTransportRequest{TransportID: d.id(), Options: webRtcOptions(&api.ListenIndividual{
			ListenInfos: []api.ListenInfo{loopback(api.ProtocolUDP), loopback(api.ProtocolTCP)},
		})}
	case api.MethodRouterCreateWebRtcTransportWithServer:
		return &api.RouterCreateWebRtcTransportRequest{TransportID: d.id(), Options: webRtcOptions(&api.ListenServer{WebRtcServerID: d.id()})}
	case api.MethodRouterCreatePlainTransport:
		options := plainOptions()
		options.Base.EnableSCTP, options.Base.MaxSendMessageSize = true, 65536
		options.EnableSRTP, options.SRTPCryptoSuite = d.next()%2 == 1, new(api.SRTPCryptoSuiteAEADAES128GCM)
		return &api.RouterCreatePlainTransportRequest{TransportID: d.id(), Options: options}
	case api.MethodRouterCreatePipeTransport:
		info := loopback(api.ProtocolUDP)
		return &api.RouterCreatePipeTransportRequest{TransportID: d.id(), Options: &api.PipeTransportOptions{
			Base: &api.TransportOptions{}, ListenInfo: &info, EnableRTX: true, EnableSRTP: d.next()%2 == 1,
		}}
	case api.MethodRouterCreateDirectTransport:
		return &api.RouterCreateDirectTransportRequest{
			TransportID: d.id(), Options: &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}},
		}
	case api.MethodPlainTransportConnect:
		return &api.PlainTransportConnectRequest{IP: "127.0.0.1", Port: new(uint16(9))}
	case api.MethodPipeTransportConnect:
		return &api.PipeTransportConnectRequest{IP: "127.0.0.1", Port: new(uint16(9))}
	case api.MethodWebRtcTransportConnect:
		return &api.WebRtcTransportConnectRequest{DTLSParameters: &api.DTLSParameters{
			Fingerprints: []api.Fingerprint{{Algorithm: api.FingerprintAlgorithmSha256, Value: strings.Repeat("AB:", 31) + "AB"}},
		}}
	case api.MethodTransportSetMaxIncomingBitrate:
		return &api.TransportSetMaxIncomingBitrateRequest{MaxIncomingBitrate: 1_000_000}
	case api.MethodTransportSetMaxOutgoingBitrate:
		return &api.TransportSetMaxOutgoingBitrateRequest{MaxOutgoingBitrate: 1_000_000}
	case api.MethodTransportSetMinOutgoingBitrate:
		return &api.TransportSetMinOutgoingBitrateRequest{MinOutgoingBitrate: 100_000}
	case api.MethodTransportEnableTraceEvent:
		return &api.TransportEnableTraceEventRequest{Events: []api.TransportTraceEventType{api.TransportTraceEventTypeBWE}}
	}
	return nil
}

func ordinaryEnd(m api.Method, d *dice) api.RequestBody {
	stream := &api.SCTPStreamParameters{StreamID: uint16(d.next() % 4), Ordered: new(true)}
	switch m {
	case api.MethodTransportProduce:
		return fuzzedProduce(d)
	case api.MethodTransportConsume:
		return fuzzedConsume(d)
	case api.MethodTransportProduceData:
		return &api.TransportProduceDataRequest{DataProducerID: d.id(), Type: api.DataProducerType(d.next() % 2), SCTPStreamParameters: stream}
	case api.MethodTransportConsumeData:
		return &api.TransportConsumeDataRequest{
			DataConsumerID: d.id(), DataProducerID: d.id(), Type: api.DataConsumerType(d.next() % 2), SCTPStreamParameters: stream,
		}
	case api.MethodTransportCloseProducer:
		return &api.TransportCloseProducerRequest{ProducerID: d.id()}
	case api.MethodTransportCloseConsumer:
		return &api.TransportCloseConsumerRequest{ConsumerID: d.id()}
	case api.MethodTransportCloseDataProducer:
		return &api.TransportCloseDataProducerRequest{DataProducerID: d.id()}
	case api.MethodTransportCloseDataConsumer:
		return &api.TransportCloseDataConsumerRequest{DataConsumerID: d.id()}
	case api.MethodProducerEnableTraceEvent:
		return &api.ProducerEnableTraceEventRequest{Events: []api.ProducerTraceEventType{0, 1, 2, 3, 4}}
	case api.MethodConsumerEnableTraceEvent:
		return &api.ConsumerEnableTraceEventRequest{Events: []api.ConsumerTraceEventType{0, 1, 2, 3, 4}}
	case api.MethodConsumerSetPreferredLayers:
		return &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: d.next() % 4, TemporalLayer: new(uint8(1))}}
	case api.MethodConsumerSetPriority:
		return &api.ConsumerSetPriorityRequest{Priority: d.next()}
	case api.MethodDataConsumerSend:
		return &api.DataConsumerSendRequest{PPID: 51, Data: []byte("hello")}
	case api.MethodDataConsumerSetBufferedAmountLowThreshold:
		return &api.DataConsumerSetBufferedAmountLowThresholdRequest{Threshold: 1000}
	case api.MethodDataConsumerSetSubchannels:
		return &api.DataConsumerSetSubchannelsRequest{Subchannels: []uint16{1, 2}}
	case api.MethodDataConsumerAddSubchannel:
		return &api.DataConsumerAddSubchannelRequest{Subchannel: 3}
	case api.MethodDataConsumerRemoveSubchannel:
		return &api.DataConsumerRemoveSubchannelRequest{Subchannel: 3}
	}
	return nil
}

func fuzzedProduce(d *dice) *api.TransportProduceRequest {
	stream := enginetest.Audio(unit.SSRC(d.next() % 4))
	if d.next()%2 == 1 {
		stream = enginetest.Video(unit.SSRC(d.next() % 4))
	}
	stream.Extensions = []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: 5}}
	return stream.Produce(d.id())
}

func fuzzedConsume(d *dice) *api.TransportConsumeRequest {
	stream := enginetest.Audio
	if api.MediaKind(d.next()%2) == api.MediaKindVideo {
		stream = enginetest.Video
	}
	from, to := stream(unit.SSRC(d.next()%4)), stream(100+unit.SSRC(d.next()%4))
	consumer := d.id()
	typ := api.RTPType(d.next() % 4)
	if typ == api.RTPTypeSimulcast {
		from.Encodings, to.Mode = 2, "L2T3"
	}
	req := to.Consume(consumer, from.Produce(d.id()))
	req.Type = typ
	return req
}
