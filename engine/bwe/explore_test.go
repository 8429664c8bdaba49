package bwe_test

import (
	"testing"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

func TestExplore(t *testing.T) {
	back := simnet.Conditions{Delay: 25 * time.Millisecond}
	layers := []unit.Bitrate{150 * kbps, 500 * kbps, 1500 * kbps}
	run := func(name string, o options, steps []step) {
		if o.back == (simnet.Conditions{}) {
			o.back = back
		}
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				o.seed = seed
				p := newPath(t, o)
				runPlan(t, p, steps)
				t.Log("probes", p.probes, "media", p.media, "announced", p.announced)
			}
		})
	}
	sec := func(n ...int) (s []step) {
		for _, n := range n {
			s = append(s, step{lasts: time.Duration(n) * time.Second})
		}
		return s
	}
	j := func(c simnet.Conditions, d time.Duration) simnet.Conditions { c.Jitter = d; return c }
	ro := func(c simnet.Conditions) simnet.Conditions { c.Reorder, c.ReorderBy = 0.05, 30*time.Millisecond; return c }
	run("jitter 10 wide", options{desired: 2000 * kbps, link: j(rate(10000*kbps), 10*time.Millisecond)}, sec(3, 27))
	run("jitter 20 bottleneck", options{desired: 2000 * kbps, link: j(rate(1000*kbps), 20*time.Millisecond)}, sec(3, 57))
	run("jitter 40 wide", options{desired: 2000 * kbps, link: j(rate(10000*kbps), 40*time.Millisecond)}, sec(3, 57))
	run("reorder wide", options{desired: 2000 * kbps, link: ro(rate(10000 * kbps))}, sec(3, 27))
	run("reorder bottleneck", options{desired: 2000 * kbps, link: ro(rate(1000 * kbps))}, sec(3, 57))
	run("feedback loss 30%", options{desired: 2000 * kbps, link: rate(1000 * kbps), back: simnet.Conditions{Delay: 25 * time.Millisecond, Loss: 0.3, Jitter: 20 * time.Millisecond}}, sec(3, 57))
	run("layers 3M", options{desired: 1500 * kbps, layers: layers, link: rate(3000 * kbps)}, sec(3, 57))
	run("layers 1M", options{desired: 1500 * kbps, layers: layers, link: rate(1000 * kbps)}, sec(3, 57))
	run("layers 400k", options{desired: 1500 * kbps, layers: layers, link: rate(400 * kbps)}, sec(3, 57))
	run("layers 1M then 3M", options{desired: 1500 * kbps, layers: layers, link: rate(1000 * kbps)}, []step{{lasts: 20 * time.Second}, {change: become(rate(3000 * kbps)), lasts: 10 * time.Second}, {change: become(rate(200 * kbps)), lasts: 5 * time.Second}, {change: become(rate(3000 * kbps)), lasts: 10 * time.Second}})
	run("100 kbit/s", options{desired: 1500 * kbps, link: simnet.Conditions{Delay: 50 * time.Millisecond, Rate: 100 * kbps, Queue: 20000}}, sec(5, 10, 45))
	run("rtt 400", options{desired: 3000 * kbps, link: simnet.Conditions{Delay: 200 * time.Millisecond, Rate: 1500 * kbps, Queue: 60000}, back: simnet.Conditions{Delay: 200 * time.Millisecond}}, sec(3, 10, 47))
	run("bufferbloat", options{desired: 3000 * kbps, link: simnet.Conditions{Delay: 20 * time.Millisecond, Rate: 1000 * kbps, Queue: 250000}}, sec(3, 57))
	run("20 Mbit/s", options{desired: 20000 * kbps, link: rate(15000 * kbps)}, sec(3, 10, 47))
	run("silence", options{desired: 2000 * kbps, link: rate(5000 * kbps)}, []step{{lasts: 5 * time.Second}, {change: func(p *path) { p.silent = true }, lasts: 5 * time.Second}, {lasts: 15 * time.Second}, {change: func(p *path) { p.silent = false }, lasts: 10 * time.Second}})
	run("never", options{desired: 2000 * kbps, link: simnet.Conditions{Loss: 1}}, sec(5, 30))
	run("clock jump", options{desired: 2000 * kbps, link: rate(5000 * kbps)}, []step{{lasts: 5 * time.Second}, {change: func(p *path) { p.peerClock = time.Hour }, lasts: 5 * time.Second}, {change: func(p *path) { p.peerClock = -300 * time.Hour }, lasts: 5 * time.Second}})
	run("remb 1M", options{bweType: api.BWETypeREMB, desired: 2000 * kbps, link: rate(1000 * kbps)}, sec(3, 10, 47))
	run("remb 5M", options{bweType: api.BWETypeREMB, desired: 2000 * kbps, link: rate(5000 * kbps)}, sec(3, 10, 47))
	run("remb layers 5M", options{bweType: api.BWETypeREMB, desired: 1500 * kbps, layers: layers, link: rate(5000 * kbps)}, sec(3, 10, 47))
}
