package channel

import (
	"context"
	"log/slog"
	"strings"
)

const (
	// TagKey is the attribute that gives a record its log tag: logger.Debug("…", channel.TagKey, "ice").
	TagKey = "tag"

	// LevelDump is above all levels: such a record is always sent. The Node library writes it to its standard output.
	LevelDump = slog.Level(12)

	// maxLogLen is the maximum length of a log line in bytes, from mediasoup (the size of its Logger's buffer).
	maxLogLen = 50000
)

// logHandler formats records as mediasoup's log lines: a letter for the level ('D', 'W', 'E', 'X'), the tag, the message
// and its attributes, as in "Wice | no answer [transport:1234, tries:3]".
type logHandler struct {
	settings *Settings
	send     func(line string)
	tags     uint32
	tagName  string
	attrs    string // from With, formatted
	group    string // prefix of attribute names, with its dot
}

// NewLogger returns a logger that formats records as mediasoup's log lines and sends those that pass the settings.
func NewLogger(s *Settings, send func(line string)) *slog.Logger {
	return slog.New(&logHandler{settings: s, send: send})
}

// Enabled implements [slog.Handler].
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return h.settings.state.Load().passes(level, h.tags)
}

// Handle implements [slog.Handler].
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	with := *h
	r.Attrs(func(a slog.Attr) bool {
		with.add(a)
		return true
	})
	if !h.settings.state.Load().passes(r.Level, with.tags) {
		return nil
	}
	var b strings.Builder
	b.WriteByte(levelLetter(r.Level))
	if with.tagName != "" {
		b.WriteString(with.tagName)
		b.WriteString(" | ")
	}
	b.WriteString(r.Message)
	if with.attrs != "" {
		b.WriteString(" [" + with.attrs + "]")
	}
	line := b.String()
	if len(line) > maxLogLen {
		line = line[:maxLogLen]
	}
	h.send(strings.ToValidUTF8(line, "\uFFFD"))
	return nil
}

// WithAttrs implements [slog.Handler].
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	for _, a := range attrs {
		with.add(a)
	}
	return &with
}

// WithGroup implements [slog.Handler].
func (h *logHandler) WithGroup(name string) slog.Handler {
	with := *h
	if name != "" {
		with.group += name + "."
	}
	return &with
}

// add formats an attribute and appends it, or adds a tag.
func (h *logHandler) add(a slog.Attr) {
	v := a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
	case v.Kind() == slog.KindGroup:
		inner := *h
		if a.Key != "" {
			inner.group += a.Key + "."
		}
		for _, member := range v.Group() {
			inner.add(member)
		}
		inner.group = h.group
		*h = inner
	case a.Key == TagKey:
		h.addTag(v.String())
	default:
		if h.attrs != "" {
			h.attrs += ", "
		}
		h.attrs += h.group + a.Key + ":" + v.String()
	}
}

// addTag adds a tag. A record with two tags passes if either is enabled.
func (h *logHandler) addTag(name string) {
	h.tags |= tagBit(name)
	if h.tagName != "" {
		name = h.tagName + "," + name
	}
	h.tagName = name
}

func levelLetter(level slog.Level) byte {
	switch {
	case level >= LevelDump:
		return 'X'
	case level >= slog.LevelError:
		return 'E'
	case level >= slog.LevelWarn:
		return 'W'
	default:
		return 'D'
	}
}
