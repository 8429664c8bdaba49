package api

// MessageBody is the content of a message: a pointer to one of the types that UnionMessageBody lists
// (FBS.Message.Body).
type MessageBody interface{ isMessageBody() }

// Message is what a frame carries (FBS.Message.Message).
type Message struct {
	Data MessageBody
}

// ResponseBody is the content of a response: a pointer to one of the types that UnionResponseBody lists
// (FBS.Response.Body).
type ResponseBody interface{ isResponseBody() }

// Response answers a [Request] (FBS.Response.Response).
type Response struct {
	ID       uint32
	Accepted bool
	Body     ResponseBody
	Error    string // class of the error when refused
	Reason   string // text of the error when refused
}

// Log is a line for the application's log; its first character is the level: D(ebug), W(arn), E(rror) or X (a dump)
// (FBS.Log.Log).
type Log struct {
	Data string
}

// UnionMember pairs a schema's member name with a nil pointer of the Go type that carries it.
type UnionMember struct {
	Name string
	Type any
}

// UnionConsumerTraceInfo lists the members of ConsumerTraceInfo.
var UnionConsumerTraceInfo = []UnionMember{
	{"KeyFrameTraceInfo", (*ConsumerKeyFrameTraceInfo)(nil)},
	{"FirTraceInfo", (*ConsumerFIRTraceInfo)(nil)},
	{"PliTraceInfo", (*ConsumerPLITraceInfo)(nil)},
	{"RtpTraceInfo", (*ConsumerRTPTraceInfo)(nil)},
}

// UnionMessageBody lists the members of MessageBody.
var UnionMessageBody = []UnionMember{
	{"Request", (*Request)(nil)},
	{"Response", (*Response)(nil)},
	{"Notification", (*Notification)(nil)},
	{"Log", (*Log)(nil)},
}

// UnionNotificationBody lists the members of NotificationBody.
var UnionNotificationBody = []UnionMember{
	{"Transport_SendRtcpNotification", (*TransportSendRTCPNotification)(nil)},
	{"Transport_SctpStateChangeNotification", (*TransportSCTPStateChangeNotification)(nil)},
	{"Transport_SctpNegotiatedCapabilitiesNotification", (*TransportSCTPNegotiatedCapabilitiesNotification)(nil)},
	{"Producer_SendNotification", (*ProducerSendNotification)(nil)},
	{"DataProducer_SendNotification", (*DataProducerSendNotification)(nil)},
	{"Transport_TraceNotification", (*TransportTraceNotification)(nil)},
	{"WebRtcTransport_IceSelectedTupleChangeNotification", (*WebRtcTransportICESelectedTupleChangeNotification)(nil)},
	{"WebRtcTransport_IceStateChangeNotification", (*WebRtcTransportICEStateChangeNotification)(nil)},
	{"WebRtcTransport_DtlsStateChangeNotification", (*WebRtcTransportDTLSStateChangeNotification)(nil)},
	{"PlainTransport_TupleNotification", (*PlainTransportTupleNotification)(nil)},
	{"PlainTransport_RtcpTupleNotification", (*PlainTransportRTCPTupleNotification)(nil)},
	{"DirectTransport_RtcpNotification", (*DirectTransportRTCPNotification)(nil)},
	{"Producer_ScoreNotification", (*ProducerScoreNotification)(nil)},
	{"Producer_TraceNotification", (*ProducerTraceNotification)(nil)},
	{"Producer_VideoOrientationChangeNotification", (*ProducerVideoOrientationChangeNotification)(nil)},
	{"Consumer_LayersChangeNotification", (*ConsumerLayersChangeNotification)(nil)},
	{"Consumer_RtpNotification", (*ConsumerRTPNotification)(nil)},
	{"Consumer_ScoreNotification", (*ConsumerScoreNotification)(nil)},
	{"Consumer_TraceNotification", (*ConsumerTraceNotification)(nil)},
	{"DataConsumer_MessageNotification", (*DataConsumerMessageNotification)(nil)},
	{"DataConsumer_BufferedAmountLowNotification", (*DataConsumerBufferedAmountLowNotification)(nil)},
	{"ActiveSpeakerObserver_DominantSpeakerNotification", (*ActiveSpeakerObserverDominantSpeakerNotification)(nil)},
	{"AudioLevelObserver_VolumesNotification", (*AudioLevelObserverVolumesNotification)(nil)},
}

