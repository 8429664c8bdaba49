// Package sctp is the SCTP machine of a transport (RFC 9260 with RFC 3758 and RFC 6525): it carries the messages of data
// producers and consumers, over DTLS or over plain UDP, without DCEP: any stream id may carry data at any time.
//
// The protocol is pion/sctp's, which wants goroutines and a connection. It gets both when the association begins to connect
// and no sooner: an association that waits is a plain structure. An Association is driven like every machine of the engine:
// call a verb, then drain it with Poll. What happens between two calls (retransmissions, acknowledgements) is announced by
// wake, which must only post to the shard.
//
// Between pion and the shard stands the edge of this package (edge.go), which
//   - lets through only packets with a valid checksum and our verification tag: pion checks no tag;
//   - lets a connection of its own answer the INIT of a peer that restarted, and adopts it when the handshake is done
//     (restart.go), and notices by heartbeats when the peer is gone (heartbeat.go): pion does neither;
//   - gives each direction of a stream an id of its own inside pion (streams.go). pion keeps one object for both directions,
//     so that the peer's reset would restart our numbering, and an id whose reset the peer does not answer could never be
//     used again;
//   - queues what is sent and hands pion only what fits its congestion window (send.go), so that a stream's buffered amount is
//     what has not left yet, as in upstream, and limits apply per stream and in total;
//   - reads messages in pion's own reading goroutine as packets complete them (receive.go): no goroutine per stream.
//
// Every queue is bounded. When the shard does not drain, the edge stops reading; packets that arrive then are dropped, and the
// peer sends them again.
package sctp
