package router

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"gazpacho/engine/api"
	"gazpacho/engine/netio"
	"gazpacho/engine/transport"
)

// linkIDs numbers the sockets and connections of the process, for ICE's tuples.
var linkIDs atomic.Uint32

// port is one ListenInfo of a WebRtcTransport or WebRtcServer, bound.
type port struct {
	info   *api.ListenInfo
	local  netip.AddrPort
	socket transport.Socket // nil for TCP
	server *netio.TCPServer // nil for UDP
}

// openPorts binds all ports of a list, or none.
func openPorts(infos []api.ListenInfo, env *transport.Env) (ports []*port, err error) {
	defer func() {
		if err != nil {
			closePorts(ports)
		}
	}()
	for i := range infos {
		p := &port{info: &infos[i]}
		if infos[i].Protocol == api.ProtocolTCP {
			p.server, err = transport.ListenTCP(&infos[i], env)
		} else {
			p.socket, err = transport.ListenUDP(&infos[i], env)
		}
		if err != nil {
			return ports, err
		}
		if p.socket != nil {
			p.local = p.socket.LocalAddr()
		} else {
			p.local = p.server.LocalAddr()
		}
		ports = append(ports, p)
	}
	return ports, nil
}

func closePorts(ports []*port) {
	for _, p := range ports {
		if p.socket != nil {
			p.socket.Close()
		} else {
			p.server.Close()
		}
	}
}

// receiver takes what ports receive, on the goroutines that read them.
type receiver interface {
	handleDatagrams(link *transport.Link, batch []netio.Datagram)
	handleClosed(link *transport.Link)
}

// servePorts reads the ports until they are closed, those of UDP by the given poller.
func (h *Runner) servePorts(poller *netio.Poller, ports []*port, to receiver) error {
	for _, p := range ports {
		if p.socket == nil {
			h.readers.Go(func() { p.server.Serve(&tcpReader{to: to, announced: p.info.AnnouncedAddress}) })
			continue
		}
		if err := serve(poller, p.socket, &udpReader{to, &transport.Link{
			ID: linkIDs.Add(1), Protocol: api.ProtocolUDP, Local: p.local, Announced: p.info.AnnouncedAddress,
			Send: p.socket.Send,
		}}); err != nil {
			return api.Errorf("cannot read the port: %v", err)
		}
	}
	return nil
}

type udpReader struct {
	to   receiver
	link *transport.Link
}

// HandleDatagrams implements netio.Handler.
func (r *udpReader) HandleDatagrams(batch []netio.Datagram) { r.to.handleDatagrams(r.link, batch) }

// tcpReader makes a link of each connection. Its methods are called by the connections' own goroutines.
type tcpReader struct {
	to        receiver
	announced string
	links     sync.Map // *netio.TCPConn → *transport.Link, while the connection lives
}

// HandleFrames implements netio.TCPHandler.
func (r *tcpReader) HandleFrames(c *netio.TCPConn, batch []netio.Datagram) {
	link, ok := r.links.Load(c)
	if !ok {
		link = &transport.Link{
			ID: linkIDs.Add(1), Protocol: api.ProtocolTCP, Local: c.LocalAddr(), Remote: c.RemoteAddr(), Announced: r.announced,
			Send:  func(_ netip.AddrPort, b *netio.Batch) (sent, dropped int) { return c.Send(b) },
			Admit: c.Admit, Close: c.Close,
		}
		r.links.Store(c, link)
	}
	r.to.handleDatagrams(link.(*transport.Link), batch)
}

// HandleClosed implements netio.TCPHandler.
func (r *tcpReader) HandleClosed(c *netio.TCPConn) {
	if link, ok := r.links.LoadAndDelete(c); ok {
		r.to.handleClosed(link.(*transport.Link))
	}
}

// Priorities of ICE candidates (RFC 8445 section 5.1.2): the formula and the component are the specification's, the type
// preference and local preferences are upstream's.
const (
	candidateTypePreference  = 64
	candidateLocalPreference = 10000
	candidateComponent       = 1
	nextPortPenalty          = 100  // of the local preference, for each port further down the list
	preferredProtocolBonus   = 1000 // of the local preference, for preferUdp or preferTcp
	internalIPPenalty        = 1000 // of the priority
)

func candidatePriority(localPreference uint32) uint32 {
	return candidateTypePreference<<24 | localPreference<<8 | (256 - candidateComponent)
}

// candidates returns what peers are told of the ports, in the order of the list. Skipped ports lower the preference of
// those behind them too, as upstream has it.
func candidates(ports []*port, options *api.WebRtcTransportOptions, filter bool) []api.ICECandidate {
	var list []api.ICECandidate
	for i, p := range ports {
		tcp := p.info.Protocol == api.ProtocolTCP
		if filter && (tcp && !options.EnableTCP || !tcp && !options.EnableUDP) {
			continue
		}
		preference := uint32(candidateLocalPreference - i*nextPortPenalty)
		if filter && (tcp && options.PreferTCP || !tcp && options.PreferUDP) {
			preference += preferredProtocolBonus
		}
		c := api.ICECandidate{
			Foundation: "udpcandidate", Priority: candidatePriority(preference), Address: transport.IPString(p.local),
			Protocol: api.ProtocolUDP, Port: p.local.Port(), Type: api.ICECandidateTypeHost,
		}
		if tcp {
			c.Foundation, c.Protocol, c.TCPType = "tcpcandidate", api.ProtocolTCP, new(api.ICECandidateTCPTypePassive)
		}
		internal := c
		internal.Priority -= internalIPPenalty
		if p.info.AnnouncedAddress != "" {
			c.Address = p.info.AnnouncedAddress
		}
		list = append(list, c)
		if p.info.AnnouncedAddress != "" && p.info.ExposeInternalIP {
			list = append(list, internal)
		}
	}
	return list
}
