// Package bwe estimates bandwidth. Each transport may hold one machine for each direction.
//
// Receiver serves what the peer sends us: it answers with transport-wide feedback, from which the peer estimates, or it
// estimates itself and answers with REMB. Sender serves what we send: it numbers packets, reads the peer's feedback (or
// REMB) and estimates how much may be sent, which the transport distributes to its consumers.
//
// Both are pure machines: time comes in, output is drained after each call. Nothing allocates per packet; packets of the peer
// cost bounded work and memory whatever they contain.
//
// Algorithms: draft-holmer-rmcat-transport-wide-cc-extensions-01 (feedback), draft-alvestrand-rmcat-remb-03 (REMB),
// draft-ietf-rmcat-gcc-02 and Carlucci et al., "Analysis and Design of the Google Congestion Control for WebRTC" (MMSys
// 2016). The rules that combine estimates with the application's limits are mediasoup's.
package bwe
