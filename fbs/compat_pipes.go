package fbs

import "gazpacho/engine/api"

// pipesRule: since 3.22, a message of a data channel takes its subchannels along over a pipe, in front of its bytes. Workers
// of older releases, which may be at the other end, would deliver them as part of the message.
var pipesRule = CompatRule{
	Name: "subchannels over pipes", Until: "3.21.2",
	Text:   "messages travelled without subchannels; pipe consumers looked at them as all others do",
	compat: func(c *api.Compat) { c.PlainPipes = true },
}
