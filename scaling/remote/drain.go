package remote

import (
	"context"
	"time"
)

// Draining says whether the node takes nothing new.
func (s *Server) Draining() bool { return s.draining.Load() }

// Orders tells that an operator has had the node drain, or take new transports again: see Draining.
func (s *Server) Orders() <-chan struct{} { return s.orders }

// order does what an operator says.
func (s *Server) order(drain bool) {
	if s.draining.Swap(drain) != drain {
		select {
		case s.orders <- struct{}{}:
		default:
		}
	}
	for _, g := range s.all() {
		g.tellLoad()
	}
}

// Drain takes no new fronts, tells the present ones to place nothing new here, and returns true when no transport is left or ctx
// ends; false if an operator has the node take new ones again.
func (s *Server) Drain(ctx context.Context) (ended bool) {
	s.draining.Store(true)
	ticker := time.NewTicker(loadInterval / 4)
	defer ticker.Stop()
	for s.Draining() {
		left := 0
		for _, g := range s.all() {
			g.tellLoad()
			left += g.transports()
		}
		if left == 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return true
		case <-ticker.C:
		}
	}
	return false
}
