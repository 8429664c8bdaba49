package fbs

import "gazpacho/engine/api"

// pipesTopic: since 3.22, a message of a data channel takes its subchannels along over a pipe, in front of its bytes. Workers
// of older releases, which may be at the other end, would deliver them as part of the message.
var pipesTopic = Topic{
	Name: "subchannels over pipes", Until: "3.21.2",
	Text:  "messages travelled without subchannels; pipe consumers looked at them as all others do",
	habit: func(h *api.Habits) { h.PlainPipes = true },
}
