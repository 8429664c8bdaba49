package engine

import (
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// Figures is what the transports of a host, of all its workers, did and are. What is a count only grows.
type Figures struct {
	CPU        float64 // as api.Load has it
	Shards     []ShardFigures
	Transports transport.Figures
	Census     transport.Census
	Faults     uint64 // panics that were contained
	Unroutable uint64 // datagrams at the ports of WebRtcServers that were for no transport
}

// ShardFigures is how busy a shard was, and how many transports it has.
type ShardFigures struct {
	shard.Figures
	Transports int
}

// Figures returns the figures of the host, which are measured from the first call on. It takes many short turns of the shards, so that
// media does not wait; what is added up is not of one instant therefore. Calls wait for each other.
func (h *Host) Figures() *Figures {
	h.figures.Lock()
	defer h.figures.Unlock()
	all := &Figures{CPU: h.load.fraction(), Unroutable: h.runner.Unroutable()}
	for _, s := range h.runner.Figures() {
		all.Shards = append(all.Shards, ShardFigures{s.Shard, s.Placed})
		unit.Add(&all.Transports, &s.Transports)
		unit.Add(&all.Census, &s.Census)
		all.Faults += s.Faults
	}
	return all
}

// Datagrams returns what the transports of the host have received and sent until now. It costs next to nothing, unlike Figures.
func (h *Host) Datagrams() transport.Datagrams { return h.runner.Datagrams() }

// TakeTurns returns when each shard has let a turn pass: soon, unless a shard hangs.
func (h *Host) TakeTurns() { h.runner.TakeTurns() }
