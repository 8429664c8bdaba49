package transport

import (
	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/unit"
)

// pipeSuite is the only SRTP suite of PipeTransports, mediasoup's choice.
const pipeSuite = api.SRTPCryptoSuiteAEADAES256GCM

// pipe is the backend of a PipeTransport: a plain one that always multiplexes RTCP and has no comedia.
type pipe struct {
	plain
	rtx       bool
	heartbeat heartbeat
}

// Pipe is what a PipeTransport has beyond any transport.
type Pipe struct {
	*Plain
	backend *pipe
}

// NewPipe returns a PipeTransport with its socket bound. As with NewPlain, the owner has the socket read.
func NewPipe(id string, options *api.PipeTransportOptions, env Env) (*Pipe, error) {
	t, err := newTransport(id, options.Base, false, env)
	if err != nil {
		return nil, err
	}
	t.dataPipe = data.Pipe{
		Addressed: !env.Compat.PlainPipes, OldToken: env.Compat.OldPipeToken, Unfiltered: env.Compat.UnfilteredPipes,
	}
	c := &pipe{plain: plain{t: t, rtcpMux: true}, rtx: options.EnableRTX, heartbeat: heartbeat{next: unit.Never}}
	if options.EnableSRTP {
		if c.srtp, err = newPlainSRTP(pipeSuite); err != nil {
			return nil, err
		}
		if err := c.srtp.restore(options.Base.Restore); err != nil {
			return nil, err
		}
	}
	if c.rtp, err = listen(options.ListenInfo, "listen", &env); err != nil {
		return nil, err
	}
	t.backend = c
	return &Pipe{&Plain{t, &c.plain}, c}, nil
}

// Connect answers PIPETRANSPORT_CONNECT.
//
// An internal transport may be connected again, when the other end has been made anew after a restart. Its sender goes on counting
// packets, so that no nonce is used twice; what the new peer sends is protected with that one's own fresh key, and its streams are new ones.
func (p *Pipe) Connect(now unit.Time, req *api.PipeTransportConnectRequest) (*api.PipeTransportConnectResponse, error) {
	c := p.backend
	if c.connectCalled && !c.t.options.Internal {
		return nil, api.Errorf("connect() already called")
	}
	if remote := req.SRTPParameters; c.srtp != nil && remote != nil && remote.CryptoSuite != pipeSuite {
		return nil, api.TypeErrorf("invalid/unsupported srtpParameters.cryptoSuite")
	}
	session, err := c.connectSRTP(req.SRTPParameters)
	if err != nil {
		return nil, err
	}
	peer, _, err := c.peers(&api.PlainTransportConnectRequest{IP: req.IP, Port: req.Port})
	if err != nil {
		return nil, err
	}
	if c.connectCalled {
		if session != nil {
			session.sender = c.srtp.sender
		}
		c.t.restartProducers()
	}
	c.connectCalled, c.srtp, c.rtp.peer = true, session, peer
	p.Transport.connected(now)
	if c.t.options.Internal && session != nil {
		c.heartbeat.begin(now)
		c.t.lowerDeadline(c.heartbeat.next)
	}
	return &api.PipeTransportConnectResponse{Tuple: c.rtp.tuple()}, nil
}

func (c *pipe) dump() api.ResponseBody {
	d := &api.PipeTransportDumpResponse{Base: c.t.baseDump(), Tuple: c.rtp.tuple(), RTX: c.rtx}
	if c.srtp != nil {
		d.SRTPParameters = c.srtp.parameters()
	}
	return d
}

func (c *pipe) stats(now unit.Time) api.ResponseBody {
	return &api.PipeTransportGetStatsResponse{Base: c.t.baseStats(now), Tuple: c.rtp.tuple()}
}
