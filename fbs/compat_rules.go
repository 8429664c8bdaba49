package fbs

import "gazpacho/engine/api"

// The rules that need no more than names and flags, oldest first.

// layersRule: the schema of 3.13.0 and 3.13.1 cannot express that a consumer has no current layers. Its worker and its Node
// library can.
var layersRule = CompatRule{
	Name: "no layers", Until: "3.13.1",
	Text:            "the layerschange notification required layers",
	relaxedRequired: []string{"FBS.Consumer.LayersChangeNotification.layers"},
}

// addressesRule: fields that may hold a host name today were named after IP addresses.
var addressesRule = CompatRule{
	Name: "addresses", Until: "3.13.17",
	Text: "announcedAddress was announcedIp, a tuple's localAddress localIp, an ICE candidate's address ip",
	fields: map[string]string{
		"FBS.Transport.ListenInfo.announced_ip": "announced_address",
		"FBS.Transport.Tuple.local_ip":          "local_address",
		"FBS.WebRtcTransport.IceCandidate.ip":   "address",
	},
}

// consentRule: a WebRTC transport did not check its peer's consent (RFC 7675), and applications do not expect the ICE state
// that reports its loss. The zero value in engine/api turns the check off.
var consentRule = CompatRule{
	Name: "ICE consent", Until: "3.13.19",
	Text: "no iceConsentTimeout: a peer that falls silent goes unnoticed",
}

// codecsRule: applications could use two more video codecs. Codec names are strings on the wire, so engine/media knows them.
// H265 is forwarded without looking for key frames, as the C++ worker did; of H264-SVC, all layers are forwarded.
var codecsRule = CompatRule{
	Name: "codecs", Until: "3.16.5",
	Text: "there were H265 and H264-SVC",
}

// extensionsRule: the numbers of header extensions differ in nearly every dialect; matching by name takes care of that. The
// audio level had a shorter name. engine/api keeps frame marking, so that it can be accepted and dumped.
var extensionsRule = CompatRule{
	Name: "header extensions", Until: "3.19.4",
	Text:    "SsrcAudioLevel was AudioLevel; up to 3.16.5 there was frame marking",
	members: map[string]string{"FBS.RtpParameters.RtpHeaderExtensionUri.SsrcAudioLevel": "AudioLevel"},
}

// closeRule: an application closed a worker with the request WORKER_CLOSE and waited for the response. Now it sends a
// notification. The channel takes both. Before 3.16.0 the Node library used neither, but a signal.
var closeRule = CompatRule{
	Name: "closing a worker", Until: "3.19.17",
	Text: "WORKER_CLOSE was a request",
}

// framesRule: messages on the channel could be half as long, 4 MiB in 3.19.22 and nearly 8 in 3.21.0. What lies between is
// unknown, so the smaller size holds there for what is sent: the Node library discards everything it has received when there is
// more, including responses to other requests. What is received may have the larger size in all releases.
var framesRule = CompatRule{
	Name: "frames", Until: "3.20.10",
	Text:   "a message had at most 4194304 bytes",
	compat: func(c *api.Compat) { c.SmallFrames = true },
}

// pipesRule: since 3.22, a data channel message carries its subchannels over a pipe, in front of its payload. Older workers
// at the other end would deliver them as part of the message.
var pipesRule = CompatRule{
	Name: "subchannels over pipes", Until: "3.21.2",
	Text:   "messages travelled without subchannels; pipe consumers filtered by them as all others do",
	compat: func(c *api.Compat) { c.PlainPipes = true },
}

// pipeFilterRule: in 3.22.0 to 3.23.1 a pipe consumer forwarded every message, whatever its own subchannels. Since 3.23.2 it
// filters if it has any.
var pipeFilterRule = CompatRule{
	Name: "filter of pipe consumers", Since: "3.22.0", Until: "3.23.1",
	Text:   "pipe consumers forwarded every message, whatever their subchannels",
	compat: func(c *api.Compat) { c.UnfilteredPipes = true },
}

// pipeTokenRule: up to 3.23.2 there is no ignored subchannel, and the flag that announces it in front of a message over a pipe
// announced a required one. A worker of that time delivers a message with today's flag of a required subchannel as it is,
// token and all.
var pipeTokenRule = CompatRule{
	Name: "required subchannels over pipes", Since: "3.22.0", Until: "3.23.2",
	Text:   "the token of a message had another flag for a required subchannel",
	compat: func(c *api.Compat) { c.OldPipeToken = true },
}

// temporalRule: a consumer's preferred temporal layer applied to its preferred spatial layer only. An application that asked
// for half the frame rate got all of it while bandwidth allowed no more than a lower spatial layer.
var temporalRule = CompatRule{
	Name: "temporal layers", Until: "3.25.0",
	Text:   "the preferred temporal layer limited the preferred spatial layer only",
	compat: func(c *api.Compat) { c.TemporalLimitAtPreferredOnly = true },
}

// bitratesRule: bitrates had 32 bits. The codec converts integers wherever sizes differ, and sends those out of range, from
// about 4.3 Gbit/s on, as the largest number.
var bitratesRule = CompatRule{
	Name: "bitrates", Until: "3.26.0",
	Text: "bitrates of 32 bits; larger ones are sent as 4294967295",
}

// mappingRule: an application repeated each encoding's scalability mode in the RTP mapping. The engine reads it from the
// encodings, and keeps the one in the mapping for dumps.
var mappingRule = CompatRule{
	Name: "RTP mapping", Until: "3.26.0",
	Text: "scalabilityMode in the mapping of encodings",
}
