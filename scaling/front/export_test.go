package front

import (
	"slices"

	"gazpacho/engine/api"
)

// PipeStats returns what the pipe consumers of all relays have sent.
func (f *Front) PipeStats() (all []*api.ConsumerGetStatsResponse) {
	done := make(chan struct{})
	f.inbox.put(item{do: func() {
		part := join(len(f.hidden)+1, func() { close(done) })
		for id, h := range f.hidden {
			r, ok := h.(*relay)
			if !ok {
				part()
				continue
			}
			r.near().node.ask(api.MethodConsumerGetStats, id, nil, func(body api.ResponseBody, _ error) {
				if stats, ok := body.(*api.ConsumerGetStatsResponse); ok {
					all = append(all, stats)
				}
				part()
			})
		}
		part()
	}})
	<-done
	return all
}

// Do runs a function as the control goroutine, and returns when it has.
func (f *Front) Do(do func()) {
	done := make(chan struct{})
	f.inbox.put(item{do: func() { do(); close(done) }})
	<-done
}

// Hidden returns how many objects of the front's own there are, by what they are.
func (f *Front) Hidden() (ids []string) {
	f.Do(func() {
		for id := range f.hidden {
			ids = append(ids, id)
		}
	})
	return ids
}

// Break has the front told that one of its pipes is out of service.
func (f *Front) Break(event api.Event) {
	f.Do(func() {
		for _, h := range f.hidden {
			if p, ok := h.(*pair); ok {
				f.handleEvent(p.ends[0].node, &api.Notification{HandlerID: p.ends[0].id, Event: event})
				return
			}
		}
	})
}

// Sources returns how each relay is fed: "node2: p1 from node1".
func (f *Front) Sources() (all []string) {
	f.Do(func() {
		for _, h := range f.hidden {
			if r, ok := h.(*relay); ok {
				all = append(all, r.node.name+": "+r.producer.id+" from "+r.near().node.name)
			}
		}
	})
	slices.Sort(all)
	return all
}

// Carried returns the highest encoding that a relay is sent.
func (f *Front) Carried(producer, node string) (highest int) {
	f.Do(func() {
		for _, h := range f.hidden {
			if r, ok := h.(*relay); ok && r.producer.id == producer && r.node.name == node {
				highest = r.carried
			}
		}
	})
	return highest
}

// Feeding returns the producers that a node feeds to others by relays, by its number from 0 on.
func (f *Front) Feeding(node int) (all []string) {
	f.Do(func() {
		for _, h := range f.hidden {
			if r, ok := h.(*relay); ok && r.source != nil && r.source.node.index == node+1 {
				all = append(all, r.producer.id)
			}
		}
	})
	return all
}

// Hears has a node tell, of all its pipes to another one, whether it hears that. Both are numbers of nodes, from 0 on.
func (f *Front) Hears(here, there int, hears bool) {
	event := api.EventPipeTransportSilent
	if hears {
		event = api.EventPipeTransportHeard
	}
	f.Do(func() {
		a, b := f.nodes()[here], f.nodes()[there]
		for _, r := range f.routers {
			if p := r.pairs[inOrder(a, b)]; p != nil {
				e, _ := p.at(a)
				f.handleEvent(a, &api.Notification{HandlerID: e.id, Event: event})
			}
		}
	})
}

// HasEnd reports whether a hidden id is that of a pipe's end on a node, by its number from 0 on.
func (f *Front) HasEnd(node int, id string) (has bool) {
	f.Do(func() {
		if p, ok := f.hidden[id].(*pair); ok {
			has = slices.ContainsFunc(p.ends[:], func(e *end) bool { return e.id == id && e.node.index == node+1 })
		}
	})
	return has
}

// Cut reports whether the front knows that two nodes do not reach each other. They are numbers from 0 on.
func (f *Front) Cut(a, b int) (cut bool) {
	f.Do(func() { cut = f.severed(f.nodes()[a], f.nodes()[b]) })
	return cut
}

// NodesOf returns on how many nodes a WebRtcServer is.
func (f *Front) NodesOf(id string) (n int) {
	f.Do(func() { n = len(f.objects[id].(*server).nodes) })
	return n
}

// Tell has the front told something by one of its nodes.
func (f *Front) Tell(node int, e *api.Notification) { f.nodes()[node].emit(e) }

// Away returns what waits for a node: ids of objects that may come back, "node" for nodes that have ended, "returning" for those that
// have not answered yet, "router" for Routers that are being restored.
func (f *Front) Away() (all []string) {
	f.Do(func() {
		for _, n := range f.nodes() {
			switch {
			case n.gone != nil:
				all = append(all, "node")
			case n.returning:
				all = append(all, "returning")
			}
		}
		for id, o := range f.objects {
			e := o.base()
			switch o := o.(type) {
			case *router:
				if o.reconciling {
					all = append(all, "router")
				}
			case *transport:
				if e.node.gone != nil && !e.lost {
					all = append(all, id)
				}
			case *consumer:
				if o.missing() {
					all = append(all, id)
				}
			case *dataConsumer:
				if o.missing() {
					all = append(all, id)
				}
			}
		}
	})
	return all
}

// Item is an object of the application as the front knows it.
type Item struct {
	ID, Router          string
	Dump                api.Method // 0 for an RtpObserver, which has none
	Node                int        // 0 for the front's own engine, -1 for none
	Transport, Producer string     // that it belongs to, and that it consumes
	Watched             []string   // producers, by an RtpObserver
}

// Inventory returns all objects but Routers and WebRtcServers.
func (f *Front) Inventory() (all []Item) {
	f.Do(func() {
		for id, o := range f.objects {
			e := o.base()
			i := Item{ID: id, Node: -1}
			if e.router != nil {
				i.Router = e.router.id
			}
			if e.node != nil && e.node.gone == nil {
				i.Node = e.node.index
			}
			switch o := o.(type) {
			case *transport:
				i.Dump, i.Transport = api.MethodTransportDump, id
			case *producer:
				i.Dump, i.Transport = api.MethodProducerDump, o.transport.id
			case *consumer:
				i.Dump, i.Transport, i.Producer = api.MethodConsumerDump, o.transport.id, o.producer.id
			case *dataProducer:
				i.Dump, i.Transport = api.MethodDataProducerDump, o.transport.id
			case *dataConsumer:
				i.Dump, i.Transport, i.Producer = api.MethodDataConsumerDump, o.transport.id, o.producer.id
			case *observer:
				i.Watched = ids(o.producers)
			default:
				continue
			}
			all = append(all, i)
		}
	})
	return all
}

// Nodes returns the names of the nodes.
func (f *Front) Nodes() (names []string) {
	f.Do(func() {
		for _, n := range f.nodes() {
			names = append(names, n.name)
		}
	})
	return names
}

// Unanswered returns how many requests nodes have not answered yet.
func (f *Front) Unanswered() (all int) {
	f.Do(func() {
		for _, n := range append(slices.Clone(f.nodes()), f.own) {
			all += len(n.calls)
		}
		for _, h := range f.homes {
			all += len(h.node.calls)
		}
	})
	return all
}

// Homes returns the names of the homes of imports.
func (f *Front) Homes() (all []string) {
	f.Do(func() {
		for _, h := range f.homes {
			all = append(all, h.node.name+" "+h.key)
		}
	})
	return all
}
