package front

// lane is the operations of one Router, or of the worker itself, in their order. They begin one after the other; one that has to
// wait for something makes the others wait too. What has begun is not waited for.
type lane struct {
	front *Front
	queue []*operation
	begun int  // operations that are not answered yet
	held  bool // an operation that has begun has more to ask for before the next one may begin
	idle  gate // opens when begun becomes 0
}

func newLane(f *Front) *lane { return &lane{front: f} }

// gate is something to wait for. The lanes that wait look again at their operations when it opens.
type gate struct{ waiting []*lane }

func (g *gate) open() {
	waiting := g.waiting
	g.waiting = nil
	for _, l := range waiting {
		l.run()
	}
}

// add appends an operation and begins what can begin.
func (l *lane) add(o *operation) {
	o.lane = l
	l.queue = append(l.queue, o)
	if len(l.queue) == 1 {
		l.run()
	}
}

// run begins operations as long as none has to wait.
func (l *lane) run() {
	for !l.held && len(l.queue) > 0 {
		o := l.queue[0]
		if wait := o.begin(); wait != nil {
			wait.waiting = append(wait.waiting, l)
			return
		}
		if l.front.expected[o.creates] == l {
			delete(l.front.expected, o.creates)
		}
		if len(l.queue) > 0 { // closing the Router has emptied it
			l.queue[0] = nil
			l.queue = l.queue[1:]
		}
	}
}

// hold keeps further operations from beginning until release.
func (l *lane) hold() { l.held = true }

func (l *lane) release() {
	l.held = false
	l.run()
}
