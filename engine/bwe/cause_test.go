package bwe_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/simnet"
)

// Each thing that can happen to a path is named as the reason for what the estimate does.
func TestCauses(t *testing.T) {
	wide := rate(2000 * kbps)
	deep := simnet.Conditions{Delay: 25 * time.Millisecond, Rate: 300 * kbps, Queue: 100_000} // nothing is lost
	silent := func(p *path) { p.silent = true }
	for name, c := range map[string]struct {
		bweType api.BWEType
		change  func(p *path)
		lasts   time.Duration
		rose    bwe.Cause // what has a share in it
		fell    bwe.Cause
	}{
		"a narrow path":    {change: become(deep), lasts: 2 * time.Second, fell: bwe.CauseOveruse},
		"losses that stay": {change: become(lossy(wide, 0.25)), lasts: 20 * time.Second, fell: bwe.CauseLoss, rose: bwe.CauseRestored},
		"no feedback":      {change: silent, lasts: 10 * time.Second, fell: bwe.CauseSilence},
		"a limit": {
			change: func(p *path) { p.sender.SetMaxBitrate(p.net.Now(), 500*kbps) }, lasts: time.Second, fell: bwe.CauseLimit,
		},
		"the peer's own estimate": {
			bweType: api.BWETypeREMB, change: become(rate(300 * kbps)), lasts: 10 * time.Second, fell: bwe.CauseREMB,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPath(t, options{bweType: c.bweType, desired: 3000 * kbps, link: wide, back: simnet.Conditions{Delay: back.Delay}})
			p.net.Advance(10 * time.Second)
			e, moved := p.sender.Explain()
			require.True(t, moved)
			require.Zero(t, e.From)
			require.Equal(t, p.sender.AvailableBitrate(), e.To)
			if c.bweType == api.BWETypeTransportCc {
				require.Positive(t, e.By[bwe.CauseProbe])
			}
			before := e.To
			c.change(p)
			p.net.Advance(c.lasts)
			limiting := p.sender.Limiting()
			e, moved = p.sender.Explain()
			require.True(t, moved)
			require.Equal(t, before, e.From)
			require.Contains(t, e.String(), c.fell.String())
			if c.rose != 0 {
				require.Positive(t, e.By[c.rose], "%s", e)
				require.Negative(t, e.By[c.fell], "%s", e)
				return
			}
			require.Equal(t, c.fell, limiting, "%s", e)
			require.Less(t, e.To, before)
			_, moved = p.sender.Explain()
			require.False(t, moved, "all is said")
		})
	}
}

func TestExplanationsInWords(t *testing.T) {
	e := bwe.Explanation{From: 600_000, To: 948_800, Limiting: bwe.CauseOveruse}
	e.By[bwe.CauseProbe], e.By[bwe.CauseOveruse] = 400_000, -51_200
	require.Equal(t, "probe +400000, overuse -51200", e.String())
	e.By, e.Limiting = [len(e.By)]float64{}, bwe.CauseLimit
	require.Equal(t, "limit", e.String())
	e.From = 0
	require.Equal(t, "start, limit", e.String())
}
