package router

import (
	"slices"
	"sync"
	"sync/atomic"

	"gazpacho/engine/api"
	"gazpacho/engine/ice"
	"gazpacho/engine/netio"
	"gazpacho/engine/transport"
	"gazpacho/engine/wire/stun"
)

// Server is a WebRtcServer: ports that any number of WebRtcTransports share. A packet is told by its tuple; one from a
// new tuple must be a STUN request, which names its transport by username fragment.
//
// The tables are the one thing that shards share, because a port's reader must find the shard before it can take its
// turn. Their lock is held for look-ups and changes only, and nothing is called under it.
type Server struct {
	id         string
	runner     *Runner
	ports      []*port
	transports Table[*transportEntry] // control loop only
	unroutable atomic.Uint64

	mu         sync.RWMutex
	byFragment map[string]*TransportActor
	byTuple    map[ice.Tuple]*TransportActor
}

// NewServer binds a WebRtcServer's ports and serves them. The caller enters it into the registry.
func NewServer(id string, infos []api.ListenInfo, runner *Runner) (*Server, error) {
	if len(infos) == 0 {
		return nil, api.TypeErrorf("wrong listenInfos (empty array)")
	}
	ports, err := openPorts(infos, &runner.shards[0].env)
	if err != nil {
		return nil, err
	}
	s := &Server{id: id, runner: runner, ports: ports, byFragment: map[string]*TransportActor{}, byTuple: map[ice.Tuple]*TransportActor{}}
	if err := runner.servePorts(runner.poller, ports, s); err != nil {
		closePorts(ports)
		return nil, err
	}
	runner.servers[id] = s
	return s, nil
}

// Close closes the transports, while they can still say goodbye, and then the ports.
func (s *Server) Close() {
	for _, m := range s.transports.All() {
		m.router.closeTransportEntry(m)
	}
	closePorts(s.ports)
	delete(s.runner.servers, s.id)
	s.runner.log.Debug("WebRtcServer closed", "webRtcServerId", s.id, "datagramsOfNoTransport", s.unroutable.Load())
}

// HandleNotification implements Handler; servers take none.
func (s *Server) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (s *Server) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	if req.Method != api.MethodWebRtcServerDump {
		return nil, unsupported(req.Method)
	}
	d := &api.WebRtcServerDumpResponse{ID: s.id}
	for _, p := range s.ports {
		row := api.IPPort{IP: transport.IPString(p.local), Port: p.local.Port()}
		if p.socket != nil {
			d.UDPSockets = append(d.UDPSockets, row)
		} else {
			d.TCPServers = append(d.TCPServers, row)
		}
	}
	d.WebRtcTransportIDs = s.transports.IDs()
	d.LocalICEUsernameFragments = s.dumpFragments()
	return d, nil
}

// dumpFragments returns the username fragments in the order of their transports.
func (s *Server) dumpFragments() []api.ICEUserNameFragment {
	byActor := make(map[*TransportActor][]string, s.transports.Len())
	s.mu.RLock()
	for fragment, actor := range s.byFragment {
		byActor[actor] = append(byActor[actor], fragment)
	}
	s.mu.RUnlock()
	var rows []api.ICEUserNameFragment
	for id, m := range s.transports.All() {
		for _, fragment := range byActor[m.actor] {
			rows = append(rows, api.ICEUserNameFragment{LocalICEUsernameFragment: fragment, WebRtcTransportID: id})
		}
	}
	return rows
}

// Size returns how many username fragments and tuples lead to transports.
func (s *Server) Size() (fragments, tuples int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.byFragment), len(s.byTuple)
}

// handleDatagrams implements receiver. What a transport gets of a batch it gets at once, so that its producers' packets
// reach each consumer together, the more the higher the load is; the order of one tuple's datagrams is kept.
//
// The poller's goroutine itself takes the turn of one shard only, and not if it would have to wait. What is for other shards
// it posts, so that they work at the same time: all transports of a worker may be behind this one port.
func (s *Server) handleDatagrams(link *transport.Link, batch []netio.Datagram) {
	for part := range slices.Chunk(batch, maxDemuxed) {
		var demux demux
		for i := range part {
			s.sort(&demux, link, part[i:i+1])
		}
		demux.deliver(link)
	}
}

// sort keeps one datagram for packetBatch if its tuple is known. The first one of a tuple is handled at once, since the next one is
// only found when that was.
func (s *Server) sort(to *demux, link *transport.Link, one []netio.Datagram) {
	actor, known := s.actorOf(link, &one[0])
	switch {
	case actor == nil:
		s.unroutable.Add(1)
		one[0].Buffer.Release()
	case !known:
		actor.handleDatagrams(link, one)
	default:
		to.add(actor, &one[0])
	}
}

// actorOf returns who gets a datagram, nil for nobody, and whether its tuple is known: a transport may also be found by the
// username fragment in a STUN request.
func (s *Server) actorOf(link *transport.Link, d *netio.Datagram) (actor *TransportActor, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if actor := s.byTuple[transport.TupleOf(link, d)]; actor != nil {
		return actor, true
	}
	b := d.Buffer.Bytes()
	if !stun.LooksLikeSTUN(b) {
		return nil, false
	}
	var m stun.Message
	if m.Parse(b) != nil {
		return nil, false
	}
	return s.byFragment[string(m.LocalUsernameFragment())], false
}

// handleClosed implements receiver.
func (s *Server) handleClosed(link *transport.Link) {
	s.mu.RLock()
	actor := s.byTuple[ice.Tuple{Protocol: ice.TCP, Socket: link.ID, Remote: link.Remote}]
	s.mu.RUnlock()
	if actor != nil {
		actor.handleClosed(link)
	}
}

// demuxTable is the server's table as one transport sees it.
type demuxTable struct {
	server *Server
	actor  *TransportActor
}

// AddFragment implements transport.DemuxTable.
func (d *demuxTable) AddFragment(fragment string) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	d.server.byFragment[fragment] = d.actor
}

// RemoveFragment implements transport.DemuxTable.
func (d *demuxTable) RemoveFragment(fragment string) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	if d.server.byFragment[fragment] == d.actor {
		delete(d.server.byFragment, fragment)
	}
}

// AddTuple implements transport.DemuxTable. A tuple belongs to the first transport that claims it.
func (d *demuxTable) AddTuple(t ice.Tuple) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	if d.server.byTuple[t] == nil {
		d.server.byTuple[t] = d.actor
	}
}

// RemoveTuple implements transport.DemuxTable.
func (d *demuxTable) RemoveTuple(t ice.Tuple) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	if d.server.byTuple[t] == d.actor {
		delete(d.server.byTuple, t)
	}
}
