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
	id      string
	house   *House
	ports   []*port
	members Table[*member] // control loop only
	strays  atomic.Uint64

	mu         sync.RWMutex
	byFragment map[string]*Seat
	byTuple    map[ice.Tuple]*Seat
}

// NewServer binds a WebRtcServer's ports and serves them. The caller enters it into the registry.
func NewServer(id string, infos []api.ListenInfo, house *House) (*Server, error) {
	if len(infos) == 0 {
		return nil, api.TypeErrorf("wrong listenInfos (empty array)")
	}
	ports, err := openPorts(infos, &house.places[0].env)
	if err != nil {
		return nil, err
	}
	s := &Server{id: id, house: house, ports: ports, byFragment: map[string]*Seat{}, byTuple: map[ice.Tuple]*Seat{}}
	if err := house.servePorts(house.poller, ports, s); err != nil {
		closePorts(ports)
		return nil, err
	}
	house.servers[id] = s
	return s, nil
}

// Close closes the transports, while they can still say goodbye, and then the ports.
func (s *Server) Close() {
	for _, m := range s.members.All() {
		m.router.closeMember(m)
	}
	closePorts(s.ports)
	delete(s.house.servers, s.id)
	s.house.log.Debug("WebRtcServer closed", "webRtcServerId", s.id, "datagramsOfNoTransport", s.strays.Load())
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
	d.WebRtcTransportIDs = s.members.IDs()
	d.LocalICEUsernameFragments = s.dumpFragments()
	return d, nil
}

// dumpFragments returns the username fragments in the order of their transports.
func (s *Server) dumpFragments() []api.ICEUserNameFragment {
	bySeat := make(map[*Seat][]string, s.members.Len())
	s.mu.RLock()
	for fragment, seat := range s.byFragment {
		bySeat[seat] = append(bySeat[seat], fragment)
	}
	s.mu.RUnlock()
	var rows []api.ICEUserNameFragment
	for id, m := range s.members.All() {
		for _, fragment := range bySeat[m.seat] {
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
	for part := range slices.Chunk(batch, maxSorted) {
		var sorting sorting
		for i := range part {
			s.sort(&sorting, link, part[i:i+1])
		}
		sorting.deliver(link)
	}
}

// sort keeps one datagram for delivery if its tuple is known. The first one of a tuple is handled at once, since the next one is
// only found when that was.
func (s *Server) sort(to *sorting, link *transport.Link, one []netio.Datagram) {
	seat, known := s.seatOf(link, &one[0])
	switch {
	case seat == nil:
		s.strays.Add(1)
		one[0].Buffer.Release()
	case !known:
		seat.handleDatagrams(link, one)
	default:
		to.add(seat, &one[0])
	}
}

// seatOf returns who gets a datagram, nil for nobody, and whether its tuple is known: a transport may also be found by the
// username fragment in a STUN request.
func (s *Server) seatOf(link *transport.Link, d *netio.Datagram) (seat *Seat, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if seat := s.byTuple[transport.TupleOf(link, d)]; seat != nil {
		return seat, true
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
	seat := s.byTuple[ice.Tuple{Protocol: ice.TCP, Socket: link.ID, Remote: link.Remote}]
	s.mu.RUnlock()
	if seat != nil {
		seat.handleClosed(link)
	}
}

// directory is the server's table as one transport sees it.
type directory struct {
	server *Server
	seat   *Seat
}

// AddFragment implements transport.Directory.
func (d *directory) AddFragment(fragment string) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	d.server.byFragment[fragment] = d.seat
}

// RemoveFragment implements transport.Directory.
func (d *directory) RemoveFragment(fragment string) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	if d.server.byFragment[fragment] == d.seat {
		delete(d.server.byFragment, fragment)
	}
}

// AddTuple implements transport.Directory. A tuple belongs to the first transport that claims it.
func (d *directory) AddTuple(t ice.Tuple) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	if d.server.byTuple[t] == nil {
		d.server.byTuple[t] = d.seat
	}
}

// RemoveTuple implements transport.Directory.
func (d *directory) RemoveTuple(t ice.Tuple) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	if d.server.byTuple[t] == d.seat {
		delete(d.server.byTuple, t)
	}
}
