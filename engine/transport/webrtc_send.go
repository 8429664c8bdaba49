package transport

import (
	"net/netip"

	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

func (c *webRtc) sendRTP(now unit.Time, _ *Consumer, b []byte, o media.Outgoing) {
	if !c.ice.Proven() && !c.trySelected(now) {
		c.t.drops.NotConnected++
		return
	}
	n, err := c.sender.ProtectRTP(b, o.Len, o.HeaderLen)
	if err != nil {
		c.t.drops.SealFailed++
		return
	}
	c.t.commit(now, n)
}

func (c *webRtc) flush() {
	batch := c.t.env.Batch
	if batch.Len() == 0 {
		return
	}
	if c.selected == nil { // the tuple was given up on the way
		c.t.drops.NotConnected += uint64(batch.Len())
		batch.Reset()
		return
	}
	_, dropped := c.selected.Send(c.peer, batch)
	c.t.drops.SendFailed += uint64(dropped)
	batch.Reset()
}

func (c *webRtc) sendRTCP(now unit.Time, compound []byte) {
	c.t.mustBeEmpty("RTCP")
	c.t.putRTCP(now, c.sender, compound)
	c.flush()
}

// sendRaw sends a packet that needs no SRTP to the peer.
func (c *webRtc) sendRaw(now unit.Time, packet []byte) {
	if c.selected == nil {
		c.t.drops.NotConnected++
		return
	}
	c.sendOn(now, c.selected, c.peer, packet)
}

func (c *webRtc) sendOn(now unit.Time, link *Link, to netip.AddrPort, packet []byte) {
	c.t.mustBeEmpty("STUN or DTLS")
	batch := c.t.env.Batch
	c.t.put(now, packet)
	_, dropped := link.Send(to, batch)
	c.t.drops.SendFailed += uint64(dropped)
	batch.Reset()
}

func (c *webRtc) sendSCTP(now unit.Time, packet []byte) {
	if err := c.dtls.Write(packet); err != nil {
		c.t.drops.SendFailed++
	}
	c.drainDTLS(now)
}
