package runner

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

// Port is one ListenInfo of a WebRtcTransport or WebRtcServer, bound.
type Port struct {
	info   *api.ListenInfo
	socket transport.Socket // nil for TCP
	server *netio.TCPServer // nil for UDP
}

// Info returns what the application asked for.
func (p *Port) Info() *api.ListenInfo { return p.info }

// LocalAddr returns the address that the port is bound to.
func (p *Port) LocalAddr() netip.AddrPort {
	if p.socket != nil {
		return p.socket.LocalAddr()
	}
	return p.server.LocalAddr()
}

// Ports are the ports of a WebRtcTransport or WebRtcServer, in the order of the application's list.
type Ports []*Port

// OpenPorts binds all ports of a list, or none. The error is for the application.
func (r *Runner) OpenPorts(infos []api.ListenInfo, worker transport.WorkerEnv) (ports Ports, err error) {
	defer func() {
		if err != nil {
			ports.Close()
		}
	}()
	env := transport.Env{WorkerEnv: worker, ShardEnv: r.shards[0].env}
	for i := range infos {
		p := &Port{info: &infos[i]}
		if infos[i].Protocol == api.ProtocolTCP {
			p.server, err = transport.ListenTCP(&infos[i], &env)
		} else {
			p.socket, err = transport.ListenUDP(&infos[i], &env)
		}
		if err != nil {
			return ports, err
		}
		ports = append(ports, p)
	}
	return ports, nil
}

// Close closes the ports and the connections that came in by them.
func (ports Ports) Close() {
	for _, p := range ports {
		if p.socket != nil {
			p.socket.Close()
		} else {
			p.server.Close()
		}
	}
}

// ServePorts has the ports of a WebRtcTransport read until they are closed.
func (a *TransportActor) ServePorts(ports Ports) error {
	return a.ctx.runner.servePorts(a.ctx.poller, ports, a)
}

// receiver takes what ports receive, on the goroutines that read them.
type receiver interface {
	handleDatagrams(link *transport.Link, batch []transport.Datagram)
	handleClosed(link *transport.Link)
}

// servePorts reads the ports until they are closed, those of UDP by the given poller.
func (r *Runner) servePorts(poller *netio.Poller, ports Ports, to receiver) error {
	for _, p := range ports {
		if p.socket == nil {
			r.readers.Go(func() { p.server.Serve(&tcpReader{to: to, announced: p.info.AnnouncedAddress}) })
			continue
		}
		if err := serve(poller, p.socket, &linkReader{to: to, link: &transport.Link{
			ID: linkIDs.Add(1), Protocol: api.ProtocolUDP, Local: p.LocalAddr(), Announced: p.info.AnnouncedAddress,
			Send: p.socket.Send,
		}}); err != nil {
			return api.Errorf("cannot read the port: %v", err)
		}
	}
	return nil
}

// serve makes the poller read a socket until it is closed. Sockets of tests that nothing reads have no Serve method.
func serve(poller *netio.Poller, socket transport.Socket, handler netio.Handler) error {
	s, ok := socket.(interface {
		Serve(*netio.Poller, netio.Handler) error
	})
	if !ok {
		return nil
	}
	return s.Serve(poller, handler)
}

// linkReader gives the datagrams of one link their tuples. One goroutine at a time uses it.
type linkReader struct {
	to    receiver
	link  *transport.Link
	batch []transport.Datagram
}

// HandleDatagrams implements netio.Handler.
func (r *linkReader) HandleDatagrams(batch []netio.Datagram) {
	r.batch = r.batch[:0]
	for i := range batch {
		r.batch = append(r.batch, transport.Datagram{Buffer: batch[i].Buffer, Tuple: r.link.Tuple(batch[i].From)})
	}
	r.to.handleDatagrams(r.link, r.batch)
}

// tcpReader makes a link of each connection. The connections' own goroutines call its methods.
type tcpReader struct {
	to        receiver
	announced string
	links     sync.Map // *netio.TCPConn → *linkReader, while the connection lives
}

// HandleFrames implements netio.TCPHandler.
func (r *tcpReader) HandleFrames(c *netio.TCPConn, batch []netio.Datagram) {
	reader, ok := r.links.Load(c)
	if !ok {
		reader = &linkReader{to: r.to, link: &transport.Link{
			ID: linkIDs.Add(1), Protocol: api.ProtocolTCP, Local: c.LocalAddr(), Remote: c.RemoteAddr(), Announced: r.announced,
			Send:  func(_ netip.AddrPort, b *netio.Batch) (sent, dropped int) { return c.Send(b) },
			Admit: c.Admit, Close: c.Close,
		}}
		r.links.Store(c, reader)
	}
	reader.(*linkReader).HandleDatagrams(batch)
}

// HandleClosed implements netio.TCPHandler.
func (r *tcpReader) HandleClosed(c *netio.TCPConn) {
	if reader, ok := r.links.LoadAndDelete(c); ok {
		r.to.handleClosed(reader.(*linkReader).link)
	}
}
