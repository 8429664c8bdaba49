package api

// PipeTransportOptions is FBS.PipeTransport.PipeTransportOptions.
type PipeTransportOptions struct {
	Base       *TransportOptions
	ListenInfo *ListenInfo
	EnableRTX  bool
	EnableSRTP bool
}

// PipeTransportConnectRequest is FBS.PipeTransport.ConnectRequest.
type PipeTransportConnectRequest struct {
	IP             string
	Port           *uint16
	SRTPParameters *SRTPParameters
}

// PipeTransportConnectResponse is FBS.PipeTransport.ConnectResponse.
type PipeTransportConnectResponse struct {
	Tuple *TransportTuple
}

// PipeTransportDumpResponse is FBS.PipeTransport.DumpResponse.
type PipeTransportDumpResponse struct {
	Base           *TransportDump
	Tuple          *TransportTuple
	RTX            bool
	SRTPParameters *SRTPParameters
}

// PipeTransportGetStatsResponse is FBS.PipeTransport.GetStatsResponse.
type PipeTransportGetStatsResponse struct {
	Base  *TransportStats
	Tuple *TransportTuple
}
