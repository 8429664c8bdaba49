package front

import (
	"slices"
	"strings"

	"gazpacho/engine/api"
)

// server is a WebRtcServer. It exists on one node at once, so that the application hears what is wrong with it, and on others from
// their first transport on it on.
type server struct {
	entry
	request    *api.WorkerCreateWebRtcServerRequest
	nodes      []*node            // that have it, in the order in which they got it
	refused    map[*node]bool     // that cannot have it: their host has other addresses, or the port is taken
	asked      map[*node]*gate    // that are about to have it
	ports      map[*node][]uint16 // that nodes have chosen, by listenInfo, where the request leaves the choice
	transports []*transport
}

func createWebRtcServer(o *operation) *gate {
	body, err := api.BodyOf[api.WorkerCreateWebRtcServerRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	wait, err := f.checkID(body.WebRtcServerID, isA[*server], "a WebRtcServer with same webRtcServerId", o.req.Method)
	if wait != nil || err != nil {
		return o.waitOrRefuse(wait, err)
	}
	s := &server{
		entry: entry{id: body.WebRtcServerID, creating: true}, request: body,
		refused: map[*node]bool{}, asked: map[*node]*gate{}, ports: map[*node][]uint16{},
	}
	n := f.anchor(body)
	if err := f.checkPorts(body, n); err != nil {
		return o.refuse(err)
	}
	o.enter(s)
	f.servers = append(f.servers, s)
	c := n.ask(o.req.Method, "", body, func(answer api.ResponseBody, err error) {
		if err != nil {
			f.servers = without(f.servers, s)
			f.remove(s)
		} else {
			s.nodes = append(s.nodes, n)
			s.learnPorts(n)
			f.settle(s)
		}
		o.answer(answer, err)
	})
	c.late = func() {
		n.tell(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: s.id})
	}
	return nil
}

// anchor returns the node that WebRtcServers are bound on at once: the same one for all of them, so that one with the addresses of
// another one is refused.
func (f *Front) anchor(req *api.WorkerCreateWebRtcServerRequest) *node {
	var silent *node
	for _, n := range f.nodes() {
		switch {
		case n.gone != nil || !n.sameHost && anyLoopback(req.ListenInfos):
		case n.available():
			return n
		case silent == nil:
			silent = n // not reached yet, perhaps
		}
	}
	if silent != nil {
		return silent
	}
	return f.own
}

// checkPorts refuses a port that another WebRtcServer of the application listens on, if that is not on the given node, which refuses
// it by itself: it was bound on one that is gone.
func (f *Front) checkPorts(req *api.WorkerCreateWebRtcServerRequest, n *node) error {
	for _, s := range f.servers {
		if slices.Contains(s.nodes, n) {
			continue
		}
		for _, have := range s.request.ListenInfos {
			for _, want := range req.ListenInfos {
				if want.Port != 0 && want.Port == have.Port && want.Protocol == have.Protocol && want.IP == have.IP {
					return api.Errorf("port bind failed [protocol:%s, ip:'%s', port:%d]: address already in use",
						strings.ToLower(want.Protocol.String()), want.IP, want.Port)
				}
			}
		}
	}
	return nil
}

// extend asks a node for the WebRtcServer, and returns what opens when it has answered.
func (s *server) extend(n *node) *gate {
	answered := new(gate)
	s.asked[n] = answered
	c := n.ask(api.MethodWorkerCreateWebRtcServer, "", s.request, func(_ api.ResponseBody, err error) {
		delete(s.asked, n)
		if err != nil {
			s.refused[n] = true
			n.front.log.Debug("a node cannot have a WebRtcServer", "node", n.name, "webRtcServerId", s.id, "error", err)
		} else {
			s.nodes = append(s.nodes, n)
			s.learnPorts(n)
			if s.closed {
				n.tell(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: s.id})
			}
		}
		answered.open()
	})
	c.late = func() {
		n.tell(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: s.id})
	}
	return answered
}

// learnPorts asks which ports a node has chosen, since transports that are restored there must have them again.
func (s *server) learnPorts(n *node) {
	fixed := func(i api.ListenInfo) bool { return i.Port != 0 && (i.PortRange == nil || i.PortRange.Min == 0) }
	if !slices.ContainsFunc(s.request.ListenInfos, func(i api.ListenInfo) bool { return !fixed(i) }) {
		return
	}
	n.ask(api.MethodWebRtcServerDump, s.id, nil, func(body api.ResponseBody, _ error) {
		d, ok := body.(*api.WebRtcServerDumpResponse)
		if !ok || d == nil || len(d.UDPSockets)+len(d.TCPServers) != len(s.request.ListenInfos) {
			return
		}
		udp, tcp := d.UDPSockets, d.TCPServers
		var ports []uint16
		for _, info := range s.request.ListenInfos {
			list := &udp
			if info.Protocol == api.ProtocolTCP {
				list = &tcp
			}
			if len(*list) == 0 {
				return
			}
			ports = append(ports, (*list)[0].Port)
			*list = (*list)[1:]
		}
		s.ports[n] = ports
	})
}

