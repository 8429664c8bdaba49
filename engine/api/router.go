package api

// RouterDumpResponse is a router's inner state (FBS.Router.DumpResponse).
type RouterDumpResponse struct {
	ID                               string
	TransportIDs                     []string
	RTPObserverIDs                   []string
	MapProducerIDConsumerIDs         []StringStringArray
	MapConsumerIDProducerID          []StringString
	MapProducerIDObserverIDs         []StringStringArray
	MapDataProducerIDDataConsumerIDs []StringStringArray
	MapDataConsumerIDDataProducerID  []StringString
}

// RouterCreatePipeTransportRequest creates a pipe transport (FBS.Router.CreatePipeTransportRequest).
type RouterCreatePipeTransportRequest struct {
	TransportID string
	Options     *PipeTransportOptions
}

// RouterCreatePlainTransportRequest creates a plain transport (FBS.Router.CreatePlainTransportRequest).
type RouterCreatePlainTransportRequest struct {
	TransportID string
	Options     *PlainTransportOptions
}

// RouterCreateWebRtcTransportRequest creates a WebRTC transport, on addresses of its own or on a WebRTC server's
// (FBS.Router.CreateWebRtcTransportRequest).
type RouterCreateWebRtcTransportRequest struct {
	TransportID string
	Options     *WebRtcTransportOptions
}

// RouterCreateDirectTransportRequest creates a direct transport (FBS.Router.CreateDirectTransportRequest).
type RouterCreateDirectTransportRequest struct {
	TransportID string
	Options     *DirectTransportOptions
}

// RouterCreateAudioLevelObserverRequest creates an observer of audio levels
// (FBS.Router.CreateAudioLevelObserverRequest).
type RouterCreateAudioLevelObserverRequest struct {
	RTPObserverID string
	Options       *AudioLevelObserverOptions
}

// RouterCreateActiveSpeakerObserverRequest creates an observer of the loudest speaker
// (FBS.Router.CreateActiveSpeakerObserverRequest).
type RouterCreateActiveSpeakerObserverRequest struct {
	RTPObserverID string
	Options       *ActiveSpeakerObserverOptions
}

// RouterCloseTransportRequest closes a transport with all that it holds (FBS.Router.CloseTransportRequest).
type RouterCloseTransportRequest struct {
	TransportID string
}

// RouterCloseRTPObserverRequest closes an observer (FBS.Router.CloseRtpObserverRequest).
type RouterCloseRTPObserverRequest struct {
	RTPObserverID string
}
