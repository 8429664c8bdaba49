package channel

import (
	"log/slog"
	"strings"
	"sync/atomic"

	"gazpacho/engine/api"
)

// logTagNames are mediasoup's log tags (Settings, release 3.27.1). A tag's bit in a mask is its index here.
var logTagNames = []string{
	"info", "ice", "dtls", "rtp", "srtp", "rtcp", "rtx", "bwe", "score", "simulcast", "svc", "sctp", "message",
}

// logLevels are mediasoup's log levels, each with the least severe level of a record that passes.
var logLevels = []struct {
	name  string
	level slog.Level
}{
	{"debug", slog.LevelDebug},
	{"warn", slog.LevelWarn},
	{"error", slog.LevelError},
	{"none", LevelDump},
}

// Settings are the settings that can change while a worker runs: the log level and the log tags. They may be read and
// changed from any goroutine.
type Settings struct {
	state atomic.Pointer[logFilter]
}

// logFilter decides which records are sent. It is immutable.
type logFilter struct {
	levelName string
	level     slog.Level
	tags      uint32
}

// NewSettings returns mediasoup's defaults: level "error", no tags.
func NewSettings() *Settings {
	s := &Settings{}
	s.state.Store(&logFilter{levelName: "error", level: slog.LevelError})
	return s
}

// SetLogLevel sets the level by its name, in upper or lower case. The error is mediasoup's TypeError.
func (s *Settings) SetLogLevel(name string) error {
	f, err := s.state.Load().withLevel(name)
	if err != nil {
		return err
	}
	s.state.Store(&f)
	return nil
}

// Update carries out WORKER_UPDATE_SETTINGS. An empty level leaves the level unchanged. The tags are always replaced: the
// Node library sends an empty list if the application passes none, and the C++ worker then disables them all. A refused
// request changes nothing.
func (s *Settings) Update(req *api.WorkerUpdateSettingsRequest) error {
	f := *s.state.Load()
	if req.LogLevel != "" {
		var err error
		if f, err = f.withLevel(req.LogLevel); err != nil {
			return err
		}
	}
	f = f.withTags(req.LogTags)
	s.state.Store(&f)
	return nil
}

// LogLevel returns the level's name.
func (s *Settings) LogLevel() string { return s.state.Load().levelName }

// LogTags returns the names of the enabled tags.
func (s *Settings) LogTags() []string {
	var names []string
	mask := s.state.Load().tags
	for i, name := range logTagNames {
		if mask&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (f logFilter) withLevel(name string) (logFilter, error) {
	lower := strings.ToLower(name)
	for _, l := range logLevels {
		if l.name == lower {
			f.levelName, f.level = l.name, l.level
			return f, nil
		}
	}
	return f, api.TypeErrorf("invalid value '%s' for logLevel", lower)
}

// withTags enables exactly the given tags. Like mediasoup, it ignores unknown names.
func (f logFilter) withTags(tags []string) logFilter {
	f.tags = 0
	for _, tag := range tags {
		f.tags |= tagBit(tag)
	}
	return f
}

// passes decides about a record like mediasoup's logging macros: errors, and records without a tag, by level alone; for
// others one of their tags must be enabled too.
func (f *logFilter) passes(level slog.Level, tags uint32) bool {
	if level < f.level {
		return false
	}
	return tags == 0 || level >= slog.LevelError || tags&f.tags != 0
}

// tagBit returns the bit of a tag, 0 for an unknown name.
func tagBit(name string) uint32 {
	for i, known := range logTagNames {
		if known == name {
			return 1 << i
		}
	}
	return 0
}
