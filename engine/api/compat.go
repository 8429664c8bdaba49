package api

// Compat are what upstream's workers of older releases do otherwise than the newest, where applications and other workers can
// see it, and no schema tells. The zero value is what the newest release does.
type Compat struct {
	// TemporalLimitAtPreferredOnly: a consumer's preferred temporal layer limits its preferred spatial layer. Below that one
	// all temporal layers are forwarded; above it, where a consumer is when there is nothing else, only the lowest.
	TemporalLimitAtPreferredOnly bool
	// PlainPipes: over pipes, messages of data channels travel without their subchannels. Pipe consumers look at
	// subchannels as all others do.
	PlainPipes bool
	// SmallFrames: a message on the channel has at most 4 MiB, in both directions, where it has nearly 8 today.
	SmallFrames bool
}
