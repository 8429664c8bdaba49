package enginetest

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
	"gazpacho/engine/wire/stun"
)

// What a transport may send an address that may be a victim's, whatever it is sent from there. Chosen here:
const (
	// AnswersPerByte and AnswersPerSecond bound the answers: what is not forwarded, repeated or padding.
	AnswersPerByte   = 3
	AnswersPerSecond = 1000 // bytes
	// The rest is bounded for the transport: what is repeated by half of what is forwarded, or RepeatedPerSecond if that is more,
	// and padding likewise. RepeatedAtOnce is what one turn may repeat.
	RepeatedPerSecond = 600_000 / 8
	RepeatedAtOnce    = 256<<10 + 2*1600
)

// What an input may cost beside what is sent: allocated memory and steps, which are packets sent, deadlines met and notifications.
// The test's own work is in it. Chosen here:
const (
	allocatedPerByte, allocatedPerDatagram = 16, 1500 // bytes; about half of it is the test's
	allocatedPerSecond, allocatedAtLeast   = 32 << 10, 512 << 10
	stepsPerByte, stepsPerSecond           = 1, 100
)

// Ledger is the account of what each address sent to a transport and was sent, in bytes of datagrams. It fails the test as soon as
// the transport sends an address more than it should: this is what keeps a worker from being an amplifier.
type Ledger struct {
	T testing.TB
	// PerSecond is AnswersPerSecond, unless the application asked for more: for reports on many streams.
	PerSecond int
	began     unit.Time
	accounts  map[netip.AddrPort]*account

	In, Datagrams                         int // received, of all addresses
	Packets, Answers, Forwarded, Repeated int // sent; the first is a number, the others are bytes
	Padding                               int
	Deadlines, Notifications              int               // set off; numbers, which the test counts
	Last                                  map[uint32]uint16 // the last number sent of each SSRC
	LastTSN                               uint32            // the last one sent of user data
	seen                                  map[any]bool
	allocated                             uint64 // by the process, when it began
}

type account struct{ in, answers int }

// NewLedger returns the ledger of a transport that begins now.
func NewLedger(t testing.TB, now unit.Time) *Ledger {
	l := &Ledger{T: t, PerSecond: AnswersPerSecond, began: now, accounts: map[netip.AddrPort]*account{}, seen: map[any]bool{}, Last: map[uint32]uint16{}}
	l.allocated = allocated()
	return l
}

// allocated returns how many bytes the process has allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// CheckWork fails the test if handling all that was received took more memory or steps than its bytes justify.
func (l *Ledger) CheckWork(now unit.Time) {
	l.T.Helper()
	begun := int(now.Sub(l.began)/time.Second) + 1
	bytes := l.In + l.Forwarded
	most := allocatedPerByte*bytes + allocatedPerDatagram*(l.Datagrams+l.Packets) + allocatedPerSecond*begun + allocatedAtLeast
	if n := int(allocated() - l.allocated); n > most {
		l.T.Fatalf("%d bytes in %d datagrams took %d bytes of memory within %v", l.In, l.Datagrams, n, now.Sub(l.began))
	}
	if n := l.Packets + l.Deadlines + l.Notifications; n > stepsPerByte*bytes+stepsPerSecond*begun {
		l.T.Fatalf("%d bytes set off %d packets, %d deadlines, %d notifications within %v", l.In, l.Packets, l.Deadlines, l.Notifications, now.Sub(l.began))
	}
}

func (l *Ledger) of(a netip.AddrPort) *account {
	if l.accounts[a] == nil {
		l.accounts[a] = &account{}
	}
	return l.accounts[a]
}

// Received enters a datagram from an address.
func (l *Ledger) Received(from netip.AddrPort, n int) {
	l.Datagrams++
	l.In += n
	l.of(from).in += n
}

