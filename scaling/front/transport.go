package front

import (
	"errors"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/scaling/placement"
)

// transport is a transport of the application.
type transport struct {
	entry
	create    *api.Request
	told      told
	webRtc    bool
	dtlsBegun bool    // the handshake, or its keys: they end with the node
	server    *server // whose ports it uses, else nil
	producers []*producer
	consumers []*consumer

	dataProducers []*dataProducer
	dataConsumers []*dataConsumer
}

// wanted is what decides about the place of a new transport.
type wanted struct {
	transportID string
	own         bool   // on the front's own engine
	sameHost    bool   // on the application's host: its addresses are loopback ones
	webRtc      bool   // a WebRtcTransport
	serverID    string // on the ports of a WebRtcServer
}

// wantedOf reads a request that creates a transport.
func wantedOf(req *api.Request) (w wanted, err error) {
	switch req.Method {
	case api.MethodRouterCreatePlainTransport:
		body, err := api.BodyOf[api.RouterCreatePlainTransportRequest](req)
		if err != nil {
			return w, err
		}
		return wanted{transportID: body.TransportID, sameHost: isLoopback(body.Options.ListenInfo.IP)}, nil
	case api.MethodRouterCreatePipeTransport:
		body, err := api.BodyOf[api.RouterCreatePipeTransportRequest](req)
		if err != nil {
			return w, err
		}
		// Without SRTP by default, such a pipe must not leave the host; its other end may be another worker of the application.
		return wanted{transportID: body.TransportID, own: isLoopback(body.Options.ListenInfo.IP)}, nil
	case api.MethodRouterCreateDirectTransport:
		body, err := api.BodyOf[api.RouterCreateDirectTransportRequest](req)
		if err != nil {
			return w, err
		}
		return wanted{transportID: body.TransportID, own: true}, nil
	default:
		body, err := api.BodyOf[api.RouterCreateWebRtcTransportRequest](req)
		if err != nil {
			return w, err
		}
		w = wanted{transportID: body.TransportID, webRtc: true}
		switch listen := body.Options.Listen.(type) {
		case *api.ListenServer:
			if req.Method == api.MethodRouterCreateWebRtcTransportWithServer {
				w.serverID = listen.WebRtcServerID
			}
		case *api.ListenIndividual:
			w.sameHost = anyLoopback(listen.ListenInfos)
		}
		return w, nil
	}
}

func createTransport(o *operation, r *router) *gate {
	want, err := wantedOf(o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	wait, err := f.checkID(want.transportID, func(obj object) bool {
		return slices.ContainsFunc(r.transports, func(t *transport) bool { return t == obj })
	},
		"a Transport with same id", o.req.Method)
	if wait != nil || err != nil {
		return o.waitOrRefuse(wait, err)
	}
	server, _ := f.objects[want.serverID].(*server)
	search := &search{router: r, want: want, server: server}
	n, terms, wait := search.next()
	if wait != nil {
		return wait
	}
	t := &transport{
		entry: entry{id: want.transportID, router: r, creating: true}, create: o.req, webRtc: want.webRtc, server: server,
	}
	o.enter(t)
	r.transports = append(r.transports, t)
	if server != nil {
		server.transports = append(server.transports, t)
	}
	t.tryCreate(o, search, n, terms)
	return nil
}

// tryCreate asks a node for the transport, and others in turn as long as nodes are busy, or end before they answer. The node is nil if
// there is none.
func (t *transport) tryCreate(o *operation, search *search, n *node, terms placement.Terms) {
	if n == nil && search.lost != nil {
		t.refused(o, search.lost)
		return
	}
	if n == nil {
		t.front().log.Error("capacity short: no node can take a transport", "routerId", t.router.id, "transportId", t.id)
		t.front().counters.Short++
		t.refused(o, api.Errorf("capacity short: no node can take the transport [method:%s]", o.req.Method.Name()))
		return
	}
	t.node = n
	t.router.on(n)
	n.transports++
	n.asked++
	c := n.ask(o.req.Method, o.req.HandlerID, on(terms, o.req.Body), func(body api.ResponseBody, err error) {
		n.asked--
		switch {
		case errors.Is(err, placement.ErrBusy) && !t.closed:
			t.comeOff(n)
			t.router.leaveUnused(n)
			search.refused = append(search.refused, n)
			t.front().counters.Busy++
			t.tryNext(o, search)
		case err != nil && n.ended() && !t.closed:
			t.comeOff(n)
			search.lost = err
			t.tryNext(o, search)
		case err != nil:
			t.refused(o, err)
		default:
			t.front().counters.Transports[n.name]++
			t.told = toldBy(body)
			o.answer(body, nil)
			t.front().settle(t)
		}
	})
	c.late = func() {
		n.tell(api.MethodRouterCloseTransport, t.router.id, &api.RouterCloseTransportRequest{TransportID: t.id})
	}
}

// comeOff takes the transport off a node that has not made it.
func (t *transport) comeOff(n *node) {
	n.transports--
	t.node = nil
}

// tryNext asks the next best node.
func (t *transport) tryNext(o *operation, search *search) {
	if t.closed {
		t.refused(o, api.Errorf("the Router was closed meanwhile [method:%s]", o.req.Method.Name()))
		return
	}
	n, terms, wait := search.next()
	if wait != nil {
		wait.then(func() { t.tryNext(o, search) })
		return
	}
	t.tryCreate(o, search, n, terms)
}

func (t *transport) refused(o *operation, err error) {
	t.forget()
	o.refuse(err)
}

func (t *transport) front() *Front { return t.router.lane.front }

// forget removes the transport and what it holds from the tables. Nobody is told, and relays of its producers stay as they are.
func (t *transport) forget() {
	if t.closed {
		return
	}
	f := t.front()
	for _, p := range t.producers {
		f.remove(p)
	}
	for _, c := range t.consumers {
		f.remove(c)
	}
	for _, p := range t.dataProducers {
		f.remove(p)
	}
	for _, c := range t.dataConsumers {
		f.remove(c)
	}
	f.remove(t)
	if t.node != nil {
		t.node.transports--
	}
	t.router.transports = without(t.router.transports, t)
	if t.server != nil {
		t.server.transports = without(t.server.transports, t)
	}
}

func closeTransport(o *operation, r *router) *gate {
	body, err := api.BodyOf[api.RouterCloseTransportRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	t, ok := o.front.objects[body.TransportID].(*transport)
	if !ok || t.router != r {
		return o.refuse(api.NotFoundErrorf("Transport not found [method:router.closeTransport]"))
	}
	if t.creating {
		return &t.made
	}
	n := t.node
	t.close()
	return o.passClose(n)
}

// passClose has a node close what the tables have forgotten already: that always succeeds.
func (o *operation) passClose(n *node) *gate {
	n.ask(o.req.Method, o.req.HandlerID, o.req.Body, func(api.ResponseBody, error) { o.answer(nil, nil) })
	return nil
}

// close closes what the transport holds, and forgets it. Its node is told by the caller.
func (t *transport) close() {
	for _, p := range slices.Clone(t.producers) {
		p.close()
	}
	for _, c := range slices.Clone(t.consumers) {
		c.forget()
	}
	for _, p := range slices.Clone(t.dataProducers) {
		p.close()
	}
	for _, c := range slices.Clone(t.dataConsumers) {
		c.forget()
	}
	t.forget()
}
