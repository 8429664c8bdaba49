package sctp_test

import (
	"fmt"
	"testing"
	"time"

	"gazpacho/engine/sctp"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

func goodput(t *testing.T, seed uint64, loss float64, rtt time.Duration, d time.Duration, size int) float64 {
	w := newWorld(t, seed)
	a, b := w.joined(sctp.Config{}, simnet.Conditions{Delay: rtt / 2, Loss: loss, Rate: unit.Bitrate(100_000_000), Queue: 200000})
	data := make([]byte, size)
	var fill func(unit.Time)
	fill = func(unit.Time) {
		for a.BufferedAmount(1) < 500000 {
			a.mustSay(sctp.Message{StreamID: 1, PPID: 53, Data: data}, ordered)
		}
		w.After(5*time.Millisecond, fill)
	}
	w.After(0, fill)
	w.Advance(d)
	n := 0
	for _, m := range b.take() {
		n += len(m.Data)
	}
	return float64(n) * 8 / d.Seconds() / 1e6
}

func TestX(t *testing.T) {
	for _, rtt := range []time.Duration{6, 40, 150} {
		for _, loss := range []float64{0, 0.01, 0.05} {
			fmt.Printf("%v %v: %.2f %.2f\n", rtt, loss, goodput(t, 1, loss, rtt*time.Millisecond, 20*time.Second, 16000), goodput(t, 2, loss, rtt*time.Millisecond, 20*time.Second, 16000))
		}
	}
}
