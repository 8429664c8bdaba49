// Package dtls is the DTLS-SRTP machine of a WebRtcTransport (RFC 5764): it runs the handshake, proves who the peer is by the
// fingerprint that signalling gave, exports the SRTP keys, and afterwards carries application data (SCTP).
//
// The handshake is pion/dtls's, which wants goroutines and a connection. It gets both for as long as the handshake lasts and
// no longer: a transport that waits has neither, and one that is connected has only its keys. Records of an established
// association are opened and sealed here, within the caller's turn (session.go), so a connected transport costs about two
// kilobytes and no goroutine.
//
// What a stranger can reach is narrow on purpose. The caller hands over only datagrams of an ICE-valid tuple. Of these the
// machine shows the handshake only well-formed records that belong to its phase (record.go), an encrypted Finished only after it
// has opened that itself (secrets.go), and once connected nothing that is not authenticated has any effect. Every queue is
// bounded; what does not fit is dropped and counted, since DTLS and SCTP both retransmit.
//
// A Transport is driven like every machine of the engine: call a verb, then drain it with Poll. Only a running handshake
// produces output between two calls; that is what wake announces.
package dtls
