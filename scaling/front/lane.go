package front

// lane is the operations of one Router, or of the worker itself, in their order. They begin one after the other; one that has to
// wait for something makes the others wait too. What has begun is not waited for.
type lane struct {
	front   *Front
	queue   []*operation
	media   int  // bytes of media and data in the queue
	begun   int  // operations that are not answered yet
	held    int  // operations that have begun and have more to ask for before the next one may begin; restoring counts as one
	running bool // run is, perhaps further up the stack
	idle    gate // opens when begun becomes 0
}

func newLane(f *Front) *lane { return &lane{front: f} }

// gate is something to wait for. The lanes that wait look again at their operations when it opens.
type gate struct{ waiting []func() }

func (g *gate) open() {
	waiting := g.waiting
	g.waiting = nil
	for _, f := range waiting {
		f()
	}
}

// then calls f when the gate opens.
func (g *gate) then(f func()) { g.waiting = append(g.waiting, f) }

// add appends an operation and begins what can begin. Media and data of the application are dropped, and counted, when too much of
// them waits already.
func (l *lane) add(o *operation) {
	if o.media > 0 && l.media+o.media > maxMediaWaiting {
		l.front.counters.Dropped++
		return
	}
	l.media += o.media
	o.lane = l
	l.queue = append(l.queue, o)
	if len(l.queue) == 1 {
		l.run()
	}
}

// run begins operations as long as none has to wait.
func (l *lane) run() {
	if l.running {
		return
	}
	l.running = true
	defer func() { l.running = false }()
	for l.held == 0 && len(l.queue) > 0 {
		o := l.queue[0]
		if wait := o.begin(); wait != nil {
			wait.then(l.run)
			return
		}
		if len(l.queue) == 0 { // o has closed the Router
			return
		}
		l.media -= o.media
		if l.front.expected[o.creates] == l {
			delete(l.front.expected, o.creates)
		}
		l.queue[0] = nil
		l.queue = l.queue[1:]
	}
}

// hold keeps further operations from beginning until release.
func (l *lane) hold() { l.held++ }

func (l *lane) release() {
	l.held--
	l.run()
}
