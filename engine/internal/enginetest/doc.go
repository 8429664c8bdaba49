// Package enginetest is what tests of the engine share, for tests only: RTP parameters and requests, packets, encoders that
// make the streams of a camera, a recorder of notifications, the application's side of the worker's protocol, and sockets.
//
// A Stream describes what signalling would have negotiated, and makes the parameters and requests that follow from it. A
// Packet is one RTP packet, SimulcastEncoder and LayeredEncoder make whole pictures. App sends requests to whatever takes
// them and waits for notifications. Socket is a UDP socket in memory, Peer a real one on the loopback interface.
package enginetest

import "time"

// Patience is how long a test waits for what must come; only a failing test waits that long.
const Patience = 20 * time.Second
