// Package unit holds the small types that carry the protocol: instants, SSRCs, sequence numbers, RTP timestamps,
// bitrates and the counters that measure them. What wraps or has a unit has a type here.
package unit
