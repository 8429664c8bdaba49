package api

// RTXStreamParams is FBS.RtxStream.Params.
type RTXStreamParams struct {
	SSRC        uint32
	PayloadType uint8
	MimeType    string
	ClockRate   uint32
	RRID        string
	CNAME       string
}

// RTXStreamDump is FBS.RtxStream.RtxDump.
type RTXStreamDump struct {
	Params *RTXStreamParams
}
