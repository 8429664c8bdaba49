package front

import (
	"reflect"
	"slices"

	"gazpacho/engine/api"
)

// settings are the requests that have changed an object and that no other field remembers: the last one of each method.
type settings []setting

type setting struct {
	method api.Method
	body   api.RequestBody
}

// keep notes an accepted request. It takes the place of the earlier one of its method, behind the others.
func (s *settings) keep(m api.Method, body api.RequestBody) {
	*s = append(slices.DeleteFunc(*s, func(have setting) bool { return have.method == m }), setting{m, body})
}

func (s settings) has(m api.Method) bool {
	return slices.ContainsFunc(s, func(have setting) bool { return have.method == m })
}

// told is what the application, and by it the peer, was told of a transport: it has to be the same if the transport is restored.
type told struct {
	ice            *api.ICEParameters
	candidates     []api.ICECandidate
	fingerprints   []api.Fingerprint
	local, rtcp    api.TransportTuple // their local ends
	srtp           *api.SRTPParameters
	peer, rtcpPeer *api.TransportTuple // that comedia has found
}

// toldBy reads the answer to the request that creates a transport.
func toldBy(answer api.ResponseBody) (t told) {
	switch d := answer.(type) {
	case *api.WebRtcTransportDumpResponse:
		t.ice, t.candidates = d.ICEParameters, d.ICECandidates
		if d.DTLSParameters != nil {
			t.fingerprints = d.DTLSParameters.Fingerprints
		}
	case *api.PlainTransportDumpResponse:
		t.local, t.rtcp, t.srtp = localEnd(d.Tuple), localEnd(d.RTCPTuple), d.SRTPParameters
	case *api.PipeTransportDumpResponse:
		t.local, t.srtp = localEnd(d.Tuple), d.SRTPParameters
	}
	return t
}

func localEnd(t *api.TransportTuple) api.TransportTuple {
	if t == nil {
		return api.TransportTuple{}
	}
	return api.TransportTuple{LocalAddress: t.LocalAddress, LocalPort: t.LocalPort, Protocol: t.Protocol}
}

// by reports whether a transport answers as the application was told.
func (t told) by(answer api.ResponseBody) bool {
	have := toldBy(answer)
	t.peer, t.rtcpPeer = nil, nil
	return reflect.DeepEqual(t, have)
}

// mayReturn reports whether the transport can be brought back when its node comes back: its keys are not gone, and no packet was
// protected with one that the application has been told.
func (t *transport) mayReturn() bool {
	switch body := t.create.Body.(type) {
	case *api.RouterCreateWebRtcTransportRequest:
		return !t.dtlsBegun
	case *api.RouterCreatePlainTransportRequest:
		return !body.Options.EnableSRTP || !t.settings.has(api.MethodPlainTransportConnect)
	case *api.RouterCreatePipeTransportRequest:
		return !body.Options.EnableSRTP || !t.settings.has(api.MethodPipeTransportConnect)
	}
	return false // a DirectTransport is on the front's own engine
}

// again returns the body of the request that makes the transport as the application knows it.
func (t *transport) again() api.RequestBody {
	switch body := t.create.Body.(type) {
	case *api.RouterCreateWebRtcTransportRequest:
		again, options := *body, *body.Options
		again.Options = &options
		options.Base = restoring(options.Base, &api.TransportRestore{ICEParameters: t.told.ice})
		if listen, ok := options.Listen.(*api.ListenIndividual); ok {
			options.Listen = &api.ListenIndividual{ListenInfos: pinAll(listen.ListenInfos, t.told.candidates)}
		}
		return &again
	case *api.RouterCreatePlainTransportRequest:
		again, options := *body, *body.Options
		again.Options = &options
		options.Base = restoring(options.Base, &api.TransportRestore{
			SRTPParameters: t.told.srtp, Tuple: t.told.peer, RTCPTuple: t.told.rtcpPeer,
		})
		if rtcp := options.RTCPListenInfo; !options.RTCPMux {
			if rtcp == nil {
				rtcp = options.ListenInfo
			}
			options.RTCPListenInfo = pin(rtcp, t.told.rtcp.LocalPort)
		}
		options.ListenInfo = pin(options.ListenInfo, t.told.local.LocalPort)
		return &again
	case *api.RouterCreatePipeTransportRequest:
		again, options := *body, *body.Options
		again.Options = &options
		options.Base = restoring(options.Base, &api.TransportRestore{SRTPParameters: t.told.srtp})
		options.ListenInfo = pin(options.ListenInfo, t.told.local.LocalPort)
		return &again
	}
	return t.create.Body
}

func restoring(base *api.TransportOptions, r *api.TransportRestore) *api.TransportOptions {
	with := *base
	with.Restore = r
	return &with
}

// pin asks for the one port that was chosen.
func pin(info *api.ListenInfo, port uint16) *api.ListenInfo {
	pinned := *info
	pinned.Port, pinned.PortRange = port, &api.PortRange{}
	return &pinned
}

// pinAll asks for the ports that the candidates have. Each listenInfo has one candidate, or two of one port: its announced address and
// its own.
func pinAll(infos []api.ListenInfo, candidates []api.ICECandidate) []api.ListenInfo {
	pinned := slices.Clone(infos)
	for i := range pinned {
		if len(candidates) == 0 {
			break // another number of candidates than expected: the answer will show that the transport is another one
		}
		c := candidates[0]
		pinned[i] = *pin(&infos[i], c.Port)
		candidates = candidates[1:]
		if infos[i].ExposeInternalIP && len(candidates) > 0 && candidates[0].Port == c.Port && candidates[0].Protocol == c.Protocol {
			candidates = candidates[1:]
		}
	}
	return pinned
}

// restartICE has the application told other credentials.
func restartICE(o *operation, t *transport) *gate {
	return o.passThen(t.node, func(answer api.ResponseBody) {
		if a, ok := answer.(*api.TransportRestartICEResponse); ok && a != nil {
			t.told.ice = &api.ICEParameters{UsernameFragment: a.UsernameFragment, Password: a.Password, ICELite: a.ICELite}
		}
	})
}
