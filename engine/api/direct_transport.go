package api

// DirectTransportOptions configures a transport between the application and the router, without network
// (FBS.DirectTransport.DirectTransportOptions).
type DirectTransportOptions struct {
	Base *TransportOptions
}

// DirectTransportDumpResponse is a direct transport's inner state (FBS.DirectTransport.DumpResponse).
type DirectTransportDumpResponse struct {
	Base *TransportDump
}

// DirectTransportGetStatsResponse carries a direct transport's statistics (FBS.DirectTransport.GetStatsResponse).
type DirectTransportGetStatsResponse struct {
	Base *TransportStats
}

// DirectTransportRTCPNotification carries an RTCP packet to the application (FBS.DirectTransport.RtcpNotification).
type DirectTransportRTCPNotification struct {
	Data []byte
}
