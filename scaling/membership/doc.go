// Package membership is how the nodes of a cluster know each other. Each tells all others once a second that it is there, by a
// [Heartbeat]; a [Member] is the machine of one node, which makes its own and takes those of the others. It is pure: the owner
// carries heartbeats (package bus) and calls it with the time.
//
// There is no agreement among nodes and no leader: each has a table of its own, of what it has heard. Tables differ for as long as
// news travels, or a network is split. Nothing depends on their being the same: a table says where to look for nodes. Whether
// what a node holds still exists, the leases of sessions decide (package session), never a table.
//
// # Names
//
// A node's name is that in its certificate, and whoever carries heartbeats makes sure that nobody uses another's. Each process draws an
// incarnation, so that a node that was started again is told from one that was away. A node joins before it serves: for a moment it
// only listens for another live node of its name, which answers at once. If there is one, it must not start. Two that are found to have
// one name later, when a network is whole again or a stopped process goes on, both stay: ending either might end calls. Tables show it.
//
// # Time
//
// A node that has not been heard for [SuspectAfter] is suspected, for [DeadAfter] dead, and it is back with its next heartbeat. It stays
// in the table, as dead, for [ForgetAfter]. One that says goodbye is gone at once. Only time counts in which the owner could have heard
// it: not while the bus was away, and not while this process was stopped.
package membership
