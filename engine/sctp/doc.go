// Package sctp is the SCTP machine of a transport: it carries the messages of data producers and data consumers, over DTLS or
// over plain UDP, without DCEP: any stream id may carry data at any time.
//
// RFC 9260 is the protocol; with it RFC 3758 (partial reliability), RFC 6525 (stream resets), RFC 7053 (the I bit), RFC 8260
// (chunks of different messages mixed) and RFC 9653 (no checksum over DTLS), each if the peer supports it. There is one path;
// what RFC 9260 says of several addresses does not apply.
//
// An Association is driven like every machine of the engine: call a verb with the time, drain it with Poll, and call
// HandleTimeout when NextTimeout says so. It has no goroutine, lock or clock. The parts, a file each:
//
//	association.go, handshake.go   states, cookies, restarts of the peer, the end
//	receive.go                     what becomes of each chunk; heartbeats
//	received.go                    which numbers came, and acknowledgements
//	inbound.go                     messages in the order of their streams, from fragments (reassembly.go, interleaved.go)
//	queue.go                       what waits to be sent; streams take turns
//	outstanding.go                 what is under way
//	loss.go, congestion.go, rtt.go what is lost, how much may be sent, how long to wait
//	reset.go                       streams that are closed, both ways
//	transmit.go, packets.go        packets are filled
//	state.go                       an association as a value, for another process (export.go, restore.go)
//	wire.go, chunk_….go, cookie.go bytes: parse and append, nothing else
//
// # What a peer can make us do
//
// Work, memory and answers are bounded by a constant times the bytes that a peer sends. Nothing is looked for in a list whose
// length a peer decides. n is the length of a chunk; "window" is MaxReceiverWindowBufferSize, to which whatever waits counts
// with what it costs us, not only with its bytes.
//
//	chunk              work                            memory                          answer
//	DATA, I-DATA       look-ups in maps; a heap's      copied once; within the         one SACK for each packet,
//	                   log of the messages that wait   window, and one message more    256 bytes at most, and twice
//	                   in its stream                   (else ABORT). 16 bytes stay     the packet at most (or 16)
//	                                                   for each of 65536 streams
//	SACK               each chunk is acknowledged      none                            data that we have to send,
//	                   once; blocks cost 1/64 step                                     10 packets at once
//	                   for each number under way,
//	                   of which there are 16384
//	FORWARD-TSN,       1/64 step for each number       16 bytes for each stream        one SACK
//	I-FORWARD-TSN      skipped, 65536 at most; each
//	                   message that waits goes once
//	RE-CONFIG          one in a packet, one request    one request is deferred, n      one response, 16 bytes
//	                   in it: sorted, n log n
//	INIT               one MAC                         none: all is in the cookie      one INIT ACK, three times the
//	                                                                                   INIT at most, its unknown
//	                                                                                   parameters included
//	COOKIE ECHO        one MAC                         the association's own           COOKIE ACK, or ERROR
//	HEARTBEAT          the first of a packet           none                            n
//	unknown            none                            none                            the first of a packet: 256 bytes
//	all others         parameters are read once, n     none                            none, or one chunk
//
// A SACK is the only chunk that a peer can send to make us send data, which the application gave us. What is sent does not
// depend on what a peer claims to have room for beyond 4 MB.
package sctp
