package bwe_test

import (
	"testing"
	"time"

	"gazpacho/engine/simnet"
)

func TestExplore(t *testing.T) {
	back := simnet.Conditions{Delay: 25 * time.Millisecond}
	for seed := range uint64(2) {
		for _, r := range []int{1000, 5000} {
			o := options{desired: 2000 * kbps, link: rate(5000 * kbps), back: back, seed: seed, keyFrames: 60}
			if r == 1000 {
				o.link = rate(1000 * kbps)
			}
			p := newPath(t, o)
			p.net.Advance(3 * time.Second)
			t.Log("key", r, p)
			p.mark()
			p.net.Advance(57 * time.Second)
			t.Log("key", r, p)
		}
		for n := 2; n <= 4; n += 2 {
			o := options{desired: 3000 * kbps, link: rate(2000 * kbps), back: back, seed: seed}
			ps := newShared(t, o, n)
			ps[0].net.Advance(10 * time.Second)
			for _, p := range ps {
				t.Log("shared", n, p)
				p.mark()
			}
			ps[0].net.Advance(110 * time.Second)
			for _, p := range ps {
				t.Log("shared", n, p, p.link.Stats())
			}
		}
	}
}
