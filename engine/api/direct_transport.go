package api

// DirectTransportOptions is FBS.DirectTransport.DirectTransportOptions.
type DirectTransportOptions struct {
	Base *TransportOptions
}

// DirectTransportDumpResponse is FBS.DirectTransport.DumpResponse.
type DirectTransportDumpResponse struct {
	Base *TransportDump
}

// DirectTransportGetStatsResponse is FBS.DirectTransport.GetStatsResponse.
type DirectTransportGetStatsResponse struct {
	Base *TransportStats
}

// DirectTransportRTCPNotification is FBS.DirectTransport.RtcpNotification.
type DirectTransportRTCPNotification struct {
	Data []byte
}
