package apitest

import (
	"math/rand/v2"
	"sync"

	"gazpacho/engine/api"
)

// Late is a worker on top of another one, as distant workers are: it answers later, out of order and from other goroutines.
// Each Router is served by itself, and can be frozen.
type Late struct {
	inner  api.Worker
	ending chan struct{} // closed when Close begins
	done   chan struct{} // closed when it ends
	jobs   sync.WaitGroup

	handling sync.Mutex // held while inner handles something: its calls are not concurrent

	mu      sync.Mutex
	rng     *rand.Rand
	lines   map[string]*line  // by Router, empty for the worker itself
	parents map[string]string // of each object; empty for Routers and WebRtcServers
}

// line is what is under way for one Router.
type line struct {
	last    chan struct{} // closed when the youngest job has run
	frozen  chan struct{} // closed when the Router is not frozen
	running int
	answers []func() // of jobs that have run
}

// heldAnswers is how many answers of a Router wait, at most, to be given in another order.
const heldAnswers = 4

// NewLate returns a Late over inner. Close closes inner too.
func NewLate(inner api.Worker, seed uint64) *Late {
	return &Late{
		inner: inner, ending: make(chan struct{}), done: make(chan struct{}), rng: rand.New(rand.NewPCG(seed, 0)),
		lines: map[string]*line{}, parents: map[string]string{},
	}
}

// Freeze makes a Router unreachable until the function returned is called.
func (l *Late) Freeze(router string) (thaw func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gate := make(chan struct{})
	l.line(router).frozen = gate
	return sync.OnceFunc(func() { close(gate) })
}

// line returns a Router's; mu is held.
func (l *Late) line(router string) *line {
	if l.lines[router] == nil {
		open := make(chan struct{})
		close(open)
		l.lines[router] = &line{last: open, frozen: open}
	}
	return l.lines[router]
}

// HandleRequest implements api.Worker.
func (l *Late) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if isClosed(l.ending) {
		reply(nil, api.ErrClosed)
		return
	}
	router := l.routerOf(req.HandlerID)
	lines := []*line{l.line(router)}
	switch body := req.Body.(type) {
	case *api.WorkerCreateRouterRequest:
		lines = append(lines, l.line(body.RouterID))
	case *api.WorkerCloseRouterRequest:
		lines = append(lines, l.line(body.RouterID))
	case *api.RouterCreateWebRtcTransportRequest:
		lines = append(lines, l.line("")) // its WebRtcServer may be on its way
	}
	l.enter(req)
	l.start(lines, func(ended bool) (answer func()) {
		if ended {
			return func() { reply(nil, api.ErrClosed) }
		}
		l.inner.HandleRequest(req, func(body api.ResponseBody, err error) { answer = func() { reply(body, err) } })
		return answer
	})
}

// HandleNotification implements api.Worker.
func (l *Late) HandleNotification(n *api.Notification) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if isClosed(l.ending) {
		return api.ErrClosed
	}
	l.start([]*line{l.line(l.routerOf(n.HandlerID))}, func(ended bool) func() {
		if !ended {
			_ = l.inner.HandleNotification(n) // too late for an error
		}
		return func() {}
	})
	return nil
}

// start runs a job after those that are ahead of it in any of the lines; mu is held.
func (l *Late) start(lines []*line, job func(ended bool) (answer func())) {
	var before []chan struct{}
	ran := make(chan struct{})
	for _, line := range lines {
		before = append(before, line.last, line.frozen)
		line.last = ran
	}
	own := lines[0]
	own.running++
	l.jobs.Go(func() {
		for _, event := range before {
			select {
			case <-event:
			case <-l.ending: // then it is refused, whatever is ahead
			}
		}
		l.handling.Lock()
		answer := job(isClosed(l.ending))
		l.handling.Unlock()
		close(ran)
		l.answerLater(own, answer)
	})
}

// answerLater gives a Router's answers in another order, once there are some or nothing else is under way.
func (l *Late) answerLater(line *line, answer func()) {
	l.mu.Lock()
	line.running--
	line.answers = append(line.answers, answer)
	var ready []func()
	if line.running == 0 || len(line.answers) == heldAnswers {
		ready, line.answers = line.answers, nil
		l.rng.Shuffle(len(ready), func(i, j int) { ready[i], ready[j] = ready[j], ready[i] })
	}
	l.mu.Unlock()
	for _, answer := range ready {
		answer()
	}
}

// enter keeps the tables up to date with a request; mu is held.
func (l *Late) enter(req *api.Request) {
	if id := req.Creates(); id != "" {
		if _, taken := l.parents[id]; !taken {
			l.parents[id] = req.HandlerID
		}
	}
	if id := req.Closes(); id != "" {
		l.forget(id)
	}
}

// forget removes an object and all that it owns.
func (l *Late) forget(id string) {
	delete(l.parents, id)
	for child, parent := range l.parents {
		if parent == id {
			l.forget(child)
		}
	}
}

func (l *Late) routerOf(id string) string {
	parent, known := l.parents[id]
	switch {
	case !known:
		return ""
	case parent == "":
		return id
	}
	return l.routerOf(parent)
}

// RouterOf implements api.Worker.
func (l *Late) RouterOf(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.routerOf(id)
}

// Load implements api.Worker.
func (l *Late) Load() api.Load { return l.inner.Load() }

// Done implements api.Worker.
func (l *Late) Done() <-chan struct{} { return l.done }

// Err implements api.Worker.
func (l *Late) Err() error {
	if isClosed(l.done) {
		return api.ErrClosed
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Close implements api.Worker.
func (l *Late) Close() {
	l.mu.Lock()
	first := !isClosed(l.ending)
	if first {
		close(l.ending)
	}
	clear(l.parents)
	l.mu.Unlock()
	if first {
		l.jobs.Wait()
		l.inner.Close()
		close(l.done)
	}
}
