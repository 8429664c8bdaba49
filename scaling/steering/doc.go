// Package steering says when a cluster needs more nodes or fewer, for whoever starts and stops them: an autoscaler, or a person.
//
// # Signals
//
// A region is short of capacity when each of its nodes is so full that placement puts no new Router there before all others are
// ([placement.Headroom] below the watermark). A node is idle when it has had no transport for a while and the others have room without it. A
// node is drained when it drains and is empty, or has gone like that. Signals begin late and end late, so that a load that goes up and down
// does not set off one after the other.
//
// # Who tells
//
// All nodes know the same table (package membership) and judge it with a [Machine] each. One of them tells: by its heartbeat, which
// carries all signals that last, to the other nodes, and by webhooks to the outside. It is the one with the lowest name of those
// that have a webhook. It goes on until it is gone; then the next one takes over, with the signals that it last heard, so that each is told once. A signal has an id,
// by which receivers know one that comes twice all the same: when a teller dies after it has told a signal and before it has said so, or
// while the network is split.
//
// A Machine is pure. A [Steerer] is the machine with a clock and HTTP.
package steering
