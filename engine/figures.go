package engine

import "gazpacho/engine/runner"

// Figures is what one shard of a host and its transports, of all workers, did and are. What is called a count only grows.
type Figures = runner.Figures

// Figures returns the figures of each shard, which are measured from the first call on. It takes many short turns of the shards, so that
// media does not wait; the sums are not of one instant therefore. Calls wait for each other.
func (h *Host) Figures() []Figures {
	h.figures.Lock()
	defer h.figures.Unlock()
	return h.runner.Figures()
}

// CPU returns the fraction that is used of the CPU time open to the host, as api.Load has it.
func (h *Host) CPU() float64 { return h.load.fraction() }
