package netio

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// segmentControl is the control message that sets the segment size of one send.
type segmentControl struct {
	header unix.Cmsghdr
	size   uint16
	_      [6]byte
}

// sendCalls are the two system calls that send; tests replace them.
type sendCalls struct {
	group  func(fd int, y *batchSys) syscall.Errno // sends y.message, with GSO
	single func(fd int, y *batchSys, data []byte) syscall.Errno
}

// kernel holds the real system calls. They are raw because they never wait (see internal/epoll).
var kernel = sendCalls{
	group: func(fd int, y *batchSys) syscall.Errno {
		_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&y.message)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		return errno
	},
	single: func(fd int, y *batchSys, data []byte) syscall.Errno {
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&y.name)), uintptr(y.nameLen))
		return errno
	},
}

// batchSys is the memory that the system calls point to, so that a send allocates nothing.
type batchSys struct {
	calls   sendCalls
	batch   *Batch
	socket  *UDPSocket
	name    unix.RawSockaddrInet6 // or a RawSockaddrInet4
	nameLen uint32
	iov     unix.Iovec
	control segmentControl
	message unix.Msghdr
	full    int // packets left over because the kernel's buffer was full
	run     func(fd int)

	to       netip.AddrPort
	refusals refusals
}

func (y *batchSys) init(b *Batch) {
	y.batch, y.calls = b, kernel
	y.run = y.flush
	y.control.header.Level, y.control.header.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	y.control.header.SetLen(unix.CmsgLen(2))
	y.message.Name = (*byte)(unsafe.Pointer(&y.name))
	y.message.Iov = &y.iov
	y.message.SetIovlen(1)
	y.message.Control = (*byte)(unsafe.Pointer(&y.control))
	y.message.SetControllen(unix.CmsgSpace(2))
}

// send sends the batch and returns how many packets were left over because the kernel's buffer was full. Other goroutines
// may send through the socket at the same time.
func (b *Batch) send(s *UDPSocket, to netip.AddrPort) (full int) {
	y := &b.sys
	b.sent, y.full = 0, 0
	if !y.setName(to, s.ipv6) {
		return 0
	}
	y.socket, y.to = s, to
	s.use(y.run) // sends nothing when the socket is closed
	y.socket = nil
	return y.full
}

// flush does the work of send, with the descriptor.
func (y *batchSys) flush(fd int) {
	b := y.batch
	for i, offset := 0, 0; i < b.count; {
		n, bytes := 1, int(b.lengths[i])
		if !y.socket.noGSO {
			n, bytes = nextGroup(b.lengths[i:b.count])
		}
		grouped := n > 1 && y.refusals.mayTry(y.to) && y.sendGroup(fd, b.arena[offset:offset+bytes], i, n)
		if !grouped && !y.sendSingly(fd, offset, i, n) {
			return
		}
		if y.full > 0 {
			return
		}
		i += n
		offset += bytes
	}
}

// sendGroup sends n packets, starting with packet i, as one GSO send. It returns false if they must be sent one by one.
// If the kernel's buffer is full, it sets y.full and returns true.
func (y *batchSys) sendGroup(fd int, data []byte, i, n int) bool {
	y.iov.Base = &data[0]
	y.iov.SetLen(len(data))
	y.control.size = y.batch.lengths[i]
	y.message.Namelen = y.nameLen
	errno := y.calls.group(fd, y)
	if retryable(errno) {
		errno = y.calls.group(fd, y)
	}
	switch errno {
	case 0:
		y.batch.sent += n
		return true
	case unix.EAGAIN, unix.ENOBUFS:
		y.full = y.batch.count - i
		return true
	}
	if y.control.size <= etherPayload {
		y.refusals.add(y.to)
	}
	y.socket.stats.fallbacks.Add(1)
	return false
}

// sendSingly sends n packets one by one, starting with packet i at offset. It returns false if the rest of the batch
// cannot be sent to this destination either.
func (y *batchSys) sendSingly(fd int, offset, i, n int) bool {
	b := y.batch
	for ; n > 0; n-- {
		data := b.arena[offset : offset+int(b.lengths[i])]
		errno := y.calls.single(fd, y, data)
		if retryable(errno) {
			errno = y.calls.single(fd, y, data)
		}
		switch errno {
		case 0:
			b.sent++
		case unix.EAGAIN, unix.ENOBUFS:
			y.full = b.count - i
			return false
		case unix.EMSGSIZE: // this packet is too large, the next may fit
		default:
			return false
		}
		i++
		offset += len(data)
	}
	return true
}

// retryable reports whether a call is worth repeating once: a signal interrupted it, or it reported the ICMP error that an
// earlier datagram caused.
func retryable(errno syscall.Errno) bool { return errno == unix.EINTR || errno == unix.ECONNREFUSED }

// setName sets the destination in the form that the socket's family needs. It returns false if that family cannot reach it.
func (y *batchSys) setName(to netip.AddrPort, ipv6 bool) bool {
	addr := to.Addr()
	switch {
	case !addr.IsValid():
		return false
	case ipv6:
		y.name = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: addr.As16()}
		putPort(&y.name.Port, to.Port())
		if addr.Zone() != "" {
			y.name.Scope_id = scopeID(addr.Zone())
		}
		y.nameLen = unix.SizeofSockaddrInet6
	case addr.Is4(), addr.Is4In6():
		name := (*unix.RawSockaddrInet4)(unsafe.Pointer(&y.name))
		*name = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr.Unmap().As4()}
		putPort(&name.Port, to.Port())
		y.nameLen = unix.SizeofSockaddrInet4
	default:
		return false
	}
	return true
}

// putPort stores a port in network byte order.
func putPort(dst *uint16, port uint16) {
	b := (*[2]byte)(unsafe.Pointer(dst))
	b[0], b[1] = byte(port>>8), byte(port)
}

// scopeID returns the number of an IPv6 zone given as a number or as an interface name, 0 if there is none.
func scopeID(zone string) uint32 {
	if id, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(id)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}
