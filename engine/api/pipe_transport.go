package api

// PipeTransportOptions configures a transport that carries media to another router
// (FBS.PipeTransport.PipeTransportOptions).
type PipeTransportOptions struct {
	Base       *TransportOptions
	ListenInfo *ListenInfo
	EnableRTX  bool
	EnableSRTP bool
}

// PipeTransportConnectRequest tells a pipe transport where its peer is (FBS.PipeTransport.ConnectRequest).
type PipeTransportConnectRequest struct {
	IP             string
	Port           *uint16
	SRTPParameters *SRTPParameters
}

// PipeTransportConnectResponse tells the addresses of a pipe transport's two ends (FBS.PipeTransport.ConnectResponse).
type PipeTransportConnectResponse struct {
	Tuple *TransportTuple
}

// PipeTransportDumpResponse is a pipe transport's inner state (FBS.PipeTransport.DumpResponse).
type PipeTransportDumpResponse struct {
	Base           *TransportDump
	Tuple          *TransportTuple
	RTX            bool
	SRTPParameters *SRTPParameters
}

// PipeTransportGetStatsResponse carries a pipe transport's statistics (FBS.PipeTransport.GetStatsResponse).
type PipeTransportGetStatsResponse struct {
	Base  *TransportStats
	Tuple *TransportTuple
}