// restore makes the WebRtcServer on a node that has come back, if it was there before, with the same ports. If that fails, its
// transports there fail too.
func (s *server) restore(all *round, n *node) {
	i := slices.IndexFunc(s.nodes, func(have *node) bool { return have.gone != nil && have.index == n.index })
	if i < 0 {
		return
	}
	old := s.nodes[i]
	body := *s.request
	body.ListenInfos = slices.Clone(s.request.ListenInfos)
	for i, port := range s.ports[old] {
		body.ListenInfos[i] = *pin(&body.ListenInfos[i], port)
	}
	closeAgain := func() {
		n.tell(api.MethodWorkerWebRtcServerClose, "", &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: s.id})
	}
	all.ask(n, api.MethodWorkerCreateWebRtcServer, "", &body, func(_ api.ResponseBody, err error) {
		i := slices.Index(s.nodes, old)
		switch {
		case err != nil:
			n.front.log.Warn("a WebRtcServer does not come back", "node", n.name, "webRtcServerId", s.id, "error", err)
			s.refused[n] = true
			s.nodes = slices.Delete(s.nodes, i, i+1)
		default:
			s.nodes[i], s.ports[n] = n, s.ports[old]
			if s.closed {
				closeAgain()
			}
		}
		delete(s.ports, old)
	}).late = closeAgain
}

func closeWebRtcServer(o *operation) *gate {
	body, err := api.BodyOf[api.WorkerCloseWebRtcServerRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	s, ok := f.objects[body.WebRtcServerID].(*server)
	if !ok {
		return o.refuse(api.NotFoundErrorf("WebRtcServer not found [method:worker.closeWebRtcServer]"))
	}
	if s.creating {
		return &s.made
	}
	for _, t := range slices.Clone(s.transports) {
		t.close()
	}
	f.servers = without(f.servers, s)
	f.remove(s)
	part := join(len(s.nodes)+1, func() { o.answer(nil, nil) })
	for _, n := range s.nodes {
		n.ask(o.req.Method, "", body, func(api.ResponseBody, error) { part() })
	}
	part()
	return nil
}

// dumpWebRtcServer merges what the nodes tell. Addresses are those of the node that had the server first: the application has asked
// for one port each.
func dumpWebRtcServer(o *operation, s *server) *gate {
	alive := slices.DeleteFunc(slices.Clone(s.nodes), func(n *node) bool { return n.gone != nil })
	dumps := make([]*api.WebRtcServerDumpResponse, len(alive))
	var failure error = api.Errorf("WebRtcServer %s is on no node any more", s.id)
	part := join(len(alive)+1, func() {
		dumps = slices.DeleteFunc(dumps, func(d *api.WebRtcServerDumpResponse) bool { return d == nil })
		if len(dumps) == 0 {
			o.refuse(failure)
			return
		}
		o.answer(s.merge(dumps), nil)
	})
	for i, n := range alive {
		n.ask(o.req.Method, s.id, nil, func(body api.ResponseBody, err error) {
			if err != nil {
				failure = err
			}
			dumps[i], _ = body.(*api.WebRtcServerDumpResponse)
			part()
		})
	}
	part()
	return nil
}

func (s *server) merge(dumps []*api.WebRtcServerDumpResponse) *api.WebRtcServerDumpResponse {
	merged := &api.WebRtcServerDumpResponse{
		ID: s.id, UDPSockets: dumps[0].UDPSockets, TCPServers: dumps[0].TCPServers, WebRtcTransportIDs: append([]string{}, ids(s.transports)...),
	}
	fragments := map[string][]api.ICEUserNameFragment{}
	for _, d := range dumps {
		for _, row := range d.LocalICEUsernameFragments {
			fragments[row.WebRtcTransportID] = append(fragments[row.WebRtcTransportID], row)
		}
	}
	for _, t := range s.transports {
		merged.LocalICEUsernameFragments = append(merged.LocalICEUsernameFragments, fragments[t.id]...)
	}
	return merged
}
