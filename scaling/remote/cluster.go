package remote

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"gazpacho/engine/api"
	"gazpacho/scaling/membership"
)

// seedTime is how long nodes that others tell of wait for the seeds to say who they are, chosen here: a node that is among the seeds is
// called by its address there.
const seedTime = 3 * time.Second

// maxTellers is how many nodes tell a front of the others, chosen here: each tells of all, so more of them would tell the same again, and
// one alone might be cut off from the bus.
const maxTellers = 3

// ClusterOptions says how a front finds its nodes.
type ClusterOptions struct {
	// Seeds are the addresses that the front was told. Each is a node's, and whoever of them answers tells of the others.
	Seeds []string
	// TLS, Opening, LogLine and Log are those of all sessions: see Options.
	TLS     *tls.Config
	Opening Opening
	LogLine func(line string)
	Log     *slog.Logger
}

// Found is a node of the cluster.
type Found struct {
	// Key is how the front calls it: a seed's address, or the node's name.
	Key string
	// Address is how it is reached.
	Address string
	// Dial returns a worker there.
	Dial func(emit api.Emitter) (api.Worker, error)
}

// Cluster finds a front's nodes. Nodes tell in their sessions which others there are; what they tell is where to look, and
// nothing else: whether a node lives, its session decides.
type Cluster struct {
	options ClusterOptions
	finding chan struct{} // has as many as producers are looked for

	mu     sync.Mutex
	add    func(n Found) // nil before Watch
	remove func(key string)
	slots  map[string]*slot // by key
	byName map[string]*slot
	rows   map[string]*hint // by name
	ready  bool             // nodes that others tell of may be added
	timer  *time.Timer
}

// slot is a node, or a seed of which it is not known yet which node it is.
type slot struct {
	cluster *Cluster
	key     string
	seed    bool
	name    string // of the node, once that is known
	was     string // a seed's name when it was known last: another node may be there now
	address string
	worker  *Worker         // the present one
	told    map[string]bool // by name: what it tells of; nil until it has
	knows   bool            // others
	teller  bool            // it was asked to tell of them
}

// hint is what nodes tell of one of a name.
type hint struct {
	row     membership.Row
	tellers map[*slot]bool
}

// NewCluster returns what finds the nodes, beginning with the seeds.
func NewCluster(o ClusterOptions) *Cluster {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cluster{
		options: o, finding: make(chan struct{}, maxQuestions), slots: map[string]*slot{}, byName: map[string]*slot{}, rows: map[string]*hint{},
	}
	for _, address := range o.Seeds {
		c.slots[address] = &slot{cluster: c, key: address, seed: true, address: address}
	}
	return c
}

// Watch has nodes that are none of the seeds added, and again when one has moved, and removed when one is gone for good. It is called
// once, when workers may have been made of the seeds already. The functions are called with locks held, and must not call workers.
func (c *Cluster) Watch(add func(n Found), remove func(key string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add, c.remove = add, remove
	c.timer = time.AfterFunc(seedTime, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.begin()
	})
	if c.allKnown() {
		c.begin()
	}
}

// Seeds returns the nodes that the seeds are.
func (c *Cluster) Seeds() (all []Found) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, address := range c.options.Seeds {
		if s := c.slots[address]; !slices.ContainsFunc(all, func(f Found) bool { return f.Key == address }) {
			all = append(all, s.found())
		}
	}
	return all
}

// Close ends the search.
func (c *Cluster) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = true
	c.add, c.remove = func(Found) {}, func(string) {}
	if c.timer != nil {
		c.timer.Stop()
	}
}

func (s *slot) found() Found { return Found{s.key, s.address, s.dial} }

// dial makes the worker of a slot, the first or one after another.
func (s *slot) dial(emit api.Emitter) (api.Worker, error) {
	c := s.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.seed && s.name != "" && c.rows[s.name] == nil {
		s.was = s.name
		c.rename(s, "")
	}
	w, err := Dial(Options{
		Address: s.address, TLS: c.options.TLS, Opening: c.options.Opening, Emit: emit, LogLine: c.options.LogLine, Log: c.options.Log,
		Others: s.others, Peer: s.handlePeer, Nodes: s.handleNodes,
	})
	if err != nil {
		return nil, err
	}
	c.forget(s)
	s.worker = w
	go func() {
		<-w.Done()
		s.handleEnd(w)
	}()
	return w, nil
}

// others returns where the node is now, as others tell.
func (s *slot) others() []string {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	h := s.cluster.rows[s.name]
	if h == nil {
		return nil
	}
	return []string{AddressOf(h.row.Node, IsLocal(s.address))}
}

// handlePeer takes the name of the node at the other end of a connection.
func (s *slot) handlePeer(name string) error {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	return s.identify(name)
}

// identify takes the node's name. Each node has one slot, and stays in it.
func (s *slot) identify(name string) error {
	c := s.cluster
	switch other := c.byName[name]; {
	case s.name == name:
		return nil
	case s.name != "":
		return fmt.Errorf("this is node %s, not %s", name, s.name)
	case other != nil:
		return fmt.Errorf("node %s is reached as %s already", name, other.key)
	}
	s.was = ""
	c.rename(s, name)
	if c.add != nil && c.allKnown() {
		c.begin()
	}
	return nil
}

