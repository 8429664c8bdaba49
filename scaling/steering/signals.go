package steering

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

// Chosen here.
const (
	firstPause = time.Second // before a webhook is tried again; doubled each time
	maxPause   = time.Minute
	// maxAttempts is how often the end of a signal is tried, for a quarter of an hour; and a signal that has no end, while it lasts.
	maxAttempts = 20
	// shortRoom is how many of the signals are kept for regions that are short of capacity, however many nodes are idle elsewhere: people
	// wait for those.
	shortRoom = 4
)

// signal is one that lasts, or whose end is to be told.
type signal struct {
	membership.Signal
	attempts int
	next     unit.Time // when the webhook may be tried again
}

func (s *signal) key() key {
	if s.Kind == membership.CapacityShort {
		return key{s.Kind, s.Region}
	}
	return key{s.Kind, s.Node}
}

// adopt takes what the node that tells has told. How often it tried is not known. What lasts for that node does for this one, which may have come
// later.
func (m *Machine) adopt(now unit.Time, told []membership.Signal) {
	m.signals = nil
	for _, told := range told {
		s := &signal{Signal: told, attempts: 1}
		switch s.Kind {
		case membership.CapacityShort, membership.NodeIdle, membership.NodeDrained:
		default:
			continue // of a later version
		}
		m.signals = append(m.signals, s)
		if k := s.key(); !s.Over && !m.conditions.count(k) {
			m.conditions[k] = &condition{region: s.Region, counts: true, since: now}
		}
	}
}

// compare begins and ends signals as conditions say.
func (m *Machine) compare(now unit.Time, wall int64) {
	last := map[key]bool{}
	m.signals = slices.DeleteFunc(m.signals, func(s *signal) bool {
		k := s.key()
		lasts := m.conditions.count(k)
		if lasts && !s.Over {
			last[k] = true
			return false
		}
		return s.Over && s.Told || !s.Over && !m.end(now, s)
	})
	for _, k := range slices.SortedFunc(maps.Keys(m.conditions), compareKeys) {
		if m.conditions.count(k) && !last[k] {
			m.begin(now, wall, k)
		}
	}
}

// compareKeys is in which order signals begin if several do at once.
func compareKeys(a, b key) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.of, b.of)) }

func (m *Machine) begin(now unit.Time, wall int64, k key) {
	room := membership.MaxSignals
	if k.kind != membership.CapacityShort {
		room -= shortRoom
	}
	if len(m.signals) >= room {
		return // until there is some again
	}
	s := &signal{next: now, Signal: membership.Signal{ID: m.options.NewID(), Kind: k.kind, Region: m.conditions[k].region, Since: wall}}
	if k.kind != membership.CapacityShort {
		s.Node = k.of
	}
	m.signals = append(m.signals, s)
}

// end reports whether the end of a signal is still to be told: not if nobody has heard of it, nor if it has no end.
func (m *Machine) end(now unit.Time, s *signal) bool {
	unheard := !s.Told && s.attempts == 0
	if unheard || s.Kind == membership.NodeDrained || !m.options.Steers {
		return false
	}
	s.Over, s.Told, s.attempts, s.next = true, false, 0, now
	return true
}

// Signals returns all signals for the node's heartbeat, if the node is the one that tells.
func (m *Machine) Signals() (all []membership.Signal) {
	if !m.tells {
		return nil
	}
	for _, s := range m.signals {
		all = append(all, s.Signal)
	}
	return all
}

// Next returns the signal that the webhook is to be called for now, with its end if it is over; false for none. It is to be followed by
// Delivered.
func (m *Machine) Next(now unit.Time) (s membership.Signal, ok bool) {
	if !m.tells || !m.options.Steers {
		return s, false
	}
	untold := map[key]bool{}
	for _, s := range m.signals {
		if k := s.key(); !s.Told && !untold[k] {
			untold[k] = true // its end comes before it begins again
			if now >= s.next {
				s.attempts++
				return s.Signal, true
			}
		}
	}
	return s, false
}

// Delivered takes whether the webhook has taken a signal. One that it has not taken is tried again, later each time.
func (m *Machine) Delivered(now unit.Time, tried membership.Signal, taken bool) {
	i := slices.IndexFunc(m.signals, func(s *signal) bool { return s.ID == tried.ID && s.Over == tried.Over })
	if i < 0 {
		return // it is over meanwhile, or another node tells
	}
	s := m.signals[i]
	switch {
	case taken, s.attempts >= maxAttempts && (s.Over || s.Kind == membership.NodeDrained):
		s.Told = true // or given up
	default:
		s.next = now.Add(min(firstPause<<min(s.attempts-1, 10), maxPause))
	}
	if s.Over && s.Told {
		m.signals = slices.Delete(m.signals, i, i+1)
	}
}
