package pipe

import "gazpacho/engine/api"

// NewTransport returns the request for one end of a pair: SRTP (AES-256-GCM) and RTX are on, SCTP is not, since data takes
// another way. listen is where this end's worker reaches the other one.
func NewTransport(id string, listen *api.ListenInfo) *api.RouterCreatePipeTransportRequest {
	return &api.RouterCreatePipeTransportRequest{
		TransportID: id,
		Options: &api.PipeTransportOptions{
			Base: &api.TransportOptions{Internal: true}, ListenInfo: listen, EnableRTX: true, EnableSRTP: true,
		},
	}
}

// Connect returns the request that has an end send to the other one, of which far is the answer to NewTransport. The error says
// that the answer lacks what makes a connection.
func Connect(far api.ResponseBody) (*api.PipeTransportConnectRequest, error) {
	dump, ok := far.(*api.PipeTransportDumpResponse)
	if !ok || dump == nil || dump.Tuple == nil || dump.SRTPParameters == nil {
		return nil, api.Errorf("the other worker tells neither address nor key of its end of a pipe")
	}
	port := dump.Tuple.LocalPort
	return &api.PipeTransportConnectRequest{IP: dump.Tuple.LocalAddress, Port: &port, SRTPParameters: dump.SRTPParameters}, nil
}
