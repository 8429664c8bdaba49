package transport

import (
	"gazpacho/engine/api"
	"gazpacho/engine/ice"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
	"gazpacho/engine/wire/stun"
)

// TupleOf returns the tuple of a datagram.
func TupleOf(link *Link, d *netio.Datagram) ice.Tuple {
	protocol := ice.UDP
	if link.Protocol == api.ProtocolTCP {
		protocol = ice.TCP
	}
	return ice.Tuple{Protocol: protocol, Socket: link.ID, Remote: d.From}
}

// LooksLikeDTLS tells DTLS from the other protocols on the port by its first byte (RFC 7983 section 7).
func LooksLikeDTLS(b []byte) bool { return len(b) >= 13 && b[0] >= 20 && b[0] <= 63 }

// HandleDatagrams takes what came in by link.
func (w *WebRtc) HandleDatagrams(now unit.Time, link *Link, batch []netio.Datagram) {
	for i := range batch {
		w.handleDatagram(now, link, &batch[i])
	}
}

// HandleLinkClosed is called when a TCP connection is gone.
func (w *WebRtc) HandleLinkClosed(now unit.Time, link *Link) {
	c := w.backend
	if w.isClosed || c.links[link.ID] == nil {
		return
	}
	c.ice.RemoveTuple(now, ice.Tuple{Protocol: ice.TCP, Socket: link.ID, Remote: link.Remote})
	delete(c.links, link.ID)
	c.drainICE(now)
}

func (w *WebRtc) handleDatagram(now unit.Time, link *Link, d *netio.Datagram) {
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
		w.backend.handleRTCP(now, link, d)
	case rtp.LooksLikeRTP(b):
		w.backend.handleRTP(now, link, d) // owns the buffer
		return
	case LooksLikeDTLS(b):
		w.backend.handleDTLS(now, link, d)
	default:
		w.drops.Unrecognized++
	}
	d.Buffer.Release()
}

func (c *webRtc) handleSTUN(now unit.Time, link *Link, d *netio.Datagram) {
	known := c.links[link.ID] != nil
	c.links[link.ID] = link
	tuple := TupleOf(link, d)
	c.stun = c.ice.HandleSTUN(now, tuple, d.Buffer.Bytes(), c.stun[:0])
	if len(c.stun) > 0 {
		c.sendOn(now, link, d.From, c.stun)
	}
	c.drainICE(now)
	if !known && !c.ice.IsValidTuple(tuple) {
		delete(c.links, link.ID)
	}
}

// valid reports whether ICE vouches for the sender of a datagram. Nothing that strangers send goes further.
func (c *webRtc) valid(link *Link, d *netio.Datagram) (ice.Tuple, bool) {
	tuple := TupleOf(link, d)
	if !c.ice.IsValidTuple(tuple) {
		c.t.drops.ForeignSender++
		return tuple, false
	}
	return tuple, true
}

func (c *webRtc) handleDTLS(now unit.Time, link *Link, d *netio.Datagram) {
	tuple, ok := c.valid(link, d)
	if !ok {
		return
	}
	// Clients that nominate aggressively use a tuple before they have said so.
	c.ice.MayForceSelectedTuple(tuple)
	c.drainICE(now)
	c.dtls.HandleDatagram(d.Buffer.Bytes())
	c.drainDTLS(now)
}

func (c *webRtc) handleRTP(now unit.Time, link *Link, d *netio.Datagram) {
	if c.receiver == nil || c.dtlsState != api.DTLSStateConnected {
		c.t.drops.NotConnected++
		d.Buffer.Release()
		return
	}
	tuple, ok := c.valid(link, d)
	if !ok {
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
	c.ice.MayForceSelectedTuple(tuple)
	c.drainICE(now)
	c.t.routeRTP(now, pkt)
}

func (c *webRtc) handleRTCP(now unit.Time, link *Link, d *netio.Datagram) {
	if c.receiver == nil || c.dtlsState != api.DTLSStateConnected {
		c.t.drops.NotConnected++
		return
	}
	if _, ok := c.valid(link, d); !ok {
		return
	}
	clear, err := c.receiver.UnprotectRTCP(d.Buffer.Bytes())
	if err != nil {
		c.t.drops.countUnprotect(err)
		return
	}
	c.t.handleRTCP(now, clear)
}
