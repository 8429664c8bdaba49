package fbs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/internal/fuzzseed"
)

// served lists the first and last release of each run, and the dialect that serves it.
var served = [][3]string{
	{"3.13.0", "3.13.1", "3.13.0"},
	{"3.13.2", "3.13.10", "3.13.5"},
	{"3.13.11", "3.13.13", "3.13.11"},
	{"3.13.14", "3.13.17", "3.13.16"},
	{"3.13.18", "3.13.19", "3.13.18"},
	{"3.13.20", "3.13.24", "3.13.23"},
	{"3.14.0", "3.14.7", "3.14.1"},
	{"3.14.8", "3.15.8", "3.14.8"},
	{"3.16.0", "3.16.5", "3.16.0"},
	{"3.16.6", "3.16.8", "3.16.6"},
	{"3.17.0", "3.19.4", "3.18.0"},
	{"3.19.5", "3.19.6", "3.19.6"},
	{"3.19.7", "3.19.9", "3.19.7"},
	{"3.19.10", "3.19.17", "3.19.11"},
	{"3.19.18", "3.19.22", "3.19.18"},
	{"3.20.0", "3.22.0", "3.21.0"},
	{"3.23.0", "3.23.2", "3.23.0"},
	{"3.24.0", "3.26.0", "3.24.1"},
	{"3.27.0", "3.27.1", "3.27.0"},
}

// published lists the last patch of each minor release; all patches were published.
var published = []struct{ minor, patches int }{
	{13, 24}, {14, 16}, {15, 8}, {16, 8}, {17, 1}, {18, 1}, {19, 22}, {20, 10}, {21, 2}, {22, 0}, {23, 2}, {24, 2}, {25, 0}, {26, 0}, {27, 1},
}

// TestEveryReleaseIsServed compares the table of releases with what mediasoup has published.
func TestEveryReleaseIsServed(t *testing.T) {
	releases := fbs.Releases()
	i, run := 0, 0
	for _, p := range published {
		for patch := range p.patches + 1 {
			version := fmt.Sprintf("3.%d.%d", p.minor, patch)
			require.Equal(t, version, releases[i].Version)
			require.Equal(t, served[run][2], releases[i].Dialect, version)
			require.Contains(t, []string{fbs.FromPackage, "repository", "enclosed", "placed", "reconstructed", "compatible"}, releases[i].Evidence)
			d, err := fbs.Load(version)
			require.NoError(t, err)
			require.Equal(t, served[run][2], d.Release(), version)
			require.True(t, fbs.IsKnown(version))
			if i++; version == served[run][1] {
				run++
			}
		}
	}
	require.Len(t, releases, 112)
	require.Len(t, releases, i)
	require.Equal(t, len(served), run)
	require.Equal(t, "3.13.0", fbs.Oldest())
	require.Equal(t, "3.27.1", fbs.Newest())
	require.False(t, fbs.IsKnown("3.27.1-acme.2"))
	require.False(t, fbs.IsKnown("3.19.23"))
}

// TestDialectsOfNoPackage compares the two dialects that were derived with those they are derived from.
func TestDialectsOfNoPackage(t *testing.T) {
	lines, err := fbs.Differences("3.13.13", "3.13.14")
	require.NoError(t, err)
	require.Equal(t, []string{
		"  enum FBS.Producer.TraceEventType: +SR",
		"+ table FBS.Producer.SrTraceInfo: +ntp_frac uint32, +ntp_sec uint32, +octet_count uint32, +packet_count uint32, +rtp_ts uint32, +ssrc uint32",
		"  table FBS.Transport.ListenInfo: +flags FBS.Transport.SocketFlags required, 2 renumbered",
		"+ table FBS.Transport.SocketFlags: +ipv6_only bool, +udp_reuse_port bool",
		"  union FBS.Producer.TraceInfo: +SrTraceInfo FBS.Producer.SrTraceInfo",
	}, lines)
	lines, err = fbs.Differences("3.23.2", "3.24.0")
	require.NoError(t, err)
	require.Equal(t, []string{"  table FBS.DataProducer.SendNotification: +ignored_subchannel uint16 = null"}, lines)
	lines, err = fbs.Differences("3.22.0", "3.23.0")
	require.NoError(t, err)
	require.Equal(t, []string{
		"  table FBS.Transport.Options: +sctp_default_stream_buffered_amount_low_threshold uint32, 1 renumbered",
	}, lines)
}

func TestDifferences(t *testing.T) {
	lines, err := fbs.Differences("3.13.18", "3.13.20")
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
		require.True(t, rule.Since == "" || known[rule.Since], rule.Name)
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
