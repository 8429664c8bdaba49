package front

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/scaling/placement"
)

// search looks for the node for a transport, again for each that refuses it as busy.
type search struct {
	router *router
	want   wanted
	server *server // whose ports the transport uses, else nil
	// refused are the nodes that have refused it. When there is no other one left, each is asked once more, for an answer whatever its
	// load: by then, fronts may have asked for more than there was room for, but for less than what nodes can do.
	refused []*node
	again   bool
	// lost is with what the last node refused it that ended before it answered; nil for none. What it had made of it ended, too.
	lost error
}

// next returns the best node, nil for none, and the terms on which it is to take the transport. wait is what to wait for before asking
// again.
func (s *search) next() (n *node, terms placement.Terms, wait *gate) {
	if s.server != nil && s.server.creating {
		return nil, terms, &s.server.made
	}
	f := s.router.lane.front
	nodes := slices.DeleteFunc(s.eligible(), func(n *node) bool { return n.ended() || slices.Contains(s.refused, n) })
	if len(nodes) == 1 && nodes[0] == f.own {
		return f.own, terms, nil // whatever its load
	}
	i, terms := f.options.Placement.Best(s.router.known(nodes))
	switch {
	case i < 0 && !s.again && len(s.refused) > 0:
		s.refused, s.again = nil, true
		return s.next()
	case i < 0:
		return nil, terms, nil
	case s.again:
		terms = placement.Terms{}
	}
	n = nodes[i]
	if s.server == nil || slices.Contains(s.server.nodes, n) {
		return n, terms, nil
	}
	if wait = s.server.asked[n]; wait == nil {
		wait = s.server.extend(n)
	}
	return nil, terms, wait
}

// eligible returns the nodes that the transport may be on. A WebRtcServer narrows them to those that do not refuse it.
func (s *search) eligible() (nodes []*node) {
	nodes = s.router.lane.front.carriers(s.want)
	if s.server == nil {
		return nodes
	}
	nodes = slices.DeleteFunc(nodes, func(n *node) bool { return s.server.refused[n] })
	if len(nodes) > 0 {
		return nodes
	}
	return slices.DeleteFunc(slices.Clone(s.server.nodes), func(n *node) bool { return n.gone != nil }) // that would not have been chosen
}

// carriers returns the nodes that something may be placed on: those that are reached, else those that may be some time.
func (f *Front) carriers(want wanted) (nodes []*node) {
	var silent []*node
	if !want.own {
		for _, n := range f.nodes() {
			switch {
			case n.gone != nil || !n.sameHost && want.sameHost:
			case n.available():
				nodes = append(nodes, n)
			default:
				silent = append(silent, n)
			}
		}
	}
	if len(nodes) == 0 {
		nodes = silent
	}
	if len(nodes) == 0 && (want.own || want.sameHost || len(f.nodes()) == 0) {
		nodes = append(nodes, f.own)
	}
	return nodes
}

// forObserver returns the node for an RtpObserver, nil for none. It is not refused for load: then it goes where most of the Router is.
func (r *router) forObserver() *node {
	s := search{router: r}
	if n, _, _ := s.next(); n != nil {
		return n
	}
	nodes := slices.DeleteFunc(s.eligible(), func(n *node) bool { return n.state().Draining })
	if len(nodes) == 0 {
		return nil
	}
	return slices.MaxFunc(nodes, func(a, b *node) int { return r.count(a) - r.count(b) })
}

// known returns what a policy has to know of nodes to place something of the Router.
func (r *router) known(nodes []*node) []placement.Node {
	known := make([]placement.Node, len(nodes))
	for i, n := range nodes {
		known[i] = placement.Node{State: n.state(), Transports: r.count(n), All: n.transports, Asked: n.asked}
	}
	return known
}

// count returns how many of the Router's transports are on a node.
func (r *router) count(n *node) (count int) {
	if !r.nodes[n] {
		return 0
	}
	for _, t := range r.transports {
		if t.node == n {
			count++
		}
	}
	return count
}

// leaveUnused closes the Router on a node that has refused its first transport there: it counts for a node's load that it has come.
func (r *router) leaveUnused(n *node) {
	uses := func(o *observer) bool { return o.node == n }
	for key := range r.pairs {
		if slices.Contains(key[:], n) {
			return
		}
	}
	if r.dataEnds[n] != "" || r.count(n) > 0 || slices.ContainsFunc(r.observers, uses) {
		return
	}
	delete(r.nodes, n)
	n.tell(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: r.id})
}

// on returns the body of a request for a transport with the terms on which a node is to take it.
func on(terms placement.Terms, body api.RequestBody) api.RequestBody {
	if terms.Below == 0 {
		return body
	}
	base := func(b *api.TransportOptions) *api.TransportOptions {
		with := *b
		with.LoadLimit, with.LoadReserved = uint8(terms.Below*100+0.5), terms.New
		return &with
	}
	switch b := body.(type) {
	case *api.RouterCreatePlainTransportRequest:
		with, options := *b, *b.Options
		options.Base, with.Options = base(options.Base), &options
		return &with
	case *api.RouterCreatePipeTransportRequest:
		with, options := *b, *b.Options
		options.Base, with.Options = base(options.Base), &options
		return &with
	}
	b := body.(*api.RouterCreateWebRtcTransportRequest) // a DirectTransport is taken anyway
	with, options := *b, *b.Options
	options.Base, with.Options = base(options.Base), &options
	return &with
}
