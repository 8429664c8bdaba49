package front

import "time"

// Clock says how late it is, and calls functions later.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f after d, from any goroutine. stop prevents that if it is not too late.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the clock of the process.
type systemClock struct{}

// Now implements Clock.
func (systemClock) Now() time.Time { return time.Now() }

// AfterFunc implements Clock.
func (systemClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// after has the control goroutine call do after d.
func (f *Front) after(d time.Duration, do func()) (stop func() bool) {
	return f.options.Clock.AfterFunc(d, func() { f.inbox.put(item{do: do}) })
}
