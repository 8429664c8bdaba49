package remote

import (
	"net/netip"

	"gazpacho/engine/api"
)

// Addresses are those that a node's sockets are bound to and that peers are told. An application writes its listenInfos for its
// own host; a node replaces what only means something there.
type Addresses struct {
	// Media4 and Media6 are what listeners of applications are bound to. Invalid: the node has no such address.
	Media4, Media6 netip.Addr
	// Announced4 and Announced6 are what peers are told instead, for nodes behind NAT; empty: what they are bound to.
	Announced4, Announced6 string
	// Pipe is what the ends of relays are bound to. Invalid: what the request says, which is right among nodes of one host.
	Pipe netip.Addr
}

// mapping replaces the addresses in the requests of one application.
type mapping struct {
	Addresses
	local bool // the application is on this host, so that its listenInfos mean what they say
}

// mapRequest replaces the addresses in a request that opens sockets. The request is the caller's own copy.
func (a *mapping) mapRequest(req *api.Request) error {
	switch body := req.Body.(type) {
	case *api.WorkerCreateWebRtcServerRequest:
		if body != nil {
			return a.mapAll(body.ListenInfos)
		}
	case *api.RouterCreateWebRtcTransportRequest:
		if body == nil || body.Options == nil {
			return nil
		}
		if individual, ok := body.Options.Listen.(*api.ListenIndividual); ok && individual != nil {
			return a.mapAll(individual.ListenInfos)
		}
	case *api.RouterCreatePlainTransportRequest:
		if body == nil || body.Options == nil {
			return nil
		}
		for _, info := range []*api.ListenInfo{body.Options.ListenInfo, body.Options.RTCPListenInfo} {
			if err := a.mapOne(info); err != nil {
				return err
			}
		}
	case *api.RouterCreatePipeTransportRequest:
		if body == nil || body.Options == nil {
			return nil
		}
		if info := body.Options.ListenInfo; info != nil && body.Options.Base != nil && body.Options.Base.Internal {
			if a.Pipe.IsValid() {
				info.IP, info.AnnouncedAddress = a.Pipe.String(), ""
			}
			return nil
		}
		return a.mapOne(body.Options.ListenInfo)
	}
	return nil
}

func (a *mapping) mapAll(infos []api.ListenInfo) error {
	for i := range infos {
		if err := a.mapOne(&infos[i]); err != nil {
			return err
		}
	}
	return nil
}

// mapOne replaces one listener's addresses. What is no address is left to the engine, which refuses it in mediasoup's words.
func (a *mapping) mapOne(info *api.ListenInfo) error {
	if info == nil || a.local {
		return nil
	}
	ip, err := netip.ParseAddr(info.IP)
	if err != nil {
		return nil
	}
	own, announced, family := a.Media4, a.Announced4, "IPv4"
	if ip.Is6() && !ip.Is4In6() {
		own, announced, family = a.Media6, a.Announced6, "IPv6"
	}
	if !own.IsValid() {
		return api.TypeErrorf("the node has no %s address for media, which listenInfo.ip %s asks for", family, info.IP)
	}
	info.IP, info.AnnouncedAddress = own.String(), announced
	return nil
}
