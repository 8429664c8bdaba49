package fbs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/internal/fuzzseed"
)

func TestTableOfReleases(t *testing.T) {
	releases := fbs.Releases()
	require.Equal(t, "3.13.0", fbs.Oldest())
	require.Equal(t, releases[len(releases)-1].Version, fbs.Newest())
	dialects := map[string]bool{}
	for i, r := range releases {
		d, err := fbs.Load(r.Version)
		require.NoError(t, err)
		require.Equal(t, r.Dialect, d.Release(), r.Version)
		dialects[r.Dialect] = true
		if i > 0 {
			order, err := fbs.CompareReleases(releases[i-1].Version, r.Version)
			require.NoError(t, err)
			require.Negative(t, order)
		}
	}
	require.GreaterOrEqual(t, len(dialects), 17)
	require.GreaterOrEqual(t, len(releases), 57)
}

func TestNewerReleases(t *testing.T) {
	require.True(t, fbs.IsNewer("3.1000.0"))
	require.True(t, fbs.IsNewer("4.0.0"))
	require.False(t, fbs.IsNewer(fbs.Newest()))
	require.False(t, fbs.IsNewer("3.13.0"))
	require.False(t, fbs.IsNewer("default"))
}

func TestDifferences(t *testing.T) {
	lines, err := fbs.Differences("3.13.18", "3.14.0")
	require.NoError(t, err)
	require.Equal(t, []string{"  table FBS.WebRtcTransport.WebRtcTransportOptions: +ice_consent_timeout uint8 = 30"}, lines)
	lines, err = fbs.Differences("3.19.7", "3.19.11")
	require.NoError(t, err)
	require.Equal(t, []string{
		"  table FBS.RtpStream.BaseStats: +jitter uint32, ~packets_lost uint64 -> int32, 8 renumbered",
		"  table FBS.RtpStream.RecvStats: -jitter uint32, 4 renumbered",
	}, lines)
	lines, err = fbs.Differences("3.27.0", "3.27.1")
	require.NoError(t, err)
	require.Empty(t, lines)
	lines, err = fbs.Differences("3.13.0", "3.27.1")
	require.NoError(t, err)
	require.Contains(t, lines, "- table FBS.SctpParameters.NumSctpStreams")
	require.Contains(t, lines, "+ table FBS.Transport.PortRange: +max uint16, +min uint16")
	for _, wrong := range [][2]string{{"3.12.0", "3.27.1"}, {"3.27.1", "x"}} {
		_, err = fbs.Differences(wrong[0], wrong[1])
		require.Error(t, err)
	}
}

// TestEveryMessageInEveryDialect encodes every message, decodes it, and does so again: what survives once survives for
// ever.
func TestEveryMessageInEveryDialect(t *testing.T) {
	for _, r := range fbs.Releases() {
		if r.Version != r.Dialect {
			continue
		}
		d, err := fbs.Load(r.Version)
		require.NoError(t, err)
		encoder, expressed := d.NewEncoder(), 0
		for _, m := range everyMessage(7) {
			frame, err := encoder.AppendMessage(nil, m)
			if err != nil {
				require.ErrorIs(t, err, fbs.ErrNotInDialect, "%s: %T", r.Version, m)
				continue
			}
			expressed++
			once, err := d.DecodeMessage(frame[4:])
			require.NoError(t, err)
			again, err := encoder.AppendMessage(nil, once)
			require.NoError(t, err)
			twice, err := d.DecodeMessage(again[4:])
			require.NoError(t, err)
			require.Equal(t, once, twice)
		}
		require.Greater(t, expressed, 85, r.Version)
	}
}

// TestDialectsRefuseGarbage cuts messages of every dialect at every byte.
func TestDialectsRefuseGarbage(t *testing.T) {
	for _, r := range fbs.Releases() {
		if r.Version != r.Dialect {
			continue
		}
		d, err := fbs.Load(r.Version)
		require.NoError(t, err)
		frame, err := d.NewEncoder().AppendMessage(nil, &api.Request{ID: 1, HandlerID: "h", Body: &api.RouterCreateWebRtcTransportRequest{
			TransportID: "t", Options: webRtcOptions(),
		}})
		require.NoError(t, err)
		refused := 0
		for n := range len(frame) - 4 {
			_, err := d.DecodeMessage(frame[4 : 4+n])
			var request *fbs.RequestError
			if err != nil {
				require.True(t, errors.Is(err, fbs.ErrMalformed) || errors.As(err, &request) || strings.Contains(err.Error(), "unknown"), err)
				refused++
			}
		}
		require.Greater(t, refused, len(frame)/2)
	}
}

func TestCompatRulesNameKnownReleases(t *testing.T) {
	known := map[string]bool{}
	for _, r := range fbs.Releases() {
		known[r.Version] = true
	}
	for _, rule := range fbs.CompatRules() {
		require.True(t, known[rule.Until], rule.Name)
		require.NotEmpty(t, rule.Text)
	}
}

// FuzzDialects decodes arbitrary bytes in an arbitrary dialect; what decodes must encode, and decode again.
func FuzzDialects(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	var dialects []*fbs.Dialect
	for i, r := range fbs.Releases() {
		d, err := fbs.Load(r.Version)
		require.NoError(f, err)
		dialects = append(dialects, d)
		if r.Version != r.Dialect {
			continue
		}
		for n, m := range everyMessage(uint64(i)) {
			if n%8 != i%8 { // a part of them in each dialect is enough to begin with
				continue
			}
			if frame, err := d.NewEncoder().AppendMessage(nil, m); err == nil {
				f.Add(uint8(i), frame[4:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		d := dialects[int(i)%len(dialects)]
		m, err := d.DecodeMessage(b)
		if err != nil || m == nil {
			return
		}
		frame, err := d.NewEncoder().AppendMessage(nil, m)
		require.NoError(t, err)
		_, err = d.DecodeMessage(frame[4:])
		require.NoError(t, err)
	})
}
