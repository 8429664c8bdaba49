package bwe_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// abs-send-time wraps after 64 s, so a longer silence cannot be told from a shorter one, or from a step back. It says nothing about the path.
func TestREMBAfterSilence(t *testing.T) {
	const half, round = 32 * time.Second, 64 * time.Second
	for _, silence := range []time.Duration{half - time.Second, half + time.Second, round - ms, round, round + ms, 90 * time.Second, time.Hour, 1000 * time.Hour} {
		t.Run(fmt.Sprint(silence), func(t *testing.T) {
			r := connected(api.BWETypeREMB)
			now := start
			lowest := unit.Bitrate(1 << 62)
			stream := func(d time.Duration) {
				for end := now.Add(d); now < end; now = now.Add(10 * ms) {
					r.HandlePacket(now, bwe.Arrival{SSRC: 1, Size: 1000, HasAbsSendTime: true, AbsSendTime: rtp.AbsSendTime(now)})
					lowest = min(lowest, r.AvailableBitrate())
				}
			}
			stream(10 * time.Second)
			before := r.AvailableBitrate()
			require.Greater(t, before, unit.Bitrate(800_000), "what comes")
			now, lowest = now.Add(silence), before
			stream(10 * time.Second)
			require.GreaterOrEqual(t, lowest, before*95/100)
		})
	}
}
