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
	// refusals is how often nodes have refused it. One that has is asked once more if it is the best again, by what it told with its
	// refusal: then for an answer whatever its load.
	refusals map[*node]int
}

// next returns the best node, nil for none, and the load below which it is to take the transport, 0 for any. wait is what to wait for
// before asking again.
func (s *search) next() (n *node, below float64, wait *gate) {
	if s.server != nil && s.server.creating {
		return nil, 0, &s.server.made
	}
	nodes := slices.DeleteFunc(s.eligible(), func(n *node) bool { return s.refusals[n] > 1 })
	f := s.router.lane.front
	if len(nodes) == 1 && nodes[0] == f.own {
		return f.own, 0, nil // whatever its load
	}
	i, below := f.options.Placement.Best(s.router.known(nodes))
	if i < 0 {
		return nil, 0, nil
	}
	n = nodes[i]
	switch {
	case s.server == nil || slices.Contains(s.server.nodes, n):
	case s.server.asked[n] != nil:
		return nil, 0, s.server.asked[n]
	default:
		return nil, 0, s.server.extend(n)
	}
	if s.refusals[n] > 0 {
		below = 0
	}
	return n, below, nil
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

// limited returns the body of a request for a transport that the node is to refuse from a load on.
func limited(body api.RequestBody, below float64) api.RequestBody {
	if below == 0 {
		return body
	}
	switch b := body.(type) {
	case *api.RouterCreatePlainTransportRequest:
		with, options := *b, *b.Options
		options.Base, with.Options = limitedBase(options.Base, below), &options
		return &with
	case *api.RouterCreatePipeTransportRequest:
		with, options := *b, *b.Options
		options.Base, with.Options = limitedBase(options.Base, below), &options
		return &with
	}
	b := body.(*api.RouterCreateWebRtcTransportRequest) // a DirectTransport has no limit
	with, options := *b, *b.Options
	options.Base, with.Options = limitedBase(options.Base, below), &options
	return &with
}

func limitedBase(base *api.TransportOptions, below float64) *api.TransportOptions {
	with := *base
	with.LoadLimit = uint8(below*100 + 0.5)
	return &with
}
