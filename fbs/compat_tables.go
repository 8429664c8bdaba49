package fbs

import "gazpacho/engine/api"

// The rules about tables that older dialects lay out differently, oldest first; that of SCTP options is in compat_sctp.go.

// listenInfoRule: a listen info had no flags up to 3.13.13, no port range up to 3.13.24, and did not say whether to expose the
// internal IP. Without a port range the worker's own applies, and nothing is exposed by default, so the zero values of
// engine/api are right. Without flags, an IPv6 socket accepted IPv6 only, which is no longer the default: applications
// listen on 0.0.0.0 and :: with the same port.
var listenInfoRule = CompatRule{
	Name: "listen infos", Until: "3.16.8",
	Text: "no flags up to 3.13.13, where IPv6 sockets took no IPv4; no portRange up to 3.13.24, no exposeInternalIp",
	// Newer dialects require it, and that of sessions is one: a front passes on what an old application asked for.
	relaxedRequired: []string{"FBS.Transport.ListenInfo.port_range"},
	oldTables:       []*oldTable{newOldTable("FBS.Transport.ListenInfo", "flags", (*oldListenInfo).toNew, listenInfoToOld).whenAbsent()},
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

// statsRule: only received streams reported jitter. Lost packets were unsigned; a negative count, which duplicates can cause
// (RFC 3550 section 6.4.1), becomes zero.
var statsRule = CompatRule{
	Name: "stream statistics", Until: "3.19.9",
	Text: "only received streams reported jitter; packetsLost could not be negative",
	oldTables: []*oldTable{
		newOldTable("FBS.RtpStream.RecvStats", "jitter", (*oldRecvStats).toNew, recvStatsToOld),
	},
}

// oldRecvStats are the statistics of a received stream, including its jitter.
type oldRecvStats struct {
	Base           *api.RTPStreamStats
	Jitter         uint32
	PacketCount    uint64
	ByteCount      uint64
	Bitrate        uint64
	BitrateByLayer []api.BitrateByLayer
}

func (o *oldRecvStats) toNew(s *api.RTPStreamRecvStats) {
	s.Base, s.PacketCount, s.ByteCount, s.Bitrate, s.BitrateByLayer = o.Base, o.PacketCount, o.ByteCount, o.Bitrate, o.BitrateByLayer
	if base := baseOf(o.Base); base != nil {
		base.Jitter = o.Jitter
	}
}

func recvStatsToOld(s *api.RTPStreamRecvStats, o *oldRecvStats) {
	o.Base, o.PacketCount, o.ByteCount, o.Bitrate, o.BitrateByLayer = s.Base, s.PacketCount, s.ByteCount, s.Bitrate, s.BitrateByLayer
	if base := baseOf(s.Base); base != nil {
		o.Jitter = base.Jitter
	}
}

// baseOf returns what received and sent streams have in common, nil when it is missing.
func baseOf(s *api.RTPStreamStats) *api.RTPStreamBaseStats {
	if s == nil {
		return nil
	}
	base, _ := s.Data.(*api.RTPStreamBaseStats)
	return base
}

// dumpsRule: dumps had details of the C++ worker that this one does not have: statistics of liburing, which the schema allows to
// be absent, and the hashed tuples of a WebRtcServer. This worker looks up exact tuples, so the list is empty.
var dumpsRule = CompatRule{
	Name: "dumps", Until: "3.20.8",
	Text: "Worker.dump() could have liburing (3.13.7 to 3.20.6), which stays absent; WebRtcServer.dump() has tupleHashes, which stays empty",
	oldTables: []*oldTable{
		newOldTable("FBS.WebRtcServer.DumpResponse", "tuple_hashes", (*oldServerDump).toNew, serverDumpToOld),
	},
}

// oldServerDump is the dump of a WebRtcServer with hashed tuples.
type oldServerDump struct {
	ID                        string
	UDPSockets                []api.IPPort
	TCPServers                []api.IPPort
	WebRtcTransportIDs        []string
	LocalICEUsernameFragments []api.ICEUserNameFragment
	TupleHashes               []tupleHash
}

type tupleHash struct {
	TupleHash         uint64
	WebRtcTransportID string
}

func (o *oldServerDump) toNew(d *api.WebRtcServerDumpResponse) {
	*d = api.WebRtcServerDumpResponse{
		ID: o.ID, UDPSockets: o.UDPSockets, TCPServers: o.TCPServers,
		WebRtcTransportIDs: o.WebRtcTransportIDs, LocalICEUsernameFragments: o.LocalICEUsernameFragments,
	}
}

func serverDumpToOld(d *api.WebRtcServerDumpResponse, o *oldServerDump) {
	*o = oldServerDump{
		ID: d.ID, UDPSockets: d.UDPSockets, TCPServers: d.TCPServers,
		WebRtcTransportIDs: d.WebRtcTransportIDs, LocalICEUsernameFragments: d.LocalICEUsernameFragments,
	}
}
