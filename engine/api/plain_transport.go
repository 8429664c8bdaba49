package api

// PlainTransportOptions configures a transport for RTP without ICE and DTLS (FBS.PlainTransport.PlainTransportOptions).
type PlainTransportOptions struct {
	Base            *TransportOptions
	ListenInfo      *ListenInfo
	RTCPListenInfo  *ListenInfo // nil: as ListenInfo
	RTCPMux         bool        // RTP and RTCP on one port
	Comedia         bool        // the peer's address is that of its first packet
	EnableSRTP      bool
	SRTPCryptoSuite *SRTPCryptoSuite
}

// PlainTransportConnectRequest tells a plain transport where its peer is (FBS.PlainTransport.ConnectRequest).
type PlainTransportConnectRequest struct {
	IP             string
	Port           *uint16
	RTCPPort       *uint16
	SRTPParameters *SRTPParameters
}

// PlainTransportConnectResponse tells the addresses of a plain transport's two ends
// (FBS.PlainTransport.ConnectResponse).
type PlainTransportConnectResponse struct {
	Tuple          *TransportTuple
	RTCPTuple      *TransportTuple
	SRTPParameters *SRTPParameters
}

// PlainTransportDumpResponse is a plain transport's inner state (FBS.PlainTransport.DumpResponse).
type PlainTransportDumpResponse struct {
	Base           *TransportDump
	RTCPMux        bool
	Comedia        bool
	Tuple          *TransportTuple
	RTCPTuple      *TransportTuple
	SRTPParameters *SRTPParameters
}

// PlainTransportGetStatsResponse carries a plain transport's statistics (FBS.PlainTransport.GetStatsResponse).
type PlainTransportGetStatsResponse struct {
	Base      *TransportStats
	RTCPMux   bool
	Comedia   bool
	Tuple     *TransportTuple
	RTCPTuple *TransportTuple
}

// PlainTransportTupleNotification tells the peer's address for RTP, which comedia mode found
// (FBS.PlainTransport.TupleNotification).
type PlainTransportTupleNotification struct {
	Tuple *TransportTuple
}

// PlainTransportRTCPTupleNotification tells the peer's address for RTCP, which comedia mode found
// (FBS.PlainTransport.RtcpTupleNotification).
type PlainTransportRTCPTupleNotification struct {
	Tuple *TransportTuple
}