// UnionProducerTraceInfo lists the members of ProducerTraceInfo.
var UnionProducerTraceInfo = []UnionMember{
	{"KeyFrameTraceInfo", (*ProducerKeyFrameTraceInfo)(nil)},
	{"FirTraceInfo", (*ProducerFIRTraceInfo)(nil)},
	{"PliTraceInfo", (*ProducerPLITraceInfo)(nil)},
	{"RtpTraceInfo", (*ProducerRTPTraceInfo)(nil)},
	{"SrTraceInfo", (*ProducerSrTraceInfo)(nil)},
}

// UnionRequestBody lists the members of RequestBody.
var UnionRequestBody = []UnionMember{
	{"Worker_UpdateSettingsRequest", (*WorkerUpdateSettingsRequest)(nil)},
	{"Worker_CreateWebRtcServerRequest", (*WorkerCreateWebRtcServerRequest)(nil)},
	{"Worker_CloseWebRtcServerRequest", (*WorkerCloseWebRtcServerRequest)(nil)},
	{"Worker_CreateRouterRequest", (*WorkerCreateRouterRequest)(nil)},
	{"Worker_CloseRouterRequest", (*WorkerCloseRouterRequest)(nil)},
	{"Router_CreateWebRtcTransportRequest", (*RouterCreateWebRtcTransportRequest)(nil)},
	{"Router_CreatePlainTransportRequest", (*RouterCreatePlainTransportRequest)(nil)},
	{"Router_CreatePipeTransportRequest", (*RouterCreatePipeTransportRequest)(nil)},
	{"Router_CreateDirectTransportRequest", (*RouterCreateDirectTransportRequest)(nil)},
	{"Router_CreateActiveSpeakerObserverRequest", (*RouterCreateActiveSpeakerObserverRequest)(nil)},
	{"Router_CreateAudioLevelObserverRequest", (*RouterCreateAudioLevelObserverRequest)(nil)},
	{"Router_CloseTransportRequest", (*RouterCloseTransportRequest)(nil)},
	{"Router_CloseRtpObserverRequest", (*RouterCloseRTPObserverRequest)(nil)},
	{"Transport_SetMaxIncomingBitrateRequest", (*TransportSetMaxIncomingBitrateRequest)(nil)},
	{"Transport_SetMaxOutgoingBitrateRequest", (*TransportSetMaxOutgoingBitrateRequest)(nil)},
	{"Transport_SetMinOutgoingBitrateRequest", (*TransportSetMinOutgoingBitrateRequest)(nil)},
	{"Transport_ProduceRequest", (*TransportProduceRequest)(nil)},
	{"Transport_ConsumeRequest", (*TransportConsumeRequest)(nil)},
	{"Transport_ProduceDataRequest", (*TransportProduceDataRequest)(nil)},
	{"Transport_ConsumeDataRequest", (*TransportConsumeDataRequest)(nil)},
	{"Transport_EnableTraceEventRequest", (*TransportEnableTraceEventRequest)(nil)},
	{"Transport_CloseProducerRequest", (*TransportCloseProducerRequest)(nil)},
	{"Transport_CloseConsumerRequest", (*TransportCloseConsumerRequest)(nil)},
	{"Transport_CloseDataProducerRequest", (*TransportCloseDataProducerRequest)(nil)},
	{"Transport_CloseDataConsumerRequest", (*TransportCloseDataConsumerRequest)(nil)},
	{"PlainTransport_ConnectRequest", (*PlainTransportConnectRequest)(nil)},
	{"PipeTransport_ConnectRequest", (*PipeTransportConnectRequest)(nil)},
	{"WebRtcTransport_ConnectRequest", (*WebRtcTransportConnectRequest)(nil)},
	{"Producer_EnableTraceEventRequest", (*ProducerEnableTraceEventRequest)(nil)},
	{"Consumer_SetPreferredLayersRequest", (*ConsumerSetPreferredLayersRequest)(nil)},
	{"Consumer_SetPriorityRequest", (*ConsumerSetPriorityRequest)(nil)},
	{"Consumer_EnableTraceEventRequest", (*ConsumerEnableTraceEventRequest)(nil)},
	{"DataConsumer_SetBufferedAmountLowThresholdRequest", (*DataConsumerSetBufferedAmountLowThresholdRequest)(nil)},
	{"DataConsumer_SendRequest", (*DataConsumerSendRequest)(nil)},
	{"DataConsumer_SetSubchannelsRequest", (*DataConsumerSetSubchannelsRequest)(nil)},
	{"DataConsumer_AddSubchannelRequest", (*DataConsumerAddSubchannelRequest)(nil)},
	{"DataConsumer_RemoveSubchannelRequest", (*DataConsumerRemoveSubchannelRequest)(nil)},
	{"RtpObserver_AddProducerRequest", (*RTPObserverAddProducerRequest)(nil)},
	{"RtpObserver_RemoveProducerRequest", (*RTPObserverRemoveProducerRequest)(nil)},
}

