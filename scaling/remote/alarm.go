package remote

import (
	"time"

	"gazpacho/engine/unit"
)

// alarm calls a function when a machine's deadline has come. It is used with the lock of the machine's owner held.
type alarm struct {
	timer *time.Timer
	at    unit.Time // 0 or Never: not armed
}

// set arms the alarm for a deadline; fire calls fired first.
func (a *alarm) set(at, now unit.Time, fire func()) {
	switch {
	case at == a.at:
	case at == unit.Never:
		a.stop()
	case a.timer == nil:
		a.at, a.timer = at, time.AfterFunc(max(at.Sub(now), 0), fire)
	default:
		a.at = at
		a.timer.Reset(max(at.Sub(now), 0))
	}
}

// fired says that the alarm has gone off. It may have been early, by another clock, and is armed again then.
func (a *alarm) fired() { a.at = 0 }

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.at = unit.Never
}
