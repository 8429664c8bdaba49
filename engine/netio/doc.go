// Package netio is the edge to the network: UDP sockets that hand received datagrams to their owner in batches and send
// batches with as few system calls as the kernel allows (generic segmentation offload, GSO), and TCP servers whose
// connections carry datagrams in frames (RFC 4571).
//
// A UDP socket has one reader goroutine, the one that runs Serve; each TCP connection has one too. Any goroutine may send:
// sending never waits, because a media server that waits for one congested link stalls all others. What the kernel does
// not take at once is dropped and counted; with TCP a bounded queue comes first, because a stream cannot lose the rest of
// a frame.
package netio