// handleNodes takes what the node tells, and says whether it is to tell of others.
func (s *slot) handleNodes(self string, others bool, rows []membership.Row) (watch bool) {
	c := s.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.identify(self) != nil {
		return false // of one that is reached by a unix socket and otherwise, too: the other session tells the same
	}
	s.knows = s.knows || others
	s.take(rows)
	return c.appoint(s)
}

// appoint reports whether a node is one more that is to tell of others.
func (c *Cluster) appoint(s *slot) bool {
	tellers := 0
	for _, other := range c.slots {
		if other.teller {
			tellers++
		}
	}
	if s.teller || !s.knows || tellers >= maxTellers {
		return false
	}
	s.teller = true
	return true
}

// take takes what a node tells of others.
func (s *slot) take(rows []membership.Row) {
	c := s.cluster
	if s.told == nil {
		s.told = map[string]bool{}
	}
	for _, r := range rows {
		if r.Condition == membership.Gone {
			c.withdraw(s, r.Name)
			continue
		}
		s.told[r.Name] = true
		h := c.rows[r.Name]
		if h == nil {
			h = &hint{tellers: map[*slot]bool{}}
			c.rows[r.Name] = h
		}
		h.tellers[s] = true
		if len(h.tellers) == 1 || r.Condition == membership.Alive || h.row.Condition != membership.Alive {
			h.row = r
		}
		c.enter(r.Name)
	}
	c.removeGone()
}

// handleEnd takes the end of the slot's worker.
func (s *slot) handleEnd(w *Worker) {
	if errors.Is(w.Err(), api.ErrClosed) {
		return
	}
	for _, teller := range s.release(w) {
		teller.watch()
	}
}

// release takes a worker that has ended off its slot, unless there is another one by now, and returns those of nodes that are to tell in its
// place.
func (s *slot) release(w *Worker) (tellers []*Worker) {
	c := s.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.worker == w {
		s.worker = nil
		c.forget(s)
		c.removeGone()
	}
	for _, other := range c.slots {
		if other.worker != nil && c.appoint(other) {
			tellers = append(tellers, other.worker)
		}
	}
	return tellers
}

// forget forgets what a node has told.
func (c *Cluster) forget(s *slot) {
	for name := range s.told {
		c.withdraw(s, name)
	}
	s.told, s.knows, s.teller = nil, false, false
}

// withdraw takes note that a node does not tell of one of that name any more.
func (c *Cluster) withdraw(s *slot, name string) {
	delete(s.told, name)
	h := c.rows[name]
	if h == nil {
		return
	}
	if delete(h.tellers, s); len(h.tellers) == 0 {
		delete(c.rows, name)
	}
}

func (c *Cluster) rename(s *slot, name string) {
	if c.byName[s.name] == s {
		delete(c.byName, s.name)
	}
	if s.name = name; name != "" {
		c.byName[name] = s
	}
}

// allKnown reports whether it is known of all seeds which nodes they are.
func (c *Cluster) allKnown() bool {
	for _, s := range c.slots {
		if s.seed && s.name == "" {
			return false
		}
	}
	return true
}

// begin adds the nodes that were told of, and from now on those that are.
func (c *Cluster) begin() {
	c.ready = true
	for _, name := range slices.Sorted(maps.Keys(c.rows)) {
		c.enter(name)
	}
}

// enter gives a node a slot if it has none, and takes note of its address. One that was a seed's is that seed's again.
func (c *Cluster) enter(name string) {
	for _, s := range c.slots {
		if c.byName[name] == nil && s.was == name {
			s.was = ""
			c.rename(s, name)
		}
	}
	s, address := c.byName[name], c.rows[name].address(c.byName[name])
	switch {
	case !c.ready || s != nil && (s.seed || s.address == address):
		return
	case address == "" || c.options.TLS == nil && !IsLocal(address):
		return // it cannot be reached from here
	case s == nil:
		s = &slot{cluster: c, key: name}
		c.slots[name] = s
		c.rename(s, name)
		c.options.Log.Info("a node of the cluster is found", "node", name, "address", address)
	}
	s.address = address
	c.add(s.found())
}

// address returns how the node is reached: as before if it has a slot, else by a unix socket only if one that tells of it is.
func (h *hint) address(s *slot) string {
	local := s != nil && IsLocal(s.address)
	for teller := range h.tellers {
		local = local || s == nil && IsLocal(teller.address)
	}
	return AddressOf(h.row.Node, local)
}

// removeGone removes nodes of which no other tells any more and that have no session. If none tells anything, all stay.
func (c *Cluster) removeGone() {
	if len(c.rows) == 0 || !c.ready {
		return
	}
	for key, s := range c.slots {
		if s.seed || c.rows[s.name] != nil || s.worker != nil && s.worker.opened.Load() {
			continue
		}
		delete(c.slots, key)
		c.rename(s, "")
		c.options.Log.Info("a node has left the cluster", "node", key)
		c.remove(key)
	}
}
