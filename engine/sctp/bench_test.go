package sctp_test

import (
	"runtime"
	"testing"
	"time"

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
func (d *duo) turn() (any bool) {
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
		any = any || !d.out.Empty()
	}
	return any
}

func BenchmarkMessages(b *testing.B) {
	for name, size := range map[string]int{"100B": 100, "1000B": 1000, "60KB": 60000} {
		b.Run(name, func(b *testing.B) {
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
				sent++
				if sent%16 == 0 {
					d.turn()
				}
			}
			for d.got < sent {
				d.turn()
			}
		})
	}
}

// BenchmarkMemory reports bytes for each association.
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
						for id := range uint16(4) {
							_ = all[i].a.Send(all[i].now, binary(id, 20000), ordered)
							_ = all[i].b.Send(all[i].now, binary(id, 20000), ordered)
						}
						for range 1000 {
							all[i].turn()
						}
					}
					all[i].out = sctp.Output{}
				}
				b.ReportMetric(float64(live()-before)/n, "B/association")
				runtime.KeepAlive(all)
			}
		})
	}
}

// An association that idles costs next to nothing, whatever it did before.
func TestIdleMemory(t *testing.T) {
	const n = 1000
	before := live()
	all := make([]*duo, n/2)
	for i := range all {
		all[i] = newDuo()
		_ = all[i].a.Send(all[i].now, binary(1, 20000), ordered)
		for range 1000 {
			all[i].turn()
		}
		all[i].out = sctp.Output{}
	}
	each := (live() - before) / n
	t.Logf("%d bytes", each)
	require.Less(t, each, uint64(3000))
	runtime.KeepAlive(all)
}
