package fbs

import "gazpacho/engine/api"

// temporalRule: up to 3.25.0, a consumer's preferred temporal layer counted in its preferred spatial layer only, so that an
// application which asked for half the frame rate got all of it while bandwidth allowed no more than a lower spatial layer.
var temporalRule = CompatRule{
	Name: "temporal layers", Until: "3.25.0",
	Text:   "the preferred temporal layer limited the preferred spatial layer only",
	compat: func(c *api.Compat) { c.TemporalLimitAtPreferredOnly = true },
}
