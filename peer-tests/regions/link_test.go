package regions_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gazpacho/peer-tests/app"
)

// oneWay is how long a packet is under way between the regions: about as long as across the Atlantic.
const oneWay = 40 * time.Millisecond

// link is what connects the regions. It delays all packets and counts them.
type link struct {
	mu     sync.Mutex
	media  map[uint32]int        // packets of Opus with RTP, by SSRC
	udp    map[[2]netip.Addr]int // all packets of UDP, by source and destination
	octets [2]int                // of TCP and of UDP
}

// delayed is a packet on its way.
type delayed struct {
	due  time.Time
	data []byte
}

// newLink connects the regions until the test ends.
func newLink(t *testing.T) *link {
	t.Helper()
	l := &link{media: map[uint32]int{}, udp: map[[2]netip.Addr]int{}}
	const eu, us, publicEU, publicUS = "10.1.0.0/16", "10.2.0.0/16", "192.0.2.0/28", "192.0.2.16/28"
	file := tun(t, "atlantic", "100", []string{"priority", "30", "from", eu, "to", us}, []string{"priority", "30", "from", us, "to", eu},
		[]string{"priority", "10", "iif", "nat", "from", publicEU, "to", us}, []string{"priority", "10", "iif", "nat", "from", publicUS, "to", eu})
	under := make(chan delayed, 100_000)
	go func() {
		defer close(under)
		packets(file, func(b []byte) {
			l.count(b)
			under <- delayed{time.Now().Add(oneWay), bytes.Clone(b)}
		})
	}()
	go deliver(file, under)
	return l
}

// deliver writes packets when they are due.
func deliver(file *os.File, under <-chan delayed) {
	for d := range under {
		<-time.After(time.Until(d.due))
		_, _ = file.Write(d.data) // what the network refuses is lost
	}
}

// count counts a packet of IPv4 (RFC 791).
func (l *link) count(b []byte) {
	const header = 20 // none here has options
	if len(b) < header || b[0] != 0x45 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch b[9] {
	case unix.IPPROTO_TCP:
		l.octets[0] += len(b)
	case unix.IPPROTO_UDP:
		l.octets[1] += len(b)
		l.udp[[2]netip.Addr{netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))}]++
		if rtp := b[min(len(b), header+8):]; len(rtp) >= 12 && rtp[0]>>6 == 2 && rtp[1]&0x7f == app.OpusPayloadType {
			l.media[binary.BigEndian.Uint32(rtp[8:12])]++
		}
	}
}

// crossed returns how many packets of Opus have crossed until now, of all producers.
func (l *link) crossed() (sum int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.media {
		sum += n
	}
	return sum
}

// pairs returns who has sent UDP to whom.
func (l *link) pairs() map[[2]netip.Addr]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[[2]netip.Addr]bool{}
	for pair := range l.udp {
		all[pair] = true
	}
	return all
}
