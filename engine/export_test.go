package engine

// ArmedTimers returns how many timers of all shards wait for their time.
func (w *Worker) ArmedTimers() int { return w.house.ArmedTimers() }

// ServerSize returns how many username fragments and tuples a WebRtcServer knows.
func (w *Worker) ServerSize(id string) (fragments, tuples int) {
	server, _ := w.servers.Find(id)
	return server.Size()
}
