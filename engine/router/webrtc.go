package router

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// createWebRtcTransport makes a transport with ports of its own.
func (r *Router) createWebRtcTransport(req *api.RouterCreateWebRtcTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, "router.createWebRtcTransport")
	if err != nil {
		return nil, err
	}
	listen, ok := req.Options.Listen.(*api.ListenIndividual)
	if !ok {
		return nil, api.TypeErrorf("options.listen does not list the ports of a WebRtcTransport")
	}
	ports, err := openPorts(listen.ListenInfos, &m.ctx.env)
	if err != nil {
		return nil, err
	}
	if err := m.newWebRtc(req, transport.WebRtcConfig{
		Candidates: candidates(ports, req.Options, false), Close: func() { closePorts(ports) },
	}); err != nil {
		closePorts(ports)
		return nil, err
	}
	if err := r.runner.servePorts(m.ctx.poller, ports, m.actor); err != nil {
		m.runEvenIfBroken(func(unit.Time) { m.actor.transport.Close() })
		return nil, err
	}
	r.enter(m)
	return m.dump()
}

// createWebRtcTransportWithServer makes a transport behind the ports of a WebRtcServer.
func (r *Router) createWebRtcTransportWithServer(req *api.RouterCreateWebRtcTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, "router.createWebRtcTransportWithServer")
	if err != nil {
		return nil, err
	}
	listen, ok := req.Options.Listen.(*api.ListenServer)
	if !ok {
		return nil, api.TypeErrorf("options.listen does not name a WebRtcServer")
	}
	server := r.runner.servers[listen.WebRtcServerID]
	if server == nil {
		return nil, api.Errorf("wrong webRtcServerId (no associated WebRtcServer found)")
	}
	list := candidates(server.ports, req.Options, true)
	if len(list) == 0 {
		return nil, api.TypeErrorf("empty iceCandidates")
	}
	if err := m.newWebRtc(req, transport.WebRtcConfig{Candidates: list, DemuxTable: &demuxTable{server, m.actor}}); err != nil {
		return nil, err
	}
	r.enter(m)
	m.server = server
	server.transports.Add(m.id, m)
	return m.dump()
}

// newWebRtc builds the transport.
func (m *transportEntry) newWebRtc(req *api.RouterCreateWebRtcTransportRequest, config transport.WebRtcConfig) error {
	config.Certificate = m.router.runner.certificate
	config.ConsentTimeout = time.Duration(req.Options.ICEConsentTimeout) * time.Second
	var err error
	m.actor.webRtc, err = transport.NewWebRtc(req.TransportID, req.Options, config, m.env())
	if err != nil {
		return err
	}
	m.actor.transport = m.actor.webRtc.Transport
	return nil
}

func (m *transportEntry) connectWebRtc(req *api.WebRtcTransportConnectRequest) (api.ResponseBody, error) {
	return m.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
		return reply(m.actor.webRtc.Connect(now, req))
	})
}

func (m *transportEntry) restartICE() (api.ResponseBody, error) {
	return m.do(func(now unit.Time, _ *transport.Transport) (api.ResponseBody, error) {
		return m.actor.webRtc.RestartICE(now), nil
	})
}

// leaveServer removes the member from its WebRtcServer's list.
func (m *transportEntry) leaveServer() {
	if m.server != nil {
		m.server.transports.Remove(m.id)
	}
}
