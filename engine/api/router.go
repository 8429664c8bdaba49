package api

// RouterDumpResponse is FBS.Router.DumpResponse.
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

// RouterCreatePipeTransportRequest is FBS.Router.CreatePipeTransportRequest.
type RouterCreatePipeTransportRequest struct {
	TransportID string
	Options     *PipeTransportOptions
}

// RouterCreatePlainTransportRequest is FBS.Router.CreatePlainTransportRequest.
type RouterCreatePlainTransportRequest struct {
	TransportID string
	Options     *PlainTransportOptions
}

// RouterCreateWebRtcTransportRequest is FBS.Router.CreateWebRtcTransportRequest.
type RouterCreateWebRtcTransportRequest struct {
	TransportID string
	Options     *WebRtcTransportOptions
}

// RouterCreateDirectTransportRequest is FBS.Router.CreateDirectTransportRequest.
type RouterCreateDirectTransportRequest struct {
	TransportID string
	Options     *DirectTransportOptions
}

// RouterCreateAudioLevelObserverRequest is FBS.Router.CreateAudioLevelObserverRequest.
type RouterCreateAudioLevelObserverRequest struct {
	RTPObserverID string
	Options       *AudioLevelObserverOptions
}

// RouterCreateActiveSpeakerObserverRequest is FBS.Router.CreateActiveSpeakerObserverRequest.
type RouterCreateActiveSpeakerObserverRequest struct {
	RTPObserverID string
	Options       *ActiveSpeakerObserverOptions
}

// RouterCloseTransportRequest is FBS.Router.CloseTransportRequest.
type RouterCloseTransportRequest struct {
	TransportID string
}

// RouterCloseRTPObserverRequest is FBS.Router.CloseRtpObserverRequest.
type RouterCloseRTPObserverRequest struct {
	RTPObserverID string
}
