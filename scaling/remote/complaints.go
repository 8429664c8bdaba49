package remote

import (
	"sync"
	"time"

	"gazpacho/engine/unit"
)

// Chosen here: whoever does wrong again and again does not fill the log.
const (
	maxComplaints  = 100 // within the interval
	complaintsTime = time.Minute
)

// complaints bounds what others can have the log filled with.
type complaints struct {
	mu      sync.Mutex
	since   unit.Time
	count   int
	omitted int
}

// next reports whether one more may be logged, and how many were not before.
func (c *complaints) next(now unit.Time) (omitted int, may bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.since) > complaintsTime {
		c.since, c.count = now, 0
	}
	if c.count++; c.count > maxComplaints {
		c.omitted++
		return 0, false
	}
	omitted, c.omitted = c.omitted, 0
	return omitted, true
}

// complain logs what somebody else has done wrong. What is left out is counted, and told with the next that is not.
func (s *Server) complain(message string, args ...any) {
	omitted, may := s.complaints.next(clock())
	if !may {
		return
	}
	if omitted > 0 {
		s.options.Log.Warn("more was wrong than is logged", "lines", omitted)
	}
	s.options.Log.Warn(message, args...)
}
