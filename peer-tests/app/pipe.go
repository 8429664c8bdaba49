package app

import (
	"gazpacho/engine/api"
)

// PipeTo has a producer of the router produced in another one as well, by a pair of PipeTransports with SRTP on addresses of nodes, as
// mediasoup's pipeToRouter does with such a listenInfo.
func (r *Router) PipeTo(other *Router, p *Producer) *Producer {
	r.t.Helper()
	here, near := r.newPipe()
	there, far := other.newPipe()
	here.connectPipe(far)
	there.connectPipe(near)
	rtp := parameters(p.media.Codec, p.mapped...)
	r.Do(api.MethodTransportConsume, here.ID, &api.TransportConsumeRequest{
		ConsumerID: newID("consumer"), ProducerID: p.ID, Kind: p.media.Kind, Type: api.RTPTypePipe, ConsumableRTPEncodings: p.mapped, RTPParameters: rtp,
	})
	media := p.media
	media.SSRCs = nil
	for _, e := range p.mapped {
		media.SSRCs = append(media.SSRCs, *e.SSRC)
	}
	return there.ProduceMedia(media)
}

// newPipe creates a PipeTransport.
func (r *Router) newPipe() (*Transport, *api.PipeTransportDumpResponse) {
	r.t.Helper()
	t := &Transport{Router: r, ID: newID("transport")}
	d := r.Do(api.MethodRouterCreatePipeTransport, r.ID, &api.RouterCreatePipeTransportRequest{
		TransportID: t.ID,
		Options: &api.PipeTransportOptions{
			Base: &api.TransportOptions{}, ListenInfo: &ListenOn("0.0.0.0", api.ProtocolUDP)[0], EnableSRTP: true,
		},
	})
	return t, d.(*api.PipeTransportDumpResponse)
}

// connectPipe connects it with another one.
func (t *Transport) connectPipe(to *api.PipeTransportDumpResponse) {
	t.t.Helper()
	t.Do(api.MethodPipeTransportConnect, t.ID, &api.PipeTransportConnectRequest{
		IP: to.Tuple.LocalAddress, Port: new(to.Tuple.LocalPort), SRTPParameters: to.SRTPParameters,
	})
}
