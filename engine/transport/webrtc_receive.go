package transport

import (
	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
	"gazpacho/engine/wire/stun"
)

// LooksLikeDTLS tells DTLS from the other protocols on the port by its first byte (RFC 7983 section 7).
func LooksLikeDTLS(b []byte) bool { return len(b) >= 13 && b[0] >= 20 && b[0] <= 63 }

// HandleDatagrams takes a batch that link received. Settle must follow.
func (w *WebRtc) HandleDatagrams(now unit.Time, link *Link, batch []Datagram) {
	for i := range batch {
		w.handleDatagram(now, link, &batch[i])
	}
}

// HandleLinkClosed takes the end of a TCP connection.
func (w *WebRtc) HandleLinkClosed(now unit.Time, link *Link) {
	c := w.backend
	if w.isClosed || c.links[link.ID] == nil {
		return
	}
	c.ice.RemoveTuple(now, link.Tuple(link.Remote))
	delete(c.links, link.ID)
	c.drainICE(now)
}

func (w *WebRtc) handleDatagram(now unit.Time, link *Link, d *Datagram) {
	b := d.Buffer.Bytes()
	if w.isClosed || w.isBroken {
		d.Buffer.Release()
		return
	}
	w.received(now, len(b))
	switch {
	case stun.LooksLikeSTUN(b):
		w.backend.handleSTUN(now, link, d)
	case wirertcp.LooksLikeRTCP(b):
		w.backend.handleRTCP(now, d)
	case rtp.LooksLikeRTP(b):
		w.backend.handleRTP(now, d) // owns the buffer
		return
	case LooksLikeDTLS(b):
		w.backend.handleDTLS(now, d)
	default:
		w.drops.Unrecognized++
	}
	d.Buffer.Release()
}

func (c *webRtc) handleSTUN(now unit.Time, link *Link, d *Datagram) {
	known := c.links[link.ID] != nil
	c.links[link.ID] = link
	c.stun = c.ice.HandleSTUN(now, d.Tuple, d.Buffer.Bytes(), c.stun[:0])
	if len(c.stun) > 0 {
		c.sendOn(now, link, d.Tuple.Remote, c.stun)
	}
	c.drainICE(now)
	if !known && !c.ice.IsValidTuple(d.Tuple) {
		delete(c.links, link.ID)
	}
}

// valid reports whether ICE authenticated the sender of a datagram. Others are counted and dropped.
func (c *webRtc) valid(d *Datagram) bool {
	if !c.ice.IsValidTuple(d.Tuple) {
		c.t.drops.ForeignSender++
		return false
	}
	return true
}

// use selects the tuple of an authentic packet: with aggressive nomination, clients use one before they nominate it. So what
// feedback asks for goes where the feedback came from.
func (c *webRtc) use(now unit.Time, d *Datagram) {
	if c.ice.Prove(d.Tuple) {
		c.drainICE(now)
	}
	c.unproven.end(now)
}

func (c *webRtc) handleDTLS(now unit.Time, d *Datagram) {
	if !c.valid(d) {
		return
	}
	switch authentic := c.dtls.HandleDatagram(d.Buffer.Bytes()); {
	case authentic:
		c.use(now, d)
	case c.dtlsState != api.DTLSStateConnected && c.ice.MayForceSelectedTuple(d.Tuple):
		c.drainICE(now)
	}
	c.drainDTLS(now)
}

func (c *webRtc) handleRTP(now unit.Time, d *Datagram) {
	if c.receiver == nil || c.dtlsState != api.DTLSStateConnected {
		c.t.drops.NotConnected++
		d.Buffer.Release()
		return
	}
	if !c.valid(d) {
		d.Buffer.Release()
		return
	}
	clear, err := c.t.unprotectRTP(c.receiver, d.Buffer.Bytes())
	if err != nil {
		c.t.drops.countUnprotect(err)
		d.Buffer.Release()
		return
	}
	d.Buffer.SetLen(len(clear))
	pkt := packet.New(d.Buffer, now)
	defer pkt.Release()
	if err := pkt.Parse(clear); err != nil {
		c.t.drops.RTPMalformed++
		return
	}
	c.use(now, d)
	c.t.routeRTP(now, pkt)
}

func (c *webRtc) handleRTCP(now unit.Time, d *Datagram) {
	if c.receiver == nil || c.dtlsState != api.DTLSStateConnected {
		c.t.drops.NotConnected++
		return
	}
	if !c.valid(d) {
		return
	}
	clear, err := c.receiver.UnprotectRTCP(d.Buffer.Bytes())
	if err != nil {
		c.t.drops.countUnprotect(err)
		return
	}
	c.use(now, d)
	c.t.handleRTCP(now, clear)
}
