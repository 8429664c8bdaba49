// Package peers tests the worker with WebRTC peers that are not ours: pion/webrtc, and peers made by hand of pion's parts
// that do what no well-behaved peer does. It drives the binary only, as an application does: package app speaks the
// protocol of the worker's channel, packages rtcpeer and rawpeer are the other end of the network.
//
// It is a module of its own so that pion/webrtc, which it needs, stays out of the worker's.
package peers
