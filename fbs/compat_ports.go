package fbs

import "gazpacho/engine/api"

// portsRule: a listen info has grown. Up to 3.13.5 it had no flags, up to 3.13.24 no port range, and up to 3.16.8 it did
// not say whether to expose the internal IP. Without a port range, the worker takes its own, and without being told to it
// exposes nothing; so the zero values of engine/api are right. Without flags, an IPv6 socket took IPv6 only, which is no
// longer the default: applications listen at 0.0.0.0 and :: on the same port.
var portsRule = CompatRule{
	Name: "listen infos", Until: "3.16.8",
	Text:      "no flags up to 3.13.5, and IPv6 sockets took no IPv4 then; no portRange up to 3.13.24, no exposeInternalIp",
	oldTables: []*oldTable{newOldTable("FBS.Transport.ListenInfo", "flags", (*oldListenInfo).toNew, listenInfoToOld).lacking()},
}

// oldListenInfo is a listen info without flags.
type oldListenInfo struct {
	Protocol         api.Protocol
	IP               string
	AnnouncedAddress string
	Port             uint16
	SendBufferSize   uint32
	RecvBufferSize   uint32
}

func (o *oldListenInfo) toNew(i *api.ListenInfo) {
	*i = api.ListenInfo{
		Protocol: o.Protocol, IP: o.IP, AnnouncedAddress: o.AnnouncedAddress, Port: o.Port,
		Flags: &api.SocketFlags{IPv6Only: true}, SendBufferSize: o.SendBufferSize, RecvBufferSize: o.RecvBufferSize,
	}
}

func listenInfoToOld(i *api.ListenInfo, o *oldListenInfo) {
	*o = oldListenInfo{
		Protocol: i.Protocol, IP: i.IP, AnnouncedAddress: i.AnnouncedAddress, Port: i.Port,
		SendBufferSize: i.SendBufferSize, RecvBufferSize: i.RecvBufferSize,
	}
}
