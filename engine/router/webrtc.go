package router

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// createWebRtcTransport makes a transport with ports of its own.
func (r *Router) createWebRtcTransport(req *api.RouterCreateWebRtcTransportRequest) (api.ResponseBody, error) {
	m, err := r.newMember(req.TransportID, "router.createWebRtcTransport")
	if err != nil {
		return nil, err
	}
	listen, ok := req.Options.Listen.(*api.ListenIndividual)
	if !ok {
		return nil, api.TypeErrorf("options.listen does not list the ports of a WebRtcTransport")
	}
	ports, err := openPorts(listen.ListenInfos, &m.place.env)
	if err != nil {
		return nil, err
	}
	if err := m.newWebRtc(req, transport.WebRtcConfig{
		Candidates: candidates(ports, req.Options, false), Close: func() { closePorts(ports) },
	}); err != nil {
		closePorts(ports)
		return nil, err
	}
	if err := r.house.servePorts(m.place.poller, ports, m.seat); err != nil {
		m.always(func(unit.Time) { m.seat.transport.Close() })
		return nil, err
	}
	r.enter(m)
	return m.dump()
}

// createWebRtcTransportWithServer makes a transport behind the ports of a WebRtcServer.
func (r *Router) createWebRtcTransportWithServer(req *api.RouterCreateWebRtcTransportRequest) (api.ResponseBody, error) {
	m, err := r.newMember(req.TransportID, "router.createWebRtcTransportWithServer")
	if err != nil {
		return nil, err
	}
	listen, ok := req.Options.Listen.(*api.ListenServer)
	if !ok {
		return nil, api.TypeErrorf("options.listen does not name a WebRtcServer")
	}
	server := r.house.servers[listen.WebRtcServerID]
	if server == nil {
		return nil, api.Errorf("wrong webRtcServerId (no associated WebRtcServer found)")
	}
	list := candidates(server.ports, req.Options, true)
	if len(list) == 0 {
		return nil, api.TypeErrorf("empty iceCandidates")
	}
	if err := m.newWebRtc(req, transport.WebRtcConfig{Candidates: list, Directory: &directory{server, m.seat}}); err != nil {
		return nil, err
	}
	r.enter(m)
	m.server = server
	server.members.Add(m.id, m)
	return m.dump()
}

// newWebRtc builds the transport.
func (m *member) newWebRtc(req *api.RouterCreateWebRtcTransportRequest, config transport.WebRtcConfig) error {
	config.Certificate = m.router.house.certificate
	config.ConsentTimeout = time.Duration(req.Options.ICEConsentTimeout) * time.Second
	var err error
	m.seat.webRtc, err = transport.NewWebRtc(req.TransportID, req.Options, config, m.env())
	if err != nil {
		return err
	}
	m.seat.transport = m.seat.webRtc.Transport
	return nil
}

func (m *member) connectWebRtc(req *api.WebRtcTransportConnectRequest) (api.ResponseBody, error) {
	return m.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
		return reply(m.seat.webRtc.Connect(now, req))
	})
}

func (m *member) restartICE() (api.ResponseBody, error) {
	return m.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
		return m.seat.webRtc.RestartICE(now), nil
	})
}

// leaveServer removes the member from its WebRtcServer's list.
func (m *member) leaveServer() {
	if m.server != nil {
		m.server.members.Remove(m.id)
	}
}
