package fbs

import "gazpacho/engine/api"

// dumpsRule: before 3.21, dumps told details of upstream's worker that this one does not have: statistics of liburing,
// which the schema lets absent, and a table of hashed tuples in WebRTC servers. Ours finds exact tuples, and tells none.
var dumpsRule = CompatRule{
	Name: "dumps", Until: "3.19.22",
	Text: "Worker.dump() could have liburing, which stays absent; WebRtcServer.dump() has tupleHashes, which stays empty",
	oldTables: []*oldTable{
		newOldTable("FBS.WebRtcServer.DumpResponse", "tuple_hashes", (*oldServerDump).toNew, serverDumpToOld),
	},
}

// oldServerDump is a WebRTC server's inner state with hashes of tuples.
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
