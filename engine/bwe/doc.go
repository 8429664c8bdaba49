// Package bwe estimates bandwidth. Each transport may hold one machine for each direction.
//
// Receiver serves what the peer sends us: it answers with transport-wide feedback, from which the peer estimates, or it
// estimates itself and answers with REMB. Sender serves what we send: it numbers packets, reads the peer's feedback (or
// REMB) and says how much may be sent, which the transport distributes to its consumers.
//
// Both are pure machines: time comes in, output is drained after each call. Nothing allocates per packet; what arrives
// from the peer costs bounded work and memory whatever it says.
//
// Algorithms: draft-holmer-rmcat-transport-wide-cc-extensions-01 (feedback), draft-alvestrand-rmcat-remb-03 (REMB),
// draft-ietf-rmcat-gcc-02 and Carlucci et al., "Analysis and Design of the Google Congestion Control for WebRTC" (MMSys
// 2016). The rules by which estimates meet what the application wants are upstream's.
package bwe
