package medialab_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/medialab"
	"gazpacho/engine/unit"
)

// A publisher comes to know from our feedback what its link takes, also when that changes, and holds it: with one picture, and with
// eight on one transport. With REMB it cannot probe, so that it takes longer after the link became wider.
func TestPublishersReachAndHoldTheirLink(t *testing.T) {
	for _, test := range []struct {
		name            string
		kind            api.BWEType
		reaches, regain float64 // shares of the link that are used, 10 to 20 s after it is there, and after it was narrow
	}{
		{"transport-wide feedback", api.BWETypeTransportCc, 0.85, 0.85},
		{"REMB", api.BWETypeREMB, 0.8, 0.65},
	} {
		for _, cameras := range []int{1, 8} {
			t.Run(fmt.Sprintf("%s, %d", test.name, cameras), func(t *testing.T) {
				l := medialab.New(1)
				u := l.PublishOver(medialab.Shaped(1500*kbps), test.kind, cameras)
				require.Greater(t, holds(t, u, 1500*kbps), test.reaches)
				require.Greater(t, holds(t, u, 600*kbps), test.reaches)
				require.Greater(t, holds(t, u, 1500*kbps), test.regain)
			})
		}
	}
}

// holds lets the link have a rate for 20 s, and returns which share of it the publisher uses in the end.
func holds(t *testing.T, u *medialab.Uplink, rate unit.Bitrate) float64 {
	t.Helper()
	u.SetRate(rate)
	first, s := u.Watch(10*time.Second), u.Watch(10*time.Second)
	t.Logf("%d kbit/s: %d kbit/s with a queue of %v and %.1f %% dropped, then %d, %v", rate/kbps,
		first.Rate/kbps, first.Queue.Round(time.Millisecond), 100*first.Dropped, s.Rate/kbps, s.Queue.Round(time.Millisecond))
	require.Less(t, first.Dropped, 0.05)
	require.Less(t, first.Queue, 80*time.Millisecond)
	require.Zero(t, s.Dropped)
	require.Less(t, s.Queue, 40*time.Millisecond)
	return float64(s.Rate) / float64(rate)
}
