package channel_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
)

func TestLogFilter(t *testing.T) {
	records := []struct {
		level slog.Level
		tags  []any
		text  string
	}{
		{slog.LevelDebug, nil, "D untagged"},
		{slog.LevelInfo, nil, "D info level"},
		{slog.LevelWarn, nil, "W untagged"},
		{slog.LevelError, nil, "E untagged"},
		{slog.LevelDebug, []any{"tag", "ice"}, "Dice"},
		{slog.LevelWarn, []any{"tag", "ice"}, "Wice"},
		{slog.LevelError, []any{"tag", "ice"}, "Eice"},
		{slog.LevelWarn, []any{"tag", "dtls"}, "Wdtls"},
		{slog.LevelWarn, []any{"tag", "dtls", "tag", "ice"}, "Wdtls,ice"},
		{slog.LevelWarn, []any{"tag", "nonsense"}, "Wnonsense"},
		{channel.LevelDump, nil, "X dump"},
	}
	for _, c := range []struct {
		level string
		tags  []string
		want  string
	}{
		{"none", []string{"ice"}, "X dump"},
		{"error", nil, "E untagged; Eice; X dump"},
		{"warn", nil, "W untagged; E untagged; Eice; Wnonsense; X dump"},
		{"warn", []string{"ice"}, "W untagged; E untagged; Wice; Eice; Wdtls,ice; Wnonsense; X dump"},
		{"debug", []string{"dtls", "chicken"}, "D untagged; D info level; W untagged; E untagged; Eice; Wdtls; Wdtls,ice; Wnonsense; X dump"},
		{
			"debug",
			[]string{"ice", "dtls"},
			"D untagged; D info level; W untagged; E untagged; Dice; Wice; Eice; Wdtls; Wdtls,ice; Wnonsense; X dump",
		},
	} {
		t.Run(fmt.Sprint(c.level, c.tags), func(t *testing.T) {
			a := start(t, newWorker())
			require.NoError(t, a.settings.Update(&api.WorkerUpdateSettingsRequest{LogLevel: c.level, LogTags: c.tags}))
			for _, direct := range []bool{true, false} {
				for _, r := range records {
					if direct {
						a.ch.Logger().Log(context.Background(), r.level, r.text[1:], r.tags...)
					} else {
						a.ch.Logger().With(r.tags...).Log(context.Background(), r.level, r.text[1:])
					}
				}
				a.ch.Logger().Log(context.Background(), channel.LevelDump, "end")
				var got []string
				for line := a.log(); line != "Xend"; line = a.log() {
					text, _, _ := strings.Cut(line, " | ")
					got = append(got, text)
				}
				require.Equal(t, c.want, strings.Join(got, "; "))
			}
		})
	}
}

func TestLogLines(t *testing.T) {
	a := start(t, newWorker())
	require.NoError(t, a.settings.Update(&api.WorkerUpdateSettingsRequest{LogLevel: "debug", LogTags: []string{"ice"}}))
	logger := a.ch.Logger()
	for want, log := range map[string]func(){
		"Wplain":                    func() { logger.Warn("plain") },
		"Wice | tuple [id:7, up:3]": func() { logger.Warn("tuple", "tag", "ice", "id", 7, "up", 3) },
		"Dice | x [a:1, b:2]":       func() { logger.With("tag", "ice", "a", 1).Debug("x", "b", 2) },
		"Wx [g.a:1, g.h.b:2]":       func() { logger.WithGroup("").WithGroup("g").Warn("x", "a", 1, slog.Group("h", "b", 2)) },
		"Wx [a:1, b:2]":             func() { logger.Warn("x", slog.Group("", "a", 1), slog.Attr{}, "b", 2) },
		"Wbad \uFFFD bytes":         func() { logger.Warn("bad \xff bytes") },
	} {
		log()
		require.Equal(t, want, a.log())
	}
	logger.Warn(strings.Repeat("é", 100_000))
	line := a.log()
	require.LessOrEqual(t, len(line), 50_002)
	require.True(t, strings.HasPrefix(line, "Wéé"))
}

func TestSettings(t *testing.T) {
	s := channel.NewSettings()
	require.Equal(t, "error", s.LogLevel())
	require.Empty(t, s.LogTags())

	require.NoError(t, s.SetLogLevel("WARN"))
	require.Equal(t, "warn", s.LogLevel())
	all := []string{"info", "ice", "dtls", "rtp", "srtp", "rtcp", "rtx", "bwe", "score", "simulcast", "svc", "sctp", "message"}
	require.NoError(t, s.Update(&api.WorkerUpdateSettingsRequest{LogTags: append([]string{"", "chicken"}, all...)}))
	require.Equal(t, "warn", s.LogLevel())
	require.Equal(t, all, s.LogTags())

	refused := s.Update(&api.WorkerUpdateSettingsRequest{LogLevel: "chicken", LogTags: []string{"ice"}})
	require.Equal(t, api.TypeErrorf("invalid value 'chicken' for logLevel"), refused)
	require.Equal(t, "warn", s.LogLevel())
	require.Equal(t, all, s.LogTags())
	require.Error(t, s.SetLogLevel(""))

	require.NoError(t, s.Update(&api.WorkerUpdateSettingsRequest{LogTags: []string{"svc", "bwe"}}))
	require.Equal(t, "warn", s.LogLevel())
	require.Equal(t, []string{"bwe", "svc"}, s.LogTags())
	require.NoError(t, s.Update(&api.WorkerUpdateSettingsRequest{LogLevel: "debug"}))
	require.Equal(t, "debug", s.LogLevel())
	require.Empty(t, s.LogTags())
}
