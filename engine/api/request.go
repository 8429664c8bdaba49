package api

import "reflect"

// Method is the kind of a request (FBS.Request.Method).
type Method uint8

const (
	MethodWorkerDump                                Method = 0
	MethodWorkerGetResourceUsage                    Method = 1
	MethodWorkerUpdateSettings                      Method = 2
	MethodWorkerCreateWebRtcServer                  Method = 3
	MethodWorkerCreateRouter                        Method = 4
	MethodWorkerWebRtcServerClose                   Method = 5
	MethodWorkerCloseRouter                         Method = 6
	MethodWebRtcServerDump                          Method = 7
	MethodRouterDump                                Method = 8
	MethodRouterCreateWebRtcTransport               Method = 9
	MethodRouterCreateWebRtcTransportWithServer     Method = 10
	MethodRouterCreatePlainTransport                Method = 11
	MethodRouterCreatePipeTransport                 Method = 12
	MethodRouterCreateDirectTransport               Method = 13
	MethodRouterCloseTransport                      Method = 14
	MethodRouterCreateActiveSpeakerObserver         Method = 15
	MethodRouterCreateAudioLevelObserver            Method = 16
	MethodRouterCloseRTPObserver                    Method = 17
	MethodTransportDump                             Method = 18
	MethodTransportGetStats                         Method = 19
	MethodTransportConnect                          Method = 20
	MethodTransportSetMaxIncomingBitrate            Method = 21
	MethodTransportSetMaxOutgoingBitrate            Method = 22
	MethodTransportSetMinOutgoingBitrate            Method = 23
	MethodTransportRestartICE                       Method = 24
	MethodTransportProduce                          Method = 25
	MethodTransportProduceData                      Method = 26
	MethodTransportConsume                          Method = 27
	MethodTransportConsumeData                      Method = 28
	MethodTransportEnableTraceEvent                 Method = 29
	MethodTransportCloseProducer                    Method = 30
	MethodTransportCloseConsumer                    Method = 31
	MethodTransportCloseDataProducer                Method = 32
	MethodTransportCloseDataConsumer                Method = 33
	MethodPlainTransportConnect                     Method = 34
	MethodPipeTransportConnect                      Method = 35
	MethodWebRtcTransportConnect                    Method = 36
	MethodProducerDump                              Method = 37
	MethodProducerGetStats                          Method = 38
	MethodProducerPause                             Method = 39
	MethodProducerResume                            Method = 40
	MethodProducerEnableTraceEvent                  Method = 41
	MethodConsumerDump                              Method = 42
	MethodConsumerGetStats                          Method = 43
	MethodConsumerPause                             Method = 44
	MethodConsumerResume                            Method = 45
	MethodConsumerSetPreferredLayers                Method = 46
	MethodConsumerSetPriority                       Method = 47
	MethodConsumerRequestKeyFrame                   Method = 48
	MethodConsumerEnableTraceEvent                  Method = 49
	MethodDataProducerDump                          Method = 50
	MethodDataProducerGetStats                      Method = 51
	MethodDataProducerPause                         Method = 52
	MethodDataProducerResume                        Method = 53
	MethodDataConsumerDump                          Method = 54
	MethodDataConsumerGetStats                      Method = 55
	MethodDataConsumerPause                         Method = 56
	MethodDataConsumerResume                        Method = 57
	MethodDataConsumerGetBufferedAmount             Method = 58
	MethodDataConsumerSetBufferedAmountLowThreshold Method = 59
	MethodDataConsumerSend                          Method = 60
	MethodDataConsumerSetSubchannels                Method = 61
	MethodDataConsumerAddSubchannel                 Method = 62
	MethodDataConsumerRemoveSubchannel              Method = 63
	MethodRTPObserverPause                          Method = 64
	MethodRTPObserverResume                         Method = 65
	MethodRTPObserverAddProducer                    Method = 66
	MethodRTPObserverRemoveProducer                 Method = 67
	MethodWorkerClose                               Method = 68 // only in releases before 3.19.18; for the channel, not for workers
)

