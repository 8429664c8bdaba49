package sctp_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	pion "github.com/pion/sctp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

// duo is two associations that hear each other at once.
type duo struct {
	a, b *sctp.Association
	now  unit.Time
	out  sctp.Output
	got  int
}

func newDuo() *duo {
	d := &duo{a: sctp.New(sctp.Config{}), b: sctp.New(sctp.Config{}), now: start}
	d.a.MayConnect(d.now)
	d.b.MayConnect(d.now)
	for d.turn() {
	}
	if d.a.State() != api.SCTPStateConnected || d.b.State() != api.SCTPStateConnected {
		panic("not connected")
	}
	return d
}

// turn carries packets once each way; false when there were none.
func (d *duo) turn() (some bool) {
	d.now = d.now.Add(100 * time.Microsecond)
	for _, e := range [][2]*sctp.Association{{d.a, d.b}, {d.b, d.a}} {
		if e[0].NextTimeout() <= d.now {
			e[0].HandleTimeout(d.now)
		}
		e[0].Poll(&d.out)
		for _, p := range d.out.Packets {
			e[1].HandlePacket(d.now, p)
		}
		d.got += len(d.out.Messages)
		some = some || !d.out.Empty()
	}
	return some
}

// talk sends a message each way on a few streams, until all is acknowledged.
func (d *duo) talk(size int) {
	for id := range uint16(4) {
		_ = d.a.Send(d.now, binary(id, size), ordered)
		_ = d.b.Send(d.now, binary(id, size), ordered)
	}
	for range 1000 {
		d.turn()
	}
	d.out = sctp.Output{}
}

var sizes = []int{100, 1000, 60000}

// BenchmarkMessages is the time of sending a message, receiving it and acknowledging it.
func BenchmarkMessages(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%d bytes", size), func(b *testing.B) {
			d := newDuo()
			m := sctp.Message{StreamID: 1, PPID: 53, Data: make([]byte, size)}
			b.ReportAllocs()
			b.SetBytes(int64(size))
			sent := 0
			for b.Loop() {
				for err := d.a.Send(d.now, m, ordered); err != nil; err = d.a.Send(d.now, m, ordered) {
					require.ErrorIs(b, err, sctp.ErrSendBufferFull)
					d.turn()
				}
				if sent++; sent*size/16000 != (sent-1)*size/16000 {
					d.turn()
				}
			}
			for d.got < sent {
				d.turn()
			}
		})
	}
}

// pionPair is two of pion's associations that hear each other at once.
func pionPair(tb testing.TB) (a, b *pion.Association, stop func()) {
	c, d := newPionConn(), newPionConn()
	c.to = func(p []byte) { d.arrive(append([]byte(nil), p...)) }
	d.to = func(p []byte) { c.arrive(append([]byte(nil), p...)) }
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error
		b, err = asServer(d)
		require.NoError(tb, err)
	}()
	a, err := asClient(c)
	require.NoError(tb, err)
	<-done
	return a, b, func() {
		_ = a.Close()
		_ = b.Close()
		_, _ = c.Close(), d.Close()
	}
}

// BenchmarkMessagesOfPion is the same with pion's.
func BenchmarkMessagesOfPion(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%d bytes", size), func(b *testing.B) {
			from, to, stop := pionPair(b)
			defer stop()
			s, err := from.OpenStream(1, pion.PayloadTypeWebRTCBinary)
			require.NoError(b, err)
			low := make(chan struct{}, 1)
			s.SetBufferedAmountLowThreshold(500_000)
			s.OnBufferedAmountLow(func() {
				select {
				case low <- struct{}{}:
				default:
				}
			})
			got := make(chan int, 1)
			go func() {
				r, err := to.AcceptStream()
				for n, buf := 0, make([]byte, 1<<17); err == nil; {
					if _, err = r.Read(buf); err == nil {
						n++
						select {
						case <-got:
						default:
						}
						got <- n
					}
				}
			}()
			data := make([]byte, size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			sent := 0
			for b.Loop() {
				if s.BufferedAmount() > 1_000_000 {
					<-low
				}
				_, err := s.Write(data)
				require.NoError(b, err)
				sent++
			}
			for n := 0; n < sent; n = <-got {
			}
		})
	}
}

// BenchmarkMemory reports bytes for each association, idle and after it talked, and for each of pion's.
func BenchmarkMemory(b *testing.B) {
	const n = 10000
	for _, talked := range []bool{false, true} {
		b.Run(map[bool]string{false: "idle", true: "after talking"}[talked], func(b *testing.B) {
			for b.Loop() {
				before := live()
				all := make([]*duo, n/2)
				for i := range all {
					all[i] = newDuo()
					if talked {
						all[i].talk(20000)
					}
					all[i].out = sctp.Output{}
				}
				b.ReportMetric(float64(live()-before)/n, "B/association")
				runtime.KeepAlive(all)
			}
		})
	}
	b.Run("idle, of pion", func(b *testing.B) {
		const n = 1000
		for b.Loop() {
			var m runtime.MemStats
			before := live()
			runtime.ReadMemStats(&m)
			stacks := m.StackInuse
			stops := make([]func(), n/2)
			for i := range stops {
				_, _, stops[i] = pionPair(b)
			}
			after := live()
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(after-before+m.StackInuse-stacks)/n, "B/association")
			for _, stop := range stops {
				stop()
			}
		}
	})
}

// An association that idles costs next to nothing, whatever it did before.
func TestIdleMemory(t *testing.T) {
	const n = 200
	before := live()
	all := make([]*duo, n/2)
	for i := range all {
		all[i] = newDuo()
		all[i].talk(20000)
	}
	each := (live() - before) / n
	t.Logf("%d bytes", each)
	require.Less(t, each, uint64(3000))
	runtime.KeepAlive(all)
}

// Sending and receiving allocates what belongs to a message, nothing for a packet.
func TestAllocations(t *testing.T) {
	d := newDuo()
	m := binary(1, 50_000) // more than forty packets, and their acknowledgements
	send := func() {
		require.NoError(t, d.a.Send(d.now, m, ordered))
		for range 50 {
			d.turn()
		}
	}
	for range 20 {
		send()
	}
	require.Less(t, testing.AllocsPerRun(20, send), float64(allocsAllowed))
}
