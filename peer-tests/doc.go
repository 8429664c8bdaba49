// Package peers tests the worker with independent WebRTC peers: pion/webrtc, and peers built from pion's packages that
// misbehave on purpose. It uses the binary only, like an application: package app speaks the protocol of the worker's
// channel; packages rtcpeer and rawpeer are the other end of the network.
//
// It is a module of its own so that the worker's module does not depend on pion/webrtc.
package peers
