package transport

import (
	"net/netip"

	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// Connect answers PLAINTRANSPORT_CONNECT.
func (p *Plain) Connect(now unit.Time, req *api.PlainTransportConnectRequest) (*api.PlainTransportConnectResponse, error) {
	c := p.backend
	if c.connectCalled {
		return nil, api.Errorf("connect() already called")
	}
	session, err := c.connectSRTP(req.SRTPParameters)
	if err != nil {
		return nil, err
	}
	var peer, rtcpPeer netip.AddrPort
	if !c.comedia {
		if peer, rtcpPeer, err = c.peers(req); err != nil {
			return nil, err
		}
	}
	c.connectCalled = true
	c.srtp = session
	response := &api.PlainTransportConnectResponse{}
	if !c.comedia {
		c.rtp.peer, c.rtcp.peer = peer, rtcpPeer
		response.Tuple = c.rtp.tuple()
		if !c.rtcpMux {
			response.RTCPTuple = c.rtcp.tuple()
		}
		p.Transport.connected(now)
	}
	if session != nil {
		response.SRTPParameters = session.parameters()
	}
	return response, nil
}

// RestorePeers makes those addresses the peer's that an earlier transport with comedia had found, without a notification: the
// application has been told of them.
func (p *Plain) RestorePeers(now unit.Time, r *api.TransportRestore) {
	c := p.backend
	if !c.comedia || r == nil {
		return
	}
	c.rtcp.peer = remoteOf(r.RTCPTuple)
	if c.rtp.peer = remoteOf(r.Tuple); c.rtp.peer.IsValid() {
		p.Transport.connected(now)
	}
}

// remoteOf returns a tuple's remote end; the zero value if it has none.
func remoteOf(t *api.TransportTuple) netip.AddrPort {
	if t == nil {
		return netip.AddrPort{}
	}
	address, err := parseIP(t.RemoteIP)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(address, t.RemotePort)
}

func (c *plain) connectSRTP(remote *api.SRTPParameters) (*plainSRTP, error) {
	switch {
	case c.srtp == nil && remote != nil:
		return nil, api.TypeErrorf("invalid srtpParameters (SRTP not enabled)")
	case c.srtp == nil:
		return nil, nil
	case remote == nil:
		return nil, api.TypeErrorf("missing srtpParameters (SRTP enabled)")
	}
	return c.srtp.connect(remote)
}

// peers returns where to send RTP and RTCP.
func (c *plain) peers(req *api.PlainTransportConnectRequest) (peer, rtcpPeer netip.AddrPort, err error) {
	if req.IP == "" {
		return peer, rtcpPeer, api.TypeErrorf("missing ip")
	}
	address, err := parseIP(req.IP)
	if err != nil {
		return peer, rtcpPeer, err
	}
	switch {
	case req.Port == nil:
		return peer, rtcpPeer, api.TypeErrorf("missing port")
	case req.RTCPPort != nil && c.rtcpMux:
		return peer, rtcpPeer, api.TypeErrorf("cannot set rtcpPort with rtcpMux enabled")
	case req.RTCPPort == nil && !c.rtcpMux:
		return peer, rtcpPeer, api.TypeErrorf("missing rtcpPort (required with rtcpMux disabled)")
	}
	peer = netip.AddrPortFrom(address, *req.Port)
	if !c.rtcpMux {
		rtcpPeer = netip.AddrPortFrom(address, *req.RTCPPort)
	}
	return peer, rtcpPeer, nil
}

// HandleDatagrams takes a batch that the socket with the given index received. Settle must follow.
func (p *Plain) HandleDatagrams(now unit.Time, socket int, batch []netio.Datagram) {
	for i := range batch {
		p.handleDatagram(now, socket, &batch[i])
	}
}

// handleDatagram tells RTCP from RTP by its second byte on both sockets (RFC 5761 section 4), as mediasoup does.
func (p *Plain) handleDatagram(now unit.Time, socket int, d *netio.Datagram) {
	b := d.Buffer.Bytes()
	p.received(now, len(b))
	switch {
	case p.isClosed || p.isBroken:
		d.Buffer.Release()
	case wirertcp.LooksLikeRTCP(b):
		p.handleRTCPDatagram(now, socket, d)
		d.Buffer.Release()
	case rtp.LooksLikeRTP(b):
		p.handleRTPDatagram(now, socket, d)
	case p.sctp != nil && looksLikeSCTP(b):
		if socket == 0 && p.admitUnprotected(now, d.From) {
			p.handleSCTP(now, b)
		} else {
			p.drops.ForeignSender++
		}
		d.Buffer.Release()
	default:
		p.drops.Unrecognized++
		d.Buffer.Release()
	}
}

// handleRTPDatagram owns the datagram's buffer. Only the sender of an authentic and well-formed packet can become the
// transport's peer.
func (p *Plain) handleRTPDatagram(now unit.Time, socket int, d *netio.Datagram) {
	c := p.backend
	if c.srtp != nil && !p.openRTP(d) {
		d.Buffer.Release()
		return
	}
	pkt := packet.New(d.Buffer, now)
	defer pkt.Release()
	if err := pkt.Parse(d.Buffer.Bytes()); err != nil {
		p.drops.RTPMalformed++
		return
	}
	if socket != 0 || !p.admit(now, &c.rtp, d.From) {
		p.drops.ForeignSender++
		return
	}
	p.routeRTP(now, pkt)
}

func (p *Plain) handleRTCPDatagram(now unit.Time, socket int, d *netio.Datagram) {
	c := p.backend
	plainText := d.Buffer.Bytes()
	if c.srtp != nil {
		var ok bool
		if plainText, ok = p.openRTCP(plainText); !ok {
			return
		}
	}
	if !p.admitRTCP(now, socket, d.From) {
		p.drops.ForeignSender++
		return
	}
	p.handleRTCP(now, plainText)
}

// admitRTCP is admit for RTCP. Without rtcpMux it belongs on the second socket; on the first it is accepted from the RTP peer,
// which then multiplexes without having been asked to.
func (p *Plain) admitRTCP(now unit.Time, socket int, from netip.AddrPort) bool {
	c := p.backend
	switch {
	case c.rtcpMux:
		return p.admit(now, &c.rtp, from)
	case socket == 1:
		return p.admit(now, &c.rtcp, from)
	default:
		return c.rtp.peer == from
	}
}

// admit reports whether a packet from the given address is the peer's. With comedia the first sender becomes the peer, for good.
func (p *Plain) admit(now unit.Time, e *endpoint, from netip.AddrPort) bool {
	if e.peer.IsValid() {
		return e.peer == from
	}
	if !p.backend.comedia {
		return false
	}
	e.peer = from
	if e == &p.backend.rtp {
		p.emit(p.id, api.EventPlainTransportTuple, &api.PlainTransportTupleNotification{Tuple: e.tuple()})
		p.Transport.connected(now)
	} else {
		p.emit(p.id, api.EventPlainTransportRTCPTuple, &api.PlainTransportRTCPTupleNotification{Tuple: e.tuple()})
	}
	return true
}

// admitUnprotected is admit for SCTP, which SRTP does not protect: if SRTP is used, only authentic packets make a peer.
func (p *Plain) admitUnprotected(now unit.Time, from netip.AddrPort) bool {
	c := p.backend
	if c.srtp != nil {
		return c.rtp.peer == from
	}
	return p.admit(now, &c.rtp, from)
}

// openRTP decrypts a datagram in place and reports whether it is authentic and new.
func (p *Plain) openRTP(d *netio.Datagram) bool {
	receiver := p.backend.srtp.receiver
	if receiver == nil {
		p.drops.NotConnected++
		return false
	}
	plainText, err := p.unprotectRTP(receiver, d.Buffer.Bytes())
	if err != nil {
		p.drops.countUnprotect(err)
		return false
	}
	d.Buffer.SetLen(len(plainText))
	p.backend.heard = true
	return true
}

func (p *Plain) openRTCP(b []byte) ([]byte, bool) {
	receiver := p.backend.srtp.receiver
	if receiver == nil {
		p.drops.NotConnected++
		return nil, false
	}
	plainText, err := receiver.UnprotectRTCP(b)
	if err != nil {
		p.drops.countUnprotect(err)
		return nil, false
	}
	p.backend.heard = true
	return plainText, true
}
