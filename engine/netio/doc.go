// Package netio is the edge to the network: UDP sockets that hand received datagrams to their owner in batches and send
// batches with as few system calls as the kernel allows (generic segmentation offload, GSO).
//
// A socket has one reader goroutine, the one that runs Serve. Any goroutine may send: sending takes no lock and never
// waits; what the kernel does not take at once is dropped and counted, because a media server that waits for one
// congested link stalls all others.
package netio
