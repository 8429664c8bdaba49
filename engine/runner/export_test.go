package runner

import "gazpacho/engine/shard"

// Shards returns the shards, so that tests can keep one busy.
func (r *Runner) Shards() (shards []*shard.Shard) {
	for _, s := range r.shards {
		shards = append(shards, s.shard)
	}
	return shards
}

// Transports returns the number of transports on each shard.
func (r *Runner) Transports() (transports []int) {
	for _, s := range r.shards {
		transports = append(transports, int(s.transports.Load()))
	}
	return transports
}
