package front

import "slices"

// AddNode adds a node, by its name. If there is one of that name, it is as the options say from its next worker on; one that was removed
// comes back.
func (f *Front) AddNode(o NodeOptions) { f.inbox.put(item{do: func() { f.addNode(o) }}) }

// RemoveNode closes the worker of a node, which is not expected to come back: what it holds is treated as that of a node that ends.
func (f *Front) RemoveNode(name string) { f.inbox.put(item{do: func() { f.removeNode(name) }}) }

func (f *Front) addNode(o NodeOptions) {
	f.dropRemoved()
	if n := f.nodeNamed(o.Name); n != nil {
		n.options, n.removed = o, false
		if n.gone != nil {
			f.revive(n)
		}
		return
	}
	n, err := f.newNode(o)
	if err != nil {
		f.log.Error("a node cannot be added", "node", o.Name, "error", err)
		return
	}
	f.enterNode(n)
}

// enterNode puts a new node at the end of the list.
func (f *Front) enterNode(n *node) {
	f.lastIndex++
	n.index = f.lastIndex
	f.setNodes(append(slices.Clone(f.nodes()), n))
}

func (f *Front) removeNode(name string) {
	if n := f.nodeNamed(name); n != nil {
		n.removed = true
		n.worker.Close()
	}
	f.dropRemoved()
}

// dropRemoved takes removed nodes off the list of which nothing is left that may come back.
func (f *Front) dropRemoved() {
	f.setNodes(slices.DeleteFunc(slices.Clone(f.nodes()), func(n *node) bool {
		return n.removed && n.gone != nil && !f.mayReturnTo(n)
	}))
}

// mayReturnTo reports whether there are transports that belong on a node.
func (f *Front) mayReturnTo(n *node) bool {
	return slices.ContainsFunc(f.routers, func(r *router) bool {
		return slices.ContainsFunc(r.transports, func(t *transport) bool { return t.node != nil && t.node.index == n.index })
	})
}

func (f *Front) nodeNamed(name string) *node {
	return f.nodeWhere(func(n *node) bool { return n.name == name })
}

// nodeWhere returns the present node of which something holds, nil if there is none.
func (f *Front) nodeWhere(holds func(n *node) bool) *node {
	if i := slices.IndexFunc(f.nodes(), holds); i >= 0 {
		return f.nodes()[i]
	}
	return nil
}