// UnionResponseBody lists the members of ResponseBody.
var UnionResponseBody = []UnionMember{
	{"Worker_DumpResponse", (*WorkerDumpResponse)(nil)},
	{"Worker_ResourceUsageResponse", (*WorkerResourceUsageResponse)(nil)},
	{"WebRtcServer_DumpResponse", (*WebRtcServerDumpResponse)(nil)},
	{"Router_DumpResponse", (*RouterDumpResponse)(nil)},
	{"Transport_ProduceResponse", (*TransportProduceResponse)(nil)},
	{"Transport_ConsumeResponse", (*TransportConsumeResponse)(nil)},
	{"Transport_RestartIceResponse", (*TransportRestartICEResponse)(nil)},
	{"PlainTransport_ConnectResponse", (*PlainTransportConnectResponse)(nil)},
	{"PlainTransport_DumpResponse", (*PlainTransportDumpResponse)(nil)},
	{"PlainTransport_GetStatsResponse", (*PlainTransportGetStatsResponse)(nil)},
	{"PipeTransport_ConnectResponse", (*PipeTransportConnectResponse)(nil)},
	{"PipeTransport_DumpResponse", (*PipeTransportDumpResponse)(nil)},
	{"PipeTransport_GetStatsResponse", (*PipeTransportGetStatsResponse)(nil)},
	{"DirectTransport_DumpResponse", (*DirectTransportDumpResponse)(nil)},
	{"DirectTransport_GetStatsResponse", (*DirectTransportGetStatsResponse)(nil)},
	{"WebRtcTransport_ConnectResponse", (*WebRtcTransportConnectResponse)(nil)},
	{"WebRtcTransport_DumpResponse", (*WebRtcTransportDumpResponse)(nil)},
	{"WebRtcTransport_GetStatsResponse", (*WebRtcTransportGetStatsResponse)(nil)},
	{"Producer_DumpResponse", (*ProducerDumpResponse)(nil)},
	{"Producer_GetStatsResponse", (*ProducerGetStatsResponse)(nil)},
	{"Consumer_DumpResponse", (*ConsumerDumpResponse)(nil)},
	{"Consumer_GetStatsResponse", (*ConsumerGetStatsResponse)(nil)},
	{"Consumer_SetPreferredLayersResponse", (*ConsumerSetPreferredLayersResponse)(nil)},
	{"Consumer_SetPriorityResponse", (*ConsumerSetPriorityResponse)(nil)},
	{"DataProducer_DumpResponse", (*DataProducerDumpResponse)(nil)},
	{"DataProducer_GetStatsResponse", (*DataProducerGetStatsResponse)(nil)},
	{"DataConsumer_GetBufferedAmountResponse", (*DataConsumerGetBufferedAmountResponse)(nil)},
	{"DataConsumer_DumpResponse", (*DataConsumerDumpResponse)(nil)},
	{"DataConsumer_GetStatsResponse", (*DataConsumerGetStatsResponse)(nil)},
	{"DataConsumer_SendResponse", (*DataConsumerSendResponse)(nil)},
	{"DataConsumer_SetSubchannelsResponse", (*DataConsumerSetSubchannelsResponse)(nil)},
	{"DataConsumer_AddSubchannelResponse", (*DataConsumerAddSubchannelResponse)(nil)},
	{"DataConsumer_RemoveSubchannelResponse", (*DataConsumerRemoveSubchannelResponse)(nil)},
}

// UnionParameterValue lists the members of ParameterValue.
var UnionParameterValue = []UnionMember{
	{"Boolean", (*ValueBoolean)(nil)},
	{"Integer32", (*ValueInteger32)(nil)},
	{"Double", (*ValueDouble)(nil)},
	{"String", (*ValueString)(nil)},
	{"Integer32Array", (*ValueInteger32Array)(nil)},
}

// UnionRTPStreamStatsData lists the members of RTPStreamStatsData.
var UnionRTPStreamStatsData = []UnionMember{
	{"BaseStats", (*RTPStreamBaseStats)(nil)},
	{"RecvStats", (*RTPStreamRecvStats)(nil)},
	{"SendStats", (*RTPStreamSendStats)(nil)},
}

// UnionTransportTraceInfo lists the members of TransportTraceInfo.
var UnionTransportTraceInfo = []UnionMember{
	{"BweTraceInfo", (*BWETraceInfo)(nil)},
}

