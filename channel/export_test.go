package channel

// Queued returns how many bytes wait for the application to read.
func (c *Channel) Queued() int {
	c.outbox.mu.Lock()
	defer c.outbox.mu.Unlock()
	return c.outbox.size()
}
