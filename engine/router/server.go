package router

import (
	"gazpacho/engine/api"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
)

// Server is a WebRtcServer: ports that any number of WebRtcTransports share.
type Server struct {
	id         string
	scope      *Scope
	ports      *runner.ServerPorts
	transports Table[*transportEntry]
}

// NewServer opens a WebRtcServer's ports. The caller enters it into the scope.
func NewServer(id string, infos []api.ListenInfo, scope *Scope) (*Server, error) {
	if len(infos) == 0 {
		return nil, api.TypeErrorf("wrong listenInfos (empty array)")
	}
	ports, err := scope.runner.OpenServerPorts(infos, scope.env)
	if err != nil {
		return nil, err
	}
	s := &Server{id: id, scope: scope, ports: ports}
	scope.servers[id] = s
	return s, nil
}

// Close closes the transports first, so that they can still send close_notify and ABORT, and then the ports.
func (s *Server) Close() {
	for _, m := range s.transports.All() {
		m.router.closeTransportEntry(m)
	}
	s.ports.Ports().Close()
	delete(s.scope.servers, s.id)
	s.scope.env.Log.Debug("WebRtcServer closed", "webRtcServerId", s.id, "datagramsOfNoTransport", s.ports.Unroutable())
}

// RouterID implements Handler: a WebRtcServer belongs to no Router.
func (s *Server) RouterID() string { return "" }

// HandleNotification implements Handler; servers take none.
func (s *Server) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (s *Server) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	return serverMethods.Handle(s, req)
}

var serverMethods = Methods[*Server]{
	api.MethodWebRtcServerDump: NoBody((*Server).dump),
}

func (s *Server) dump() (*api.WebRtcServerDumpResponse, error) {
	d := &api.WebRtcServerDumpResponse{ID: s.id}
	for _, p := range s.ports.Ports() {
		local := p.LocalAddr()
		row := api.IPPort{IP: transport.IPString(local), Port: local.Port()}
		if p.Info().Protocol == api.ProtocolTCP {
			d.TCPServers = append(d.TCPServers, row)
		} else {
			d.UDPSockets = append(d.UDPSockets, row)
		}
	}
	d.WebRtcTransportIDs = s.transports.IDs()
	// In the order of the transports.
	fragments := s.ports.Fragments()
	for id, m := range s.transports.All() {
		for _, fragment := range fragments[m.actor] {
			d.LocalICEUsernameFragments = append(d.LocalICEUsernameFragments,
				api.ICEUserNameFragment{LocalICEUsernameFragment: fragment, WebRtcTransportID: id})
		}
	}
	return d, nil
}

// Size returns how many username fragments and tuples lead to the server's transports.
func (s *Server) Size() (fragments, tuples int) { return s.ports.Size() }