// Sent enters a datagram to an address. What it is shows in clear, but for SCTP within DTLS: see SentSCTP.
func (l *Ledger) Sent(now unit.Time, to netip.AddrPort, b []byte) {
	switch {
	case wirertcp.LooksLikeRTCP(b), stun.LooksLikeSTUN(b), isDTLS(b):
		l.answer(now, to, len(b))
	case rtp.LooksLikeRTP(b):
		l.rtp(now, to, b)
	default:
		l.SentSCTP(now, to, len(b), b)
	}
}

// isDTLS reports whether b is a record of DTLS 1.0 or 1.2.
func isDTLS(b []byte) bool { return len(b) >= 13 && b[0] >= 20 && b[0] <= 63 && b[1] == 0xfe }

// IsDTLSData reports whether b is an encrypted record of application data, which belongs into SentSCTP.
func IsDTLSData(b []byte) bool { return isDTLS(b) && b[0] == 23 }

func (l *Ledger) rtp(now unit.Time, to netip.AddrPort, b []byte) {
	ssrc, seq := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint16(b[2:])
	l.Last[ssrc] = seq
	switch {
	case ssrc == probationSSRC:
		l.Padding += len(b)
	case b[1]&0x7f == RTXPayloadType || l.repeats([2]uint32{ssrc, uint32(seq)}):
		l.Repeated += len(b)
	default:
		l.Forwarded += len(b)
	}
	l.check(now, to)
}

// probationSSRC is that of padding, as clients know it.
const probationSSRC = 1234

// repeats reports whether something was sent before.
func (l *Ledger) repeats(what any) bool {
	before := l.seen[what]
	l.seen[what] = true
	return before
}

// SentSCTP enters an SCTP packet in a datagram of n bytes. User data is forwarded or repeated; the rest is an answer, and so are
// headers unless there is user data alone.
func (l *Ledger) SentSCTP(now unit.Time, to netip.AddrPort, n int, packet []byte) {
	forwarded, repeated, others := 0, 0, 0
	for chunks := packet[min(12, len(packet)):]; len(chunks) >= 4; {
		length := max(4, min(int(binary.BigEndian.Uint16(chunks[2:])+3)&^3, len(chunks)))
		const data, iData = 0, 64
		switch kind := chunks[0]; {
		case kind != data && kind != iData:
			others += length
		case l.repeats(chunkTSN{to, binary.BigEndian.Uint32(chunks[4:])}):
			repeated += length
		default:
			forwarded += length
			l.LastTSN = binary.BigEndian.Uint32(chunks[4:])
		}
		chunks = chunks[length:]
	}
	switch rest := n - forwarded - repeated - others; {
	case others > 0:
		others += rest
	case repeated > 0:
		repeated += rest
	default:
		forwarded += rest
	}
	l.Forwarded += forwarded
	l.Repeated += repeated
	l.answer(now, to, others)
}

type chunkTSN struct {
	to  netip.AddrPort
	tsn uint32
}

func (l *Ledger) answer(now unit.Time, to netip.AddrPort, n int) {
	l.of(to).answers += n
	l.Answers += n
	l.check(now, to)
}

func (l *Ledger) check(now unit.Time, to netip.AddrPort) {
	l.T.Helper()
	l.Packets++
	begun := int(now.Sub(l.began)/time.Second) + 1
	if a := l.of(to); a.answers > AnswersPerByte*a.in+l.PerSecond*begun {
		l.T.Fatalf("%v sent %d bytes and was sent %d in answer, within %v", to, a.in, a.answers, now.Sub(l.began))
	}
	allowed := max(l.Forwarded/2, RepeatedPerSecond*begun) + RepeatedAtOnce
	if l.Repeated > allowed {
		l.T.Fatalf("%d bytes were repeated, where %d were forwarded within %v", l.Repeated, l.Forwarded, now.Sub(l.began))
	}
	if l.Padding > allowed {
		l.T.Fatalf("%d bytes of padding, where %d were forwarded within %v", l.Padding, l.Forwarded, now.Sub(l.began))
	}
}
