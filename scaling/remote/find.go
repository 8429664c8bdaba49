package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/directory"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
)

// Chosen here.
const (
	// maxQuestions is how many questions of a front a node answers at once, and a front has at once.
	maxQuestions = 256
	// findTime is how long a front waits for an answer: longer than a node looks.
	findTime = 5 * time.Second
)

// question is where a producer is.
type question struct {
	Number uint64 `json:"number"` // comes back with the answer
	ID     string `json:"id"`
}

// answer is where a producer is: the name of the node, empty for nowhere.
type answer struct {
	Number uint64 `json:"number"`
	Node   string `json:"node,omitempty"`
	// Alone says that the node has no directory: it knows what is there itself.
	Alone bool   `json:"alone,omitempty"`
	Error string `json:"error,omitempty"` // why there is no answer
}

// tenantOf returns whose a front is. Those that come by unix sockets are of one user, and may say that they are of a tenant; an application
// whose certificate names none is a tenant of its own.
func tenantOf(who identity.Identity, o *Opening) string {
	switch {
	case who.Name == localName:
		return o.Tenant
	case who.Tenant == "":
		return "(" + who.Name + ")" // no certificate is made with such a tenant
	}
	return who.Tenant
}

// find answers a front's question.
func (g *guest) find(q *question) {
	page := g.current
	g.mu.Lock()
	key := directory.Key{Tenant: g.tenant, ID: q.ID}
	g.asking++
	many := g.asking > maxQuestions
	g.mu.Unlock()
	say := func(a answer) {
		a.Number = q.Number
		g.turn(func(unit.Time) {
			g.asking--
			g.send(page, encodeControl(control{Found: &a}))
		})
	}
	if many {
		say(answer{Error: "too many questions at once"})
		return
	}
	if !g.server.index.lookup(key, func(r directory.Result, err error) { say(answerOf(r, err)) }) {
		say(g.server.findAlone(key))
	}
}

func answerOf(r directory.Result, err error) answer {
	switch {
	case errors.Is(err, directory.ErrTooLong):
		return answer{} // nothing of that length is registered
	case err != nil:
		return answer{Error: err.Error()}
	case r.Status == directory.Failed:
		return answer{Error: "no node that should know answers"}
	}
	return answer{Node: r.Entry.Value}
}

// findAlone answers for a node that has no directory.
func (s *Server) findAlone(k directory.Key) answer {
	for _, p := range s.has(k.ID) {
		if p.Tenant == k.Tenant {
			return answer{Node: s.options.Name, Alone: true}
		}
	}
	return answer{Alone: true}
}

// Place is where a producer is.
type Place struct {
	Node        string `json:"node"`
	Tenant      string `json:"tenant"` // empty: the node's own user
	Application string `json:"application"`
	Router      string `json:"router"`
}

// has returns where on this node producers of an id are, of any tenant.
func (s *Server) has(producerID string) (places []Place) {
	for _, g := range s.all() {
		if p, ok := g.has(producerID); ok {
			places = append(places, p)
		}
	}
	return places
}

func (g *guest) has(producerID string) (p Place, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.loader == nil {
		return Place{}, false
	}
	router, ok := g.loader.HomeOf(producerID)
	return Place{g.server.options.Name, g.tenant, g.shown.Application, router}, ok
}

// find asks the node where a producer is.
func (w *Worker) find(ctx context.Context, producerID string) (a answer, err error) {
	got := make(chan answer, 1)
	w.turn(func(unit.Time) {
		if err = w.err; err != nil {
			return
		}
		w.lastQuestion++
		a.Number = w.lastQuestion
		w.questions[a.Number] = got
		w.send(encodeControl(control{Find: &question{a.Number, producerID}}))
	})
	if err != nil {
		return answer{}, err
	}
	defer w.turn(func(unit.Time) { delete(w.questions, a.Number) })
	select {
	case a := <-got:
		if a.Error != "" {
			err = errors.New(a.Error)
		}
		return a, err
	case <-w.done:
		return answer{}, w.Err()
	case <-ctx.Done():
		return answer{}, errors.New("no answer in time")
	}
}

// isHeard reports whether the node was heard lately.
func (w *Worker) isHeard() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.silent && w.err == nil
}

// unanswered ends all questions, since the node is silent: others can be asked. The lock is held.
func (w *Worker) unanswered() {
	for number, got := range w.questions {
		delete(w.questions, number)
		got <- answer{Error: "the node is silent"}
	}
}

// found takes the answer to a question. One that nobody waits for any more is dropped. The lock is held.
func (w *Worker) found(a *answer) {
	if got := w.questions[a.Number]; got != nil {
		delete(w.questions, a.Number)
		got <- *a
	}
}

// Find looks for a producer of the front's tenant, of whichever application. It calls done once, by a goroutine of its own: with the key of the
// node that has it (or the node's name, if the front does not know that one yet), with an empty one if there is no such producer, or with an
// error if that cannot be said.
func (c *Cluster) Find(producerID string, done func(node string, err error)) {
	go func() {
		select {
		case c.finding <- struct{}{}:
		default:
			done("", errors.New("too many producers are looked for at once"))
			return
		}
		node, err := c.find(producerID)
		<-c.finding
		done(node, err)
	}()
}

// find asks one node after the other until one knows. That is the first one if it has a directory, so that only those without are all asked.
func (c *Cluster) find(producerID string) (node string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), findTime)
	defer cancel()
	nodes := c.present()
	if len(nodes) == 0 {
		return "", errors.New("there is no node to ask")
	}
	for _, n := range nodes {
		if !n.worker.isHeard() {
			err = fmt.Errorf("node %s is not connected", n.key)
			continue
		}
		a, askErr := n.worker.find(ctx, producerID)
		switch {
		case askErr != nil:
			err = fmt.Errorf("node %s: %w", n.key, askErr)
		case a.Node != "" && a.Alone:
			return n.key, nil
		case !a.Alone:
			return c.keyOf(a.Node), nil
		}
	}
	return "", err
}

// presentNode is a node with its present worker.
type presentNode struct {
	key    string
	worker *Worker
}

// present returns the nodes that have a worker, in any order.
func (c *Cluster) present() (all []presentNode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		if s.worker != nil {
			all = append(all, presentNode{s.key, s.worker})
		}
	}
	return all
}

// keyOf returns how the front calls a node.
func (c *Cluster) keyOf(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.byName[name]; s != nil {
		return s.key
	}
	return name
}

// findAll asks all nodes which producers of an id they have.
func (s *Server) findAll(producerID string) Places {
	rows := s.members()
	answers := make([]Places, len(rows))
	s.askEach(rows, func(i int, r membership.Row) {
		if r.Name == s.options.Name {
			answers[i].Found = s.has(producerID)
			return
		}
		b, err := s.askNode(r, queryHas+" "+producerID, connectTime)
		if err == nil {
			err = json.Unmarshal(b, &answers[i].Found)
		}
		if err != nil {
			answers[i].Unasked = []string{fmt.Sprintf("%s: %v", r.Name, err)}
		}
	})
	all := Places{Found: []Place{}}
	for _, a := range answers {
		all.Found, all.Unasked = append(all.Found, a.Found...), append(all.Unasked, a.Unasked...)
	}
	return all
}

// Places is where producers of an id are.
type Places struct {
	Found []Place `json:"found"`
	// Unasked are nodes that have not answered, with the reason.
	Unasked []string `json:"unasked,omitempty"`
}
