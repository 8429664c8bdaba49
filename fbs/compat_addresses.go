package fbs

// addressesRule: up to 3.13.16, what may also be a host name today was called an IP address.
var addressesRule = CompatRule{
	Name: "addresses", Until: "3.13.16",
	Text: "announcedAddress was announcedIp, a tuple's localAddress localIp, an ICE candidate's address ip",
	fields: map[string]string{
		"FBS.Transport.ListenInfo.announced_ip": "announced_address",
		"FBS.Transport.Tuple.local_ip":          "local_address",
		"FBS.WebRtcTransport.IceCandidate.ip":   "address",
	},
}