// UnionWebRtcTransportListen lists the members of WebRtcTransportListen.
var UnionWebRtcTransportListen = []UnionMember{
	{"ListenIndividual", (*ListenIndividual)(nil)},
	{"ListenServer", (*ListenServer)(nil)},
}

func (*ConsumerKeyFrameTraceInfo) isConsumerTraceInfo() {}
func (*ConsumerFIRTraceInfo) isConsumerTraceInfo()      {}
func (*ConsumerPLITraceInfo) isConsumerTraceInfo()      {}
func (*ConsumerRTPTraceInfo) isConsumerTraceInfo()      {}

func (*Request) isMessageBody()      {}
func (*Response) isMessageBody()     {}
func (*Notification) isMessageBody() {}
func (*Log) isMessageBody()          {}

func (*TransportSendRTCPNotification) isNotificationBody()                     {}
func (*TransportSCTPStateChangeNotification) isNotificationBody()              {}
func (*TransportSCTPNegotiatedCapabilitiesNotification) isNotificationBody()   {}
func (*ProducerSendNotification) isNotificationBody()                          {}
func (*DataProducerSendNotification) isNotificationBody()                      {}
func (*TransportTraceNotification) isNotificationBody()                        {}
func (*WebRtcTransportICESelectedTupleChangeNotification) isNotificationBody() {}
func (*WebRtcTransportICEStateChangeNotification) isNotificationBody()         {}
func (*WebRtcTransportDTLSStateChangeNotification) isNotificationBody()        {}
func (*PlainTransportTupleNotification) isNotificationBody()                   {}
func (*PlainTransportRTCPTupleNotification) isNotificationBody()               {}
func (*DirectTransportRTCPNotification) isNotificationBody()                   {}
func (*ProducerScoreNotification) isNotificationBody()                         {}
func (*ProducerTraceNotification) isNotificationBody()                         {}
func (*ProducerVideoOrientationChangeNotification) isNotificationBody()        {}
func (*ConsumerLayersChangeNotification) isNotificationBody()                  {}
func (*ConsumerRTPNotification) isNotificationBody()                           {}
func (*ConsumerScoreNotification) isNotificationBody()                         {}
func (*ConsumerTraceNotification) isNotificationBody()                         {}
func (*DataConsumerMessageNotification) isNotificationBody()                   {}
func (*DataConsumerBufferedAmountLowNotification) isNotificationBody()         {}
func (*ActiveSpeakerObserverDominantSpeakerNotification) isNotificationBody()  {}
func (*AudioLevelObserverVolumesNotification) isNotificationBody()             {}

func (*ProducerKeyFrameTraceInfo) isProducerTraceInfo() {}
func (*ProducerFIRTraceInfo) isProducerTraceInfo()      {}
func (*ProducerPLITraceInfo) isProducerTraceInfo()      {}
func (*ProducerRTPTraceInfo) isProducerTraceInfo()      {}
func (*ProducerSrTraceInfo) isProducerTraceInfo()       {}

