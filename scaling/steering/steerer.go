package steering

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/membership"
)

// interval is the time between two looks at the table: a node tells its load as often.
const interval = time.Second

// Steerer is the machine of a node with a clock, and a webhook if there is one.
type Steerer struct {
	options SteererOptions
	begun   time.Time // times are counted from it: steps of the clock are not seen
	cancel  context.CancelFunc
	ended   sync.WaitGroup

	mu      sync.Mutex
	machine *Machine
	told    uint64 // notices that the webhook has taken
	failed  uint64 // requests that it has not
}

// SteererOptions are what a steerer needs of its node.
type SteererOptions struct {
	Name string
	// Rows returns the table of nodes, this one included. It is called without locks.
	Rows func() []membership.Row
	// Changed is called when the node has something else to say of itself: see Describe.
	Changed func()
	// Webhook is where signals are told; nil: nowhere but among nodes.
	Webhook *Webhook
	// IdleAfter is for how long an idle node has no transport; 0 means DefaultIdleAfter.
	IdleAfter time.Duration
	Log       *slog.Logger
}

// NewSteerer begins to look at the table once a second.
func NewSteerer(o SteererOptions) *Steerer {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Steerer{options: o, begun: time.Now(), cancel: cancel}
	s.machine = New(s.now(), Options{Name: o.Name, Steers: o.Webhook != nil, IdleAfter: o.IdleAfter, NewID: rand.Text})
	s.ended.Go(func() { everySecond(ctx, s.look) })
	if o.Webhook != nil { // which may be slow
		s.ended.Go(func() {
			everySecond(ctx, func() {
				for s.callNext(ctx) {
				}
			})
		})
	}
	return s
}

func (s *Steerer) now() unit.Time { return unit.Time(time.Since(s.begun)) }

// everySecond calls f again and again until it ends.
func everySecond(ctx context.Context, f func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f()
		}
	}
}

// look takes the present table.
func (s *Steerer) look() {
	rows := s.options.Rows()
	s.mu.Lock()
	before := s.describe()
	s.machine.Update(s.now(), time.Now().Unix(), rows)
	after := s.describe()
	s.mu.Unlock()
	if before.Tells != after.Tells {
		s.options.Log.Info("signals for autoscalers", "told by this node", after.Tells)
	}
	for _, signal := range after.Signals {
		if !slices.ContainsFunc(before.Signals, func(b membership.Signal) bool { return b.ID == signal.ID }) {
			s.options.Log.Info("signal", "kind", signal.Kind, "region", signal.Region, "node", signal.Node)
		}
	}
	if before.Tells != after.Tells || !slices.Equal(before.Signals, after.Signals) {
		s.options.Changed()
	}
}

// callNext calls the webhook for the next signal, and reports whether there was one and the webhook took it.
func (s *Steerer) callNext(ctx context.Context) bool {
	s.mu.Lock()
	signal, ok := s.machine.Next(s.now())
	var region Region
	for _, r := range s.machine.Regions() {
		if r.Name == signal.Region {
			region = r
		}
	}
	s.mu.Unlock()
	if !ok {
		return false
	}
	err := s.options.Webhook.post(ctx, signal, region)
	if err != nil {
		s.options.Log.Warn("the webhook does not take a signal", "kind", signal.Kind, "error", err)
	}
	s.mu.Lock()
	s.machine.Delivered(s.now(), signal, err == nil)
	if err == nil {
		s.told++
	} else {
		s.failed++
	}
	s.mu.Unlock()
	s.options.Changed()
	return err == nil
}

// Describe fills in what the node says of itself about signals.
func (s *Steerer) Describe(n *membership.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.describe()
	n.Steers, n.Tells, n.Signals = own.Steers, own.Tells, own.Signals
}

// describe returns a node with nothing but that. The lock is held.
func (s *Steerer) describe() membership.Node {
	return membership.Node{Steers: s.options.Webhook != nil, Tells: s.machine.Tells(), Signals: s.machine.Signals()}
}

// Figures is what a node knows of the signals, for operators.
type Figures struct {
	Regions []Region
	// Tells says that it is the node that tells.
	Tells bool
	// Told is how many notices its webhook has taken, Failed how many requests failed.
	Told, Failed uint64
}

// Figures returns the present figures.
func (s *Steerer) Figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Figures{s.machine.Regions(), s.machine.Tells(), s.told, s.failed}
}

// Close ends it. A request that is under way is given up.
func (s *Steerer) Close() {
	s.cancel()
	s.ended.Wait()
}
