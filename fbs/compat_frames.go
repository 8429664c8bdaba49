package fbs

import "gazpacho/engine/api"

// framesRule: up to 3.19.22, messages could be half as long. The Node library of that time throws away all that it has
// received when there is more, and answers to other requests with it.
var framesRule = CompatRule{
	Name: "frames", Until: "3.19.22",
	Text:   "a message had at most 4194304 bytes",
	compat: func(c *api.Compat) { c.SmallFrames = true },
}
