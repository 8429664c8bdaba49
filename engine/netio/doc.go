// Package netio does the network I/O: UDP sockets that pass received datagrams to a handler in batches and send batches
// with as few system calls as the kernel allows (generic segmentation offload, GSO), and TCP servers whose connections
// carry datagrams in frames (RFC 4571).
//
// A Poller reads any number of UDP sockets on one goroutine; each TCP connection has a goroutine of its own. Any goroutine
// may send. Sending never waits: a media server that waits for one congested link stalls all others. What the kernel does
// not take at once is dropped and counted. TCP has a bounded queue first, because a stream cannot lose the rest of a frame.
package netio
