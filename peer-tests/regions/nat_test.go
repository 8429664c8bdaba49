package regions_test

import (
	"encoding/binary"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// translate is the NAT of all nodes: each has a public address, by which its address for media is reached by UDP and is seen.
func translate(t *testing.T) {
	t.Helper()
	file := tun(t, "nat", "101", []string{"priority", "40", "to", "192.0.2.0/24"},
		[]string{"priority", "40", "from", "10.1.0.0/16", "to", peerAddress, "ipproto", "udp"},
		[]string{"priority", "40", "from", "10.2.0.0/16", "to", peerAddress, "ipproto", "udp"})
	private, public := map[netip.Addr]netip.Addr{}, map[netip.Addr]netip.Addr{}
	for _, n := range nodes {
		private[n.announced], public[n.address] = n.address, n.announced
	}
	go packets(file, func(b []byte) {
		if len(b) < 28 || b[0] != 0x45 || b[9] != unix.IPPROTO_UDP {
			return
		}
		replace(b[16:20], private)
		replace(b[12:16], public)
		send(file, b)
	})
}

// replace replaces an address, if there is another one for it.
func replace(b []byte, by map[netip.Addr]netip.Addr) {
	if other, ok := by[netip.AddrFrom4([4]byte(b))]; ok {
		copy(b, other.AsSlice())
	}
}

// send sends a packet with new checksums: that of its header (RFC 791), and none of UDP (RFC 768).
func send(file *os.File, b []byte) {
	header := b[:20]
	binary.BigEndian.PutUint16(header[10:], 0)
	binary.BigEndian.PutUint16(b[26:], 0)
	sum := uint32(0)
	for i := 0; i < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	binary.BigEndian.PutUint16(header[10:], ^uint16(sum))
	_, _ = file.Write(b)
}