var methodNames = []string{
	"WORKER_DUMP",
	"WORKER_GET_RESOURCE_USAGE",
	"WORKER_UPDATE_SETTINGS",
	"WORKER_CREATE_WEBRTCSERVER",
	"WORKER_CREATE_ROUTER",
	"WORKER_WEBRTCSERVER_CLOSE",
	"WORKER_CLOSE_ROUTER",
	"WEBRTCSERVER_DUMP",
	"ROUTER_DUMP",
	"ROUTER_CREATE_WEBRTCTRANSPORT",
	"ROUTER_CREATE_WEBRTCTRANSPORT_WITH_SERVER",
	"ROUTER_CREATE_PLAINTRANSPORT",
	"ROUTER_CREATE_PIPETRANSPORT",
	"ROUTER_CREATE_DIRECTTRANSPORT",
	"ROUTER_CLOSE_TRANSPORT",
	"ROUTER_CREATE_ACTIVESPEAKEROBSERVER",
	"ROUTER_CREATE_AUDIOLEVELOBSERVER",
	"ROUTER_CLOSE_RTPOBSERVER",
	"TRANSPORT_DUMP",
	"TRANSPORT_GET_STATS",
	"TRANSPORT_CONNECT",
	"TRANSPORT_SET_MAX_INCOMING_BITRATE",
	"TRANSPORT_SET_MAX_OUTGOING_BITRATE",
	"TRANSPORT_SET_MIN_OUTGOING_BITRATE",
	"TRANSPORT_RESTART_ICE",
	"TRANSPORT_PRODUCE",
	"TRANSPORT_PRODUCE_DATA",
	"TRANSPORT_CONSUME",
	"TRANSPORT_CONSUME_DATA",
	"TRANSPORT_ENABLE_TRACE_EVENT",
	"TRANSPORT_CLOSE_PRODUCER",
	"TRANSPORT_CLOSE_CONSUMER",
	"TRANSPORT_CLOSE_DATAPRODUCER",
	"TRANSPORT_CLOSE_DATACONSUMER",
	"PLAINTRANSPORT_CONNECT",
	"PIPETRANSPORT_CONNECT",
	"WEBRTCTRANSPORT_CONNECT",
	"PRODUCER_DUMP",
	"PRODUCER_GET_STATS",
	"PRODUCER_PAUSE",
	"PRODUCER_RESUME",
	"PRODUCER_ENABLE_TRACE_EVENT",
	"CONSUMER_DUMP",
	"CONSUMER_GET_STATS",
	"CONSUMER_PAUSE",
	"CONSUMER_RESUME",
	"CONSUMER_SET_PREFERRED_LAYERS",
	"CONSUMER_SET_PRIORITY",
	"CONSUMER_REQUEST_KEY_FRAME",
	"CONSUMER_ENABLE_TRACE_EVENT",
	"DATAPRODUCER_DUMP",
	"DATAPRODUCER_GET_STATS",
	"DATAPRODUCER_PAUSE",
	"DATAPRODUCER_RESUME",
	"DATACONSUMER_DUMP",
	"DATACONSUMER_GET_STATS",
	"DATACONSUMER_PAUSE",
	"DATACONSUMER_RESUME",
	"DATACONSUMER_GET_BUFFERED_AMOUNT",
	"DATACONSUMER_SET_BUFFERED_AMOUNT_LOW_THRESHOLD",
	"DATACONSUMER_SEND",
	"DATACONSUMER_SET_SUBCHANNELS",
	"DATACONSUMER_ADD_SUBCHANNEL",
	"DATACONSUMER_REMOVE_SUBCHANNEL",
	"RTPOBSERVER_PAUSE",
	"RTPOBSERVER_RESUME",
	"RTPOBSERVER_ADD_PRODUCER",
	"RTPOBSERVER_REMOVE_PRODUCER",
	"WORKER_CLOSE",
}

// EnumNames returns the schema's member names, indexed by value.
func (Method) EnumNames() []string { return methodNames }

// String returns the schema's member name.
func (v Method) String() string { return enumName(methodNames, uint8(v)) }

// RequestBody is the content of a request: a pointer to one of the types that UnionRequestBody lists
// (FBS.Request.Body).
type RequestBody interface{ isRequestBody() }

// Request goes from the application to the worker, which answers it with a [Response] of the same id
// (FBS.Request.Request).
type Request struct {
	ID        uint32 // from 1 on
	Method    Method
	HandlerID string // id of the object addressed; empty for the worker itself
	Body      RequestBody
}

