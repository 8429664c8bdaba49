// Package netio is the edge to the network: UDP sockets that hand received datagrams to their owner in batches and send
// batches with as few system calls as the kernel allows (generic segmentation offload, GSO), and TCP servers whose
// connections carry datagrams in frames (RFC 4571).
//
// UDP sockets are read by a Poller, any number of them on one goroutine; each TCP connection has a goroutine of its own.
// Anybody may send: sending never waits, because a media server that waits for one congested link stalls all others. What
// the kernel does not take at once is dropped and counted; with TCP a bounded queue comes first, because a stream cannot
// lose the rest of a frame.
package netio
