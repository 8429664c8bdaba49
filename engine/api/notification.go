package api

// Event is the kind of a notification (FBS.Notification.Event).
type Event uint8

const (
	EventWorkerClose                           Event = 0
	EventTransportSendRTCP                     Event = 1
	EventProducerSend                          Event = 2
	EventDataProducerSend                      Event = 3
	EventWorkerRunning                         Event = 4
	EventTransportSCTPStateChange              Event = 5
	EventTransportSCTPNegotiatedCapabilities   Event = 6
	EventTransportTrace                        Event = 7
	EventWebRtcTransportICESelectedTupleChange Event = 8
	EventWebRtcTransportICEStateChange         Event = 9
	EventWebRtcTransportDTLSStateChange        Event = 10
	EventPlainTransportTuple                   Event = 11
	EventPlainTransportRTCPTuple               Event = 12
	EventDirectTransportRTCP                   Event = 13
	EventProducerScore                         Event = 14
	EventProducerTrace                         Event = 15
	EventProducerVideoOrientationChange        Event = 16
	EventConsumerProducerPause                 Event = 17
	EventConsumerProducerResume                Event = 18
	EventConsumerProducerClose                 Event = 19
	EventConsumerLayersChange                  Event = 20
	EventConsumerRTP                           Event = 21
	EventConsumerScore                         Event = 22
	EventConsumerTrace                         Event = 23
	EventDataConsumerBufferedAmountLow         Event = 24
	EventDataConsumerSCTPSendBufferFull        Event = 25
	EventDataConsumerDataProducerPause         Event = 26
	EventDataConsumerDataProducerResume        Event = 27
	EventDataConsumerDataProducerClose         Event = 28
	EventDataConsumerMessage                   Event = 29
	EventActiveSpeakerObserverDominantSpeaker  Event = 30
	EventAudioLevelObserverSilence             Event = 31
	EventAudioLevelObserverVolumes             Event = 32
)

// Internal events, which no release has and no application sees: they tell a worker's caller what only its answers would show
// otherwise. They have no body.
const (
	// EventDataConsumerClosedByPeer: the peer has reset the stream. The data consumer is gone.
	EventDataConsumerClosedByPeer Event = firstInternalEvent + iota
	// EventTransportOutOfService: after an internal error. The transport and what it holds refuse everything but being closed.
	EventTransportOutOfService
	// EventRTPObserverOutOfService is the same for an RtpObserver.
	EventRTPObserverOutOfService
	// EventPipeTransportSilent: an internal PipeTransport has heard nothing authentic from the other end for almost two seconds.
	EventPipeTransportSilent
	// EventPipeTransportHeard: it hears it again.
	EventPipeTransportHeard
	// EventImportPaused: a producer of another application, which this one uses, was paused.
	EventImportPaused
	// EventImportResumed: it was resumed.
	EventImportResumed
	// EventImportClosed: it was closed.
	EventImportClosed
	// EventImportLost: the worker that had it has ended, and its application lives as far as is known. It may come back.
	EventImportLost
)

// firstInternalEvent leaves room for future releases' events.
const firstInternalEvent = 128

// Internal reports whether the event is none of mediasoup's.
func (v Event) Internal() bool { return v >= firstInternalEvent }

var eventNames = []string{
	"WORKER_CLOSE",
	"TRANSPORT_SEND_RTCP",
	"PRODUCER_SEND",
	"DATAPRODUCER_SEND",
	"WORKER_RUNNING",
	"TRANSPORT_SCTP_STATE_CHANGE",
	"TRANSPORT_SCTP_NEGOTIATED_CAPABILITIES",
	"TRANSPORT_TRACE",
	"WEBRTCTRANSPORT_ICE_SELECTED_TUPLE_CHANGE",
	"WEBRTCTRANSPORT_ICE_STATE_CHANGE",
	"WEBRTCTRANSPORT_DTLS_STATE_CHANGE",
	"PLAINTRANSPORT_TUPLE",
	"PLAINTRANSPORT_RTCP_TUPLE",
	"DIRECTTRANSPORT_RTCP",
	"PRODUCER_SCORE",
	"PRODUCER_TRACE",
	"PRODUCER_VIDEO_ORIENTATION_CHANGE",
	"CONSUMER_PRODUCER_PAUSE",
	"CONSUMER_PRODUCER_RESUME",
	"CONSUMER_PRODUCER_CLOSE",
	"CONSUMER_LAYERS_CHANGE",
	"CONSUMER_RTP",
	"CONSUMER_SCORE",
	"CONSUMER_TRACE",
	"DATACONSUMER_BUFFERED_AMOUNT_LOW",
	"DATACONSUMER_SCTP_SENDBUFFER_FULL",
	"DATACONSUMER_DATAPRODUCER_PAUSE",
	"DATACONSUMER_DATAPRODUCER_RESUME",
	"DATACONSUMER_DATAPRODUCER_CLOSE",
	"DATACONSUMER_MESSAGE",
	"ACTIVESPEAKEROBSERVER_DOMINANT_SPEAKER",
	"AUDIOLEVELOBSERVER_SILENCE",
	"AUDIOLEVELOBSERVER_VOLUMES",
}

// EnumNames returns the schema's member names, indexed by value.
func (Event) EnumNames() []string { return eventNames }

var internalEventNames = []string{
	"DATACONSUMER_CLOSED_BY_PEER",
	"TRANSPORT_OUT_OF_SERVICE",
	"RTPOBSERVER_OUT_OF_SERVICE",
	"PIPETRANSPORT_SILENT",
	"PIPETRANSPORT_HEARD",
	"IMPORT_PAUSED",
	"IMPORT_RESUMED",
	"IMPORT_CLOSED",
	"IMPORT_LOST",
}

// String returns the schema's member name, or that of an internal event.
func (v Event) String() string {
	if i := int(v) - firstInternalEvent; i >= 0 && i < len(internalEventNames) {
		return internalEventNames[i]
	}
	return enumName(eventNames, uint8(v))
}

// NotificationBody is the content of a notification: a pointer to one of the types that UnionNotificationBody lists
// (FBS.Notification.Body).
type NotificationBody interface{ isNotificationBody() }

// Notification goes from the application to the worker or back, and is not answered (FBS.Notification.Notification).
type Notification struct {
	HandlerID string // id of the object addressed, or of the emitting one
	Event     Event
	Body      NotificationBody
}
