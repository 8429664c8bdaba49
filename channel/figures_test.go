package channel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
)

// What was dropped stays counted after it was told.
func TestFiguresOfASlowReader(t *testing.T) {
	a := startNarrow(t, newWorker())
	require.NoError(t, a.settings.SetLogLevel("error"))
	require.Zero(t, a.ch.Figures().Dropped)
	rtp := &api.Notification{
		HandlerID: "c", Event: api.EventConsumerRTP, Body: &api.ConsumerRTPNotification{Data: make([]byte, 1000)},
	}
	for a.ch.Figures().Dropped.Media < 3 {
		a.ch.Emit(rtp)
	}
	require.Greater(t, a.ch.Figures().Waiting, 1<<20)
	for {
		if _, told := a.read().(*api.Log); told {
			break
		}
	}
	require.Equal(t, channel.Dropped{Media: 3}, a.ch.Figures().Dropped)
}
