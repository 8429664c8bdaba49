package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"gazpacho/engine"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/reach"
)

// probe begins to find out which nodes reach this one by UDP. It returns nil if there is no address or no port for that, which is no reason
// to carry no calls.
func (c *nodeConfig) probe(self *membership.Node, pipe netip.Addr, log *slog.Logger) *reach.Prober {
	if !pipe.IsValid() {
		return nil
	}
	low, high := c.mediaPorts()
	if c.probePort > 0 {
		low, high = c.probePort, c.probePort
	}
	conn, err := reach.Listen(pipe, uint16(low), uint16(high))
	if err != nil {
		log.Error("it will not be known whether other nodes reach this one by UDP", "error", err)
		return nil
	}
	self.ProbePort = conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	return reach.NewProber(conn, *self, log)
}

// mediaPorts returns the range of ports for media, as far as that is for the node to say.
func (c *nodeConfig) mediaPorts() (low, high uint) {
	return cmp.Or(c.minPort, engine.DefaultRTCMinPort), cmp.Or(c.maxPort, engine.DefaultRTCMaxPort)
}

// portsShown is that range, for people.
func (c *nodeConfig) portsShown() string {
	low, high := c.mediaPorts()
	return fmt.Sprintf("%d-%d", low, high)
}
