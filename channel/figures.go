package channel

// Figures is how well the application keeps up with the worker.
type Figures struct {
	Waiting int     // bytes on their way to the application
	Dropped Dropped // so far
}

// Dropped counts messages for the application that were dropped, since it reads slowly, or since too many wait for the creation of their
// objects to be answered (Early).
type Dropped struct{ Media, Data, Logs, State, Early uint64 }

// Figures may be called from any goroutine.
func (c *Channel) Figures() Figures { return c.outbox.figures() }

func (o *outbox) figures() Figures {
	o.mu.Lock()
	defer o.mu.Unlock()
	return Figures{Waiting: o.size(), Dropped: o.allDropped()}
}

func (o *outbox) allDropped() Dropped {
	d, b := &o.dropped, &o.before
	return Dropped{b.Media + d.media, b.Data + d.data, b.Logs + d.logs, b.State + d.state, b.Early + d.early}
}
