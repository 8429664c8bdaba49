package front

import "maps"

// Figures is what a front has at present, and what it did.
type Figures struct {
	Counters
	Nodes    NodeFigures
	Media    int // relays of producers at present
	Data     int // relays of data producers at present
	Requests int // of the application that are not answered yet
	CutNodes int // pairs of nodes that do not reach each other
}

// NodeFigures is how many nodes there are. One that came back is gone until it has answered.
type NodeFigures struct{ Present, Gone int }

// Figures asks the control goroutine. It may be called from any goroutine, and returns nothing but zeros once the front has ended.
func (f *Front) Figures() Figures {
	answer := make(chan Figures, 1)
	f.inbox.put(item{do: func() { answer <- f.figures() }, refuse: func() { answer <- Figures{} }})
	return <-answer
}

func (f *Front) figures() Figures {
	all := Figures{Counters: f.counters, Requests: len(f.pending), CutNodes: len(f.cuts)}
	all.Transports = maps.Clone(f.counters.Transports)
	all.Dropped += f.inbox.lost()
	for _, n := range f.nodes() {
		if n.gone != nil || n.returning {
			all.Nodes.Gone++
		} else {
			all.Nodes.Present++
		}
	}
	for _, o := range f.objects {
		switch o := o.(type) {
		case *producer:
			all.Media += len(o.relays)
		case *dataProducer:
			all.Data += len(o.relays)
		}
	}
	return all
}
