package netio

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// sink returns the address of a socket that is never read: its buffer fills up and the kernel drops the rest, which keeps
// the receiver out of the sender's figures.
func sink(b *testing.B) netip.AddrPort {
	b.Helper()
	s, err := ListenUDP(UDPConfig{Address: loopback4})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return s.LocalAddr()
}

// BenchmarkSend measures the time per packet of 1200 bytes.
func BenchmarkSend(b *testing.B) {
	mixed := []int{1199, 1199, 1199, 1199, 1199, 1199, 1200, 1200, 1200, 1200}
	for name, lengths := range map[string][]int{"one": {1200}, "GSO of 10": nil, "frame of 10 with two sizes": mixed} {
		b.Run(name, func(b *testing.B) { benchmarkSend(b, lengths, false) })
	}
	b.Run("10 without GSO", func(b *testing.B) { benchmarkSend(b, nil, true) })
}

func benchmarkSend(b *testing.B, lengths []int, withoutGSO bool) {
	to := sink(b)
	s, err := ListenUDP(UDPConfig{Address: loopback4})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.noGSO = withoutGSO
	batch := NewBatch()
	for _, n := range lengths {
		batch.Commit(n)
	}
	for lengths == nil && batch.Len() < 10 {
		batch.Commit(1200)
	}
	b.ReportAllocs()
	for b.Loop() {
		if sent, _ := s.Send(to, batch); sent != batch.Len() {
			b.Fatal("not all were sent")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/packet")
}

// BenchmarkSendto measures the bare system call for one packet of 1200 bytes, the baseline for the others.
func BenchmarkSendto(b *testing.B) {
	to := sink(b)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	data := make([]byte, 1200)
	address := &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	b.ReportAllocs()
	for b.Loop() {
		if err := unix.Sendto(fd, data, 0, address); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReceive measures the time per packet of 1200 bytes read from a socket in bursts, without the poller.
func BenchmarkReceive(b *testing.B) {
	for name, burst := range map[string]int{"one at a time": 1, "bursts of 10": 10} {
		b.Run(name, func(b *testing.B) {
			s, err := ListenUDP(UDPConfig{Address: loopback4, RecvBufferSize: 1 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			batch := NewBatch()
			for range burst {
				batch.Commit(1200)
			}
			s.noGSO = true
			r := &reader{socket: s, batch: make([]Datagram, 0, recvBatch)}
			receive := r.receive
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				s.Send(s.LocalAddr(), batch)
				b.StartTimer()
				if s.use(receive); len(r.batch) != burst {
					b.Fatal("burst not read at once", len(r.batch))
				}
				for _, d := range r.batch {
					d.Buffer.Release()
				}
				r.batch = r.batch[:0]
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*burst), "ns/packet")
		})
	}
}