// methodWords are the names of the methods in mediasoup's error messages.
var methodWords = []string{
	MethodWorkerDump:                                "worker.dump",
	MethodWorkerGetResourceUsage:                    "worker.getResourceUsage",
	MethodWorkerUpdateSettings:                      "worker.updateSettings",
	MethodWorkerCreateWebRtcServer:                  "worker.createWebRtcServer",
	MethodWorkerCreateRouter:                        "worker.createRouter",
	MethodWorkerWebRtcServerClose:                   "worker.closeWebRtcServer",
	MethodWorkerCloseRouter:                         "worker.closeRouter",
	MethodWebRtcServerDump:                          "webRtcServer.dump",
	MethodRouterDump:                                "router.dump",
	MethodRouterCreateWebRtcTransport:               "router.createWebRtcTransport",
	MethodRouterCreateWebRtcTransportWithServer:     "router.createWebRtcTransportWithServer",
	MethodRouterCreatePlainTransport:                "router.createPlainTransport",
	MethodRouterCreatePipeTransport:                 "router.createPipeTransport",
	MethodRouterCreateDirectTransport:               "router.createDirectTransport",
	MethodRouterCloseTransport:                      "router.closeTransport",
	MethodRouterCreateActiveSpeakerObserver:         "router.createActiveSpeakerObserver",
	MethodRouterCreateAudioLevelObserver:            "router.createAudioLevelObserver",
	MethodRouterCloseRTPObserver:                    "router.closeRtpObserver",
	MethodTransportDump:                             "transport.dump",
	MethodTransportGetStats:                         "transport.getStats",
	MethodTransportConnect:                          "transport.connect",
	MethodTransportSetMaxIncomingBitrate:            "transport.setMaxIncomingBitrate",
	MethodTransportSetMaxOutgoingBitrate:            "transport.setMaxOutgoingBitrate",
	MethodTransportSetMinOutgoingBitrate:            "transport.setMinOutgoingBitrate",
	MethodTransportRestartICE:                       "transport.restartIce",
	MethodTransportProduce:                          "transport.produce",
	MethodTransportProduceData:                      "transport.produceData",
	MethodTransportConsume:                          "transport.consume",
	MethodTransportConsumeData:                      "transport.consumeData",
	MethodTransportEnableTraceEvent:                 "transport.enableTraceEvent",
	MethodTransportCloseProducer:                    "transport.closeProducer",
	MethodTransportCloseConsumer:                    "transport.closeConsumer",
	MethodTransportCloseDataProducer:                "transport.closeDataProducer",
	MethodTransportCloseDataConsumer:                "transport.closeDataConsumer",
	MethodPlainTransportConnect:                     "plainTransport.connect",
	MethodPipeTransportConnect:                      "pipeTransport.connect",
	MethodWebRtcTransportConnect:                    "webRtcTransport.connect",
	MethodProducerDump:                              "producer.dump",
	MethodProducerGetStats:                          "producer.getStats",
	MethodProducerPause:                             "producer.pause",
	MethodProducerResume:                            "producer.resume",
	MethodProducerEnableTraceEvent:                  "producer.enableTraceEvent",
	MethodConsumerDump:                              "consumer.dump",
	MethodConsumerGetStats:                          "consumer.getStats",
	MethodConsumerPause:                             "consumer.pause",
	MethodConsumerResume:                            "consumer.resume",
	MethodConsumerSetPreferredLayers:                "consumer.setPreferredLayers",
	MethodConsumerSetPriority:                       "consumer.setPriority",
	MethodConsumerRequestKeyFrame:                   "consumer.requestKeyFrame",
	MethodConsumerEnableTraceEvent:                  "consumer.enableTraceEvent",
	MethodDataProducerDump:                          "dataProducer.dump",
	MethodDataProducerGetStats:                      "dataProducer.getStats",
	MethodDataProducerPause:                         "dataProducer.pause",
	MethodDataProducerResume:                        "dataProducer.resume",
	MethodDataConsumerDump:                          "dataConsumer.dump",
	MethodDataConsumerGetStats:                      "dataConsumer.getStats",
	MethodDataConsumerPause:                         "dataConsumer.pause",
	MethodDataConsumerResume:                        "dataConsumer.resume",
	MethodDataConsumerGetBufferedAmount:             "dataConsumer.getBufferedAmount",
	MethodDataConsumerSetBufferedAmountLowThreshold: "dataConsumer.setBufferedAmountLowThreshold",
	MethodDataConsumerSend:                          "dataConsumer.send",
	MethodDataConsumerSetSubchannels:                "dataConsumer.setSubchannels",
	MethodDataConsumerAddSubchannel:                 "dataConsumer.addSubchannel",
	MethodDataConsumerRemoveSubchannel:              "dataConsumer.removeSubchannel",
	MethodRTPObserverPause:                          "rtpObserver.pause",
	MethodRTPObserverResume:                         "rtpObserver.resume",
	MethodRTPObserverAddProducer:                    "rtpObserver.addProducer",
	MethodRTPObserverRemoveProducer:                 "rtpObserver.removeProducer",
	MethodWorkerClose:                               "worker.close",
}

