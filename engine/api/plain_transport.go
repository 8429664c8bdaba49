package api

// PlainTransportOptions is FBS.PlainTransport.PlainTransportOptions.
type PlainTransportOptions struct {
	Base            *TransportOptions
	ListenInfo      *ListenInfo
	RTCPListenInfo  *ListenInfo
	RTCPMux         bool
	Comedia         bool
	EnableSRTP      bool
	SRTPCryptoSuite *SRTPCryptoSuite
}

// PlainTransportConnectRequest is FBS.PlainTransport.ConnectRequest.
type PlainTransportConnectRequest struct {
	IP             string
	Port           *uint16
	RTCPPort       *uint16
	SRTPParameters *SRTPParameters
}

// PlainTransportConnectResponse is FBS.PlainTransport.ConnectResponse.
type PlainTransportConnectResponse struct {
	Tuple          *TransportTuple
	RTCPTuple      *TransportTuple
	SRTPParameters *SRTPParameters
}

// PlainTransportDumpResponse is FBS.PlainTransport.DumpResponse.
type PlainTransportDumpResponse struct {
	Base           *TransportDump
	RTCPMux        bool
	Comedia        bool
	Tuple          *TransportTuple
	RTCPTuple      *TransportTuple
	SRTPParameters *SRTPParameters
}

// PlainTransportGetStatsResponse is FBS.PlainTransport.GetStatsResponse.
type PlainTransportGetStatsResponse struct {
	Base      *TransportStats
	RTCPMux   bool
	Comedia   bool
	Tuple     *TransportTuple
	RTCPTuple *TransportTuple
}

// PlainTransportTupleNotification is FBS.PlainTransport.TupleNotification.
type PlainTransportTupleNotification struct {
	Tuple *TransportTuple
}

// PlainTransportRTCPTupleNotification is FBS.PlainTransport.RtcpTupleNotification.
type PlainTransportRTCPTupleNotification struct {
	Tuple *TransportTuple
}
