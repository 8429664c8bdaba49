package remote

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
)

// What is left out of the log is told once there is room again.
func TestComplaintsAreBounded(t *testing.T) {
	c, now := complaints{}, unit.Time(0).Add(time.Hour)
	for range maxComplaints {
		omitted, may := c.next(now)
		require.True(t, may)
		require.Zero(t, omitted)
	}
	for range 7 {
		_, may := c.next(now.Add(complaintsTime))
		require.False(t, may)
	}
	omitted, may := c.next(now.Add(complaintsTime + 1))
	require.True(t, may)
	require.Equal(t, 7, omitted)
}

func TestWhatIsLeftOutIsTold(t *testing.T) {
	var log bytes.Buffer
	s := &Server{options: ServerOptions{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	s.complaints.omitted = 7
	s.complain("something is wrong", "who", "b")
	require.Contains(t, log.String(), "lines=7")
	require.Contains(t, log.String(), "who=b")
}
