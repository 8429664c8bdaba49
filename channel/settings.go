package channel

import (
	"log/slog"
	"strings"
	"sync/atomic"

	"gazpacho/engine/api"
)

// logTagNames are upstream's log tags (its Settings, release 3.27.1). A tag's bit in a mask is its index here.
var logTagNames = []string{
	"info", "ice", "dtls", "rtp", "srtp", "rtcp", "rtx", "bwe", "score", "simulcast", "svc", "sctp", "message",
}

// logLevels are upstream's log levels: the least severe record that passes.
var logLevels = []struct {
	name  string
	level slog.Level
}{
	{"debug", slog.LevelDebug},
	{"warn", slog.LevelWarn},
	{"error", slog.LevelError},
	{"none", LevelDump},
}

// Settings are those which change while a worker runs: the log level and the log tags. They may be read and changed from
// any goroutine.
type Settings struct {
	state atomic.Pointer[logFilter]
}

// logFilter says which records pass. It is never modified.
type logFilter struct {
	levelName string
	level     slog.Level
	tags      uint32
}

// NewSettings returns upstream's defaults: level "error", no tags.
func NewSettings() *Settings {
	s := &Settings{}
	s.state.Store(&logFilter{levelName: "error", level: slog.LevelError})
	return s
}

// SetLogLevel sets the level by name, in any case. The error is upstream's TypeError.
func (s *Settings) SetLogLevel(name string) error {
	f, err := s.state.Load().withLevel(name)
	if err != nil {
		return err
	}
	s.state.Store(&f)
	return nil
}

// Update does what WORKER_UPDATE_SETTINGS asks. An empty level leaves the level as it is. The tags are always replaced:
// the Node library sends an empty list when its user gives none, upon which upstream's worker disables them all. A refused
// request has changed nothing.
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

// withTags enables exactly the tags given. Names that are no tags are ignored, as upstream ignores them.
func (f logFilter) withTags(tags []string) logFilter {
	f.tags = 0
	for _, tag := range tags {
		f.tags |= tagBit(tag)
	}
	return f
}

// passes decides on a record as upstream's logging macros do: errors and records without a tag by level alone, others
// need one of their tags enabled as well.
func (f *logFilter) passes(level slog.Level, tags uint32) bool {
	if level < f.level {
		return false
	}
	return tags == 0 || level >= slog.LevelError || tags&f.tags != 0
}

// tagBit returns the tag's bit, 0 for a name that is no tag.
func tagBit(name string) uint32 {
	for i, known := range logTagNames {
		if known == name {
			return 1 << i
		}
	}
	return 0
}
