package api

// RTXStreamParams describes a stream of retransmissions as the worker sees it (FBS.RtxStream.Params).
type RTXStreamParams struct {
	SSRC        uint32
	PayloadType uint8
	MimeType    string
	ClockRate   uint32 // Hz
	RRID        string
	CNAME       string
}

// RTXStreamDump is the inner state of a stream of retransmissions (FBS.RtxStream.RtxDump).
type RTXStreamDump struct {
	Params *RTXStreamParams
}
