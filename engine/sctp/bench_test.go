package sctp_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
)

// duo runs two associations in the benchmark's own goroutine.
type duo struct {
	a, b  *sctp.Association
	wakes chan struct{}
	out   sctp.Output
	got   int
}

func newDuo() *duo {
	d := &duo{wakes: make(chan struct{}, 1)}
	wake := func() {
		select {
		case d.wakes <- struct{}{}:
		default:
		}
	}
	d.a, d.b = sctp.New(sctp.Config{}, wake), sctp.New(sctp.Config{}, wake)
	return d
}

func (d *duo) turn() {
	d.a.Poll(&d.out)
	for _, p := range d.out.Packets {
		d.b.HandlePacket(p)
	}
	d.b.Poll(&d.out)
	for _, p := range d.out.Packets {
		d.a.HandlePacket(p)
	}
	d.got += len(d.out.Messages)
}

func (d *duo) connect() {
	d.a.MayConnect()
	d.b.MayConnect()
	for d.a.State() != api.SCTPStateConnected || d.b.State() != api.SCTPStateConnected {
		<-d.wakes
		d.turn()
	}
}

func BenchmarkMessages(b *testing.B) {
	for _, size := range []int{100, 1000, 16384} {
		b.Run(map[int]string{100: "100B", 1000: "1000B", 16384: "16KiB"}[size], func(b *testing.B) {
			d := newDuo()
			d.connect()
			defer d.a.Close()
			defer d.b.Close()
			m := sctp.Message{StreamID: 1, PPID: 53, Data: make([]byte, size)}
			b.ReportAllocs()
			b.SetBytes(int64(size))
			sent := 0
			for b.Loop() {
				for err := d.a.Send(m, ordered); err != nil; err = d.a.Send(m, ordered) {
					require.ErrorIs(b, err, sctp.ErrSendBufferFull)
					<-d.wakes
					d.turn()
				}
				sent++
			}
			for d.got < sent {
				<-d.wakes
				d.turn()
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// BenchmarkMemory reports bytes for each association.
func BenchmarkMemory(b *testing.B) {
	const n = 500
	b.Run("idle", func(b *testing.B) {
		for b.Loop() {
			before := heap()
			all := make([]*sctp.Association, n)
			for i := range all {
				all[i] = sctp.New(sctp.Config{}, func() {})
			}
			b.ReportMetric(float64(heap()-before)/n, "B/association")
			runtime.KeepAlive(all)
		}
	})
	b.Run("connected", func(b *testing.B) {
		goroutines := runtime.NumGoroutine()
		for b.Loop() {
			for runtime.NumGoroutine() > goroutines { // those of the last round would count as before
				runtime.Gosched()
			}
			before := heap()
			all := make([]*duo, n)
			for i := range all {
				all[i] = newDuo()
				all[i].connect()
			}
			b.ReportMetric(float64(heap()-before)/n/2, "B/association")
			for _, d := range all {
				d.a.Close()
				d.b.Close()
			}
		}
	})
}
