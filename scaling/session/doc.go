// Package session is the conversation of one front with one node: ordered and exactly once, over connections that break. It
// is a pair of pure machines. [Front] opens the conversation and takes it up again after each break; [Node] answers. The
// owner connects sockets, encrypts, tries addresses again and gives each machine the bytes that arrive.
//
// # Exactly once
//
// Each side numbers its messages and keeps them until the other side acknowledges them. When a connection is made, both
// sides say what they received last; what is missing is sent again, and what arrives twice is dropped. What a side keeps is
// bounded by count and bytes ([Limits]): a session that cannot keep another message ends with [ErrOverflow], loudly, since a
// lost message would leave the two sides with different ideas of what exists. Media of DirectTransports, traces and the like are
// sent as droppable messages: these are refused, and counted by the owner, when much of what was sent before is still
// unacknowledged, so that they never bring that end about.
//
// Long messages travel in pieces of 64 KiB, which are what is numbered, acknowledged and sent again. Acknowledgements and pings come
// between them, so a message that takes long looks like no silence, and a cut costs the piece that it hits. A connection is given
// 1 MiB beyond what is acknowledged: pings wait behind no more than that, and the lease is renewed however much is to be sent. A
// message is put together in full before the owner gets it; one that is longer than the limit breaks the connection.
//
// # Who believes what, and for how long
//
// A node keeps what a front created while it holds the front's lease. Only a goodbye ends a conversation at once; after any
// other end of a connection the lease decides. The lease runs by the node's clock alone: every pong tells the node's time,
// every ping echoes the newest one heard, and the lease lasts until the echoed time plus [Lease]. A ping that the network
// delivers late, or that a frozen node reads late, therefore renews nothing. The front knows when the node sent the time that
// it echoed at the latest, namely when it arrived, so it knows when the lease has surely expired: that long after the arrival,
// plus a margin for clocks that run at different speeds. Until then it creates nothing elsewhere.
//
// The node gives each conversation a random number. A node that restarted, or gave the lease up, does not know the number any
// more and answers with a fresh conversation: the front learns of it ([EventOpened]) and reconciles, that is, compares what
// exists with what should.
//
// Connections have increasing epochs. A node takes only a connection of a higher epoch than the last, so what a lost
// connection may still deliver changes nothing.
//
// # Rules for the owner
//
// All methods take the time, from a clock that counts while the machine is suspended; it is read once per turn. After each
// call the owner drains Output: it writes Bytes to the present connection, in order, and closes that connection if Drop is
// set (the machine has left it already). It calls HandleTimeout when NextTimeout has come. Payloads passed to Send are kept
// and must not change; payloads in events belong to the owner.
package session
