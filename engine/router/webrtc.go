package router

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
)

// createWebRtcTransport makes a transport with ports of its own.
func (r *Router) createWebRtcTransport(req *api.RouterCreateWebRtcTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, api.MethodRouterCreateWebRtcTransport)
	if err != nil {
		return nil, err
	}
	listen, ok := req.Options.Listen.(*api.ListenIndividual)
	if !ok {
		return nil, api.TypeErrorf("options.listen does not list the ports of a WebRtcTransport")
	}
	ports, err := r.scope.runner.OpenPorts(listen.ListenInfos, r.scope.env)
	if err != nil {
		return nil, err
	}
	if err := m.newWebRtc(req, transport.WebRtcConfig{
		Candidates: candidates(ports, req.Options, false), Close: ports.Close,
	}); err != nil {
		ports.Close()
		return nil, err
	}
	if err := m.actor.ServePorts(ports); err != nil {
		m.discard()
		return nil, err
	}
	return m.enter()
}

// createWebRtcTransportWithServer makes a transport that uses the ports of a WebRtcServer.
func (r *Router) createWebRtcTransportWithServer(req *api.RouterCreateWebRtcTransportRequest) (api.ResponseBody, error) {
	m, err := r.newTransportEntry(req.TransportID, api.MethodRouterCreateWebRtcTransportWithServer)
	if err != nil {
		return nil, err
	}
	listen, ok := req.Options.Listen.(*api.ListenServer)
	if !ok {
		return nil, api.TypeErrorf("options.listen does not name a WebRtcServer")
	}
	if m.server = r.scope.servers[listen.WebRtcServerID]; m.server == nil {
		return nil, api.Errorf("wrong webRtcServerId (no associated WebRtcServer found)")
	}
	list := candidates(m.server.ports.Ports(), req.Options, true)
	if len(list) == 0 {
		return nil, api.TypeErrorf("empty iceCandidates")
	}
	if err := m.newWebRtc(req, transport.WebRtcConfig{Candidates: list, DemuxTable: m.server.ports.Table(m.actor)}); err != nil {
		return nil, err
	}
	return m.enter()
}

// newWebRtc makes the transport and gives it to its actor.
func (m *transportEntry) newWebRtc(req *api.RouterCreateWebRtcTransportRequest, config transport.WebRtcConfig) (err error) {
	config.Certificate = m.router.scope.certificate
	config.ConsentTimeout = time.Duration(req.Options.ICEConsentTimeout) * time.Second
	if m.webRtc, err = transport.NewWebRtc(req.TransportID, req.Options, config, m.actor.Env()); err != nil {
		return err
	}
	m.run(m.webRtc.Transport, webRtcMethods)
	m.actor.RunWebRtc(m.webRtc)
	return nil
}

// Priorities of ICE candidates (RFC 8445 section 5.1.2). Formula and component are the specification's; the type preference and
// local preferences are mediasoup's.
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

// candidates returns the ICE candidates of the ports, in the order of the list; with filter only those of the protocols that
// the options enable. Skipped ports lower the preference of those behind them too, as in mediasoup.
func candidates(ports runner.Ports, options *api.WebRtcTransportOptions, filter bool) []api.ICECandidate {
	var list []api.ICECandidate
	for i, p := range ports {
		info, local := p.Info(), p.LocalAddr()
		tcp := info.Protocol == api.ProtocolTCP
		if filter && (tcp && !options.EnableTCP || !tcp && !options.EnableUDP) {
			continue
		}
		preference := uint32(candidateLocalPreference - i*nextPortPenalty)
		if filter && (tcp && options.PreferTCP || !tcp && options.PreferUDP) {
			preference += preferredProtocolBonus
		}
		c := api.ICECandidate{
			Foundation: "udpcandidate", Priority: candidatePriority(preference), Address: transport.IPString(local),
			Protocol: api.ProtocolUDP, Port: local.Port(), Type: api.ICECandidateTypeHost,
		}
		if tcp {
			c.Foundation, c.Protocol, c.TCPType = "tcpcandidate", api.ProtocolTCP, new(api.ICECandidateTCPTypePassive)
		}
		internal := c
		internal.Priority -= internalIPPenalty
		if info.AnnouncedAddress != "" {
			c.Address = info.AnnouncedAddress
		}
		list = append(list, c)
		if info.AnnouncedAddress != "" && info.ExposeInternalIP {
			list = append(list, internal)
		}
	}
	return list
}
