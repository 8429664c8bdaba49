package front_test

import (
	"errors"
	"slices"
	"sync"
	"time"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// clock is a front's clock in a test.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*timer
}

type timer struct {
	at time.Time
	f  func()
}

func newClock() *clock { return &clock{now: time.Unix(1000, 0)} }

// Now implements front.Clock.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc implements front.Clock.
func (c *clock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.Index(c.timers, t)
		if i >= 0 {
			c.timers = slices.Delete(c.timers, i, i+1)
		}
		return i >= 0
	}
}

// advance lets time pass.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*timer
	c.timers = slices.DeleteFunc(c.timers, func(t *timer) bool {
		if t.at.After(c.now) {
			return false
		}
		due = append(due, t)
		return true
	})
	c.mu.Unlock()
	for _, t := range due {
		t.f()
	}
}

// tampered is a node's worker that can be frozen, made to refuse, and ended.
type tampered struct {
	api.Worker
	emit api.Emitter // what the worker tells

	mu     sync.Mutex
	frozen bool
	held   []func()
	refuse func(*api.Request) error
	deaf   bool // it refuses notifications
	told   int  // notifications so far
	seen   []api.Method
	done   chan struct{}
	err    error
	over   bool // it does not come back
	load   float64
}

// Load implements api.Worker: what the test says, and no noise.
func (w *tampered) Load() api.Load {
	w.mu.Lock()
	defer w.mu.Unlock()
	return api.Load{CPU: w.load}
}

// busy sets the load.
func (w *tampered) busy(load float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.load = load
}

// tamper makes the workers of nodes tampered ones.
func tamper(o *front.Options) []*tampered {
	var all []*tampered
	for i := range o.Nodes {
		w := &tampered{}
		start := o.Nodes[i].Worker
		o.Nodes[i].Worker = func(emit api.Emitter) (api.Worker, error) {
			w.mu.Lock()
			over := w.over
			w.mu.Unlock()
			if over {
				return nil, errors.New("it does not start")
			}
			inner, err := start(emit)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.Worker, w.emit, w.done, w.err = inner, emit, make(chan struct{}), nil
			return w, err
		}
		all = append(all, w)
	}
	return all
}

// HandleRequest implements api.Worker.
func (w *tampered) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	w.mu.Lock()
	w.seen = append(w.seen, req.Method)
	do := func() { w.Worker.HandleRequest(req, reply) }
	if w.refuse != nil {
		if err := w.refuse(req); err != nil {
			do = func() { reply(nil, err) }
		}
	}
	if w.frozen {
		w.held = append(w.held, do)
		do = func() {}
	}
	w.mu.Unlock()
	do()
}

// HandleNotification implements api.Worker.
func (w *tampered) HandleNotification(n *api.Notification) error {
	w.mu.Lock()
	w.told++
	deaf := w.deaf
	w.mu.Unlock()
	if deaf {
		return errors.New("too slow")
	}
	return w.Worker.HandleNotification(n)
}

func (w *tampered) setDeaf(deaf bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = deaf
}

// notifications returns how many there were.
func (w *tampered) notifications() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told
}

func (w *tampered) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
}

// thaw carries out what came while it was frozen. The front must not call the worker meanwhile.
func (w *tampered) thaw() {
	w.mu.Lock()
	held := w.held
	w.frozen, w.held = false, nil
	w.mu.Unlock()
	for _, do := range held {
		do()
	}
}

func (w *tampered) refuseIf(refuse func(*api.Request) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = refuse
}

// count returns how often it was asked by a method.
func (w *tampered) count(m api.Method) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, have := range w.seen {
		if have == m {
			n++
		}
	}
	return n
}

// end ends the worker as the client of a node that is gone does.
func (w *tampered) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = errors.New("power cut")
	close(w.done)
}

// kill is end of a process: what the worker held is released.
func (w *tampered) kill() {
	w.Worker.Close()
	w.end()
}

// never keeps it from coming back.
func (w *tampered) never() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// Done implements api.Worker.
func (w *tampered) Done() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

// Err implements api.Worker.
func (w *tampered) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close implements api.Worker.
func (w *tampered) Close() {
	w.Worker.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = api.ErrClosed
		close(w.done)
	}
}
