package fbs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// future returns the newest schema as a release of the future has it, with parts replaced.
func future(t *testing.T, replacements ...string) string {
	t.Helper()
	return strings.Replace(textWith(t, replacements...), "release "+mustFind(t).Dialect, "release 3.1000.0", 1)
}

func mustFind(t *testing.T) Release {
	t.Helper()
	r, err := find(Newest())
	require.NoError(t, err)
	return r
}

func TestDriftOfTheSameSchema(t *testing.T) {
	drift, err := CheckDrift(future(t))
	require.NoError(t, err)
	require.Equal(t, mustFind(t).Dialect, drift.SameAs)
	require.Empty(t, drift.Changes)
	require.NoError(t, drift.Refusal)
	require.False(t, drift.Known)
	drift, err = CheckDrift(textWith(t))
	require.NoError(t, err)
	require.True(t, drift.Known)
}

func TestDriftOfANewSchema(t *testing.T) {
	drift, err := CheckDrift(future(t,
		consumerLayers, consumerLayers+"  2 colour string\n  3 size uint8 = 7\n",
		"  1 VIDEO\n", "  1 VIDEO\n  2 SMELL\n",
		"  5 SR\n", ""))
	require.NoError(t, err)
	require.Empty(t, drift.SameAs)
	require.Equal(t, mustFind(t).Dialect, drift.Nearest)
	require.Equal(t, []string{
		"  enum FBS.Producer.TraceEventType: -SR",
		"  enum FBS.RtpParameters.MediaKind: +SMELL",
		"  table FBS.Consumer.ConsumerLayers: +colour string, +size uint8 = 7",
	}, drift.Changes)
	require.Equal(t, []string{
		"FBS.Consumer.ConsumerLayers.colour string", "FBS.Consumer.ConsumerLayers.size uint8 = 7", "FBS.RtpParameters.MediaKind.SMELL",
	}, drift.Unknown)
	require.Equal(t, []string{"api.ProducerTraceEventType.SR"}, drift.Gone)
	require.NoError(t, drift.Refusal)
}

func TestDriftThatTheCodecRefuses(t *testing.T) {
	drift, err := CheckDrift(future(t, consumerLayers, consumerLayers+"  2 colour string required\n"))
	require.NoError(t, err)
	require.ErrorContains(t, drift.Refusal, "the Go types lack FBS.Consumer.ConsumerLayers.colour")

	_, err = CheckDrift("release 3.1000.0")
	require.ErrorContains(t, err, "lacks its release or its root table")
	_, err = CheckDrift("release 3.12.0\nroot A\ntable A")
	require.ErrorContains(t, err, "older than")
}

func TestDriftInUnions(t *testing.T) {
	drift, err := CheckDrift(future(t,
		"union FBS.Transport.TraceInfo\n  1 BweTraceInfo FBS.Transport.BweTraceInfo\n",
		"union FBS.Transport.TraceInfo\n  1 Weather FBS.Log.Log\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"FBS.Transport.TraceInfo.Weather"}, drift.Unknown)
	require.Equal(t, []string{"api.TransportTraceInfo.BweTraceInfo"}, drift.Gone)
}
