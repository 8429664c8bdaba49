package bwe_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/simnet"
)

// until lets time pass until the path is as congested as wanted, and returns how long that took.
func (p *path) until(wanted func(bwe.Congestion) bool) time.Duration {
	begin := p.net.Now()
	for !wanted(p.sender.Congestion(p.net.Now())) {
		p.net.Advance(5 * time.Millisecond)
		if p.net.Now().Sub(begin) > 10*time.Second {
			p.t.Fatal("the path stays as congested as it is")
		}
	}
	return p.net.Now().Sub(begin)
}

func TestCongestion(t *testing.T) {
	for name, narrow := range map[string]func(p *path){
		"a link becomes narrow": become(simnet.Conditions{Delay: 25 * time.Millisecond, Rate: 300 * kbps, Queue: 100_000}),
		"feedback stays away":   func(p *path) { p.silent = true },
		"a link is cut":         become(simnet.Conditions{Loss: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPath(t, options{desired: 1500 * kbps, link: rate(3000 * kbps), back: simnet.Conditions{Delay: 25 * time.Millisecond}})
			p.net.Advance(10 * time.Second)
			require.Equal(t, bwe.CongestionNone, p.sender.Congestion(p.net.Now()))
			narrow(p)
			require.LessOrEqual(t, p.until(func(c bwe.Congestion) bool { return c >= bwe.CongestionSome }), 400*time.Millisecond)
			require.LessOrEqual(t, p.until(func(c bwe.Congestion) bool { return c == bwe.CongestionMuch }), 300*time.Millisecond)
			p.silent = false
			p.link.SetConditions(rate(3000 * kbps))
			require.LessOrEqual(t, p.until(func(c bwe.Congestion) bool { return c == bwe.CongestionNone }), 2*time.Second)
		})
	}
}

// A pause of the application is no congestion, whatever feedback was lost before.
func TestAPauseIsNoCongestion(t *testing.T) {
	p := newPath(t, options{desired: 1500 * kbps, link: rate(3000 * kbps), back: simnet.Conditions{Delay: 25 * time.Millisecond}})
	p.net.Advance(5 * time.Second)
	p.silent = true
	p.net.Advance(60 * time.Millisecond)
	p.silent, p.desired = false, 0
	p.net.Advance(5 * time.Second)
	p.desired = 1500 * kbps
	for range 100 {
		p.net.Advance(10 * time.Millisecond)
		require.Equal(t, bwe.CongestionNone, p.sender.Congestion(p.net.Now()))
	}
}

// Without transport-wide feedback, nothing is known of congestion.
func TestCongestionNeedsFeedback(t *testing.T) {
	p := newPath(t, options{bweType: api.BWETypeREMB, desired: 1500 * kbps, link: rate(200 * kbps)})
	silent := newPath(t, options{desired: 1500 * kbps, link: rate(200 * kbps)})
	silent.silent = true
	for _, p := range []*path{p, silent} {
		p.net.Advance(5 * time.Second)
		require.Equal(t, bwe.CongestionNone, p.sender.Congestion(p.net.Now()))
	}
}