// Name returns the method's name as mediasoup's error messages have it, such as "router.createPlainTransport".
func (v Method) Name() string { return enumName(methodWords, uint8(v)) }

// BodyOf returns a request's body as the type which its method wants. A body of another type, none, or one that lacks a part
// which it must have is an error.
func BodyOf[B any](req *Request) (*B, error) {
	body, ok := any(req.Body).(*B)
	if !ok || body == nil {
		return nil, TypeErrorf("wrong or missing body for method %s", req.Method.Name())
	}
	if v, ok := any(body).(validator); ok {
		if name := v.missingField(); name != "" {
			return nil, TypeErrorf("missing %s [method:%s]", name, req.Method.Name())
		}
	}
	return body, nil
}

// validator is a request body with required parts. A codec enforces its schema; Go code that calls a worker directly may omit
// them.
type validator interface {
	// missingField returns the name of the first missing part, as the Node library calls it, or "".
	missingField() string
}

// part is a required part and what it is called.
type part struct {
	name  string
	value any
}

// firstNil returns the name of the first part that is nil, or that is an interface which holds a nil pointer. A part behind
// a nil one is not looked at.
func firstNil(parts ...part) string {
	for _, p := range parts {
		v := reflect.ValueOf(p.value)
		if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return p.name
		}
	}
	return ""
}

func (r *RouterCreateWebRtcTransportRequest) missingField() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listen", r.Options.Listen})
}

func (r *RouterCreatePlainTransportRequest) missingField() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listenInfo", r.Options.ListenInfo})
}

func (r *RouterCreatePipeTransportRequest) missingField() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base}, part{"options.listenInfo", r.Options.ListenInfo})
}

func (r *RouterCreateDirectTransportRequest) missingField() string {
	if r.Options == nil {
		return "options"
	}
	return firstNil(part{"options.base", r.Options.Base})
}

func (r *RouterCreateActiveSpeakerObserverRequest) missingField() string {
	return firstNil(part{"options", r.Options})
}

func (r *RouterCreateAudioLevelObserverRequest) missingField() string {
	return firstNil(part{"options", r.Options})
}

func (r *TransportProduceRequest) missingField() string {
	if name := firstNil(part{"rtpParameters", r.RTPParameters}, part{"rtpMapping", r.RTPMapping}); name != "" {
		return name
	}
	return r.RTPParameters.missingField()
}

func (r *TransportConsumeRequest) missingField() string {
	if r.RTPParameters == nil {
		return "rtpParameters"
	}
	return r.RTPParameters.missingField()
}

func (p *RTPParameters) missingField() string {
	for i := range p.Codecs {
		if lackValue(p.Codecs[i].Parameters) {
			return "value of rtpParameters.codecs[].parameters[]"
		}
	}
	for i := range p.HeaderExtensions {
		if lackValue(p.HeaderExtensions[i].Parameters) {
			return "value of rtpParameters.headerExtensions[].parameters[]"
		}
	}
	return firstNil(part{"rtpParameters.rtcp", p.RTCP})
}

func lackValue(list []Parameter) bool {
	for i := range list {
		if firstNil(part{"value", list[i].Value}) != "" {
			return true
		}
	}
	return false
}
