package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gazpacho/engine/look"
)

// Chosen here.
const (
	period     = 2 * time.Second // between two surveys while somebody looks
	slowPeriod = 5 * time.Second // while nobody does; samples go on
	askTime    = 8 * time.Second // for one answer
	askedFor   = 32              // processes that are asked at once
	roomPages  = 8               // of a Router's part on one node, and so some thousand objects
	listPages  = 100             // of the list of a node's Routers: 50,000
)

// Node is a node or a worker that may be looked at.
type Node struct {
	Name    string // unique
	Address string
	Host    string // what all processes of one host have in common, if it is known
	State   string // alive, suspect, dead, draining or unreachable; empty for workers
	Region  string
	Zone    string
	Error   string // why it cannot be asked
	Version string
	Fronts  []Front
	Links   []Link
	// Ask asks it a question of package look; nil: it has just been tried in vain.
	Ask func(ctx context.Context, question []byte) ([]byte, error)
}

// Front is an application's worker that has a session with the node.
type Front struct {
	look.Owner
	Release   string `json:"release"`
	Connected bool   `json:"connected"`
	Routers   int    `json:"routers"`
	Dropped   uint64 `json:"dropped"` // messages that it was too slow for
}

// Link is a link for data to another node.
type Link struct {
	To        string // address
	Connected bool
	Streams   int
	Waiting   int
	Lost      uint64
}

// Find returns all nodes and workers that there are now.
type Find func(ctx context.Context) []Node

// seen is what a process has told last.
type seen struct {
	Node
	all   *look.All // nil if it has told nothing
	error string    // why it has not now
}

// Watch asks all processes again and again.
type Watch struct {
	find Find

	mu     sync.Mutex
	nodes  []seen
	looked time.Time // when somebody looked last
	trends trends
	rooms  roomList
}

// NewWatch returns a Watch that knows nothing yet: Run it.
func NewWatch(find Find) *Watch {
	return &Watch{find: find, trends: trends{}}
}

// Run asks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for ctx.Err() == nil {
		w.round(ctx)
		w.mu.Lock()
		wait := slowPeriod
		if time.Since(w.looked) < 2*slowPeriod {
			wait = period
		}
		w.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// round asks all processes once.
func (w *Watch) round(ctx context.Context) {
	found := w.find(ctx)
	nodes := make([]seen, len(found))
	each(found, func(i int, n Node) {
		nodes[i] = seen{Node: n, error: n.Error}
		if n.Ask == nil {
			return
		}
		all := new(look.All)
		if err := n.ask(ctx, look.Question{About: look.AboutAll}, all); err != nil {
			nodes[i].error = cmp.Or(n.Error, err.Error())
			return
		}
		nodes[i].all, nodes[i].error = all, ""
	})
	slices.SortFunc(nodes, func(a, b seen) int { return strings.Compare(a.Name, b.Name) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = nodes
	w.trends.take(time.Now(), nodes)
}

// each calls f for all nodes, some at a time, and returns when all calls have returned.
func each(nodes []Node, f func(i int, n Node)) {
	slots := make(chan struct{}, askedFor)
	var asking sync.WaitGroup
	for i, n := range nodes {
		asking.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			f(i, n)
		})
	}
	asking.Wait()
}

// ask asks the process a question, and reads the answer.
func (n *Node) ask(ctx context.Context, q look.Question, answer any) error {
	question, err := q.Append()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	b, err := n.Ask(ctx, question)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, answer)
}

// look returns what is known now.
func (w *Watch) look() []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked = time.Now()
	return w.nodes
}

// reachable returns the nodes that can be asked.
func (w *Watch) reachable() (nodes []Node) {
	for _, s := range w.look() {
		if s.all != nil {
			nodes = append(nodes, s.Node)
		}
	}
	return nodes
}

// node returns a process by its name.
func (w *Watch) node(name string) (seen, error) {
	for _, s := range w.look() {
		if s.Name == name {
			return s, nil
		}
	}
	return seen{}, fmt.Errorf("there is no node or worker %q", look.Name(name))
}
