package steering

import (
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

// Chosen here.
const (
	shortBegins = 5 * time.Second
	shortEnds   = 10 * time.Second
	// spareEnds is for how long the others of an idle node may be too full before it is not spare any more.
	spareEnds = 5 * time.Second
	// drainedEnds is for how long it is told that a node is drained which has gone.
	drainedEnds = time.Minute
)

// key is what a signal is about.
type key struct {
	kind membership.SignalKind
	of   string // a region or a node
}

// condition is something that may hold, and counts as soon as it has for long enough.
type condition struct {
	region string
	counts bool
	since  unit.Time // when what holds and what counts last agreed
}

// judge takes whether it holds now, and after how long that counts.
func (c *condition) judge(now unit.Time, holds bool, begins, ends time.Duration) {
	after := begins
	if c.counts {
		after = ends
	}
	switch {
	case holds == c.counts:
		c.since = now
	case now.Sub(c.since) >= after:
		c.counts, c.since = holds, now
	}
}

// conditions are all that hold, or did lately.
type conditions map[key]*condition

// judge judges one condition. It is forgotten when it neither holds nor counts.
func (all conditions) judge(now unit.Time, k key, region string, holds bool, begins, ends time.Duration) {
	c := all[k]
	if c == nil {
		if !holds {
			return
		}
		c = &condition{since: now}
		all[k] = c
	}
	c.region = region
	if c.judge(now, holds, begins, ends); !holds && !c.counts {
		delete(all, k)
	}
}

// count reports whether a condition counts.
func (all conditions) count(k key) bool { return all[k] != nil && all[k].counts }
