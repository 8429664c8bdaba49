package netio

import (
	"net/netip"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"gazpacho/engine/packet"
)

// Chosen here:
const (
	recvBatch    = 16                                  // datagrams per system call
	overflowSize = packet.LargeSize - packet.SmallSize // room behind a small buffer, so that any datagram arrives whole
	recvAttempts = 8                                   // how often a read is tried, because of reported ICMP errors
)

// messageHeader is struct mmsghdr of recvmmsg(2). Go gives it the C compiler's padding, because Msghdr holds pointers.
type messageHeader struct {
	header unix.Msghdr
	length uint32
}

// recvArea is the memory that one recvmmsg call points to. It is large, so sockets share areas: an area is in use for the
// length of one call only, and an idle socket holds none.
type recvArea struct {
	headers  [recvBatch]messageHeader
	iovecs   [recvBatch][2]unix.Iovec
	names    [recvBatch]unix.RawSockaddrInet6 // or a RawSockaddrInet4
	buffers  [recvBatch]*packet.Buffer
	overflow []byte
}

var recvAreas = sync.Pool{New: func() any { return newRecvArea() }}

func newRecvArea() *recvArea {
	a := &recvArea{overflow: make([]byte, recvBatch*overflowSize)}
	for i := range a.headers {
		a.iovecs[i][1].Base = &a.overflow[i*overflowSize]
		a.iovecs[i][1].SetLen(overflowSize)
		a.headers[i].header.Name = (*byte)(unsafe.Pointer(&a.names[i]))
		a.headers[i].header.Iov = &a.iovecs[i][0]
		a.headers[i].header.SetIovlen(2)
		a.arm(i)
	}
	return a
}

// arm prepares a slot for the next datagram.
func (a *recvArea) arm(i int) {
	if a.buffers[i] == nil {
		a.buffers[i] = packet.NewBuffer(packet.SmallSize)
		a.iovecs[i][0].Base = &a.buffers[i].Space()[0]
		a.iovecs[i][0].SetLen(packet.SmallSize)
	}
	a.headers[i].header.Namelen = unix.SizeofSockaddrInet6
}

// take returns the datagram of n bytes in a slot.
func (a *recvArea) take(i, n int) *packet.Buffer {
	b := a.buffers[i]
	if n <= packet.SmallSize {
		a.buffers[i] = nil
		b.SetLen(n)
		return b
	}
	large := packet.NewBuffer(n)
	copy(large.Space(), b.Space())
	copy(large.Space()[packet.SmallSize:], a.overflow[i*overflowSize:][:n-packet.SmallSize])
	large.SetLen(n)
	return large
}

// reader reads batches from sockets, one socket at a time.
type reader struct {
	socket *UDPSocket
	batch  []Datagram
	zone   string // zoneID as text; cached, because formatting it allocates
	zoneID uint32
}

// receive reads a batch without waiting; the batch stays empty if there is nothing.
func (r *reader) receive(fd int) {
	a := recvAreas.Get().(*recvArea)
	defer recvAreas.Put(a)
	for range recvAttempts {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&a.headers[0])), recvBatch,
			unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			r.collect(a, int(n))
			return
		case unix.EAGAIN:
			return
		}
		// A signal, or an ICMP error caused by an earlier send, which the kernel reports once: read again.
	}
}

func (r *reader) collect(a *recvArea, n int) {
	for i := range n {
		h := &a.headers[i]
		switch {
		case h.header.Flags&unix.MSG_TRUNC != 0:
			r.socket.stats.truncated.Add(1)
		case h.length > 0:
			from := r.source(&a.names[i])
			r.batch = append(r.batch, Datagram{a.take(i, int(h.length)), from})
		}
		a.arm(i)
	}
}

// source returns the sender's address in the form documented at Datagram.From.
func (r *reader) source(name *unix.RawSockaddrInet6) netip.AddrPort {
	if name.Family == unix.AF_INET {
		name := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(name.Addr), getPort(&name.Port))
	}
	addr := netip.AddrFrom16(name.Addr).Unmap()
	if id := name.Scope_id; id != 0 {
		if id != r.zoneID {
			r.zone, r.zoneID = strconv.FormatUint(uint64(id), 10), id
		}
		addr = addr.WithZone(r.zone)
	}
	return netip.AddrPortFrom(addr, getPort(&name.Port))
}

// getPort loads a port from network byte order.
func getPort(src *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(src))
	return uint16(b[0])<<8 | uint16(b[1])
}
