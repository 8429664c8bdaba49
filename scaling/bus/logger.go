package bus

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Chosen here: whoever knocks at the port again and again does not fill the log.
const (
	complaints     = 10 // of the server, or of the node about others, within the interval
	complaintsTime = 10 * time.Second
)

// logger passes on what the server logs. Its notices and warnings are about its start and each connection.
type logger struct {
	log   *slog.Logger
	since *atomic.Int64 // the beginning of the interval, by clock
	count *atomic.Int64
}

func newLogger(log *slog.Logger) logger { return logger{log, new(atomic.Int64), new(atomic.Int64)} }

// Noticef implements server.Logger.
func (l logger) Noticef(format string, v ...any) { l.log.Debug(text(format, v)) }

// Warnf implements server.Logger.
func (l logger) Warnf(format string, v ...any) { l.log.Debug(text(format, v)) }

// Errorf implements server.Logger.
func (l logger) Errorf(format string, v ...any) {
	if now := int64(clock()); now-l.since.Load() > int64(complaintsTime) {
		l.since.Store(now)
		l.count.Store(0)
	}
	if l.count.Add(1) <= complaints {
		l.log.Warn(text(format, v))
	}
}

// Fatalf implements server.Logger.
func (l logger) Fatalf(format string, v ...any) { l.log.Error(text(format, v)) }

// Debugf implements server.Logger.
func (l logger) Debugf(string, ...any) {}

// Tracef implements server.Logger.
func (l logger) Tracef(string, ...any) {}

func text(format string, v []any) string { return "bus: " + fmt.Sprintf(format, v...) }
