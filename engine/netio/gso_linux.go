package netio

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// lacksGSO reports whether the kernel does not know UDP_SEGMENT (before Linux 4.18).
func lacksGSO(fd int) bool {
	_, err := unix.GetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT)
	return err != nil
}

// etherPayload is the most bytes of a UDP datagram on Ethernet, over IPv4. That longer packets are refused says nothing about the
// destination: a producer may send them to a whole room.
const etherPayload = 1500 - 20 - 8

// Chosen here:
const (
	refusalSlots = 64 // destinations remembered for each batch; a further one takes the place of another
	refusalPause = 64 // groups that a destination is sent packet by packet before GSO is tried again
)

// refusals remembers to which destinations the kernel refused a group. The reason is theirs, not the socket's: the packets exceed
// the path MTU (EINVAL), which a peer can lower by ICMP, or the route leads through IPsec or a device that computes no checksums (EIO).
// So only those destinations are sent packet by packet for a while, which saves them a useless system call for each group.
type refusals struct {
	any   bool // false until the first refusal: nothing has to be looked up
	slots [refusalSlots]struct {
		to    netip.AddrPort
		pause int // groups left to be sent singly
	}
}

// slot is the place of a destination, which others share.
func slot(to netip.AddrPort) int {
	a := to.Addr().As16()
	return int(a[15]^a[14]^a[13]^byte(to.Port())) % refusalSlots
}

// mayTry reports whether a group for the destination may be sent with GSO. If not, the group counts as sent singly.
func (r *refusals) mayTry(to netip.AddrPort) bool {
	if !r.any {
		return true
	}
	s := &r.slots[slot(to)]
	if s.pause == 0 || s.to != to {
		return true
	}
	s.pause--
	return false
}

func (r *refusals) add(to netip.AddrPort) {
	s := &r.slots[slot(to)]
	s.to, s.pause, r.any = to, refusalPause, true
}
