package transport

import (
	"net/netip"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/netio"
	"gazpacho/engine/srtp"
	"gazpacho/engine/unit"
)

// Socket is a bound UDP socket. Send never blocks: what the kernel does not take is dropped.
type Socket interface {
	LocalAddr() netip.AddrPort
	Send(to netip.AddrPort, b *netio.Batch) (sent, dropped int)
	Close()
}

// plain is the backend of a PlainTransport: RTP and RTCP over UDP, on one port or two, in clear or as SRTP with keys
// that the application exchanges.
type plain struct {
	t       *Transport
	rtcpMux bool
	comedia bool
	rtp     endpoint
	rtcp    endpoint // unused with rtcpMux
	srtp    *plainSRTP

	connectCalled bool
	heard         bool // an authentic packet has come; a pipe's heartbeat looks at it, and resets it
}

// endpoint is a socket with its one peer, which is the zero value until it is known.
type endpoint struct {
	socket    Socket
	announced string
	peer      netip.AddrPort
}

func (e *endpoint) tuple() *api.TransportTuple {
	local := e.socket.LocalAddr()
	tuple := &api.TransportTuple{LocalAddress: e.announced, LocalPort: local.Port(), Protocol: api.ProtocolUDP}
	if e.announced == "" {
		tuple.LocalAddress = IPString(local)
	}
	if e.peer.IsValid() {
		tuple.RemoteIP, tuple.RemotePort = IPString(e.peer), e.peer.Port()
	}
	return tuple
}

// Plain is what a PlainTransport has beyond any transport.
type Plain struct {
	*Transport
	backend *plain
}

// NewPlain returns a PlainTransport with its sockets bound. Nothing reads them yet: the owner does, and calls HandleDatagrams.
func NewPlain(id string, options *api.PlainTransportOptions, env Env) (*Plain, error) {
	t, err := newTransport(id, options.Base, false, env)
	if err != nil {
		return nil, err
	}
	c := &plain{t: t, rtcpMux: options.RTCPMux, comedia: options.Comedia}
	if options.EnableSRTP {
		if options.SRTPCryptoSuite == nil {
			return nil, api.TypeErrorf("missing srtpCryptoSuite")
		}
		if c.srtp, err = newPlainSRTP(*options.SRTPCryptoSuite); err != nil {
			return nil, err
		}
		if err := c.srtp.restore(options.Base.Restore); err != nil {
			return nil, err
		}
	}
	if c.rtp, err = listen(options.ListenInfo, "listen", &env); err != nil {
		return nil, err
	}
	if !c.rtcpMux {
		info := options.RTCPListenInfo
		if info == nil {
			info = options.ListenInfo
		}
		if c.rtcp, err = listen(info, "RTCP listen", &env); err != nil {
			c.rtp.socket.Close()
			return nil, err
		}
	}
	t.backend = c
	return &Plain{t, c}, nil
}

// Sockets returns the transport's sockets: the one for RTP, and, without rtcpMux, the one for RTCP. HandleDatagrams takes the
// index.
func (p *Plain) Sockets() []Socket {
	if p.backend.rtcpMux {
		return []Socket{p.backend.rtp.socket}
	}
	return []Socket{p.backend.rtp.socket, p.backend.rtcp.socket}
}

func (c *plain) connected() bool { return c.rtp.peer.IsValid() }

func (c *plain) secured() bool { return c.srtp != nil }

func (c *plain) sendRTP(now unit.Time, _ *Consumer, b []byte, o media.Outgoing) {
	n := o.Len
	if c.srtp != nil {
		var err error
		if n, err = c.srtp.sender.ProtectRTP(b, o.Len, o.HeaderLen); err != nil {
			c.t.drops.SealFailed++
			return
		}
	}
	c.t.commit(now, n)
}

func (c *plain) flush() { c.send(&c.rtp) }

// send sends what is in the batch to e's peer.
func (c *plain) send(e *endpoint) {
	batch := c.t.env.Batch
	if batch.Len() == 0 {
		return
	}
	_, dropped := e.socket.Send(e.peer, batch)
	c.t.drops.SendFailed += uint64(dropped)
	batch.Reset()
}

func (c *plain) sendRTCP(now unit.Time, compound []byte) {
	c.t.mustBeEmpty("RTCP")
	e := &c.rtp
	if !c.rtcpMux {
		e = &c.rtcp
	}
	if !e.peer.IsValid() {
		return
	}
	var sender *srtp.Sender
	if c.srtp != nil {
		sender = c.srtp.sender
	}
	c.t.putRTCP(now, sender, compound)
	c.send(e)
}

// sendSCTP sends an SCTP packet in a datagram of its own, without DTLS around it.
func (c *plain) sendSCTP(now unit.Time, packet []byte) {
	if !c.connected() {
		c.t.drops.NotConnected++
		return
	}
	c.t.mustBeEmpty("SCTP")
	c.t.put(now, packet)
	c.send(&c.rtp)
}

func (c *plain) poll(unit.Time) {}

func (c *plain) timeout(unit.Time) {}

func (c *plain) nextTimeout() unit.Time { return unit.Never }

func (c *plain) dump() api.ResponseBody {
	d := &api.PlainTransportDumpResponse{
		Base: c.t.baseDump(), RTCPMux: c.rtcpMux, Comedia: c.comedia, Tuple: c.rtp.tuple(),
	}
	if !c.rtcpMux {
		d.RTCPTuple = c.rtcp.tuple()
	}
	if c.srtp != nil {
		d.SRTPParameters = c.srtp.parameters()
	}
	return d
}

func (c *plain) stats(now unit.Time) api.ResponseBody {
	s := &api.PlainTransportGetStatsResponse{
		Base: c.t.baseStats(now), RTCPMux: c.rtcpMux, Comedia: c.comedia, Tuple: c.rtp.tuple(),
	}
	if !c.rtcpMux && c.rtcp.peer.IsValid() {
		s.RTCPTuple = c.rtcp.tuple()
	}
	return s
}

func (c *plain) emitBroken() {}

func (c *plain) close() {
	c.rtp.socket.Close()
	if !c.rtcpMux {
		c.rtcp.socket.Close()
	}
}
