// Package medialab is a laboratory for what people see behind bad links. Publishers and subscribers are models of browsers; the
// transports, producers and consumers between them are the engine's own, on a virtual clock, without DTLS and SRTP. Links between
// them are those of package simnet. A minute of a scene takes about a second, and a seed gives the same run each time.
//
// The models follow libwebrtc where it matters for what is seen: when lost packets are asked for, when key frames are, how often
// feedback comes, how long frames wait in the jitter buffer, and what counts as a freeze. They decode nothing: a packet says what
// picture it is part of, and what that refers to.
package medialab
