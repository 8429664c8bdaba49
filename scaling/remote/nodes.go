package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/reach"
)

// Chosen here.
const (
	// rowsAtOnce is how many nodes a front is told of in one message: the longest rows fit.
	rowsAtOnce = 256
	// askedAtOnce is how many nodes one that is asked for the status of all asks at once.
	askedAtOnce = 32
)

// nodeList is what a node tells fronts of the cluster: its name, and whether it knows others. To those that watch it tells all others, and
// then what changes.
type nodeList struct {
	Self   string           `json:"self"`
	Others bool             `json:"others,omitempty"`
	Rows   []membership.Row `json:"rows,omitempty"`
}

// table is what the server knows of the cluster's nodes, itself included. It is empty for a node by itself.
type table struct {
	mu      sync.Mutex
	rows    map[string]versionedRow
	version uint64
}

// versionedRow is a row with the version of the table in which it became so.
type versionedRow struct {
	membership.Row
	version uint64
}

// isEmpty reports whether nothing is known.
func (t *table) isEmpty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rows) == 0
}

// since returns the rows that have changed since a version of the table, and the present version.
func (t *table) since(version uint64) (rows []membership.Row, now uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.rows {
		if r.version > version && (version > 0 || r.Condition != membership.Gone) {
			rows = append(rows, r.Row)
		}
	}
	slices.SortFunc(rows, func(a, b membership.Row) int { return strings.Compare(a.Name, b.Name) })
	return rows, t.version
}

// HandleNodes takes rows of the cluster's table that have changed, and tells the fronts that watch. One goroutine calls it.
func (s *Server) HandleNodes(rows []membership.Row) {
	t := &s.table
	t.mu.Lock()
	if t.rows == nil {
		t.rows = map[string]versionedRow{}
	}
	t.version++
	for _, r := range rows {
		t.rows[r.Name] = versionedRow{r, t.version}
	}
	t.mu.Unlock()
	s.index.setMembers(t.alive(s.options.Name))
	for _, g := range s.all() {
		g.tellNewNodes()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range rows { // fronts that come later do not hear of those that are gone
		if r.Condition == membership.Gone {
			delete(t.rows, r.Name)
		}
	}
}

// tellSelf tells a front that has just opened its worker whose it is.
func (g *guest) tellSelf(page int) {
	g.turn(func(unit.Time) {
		if page == g.live {
			g.watches = false
			g.introduce()
		}
	})
}

// introduce tells the front who the node is. The lock is held.
func (g *guest) introduce() {
	g.toldOthers = !g.server.table.isEmpty()
	g.send(g.live, encodeControl(control{Nodes: &nodeList{Self: g.server.options.Name, Others: g.toldOthers}}))
}

// watch has the front told of the cluster from now on.
func (g *guest) watch() {
	page := g.current
	g.turn(func(unit.Time) {
		if page == g.live {
			g.watches, g.toldNodes = true, 0
			g.tellNews()
		}
	})
}

// tellNewNodes tells the front what has changed, or that there is something to watch now.
func (g *guest) tellNewNodes() {
	g.turn(func(unit.Time) {
		switch {
		case g.loader == nil:
		case g.watches:
			g.tellNews()
		case !g.toldOthers:
			g.introduce()
		}
	})
}

// tellNews tells the front what it does not know yet. The lock is held.
func (g *guest) tellNews() {
	var rows []membership.Row
	rows, g.toldNodes = g.server.table.since(g.toldNodes)
	for part := range slices.Chunk(rows, rowsAtOnce) {
		g.send(g.live, encodeControl(control{Nodes: &nodeList{g.server.options.Name, true, part}}))
	}
}

// NodeStatus is a node as the cluster sees it, and what it tells of itself.
type NodeStatus struct {
	membership.Row
	Status *Status `json:"status,omitempty"`
	Error  string  `json:"error,omitempty"` // why it told nothing
}

// clusterStatus asks all nodes, itself included.
func (s *Server) clusterStatus() []NodeStatus {
	rows := s.members()
	all := make([]NodeStatus, len(rows))
	s.askEach(rows, func(i int, r membership.Row) { all[i] = s.statusOf(r) })
	return all
}

// askEach calls ask with each node, several at once, and returns when it has all answers.
func (s *Server) askEach(rows []membership.Row, ask func(i int, r membership.Row)) {
	slots := make(chan struct{}, askedAtOnce)
	var asking sync.WaitGroup
	for i, r := range rows {
		asking.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ask(i, r)
		})
	}
	asking.Wait()
}

// SetMembers makes the node a part of a cluster, of which members returns all nodes, this one included.
func (s *Server) SetMembers(members func() []membership.Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = members
}

// SetUnheard has the node tell which live nodes' UDP does not arrive here.
func (s *Server) SetUnheard(unheard func() []reach.Unheard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unheard = unheard
}

func (s *Server) unheardNodes() []reach.Unheard {
	s.mu.Lock()
	unheard := s.unheard
	s.mu.Unlock()
	if unheard == nil {
		return nil
	}
	return unheard()
}

// members returns all nodes that are known.
func (s *Server) members() []membership.Row {
	s.mu.Lock()
	rows := s.rows
	s.mu.Unlock()
	if rows == nil {
		self := membership.Node{Name: s.options.Name, Labels: s.options.Labels.All(), Draining: s.Draining(), Watermark: s.options.Watermark, Load: s.Load()}
		return []membership.Row{{Node: self, Condition: membership.Alive}}
	}
	return rows()
}

func (s *Server) statusOf(r membership.Row) NodeStatus {
	if r.Name == s.options.Name {
		own := s.Status()
		return NodeStatus{Row: r, Status: &own}
	}
	b, err := s.askNode(r, queryStatus, connectTime)
	var st Status
	if err == nil {
		err = json.Unmarshal(b, &st)
	}
	if err != nil {
		return NodeStatus{Row: r, Error: err.Error()}
	}
	return NodeStatus{Row: r, Status: &st}
}

// askNode asks another node something.
func (s *Server) askNode(r membership.Row, query string, limit time.Duration) ([]byte, error) {
	address := AddressOf(r.Node, true)
	if address == "" {
		return nil, fmt.Errorf("node %s has no address that can be reached from here", r.Name)
	}
	return ask(context.Background(), address, s.options.Nodes, query, limit)
}

// drainReply answers the query that has a node drain, or take new transports again. It is passed on to the node that it is about.
func (s *Server) drainReply(query string, who identity.Identity) (string, error) {
	word, name, _ := strings.Cut(query, " ")
	if name == s.options.Name {
		s.order(word == queryDrain)
		return fmt.Sprintf("node %s: %s", name, word), nil
	}
	rows := s.members()
	i := slices.IndexFunc(rows, func(r membership.Row) bool { return r.Name == name })
	if i < 0 || who.Role == identity.Node { // which asks only whom it is about
		return "", fmt.Errorf("there is no node %q here", name)
	}
	b, err := s.askNode(rows[i], query, connectTime)
	return string(b), err
}

// AddressOf returns the address by which a node can be reached from this host, empty for none. A unix socket is used only if sockets
// says so, and if it is on this host and there.
func AddressOf(n membership.Node, sockets bool) string {
	for _, a := range n.Addresses {
		if !IsLocal(a) {
			continue
		}
		_, path, err := SplitAddress(a)
		if _, statErr := os.Stat(path); sockets && err == nil && statErr == nil && n.Host != "" && n.Host == HostID() {
			return a
		}
	}
	for _, a := range n.Addresses {
		if _, _, err := SplitAddress(a); err == nil && !IsLocal(a) {
			return a
		}
	}
	return ""
}
