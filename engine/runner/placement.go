package runner

// spreadThreshold is by how many transports a shard must be ahead of another before a router spreads to that one too. Chosen
// here: a small room stays on one shard, where its packets need no message; a large one uses all shards.
const spreadThreshold = 16

// Placement chooses the shards for the transports of one router. It belongs to the control loop of the router's worker.
type Placement struct {
	runner     *Runner
	transports map[*ShardContext]int // the router's own
}

// NewPlacement returns a placement without transports.
func (r *Runner) NewPlacement() Placement {
	return Placement{runner: r, transports: map[*ShardContext]int{}}
}

// Choose returns the shard for the router's next transport or observer: the one with the fewest transports, where a shard that
// the router does not use yet counts as if it had spreadThreshold more.
func (p *Placement) Choose() *ShardContext {
	best, least := (*ShardContext)(nil), int64(0)
	for _, s := range p.runner.shards {
		cost := s.transports.Load()
		if p.transports[s] == 0 {
			cost += spreadThreshold
		}
		if best == nil || cost < least {
			best, least = s, cost
		}
	}
	return best
}

// Add counts a transport on the shard that Choose returned for it.
func (p *Placement) Add(s *ShardContext) {
	p.transports[s]++
	s.transports.Add(1)
}

// Remove undoes Add.
func (p *Placement) Remove(s *ShardContext) {
	p.transports[s]--
	s.transports.Add(-1)
}
