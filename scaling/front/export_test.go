package front

import "gazpacho/engine/api"

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
			r.home().node.ask(api.MethodConsumerGetStats, id, nil, func(body api.ResponseBody, _ error) {
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
		for id, h := range f.hidden {
			if p, ok := h.(*pair); ok {
				f.handleEvent(p.ends[0].node, &api.Notification{HandlerID: id, Event: event})
				return
			}
		}
	})
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
