// Package router holds the routing tables of one worker: which transports a router has, which producers they receive, what
// consumes them, and on which shard each lives. It carries out the requests of the protocol.
//
// The tables belong to the worker's control loop: requests come one after the other, and no shard calls anything here. So there
// is no lock. To act on a transport a request runs a function in the turn of the transport's shard (transportEntry.do); it never
// holds two turns. Media flows past the tables, through package runner.
package router

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/runner"
)

// Router is one mediasoup router.
type Router struct {
	id            string
	scope         *Scope
	placement     runner.Placement
	transports    Table[*transportEntry]
	producers     map[string]*producerEntry
	dataProducers map[string]*dataProducerEntry
	rtpObservers  []*rtpObserverEntry
}

// New returns an empty router. The caller enters it into the scope.
func New(id string, scope *Scope) *Router {
	return &Router{
		id: id, scope: scope, placement: scope.runner.NewPlacement(),
		producers: map[string]*producerEntry{}, dataProducers: map[string]*dataProducerEntry{},
	}
}

// Close closes all that the router holds, without notifications.
func (r *Router) Close() {
	for _, m := range r.transports.All() {
		for _, p := range m.producers {
			r.scope.Remove(p.id)
		}
		for _, c := range m.consumers {
			r.scope.Remove(c.id)
		}
		for _, p := range m.dataProducers {
			r.scope.Remove(p.id)
		}
		for _, c := range m.dataConsumers {
			r.scope.Remove(c.id)
		}
		m.release()
	}
	for _, o := range r.rtpObservers {
		o.release()
	}
	r.transports, r.producers, r.dataProducers, r.rtpObservers = Table[*transportEntry]{}, nil, nil, nil
	r.scope.Remove(r.id)
}

// RouterID implements Handler.
func (r *Router) RouterID() string { return r.id }

// HandleNotification implements Handler; routers take none.
func (r *Router) HandleNotification(*api.Notification) (bool, error) { return false, nil }

// HandleRequest implements Handler.
func (r *Router) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	return routerMethods.Handle(r, req)
}

var routerMethods = Methods[*Router]{
	api.MethodRouterDump:                            NoBody((*Router).dump),
	api.MethodRouterCreatePlainTransport:            WithBody((*Router).createPlainTransport),
	api.MethodRouterCreatePipeTransport:             WithBody((*Router).createPipeTransport),
	api.MethodRouterCreateWebRtcTransport:           WithBody((*Router).createWebRtcTransport),
	api.MethodRouterCreateWebRtcTransportWithServer: WithBody((*Router).createWebRtcTransportWithServer),
	api.MethodRouterCreateDirectTransport:           WithBody((*Router).createDirectTransport),
	api.MethodRouterCloseTransport:                  WithBody((*Router).closeTransport),
	api.MethodRouterCreateActiveSpeakerObserver:     WithBody((*Router).createActiveSpeakerObserver),
	api.MethodRouterCreateAudioLevelObserver:        WithBody((*Router).createAudioLevelObserver),
	api.MethodRouterCloseRTPObserver:                WithBody((*Router).closeRTPObserver),
}

func (r *Router) closeTransport(req *api.RouterCloseTransportRequest) (api.ResponseBody, error) {
	m, ok := r.transports.Find(req.TransportID)
	if !ok {
		return nil, api.NotFoundErrorf("Transport not found [method:router.closeTransport]")
	}
	r.closeTransportEntry(m)
	return nil, nil
}

// closeTransportEntry closes a transport. The application is notified of the consumers of its producers, which close too.
func (r *Router) closeTransportEntry(m *transportEntry) {
	for _, p := range slices.Clone(m.producers) {
		p.close()
	}
	for _, c := range slices.Clone(m.consumers) {
		c.close()
	}
	for _, p := range slices.Clone(m.dataProducers) {
		p.close()
	}
	for _, c := range slices.Clone(m.dataConsumers) {
		c.close()
	}
	r.transports.Remove(m.id)
	m.release()
}

func (r *Router) dump() (*api.RouterDumpResponse, error) {
	d := &api.RouterDumpResponse{ID: r.id}
	for _, m := range r.transports.All() {
		d.TransportIDs = append(d.TransportIDs, m.id)
		for _, p := range m.producers {
			row := api.StringStringArray{Key: p.id}
			for _, c := range p.consumers {
				row.Values = append(row.Values, c.id)
			}
			d.MapProducerIDConsumerIDs = append(d.MapProducerIDConsumerIDs, row)
			observed := api.StringStringArray{Key: p.id}
			for _, o := range p.rtpObservers {
				observed.Values = append(observed.Values, o.id)
			}
			d.MapProducerIDObserverIDs = append(d.MapProducerIDObserverIDs, observed)
		}
		for _, c := range m.consumers {
			d.MapConsumerIDProducerID = append(d.MapConsumerIDProducerID, api.StringString{Key: c.id, Value: c.producer.id})
		}
	}
	r.dumpData(d)
	for _, o := range r.rtpObservers {
		d.RTPObserverIDs = append(d.RTPObserverIDs, o.id)
	}
	return d, nil
}

func (r *Router) dumpData(d *api.RouterDumpResponse) {
	for _, m := range r.transports.All() {
		for _, p := range m.dataProducers {
			row := api.StringStringArray{Key: p.id}
			for _, c := range p.consumers {
				row.Values = append(row.Values, c.id)
			}
			d.MapDataProducerIDDataConsumerIDs = append(d.MapDataProducerIDDataConsumerIDs, row)
		}
		for _, c := range m.dataConsumers {
			d.MapDataConsumerIDDataProducerID = append(d.MapDataConsumerIDDataProducerID,
				api.StringString{Key: c.id, Value: c.producer.id})
		}
	}
}
