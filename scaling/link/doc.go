// Package link carries messages of data channels from one node to another: in order, exactly once, over connections that break,
// bounded by bytes. It is two pure machines on those of package session. [Sender] is at the node that has the data producers;
// [Receiver] at the node that consumes them. One conversation carries the messages of all data producers from the one to the
// other; in the other direction nothing but acknowledgements travels.
//
// # Streams
//
// A stream is one data producer on its way to that node. Its [Token], which the two ends are told by their front, says where a message
// belongs. It is random, so that whoever was not told it can send into no stream. Messages of a stream keep their order, and so do
// those of different streams.
//
// # Bounds
//
// What is not acknowledged waits at the sender: up to [MaxStream] bytes of one stream and [MaxLink] of all. A message for which there
// is no room is lost, and [Sender.Send] says so, since nothing can stop the peers that send: that is how an SCTP association with a
// full buffer treats its data consumers, and what the application is told. Messages of an unreliable stream, for which waiting has
// no use, are lost already while there is no connection, or [Late] bytes wait.
//
// # Ends
//
// A conversation that has ended lost what waited, and so breaks all its streams. That happens when the other node is away for longer
// than the lease of package session, has restarted, refuses, or is not reached at first within [OpenTime].
package link
