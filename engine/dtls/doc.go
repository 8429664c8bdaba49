// Package dtls is the DTLS-SRTP machine of a WebRtcTransport (RFC 5764): it runs the handshake, authenticates the peer by the
// fingerprint from signalling, exports the SRTP keys, and then carries application data (SCTP).
//
// The handshake is pion/dtls's, which needs goroutines and a connection. It has both only while it runs: a transport that
// waits has neither, and a connected one has only its keys. The records of an established association are opened and sealed
// here, within the caller's turn (session.go), so a connected transport costs about two kilobytes and no goroutine.
//
// The attack surface is small on purpose. The caller passes only datagrams of an ICE-valid tuple. Of these, the handshake
// gets only well-formed records that belong to its phase (record.go), and an encrypted Finished only after it was decrypted
// and checked here (secrets.go). Once connected, only authenticated records have any effect. Every queue is bounded; what
// does not fit is dropped and counted, since DTLS and SCTP both retransmit.
//
// A Transport works like every machine of the engine: call a method, then drain it with Poll. Only a running handshake
// produces output between two calls; it calls wake to announce that.
package dtls