func (*WorkerUpdateSettingsRequest) isRequestBody()                      {}
func (*WorkerCreateWebRtcServerRequest) isRequestBody()                  {}
func (*WorkerCloseWebRtcServerRequest) isRequestBody()                   {}
func (*WorkerCreateRouterRequest) isRequestBody()                        {}
func (*WorkerCloseRouterRequest) isRequestBody()                         {}
func (*RouterCreateWebRtcTransportRequest) isRequestBody()               {}
func (*RouterCreatePlainTransportRequest) isRequestBody()                {}
func (*RouterCreatePipeTransportRequest) isRequestBody()                 {}
func (*RouterCreateDirectTransportRequest) isRequestBody()               {}
func (*RouterCreateActiveSpeakerObserverRequest) isRequestBody()         {}
func (*RouterCreateAudioLevelObserverRequest) isRequestBody()            {}
func (*RouterCloseTransportRequest) isRequestBody()                      {}
func (*RouterCloseRTPObserverRequest) isRequestBody()                    {}
func (*TransportSetMaxIncomingBitrateRequest) isRequestBody()            {}
func (*TransportSetMaxOutgoingBitrateRequest) isRequestBody()            {}
func (*TransportSetMinOutgoingBitrateRequest) isRequestBody()            {}
func (*TransportProduceRequest) isRequestBody()                          {}
func (*TransportConsumeRequest) isRequestBody()                          {}
func (*TransportProduceDataRequest) isRequestBody()                      {}
func (*TransportConsumeDataRequest) isRequestBody()                      {}
func (*TransportEnableTraceEventRequest) isRequestBody()                 {}
func (*TransportCloseProducerRequest) isRequestBody()                    {}
func (*TransportCloseConsumerRequest) isRequestBody()                    {}
func (*TransportCloseDataProducerRequest) isRequestBody()                {}
func (*TransportCloseDataConsumerRequest) isRequestBody()                {}
func (*PlainTransportConnectRequest) isRequestBody()                     {}
func (*PipeTransportConnectRequest) isRequestBody()                      {}
func (*WebRtcTransportConnectRequest) isRequestBody()                    {}
func (*ProducerEnableTraceEventRequest) isRequestBody()                  {}
func (*ConsumerSetPreferredLayersRequest) isRequestBody()                {}
func (*ConsumerSetPriorityRequest) isRequestBody()                       {}
func (*ConsumerEnableTraceEventRequest) isRequestBody()                  {}
func (*DataConsumerSetBufferedAmountLowThresholdRequest) isRequestBody() {}
func (*DataConsumerSendRequest) isRequestBody()                          {}
func (*DataConsumerSetSubchannelsRequest) isRequestBody()                {}
func (*DataConsumerAddSubchannelRequest) isRequestBody()                 {}
func (*DataConsumerRemoveSubchannelRequest) isRequestBody()              {}
func (*RTPObserverAddProducerRequest) isRequestBody()                    {}
func (*RTPObserverRemoveProducerRequest) isRequestBody()                 {}

func (*WorkerDumpResponse) isResponseBody()                    {}
func (*WorkerResourceUsageResponse) isResponseBody()           {}
func (*WebRtcServerDumpResponse) isResponseBody()              {}
func (*RouterDumpResponse) isResponseBody()                    {}
func (*TransportProduceResponse) isResponseBody()              {}
func (*TransportConsumeResponse) isResponseBody()              {}
func (*TransportRestartICEResponse) isResponseBody()           {}
func (*PlainTransportConnectResponse) isResponseBody()         {}
func (*PlainTransportDumpResponse) isResponseBody()            {}
func (*PlainTransportGetStatsResponse) isResponseBody()        {}
func (*PipeTransportConnectResponse) isResponseBody()          {}
func (*PipeTransportDumpResponse) isResponseBody()             {}
func (*PipeTransportGetStatsResponse) isResponseBody()         {}
func (*DirectTransportDumpResponse) isResponseBody()           {}
func (*DirectTransportGetStatsResponse) isResponseBody()       {}
func (*WebRtcTransportConnectResponse) isResponseBody()        {}
func (*WebRtcTransportDumpResponse) isResponseBody()           {}
func (*WebRtcTransportGetStatsResponse) isResponseBody()       {}
func (*ProducerDumpResponse) isResponseBody()                  {}
func (*ProducerGetStatsResponse) isResponseBody()              {}
func (*ConsumerDumpResponse) isResponseBody()                  {}
func (*ConsumerGetStatsResponse) isResponseBody()              {}
func (*ConsumerSetPreferredLayersResponse) isResponseBody()    {}
func (*ConsumerSetPriorityResponse) isResponseBody()           {}
func (*DataProducerDumpResponse) isResponseBody()              {}
func (*DataProducerGetStatsResponse) isResponseBody()          {}
func (*DataConsumerGetBufferedAmountResponse) isResponseBody() {}
func (*DataConsumerDumpResponse) isResponseBody()              {}
func (*DataConsumerGetStatsResponse) isResponseBody()          {}
func (*DataConsumerSendResponse) isResponseBody()              {}
func (*DataConsumerSetSubchannelsResponse) isResponseBody()    {}
func (*DataConsumerAddSubchannelResponse) isResponseBody()     {}
func (*DataConsumerRemoveSubchannelResponse) isResponseBody()  {}

func (*ValueBoolean) isParameterValue()        {}
func (*ValueInteger32) isParameterValue()      {}
func (*ValueDouble) isParameterValue()         {}
func (*ValueString) isParameterValue()         {}
func (*ValueInteger32Array) isParameterValue() {}

func (*RTPStreamBaseStats) isRTPStreamStatsData() {}
func (*RTPStreamRecvStats) isRTPStreamStatsData() {}
func (*RTPStreamSendStats) isRTPStreamStatsData() {}

func (*BWETraceInfo) isTransportTraceInfo() {}

func (*ListenIndividual) isWebRtcTransportListen() {}
func (*ListenServer) isWebRtcTransportListen()     {}
