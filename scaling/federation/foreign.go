package federation

import "gazpacho/engine/api"

// handleImport carries out a request that imports a producer, or that ends an import. It returns false for any other.
func (m *Member) handleImport(req *api.Request, reply func(api.ResponseBody, error)) bool {
	switch body := req.Body.(type) {
	case *api.WorkerCreateRouterRequest:
		if req.Method == api.MethodWorkerCreateRouter && body != nil && (body.ProducerID != "" || body.DataProducerID != "") {
			m.importProducer(body, reply)
			return true
		}
	case *api.WorkerCloseRouterRequest:
		if req.Method == api.MethodWorkerCloseRouter && body != nil && m.endImport(body.RouterID) {
			reply(nil, nil)
			return true
		}
	}
	return false
}

func (m *Member) importProducer(body *api.WorkerCreateRouterRequest, reply func(api.ResponseBody, error)) {
	wanted, dump := name{m.tenant, body.ProducerID, false}, api.MethodProducerDump
	if body.DataProducerID != "" {
		wanted, dump = name{m.tenant, body.DataProducerID, true}, api.MethodDataProducerDump
	}
	im, err := m.enterImport(body.RouterID, wanted)
	if err != nil {
		reply(nil, err)
		return
	}
	im.owner.ask(&api.Request{Method: dump, HandlerID: im.producer}, func(answer api.ResponseBody, err error) {
		if err != nil { // it is being closed, or was refused
			m.endImport(im.id)
			reply(nil, wanted.notFound())
			return
		}
		reply(im.described(answer), nil)
	})
}

func (n name) notFound() error {
	if n.data {
		return api.NotFoundErrorf("DataProducer with ID %s not found", n.id)
	}
	return api.NotFoundErrorf("Producer with ID %s not found", n.id)
}

// enterImport puts an import into the tables.
func (m *Member) enterImport(id string, wanted name) (*imported, error) {
	n := m.node
	n.mu.Lock()
	defer n.mu.Unlock()
	owner, producerID := n.producers[wanted], wanted.id
	switch {
	case owner == nil:
		return nil, wanted.notFound()
	case m.has(id):
		return nil, api.Errorf("Channel request handler with ID %s already exists", id)
	case m.left || len(m.imports) >= maxImports:
		return nil, api.Errorf("too many producers of other applications are used on this node")
	}
	im := &imported{by: m, id: id, owner: owner, data: wanted.data, producer: producerID, router: owner.objects.RouterOf(producerID)}
	m.imports[id] = im
	if owner.exports[producerID] == nil {
		owner.exports[producerID] = users{}
	}
	owner.exports[producerID][im] = struct{}{}
	return im, nil
}

// has reports whether the member's front uses an id. The lock is held.
func (m *Member) has(id string) bool {
	return m.imports[id] != nil || m.parts[id] != nil || m.objects.Has(id)
}

// endImport takes an import out of the tables. It returns false if there is none of that id.
func (m *Member) endImport(id string) bool {
	m.node.mu.Lock()
	defer m.node.mu.Unlock()
	im := m.imports[id]
	if im == nil {
		return false
	}
	im.unlink()
	delete(m.imports, id)
	return true
}

// described returns what the owner's worker tells of the producer, under the id that it has at the importer.
func (im *imported) described(answer api.ResponseBody) api.ResponseBody {
	if theirs, ok := answer.(*api.DataProducerDumpResponse); ok {
		told := *theirs
		told.ID, told.Home = im.id, im.home()
		return &told
	}
	told := *answer.(*api.ProducerDumpResponse)
	told.ID, told.Home = im.id, im.home()
	return &told
}

// handleForeign passes a request to what the member has of others on to the worker that has it. It returns false for other requests.
func (m *Member) handleForeign(req *api.Request, reply func(api.ResponseBody, error)) bool {
	t, err := m.translate(req)
	switch {
	case err != nil:
		reply(nil, err)
	case t == nil:
		return false
	default:
		t.owner.ask(t.req, func(body api.ResponseBody, err error) {
			if err != nil && t.creates != nil {
				m.node.mu.Lock()
				t.creates.drop()
				t.owner.objects.Remove(t.creates.hidden)
				m.node.mu.Unlock()
			}
			if t.told != nil && err == nil {
				body = t.told(body)
			}
			reply(body, err)
		})
		m.closeIfLeft(t.creates)
	}
	return true
}

// closeIfLeft closes a transport that was asked for while the member left, which may have closed it before it was there.
func (m *Member) closeIfLeft(p *part) {
	if p == nil || p.kind != partTransport || p.owner == m {
		return
	}
	m.node.mu.Lock()
	left := m.left
	m.node.mu.Unlock()
	if left {
		p.owner.ask(p.closing(), func(api.ResponseBody, error) {})
	}
}

// translated is a request as another member's worker gets it.
type translated struct {
	owner   *Member
	req     *api.Request
	creates *part // nil for nothing
	told    func(api.ResponseBody) api.ResponseBody
}

// translate returns nil if the request is for the member's own worker.
func (m *Member) translate(req *api.Request) (*translated, error) {
	m.node.mu.Lock()
	defer m.node.mu.Unlock()
	if im := m.imports[req.HandlerID]; im != nil {
		return im.translate(req)
	}
	p := m.parts[req.HandlerID]
	switch {
	case p == nil:
		return nil, nil
	case p.kind == partTransport:
		return p.translateTransport(req)
	}
	return p.translateConsumer(req)
}

func errUnknown(req *api.Request) error { return api.Errorf("unknown method '%s'", req.Method.Name()) }

// translate takes a request to the import, as a producer or as its Router. The lock is held.
func (im *imported) translate(req *api.Request) (*translated, error) {
	switch req.Method {
	case api.MethodProducerDump, api.MethodProducerGetStats, api.MethodDataProducerDump, api.MethodDataProducerGetStats:
		if im.gone {
			return nil, name{id: im.producer, data: im.data}.notFound()
		}
		t := &translated{owner: im.owner, req: to(im.producer, req, nil)}
		if req.Method == api.MethodProducerDump || req.Method == api.MethodDataProducerDump {
			t.told = im.described
		}
		return t, nil
	case api.MethodRouterCreatePipeTransport, api.MethodRouterCreateDirectTransport:
		return im.createTransport(req)
	case api.MethodRouterCloseTransport:
		p := im.by.parts[req.Closes()]
		if p == nil || p.kind != partTransport {
			return nil, api.NotFoundErrorf("Transport not found [method:%s]", req.Method.Name())
		}
		p.forget()
		return &translated{owner: p.owner, req: p.closing()}, nil
	}
	return nil, errUnknown(req)
}

// to returns a request as it is for another object.
func to(handlerID string, req *api.Request, body api.RequestBody) *api.Request {
	return &api.Request{ID: req.ID, Method: req.Method, HandlerID: handlerID, Body: body}
}

// createTransport takes a request for an end of relays: a PipeTransport for media, a DirectTransport for data.
func (im *imported) createTransport(req *api.Request) (*translated, error) {
	switch body := req.Body.(type) {
	case *api.RouterCreatePipeTransportRequest:
		if body != nil && ofRelays(body.Options.Base) {
			theirs := *body
			return im.lendTransport(req, &theirs, &theirs.TransportID)
		}
	case *api.RouterCreateDirectTransportRequest:
		if body != nil && ofRelays(body.Options.Base) {
			theirs := *body
			return im.lendTransport(req, &theirs, &theirs.TransportID)
		}
	}
	return nil, api.TypeErrorf("only transports of relays lead to producers of other applications")
}

func (im *imported) lendTransport(req *api.Request, theirs api.RequestBody, id *string) (*translated, error) {
	p, err := im.by.lend(*id, im.owner, im.router, im.router, partTransport)
	if err != nil {
		return nil, err
	}
	*id = p.hidden
	return p.creation(to(im.router, req, theirs)), nil
}

// lend enters a part of the member in another one's Router. The lock is held.
func (m *Member) lend(id string, owner *Member, router, parent string, kind partKind) (*part, error) {
	switch {
	case m.has(id):
		return nil, api.Errorf("Channel request handler with ID %s already exists", id)
	case len(m.parts) >= maxParts:
		return nil, api.Errorf("too much of other applications is used on this node")
	}
	p := &part{by: m, id: id, owner: owner, hidden: m.node.newHidden(), parent: parent, router: router, kind: kind}
	m.parts[id], owner.lent[p.hidden] = p, p
	return p, nil
}

// creation is the request that creates the part. The owner's tables have it, too, so that it goes with its Router. The lock is held.
func (p *part) creation(req *api.Request) *translated {
	p.owner.objects.Note(req)
	return &translated{owner: p.owner, req: req, creates: p}
}

// closing is the request that closes the part.
func (p *part) closing() *api.Request {
	switch p.kind {
	case partConsumer:
		return &api.Request{
			Method: api.MethodTransportCloseConsumer, HandlerID: p.parent, Body: &api.TransportCloseConsumerRequest{ConsumerID: p.hidden},
		}
	case partDataConsumer:
		return &api.Request{
			Method: api.MethodTransportCloseDataConsumer, HandlerID: p.parent,
			Body: &api.TransportCloseDataConsumerRequest{DataConsumerID: p.hidden},
		}
	}
	return &api.Request{
		Method: api.MethodRouterCloseTransport, HandlerID: p.router, Body: &api.RouterCloseTransportRequest{TransportID: p.hidden},
	}
}

// forget takes the part out of the tables with what is in it. The lock is held.
func (p *part) forget() {
	for _, gone := range p.owner.objects.Remove(p.hidden) {
		if part := p.owner.lent[gone]; part != nil {
			part.drop()
		}
	}
}

func (p *part) translateTransport(req *api.Request) (*translated, error) {
	switch req.Method {
	case api.MethodPipeTransportConnect, api.MethodTransportGetStats:
		return &translated{owner: p.owner, req: to(p.hidden, req, req.Body)}, nil
	case api.MethodTransportConsume:
		return p.consume(req)
	case api.MethodTransportConsumeData:
		return p.consumeData(req)
	case api.MethodTransportCloseConsumer, api.MethodTransportCloseDataConsumer:
		c := p.by.parts[req.Closes()]
		if c == nil || c.parent != p.hidden {
			return nil, api.NotFoundErrorf("Consumer not found [method:%s]", req.Method.Name())
		}
		c.forget()
		return &translated{owner: p.owner, req: c.closing()}, nil
	}
	return nil, errUnknown(req)
}

func (p *part) consume(req *api.Request) (*translated, error) {
	body, err := api.BodyOf[api.TransportConsumeRequest](req)
	if err != nil {
		return nil, err
	}
	im := p.exported(body.ProducerID)
	if im == nil || im.data || body.Type != api.RTPTypePipe {
		return nil, name{id: body.ProducerID}.notFound()
	}
	c, err := p.by.lend(body.ConsumerID, p.owner, p.router, p.hidden, partConsumer)
	if err != nil {
		return nil, err
	}
	theirs := *body
	theirs.ConsumerID, theirs.ProducerID = c.hidden, im.producer
	return c.creation(to(p.hidden, req, &theirs)), nil
}

func (p *part) consumeData(req *api.Request) (*translated, error) {
	body, err := api.BodyOf[api.TransportConsumeDataRequest](req)
	if err != nil {
		return nil, err
	}
	im := p.exported(body.DataProducerID)
	if im == nil || !im.data || body.Type != api.DataConsumerTypeDirect {
		return nil, name{id: body.DataProducerID, data: true}.notFound()
	}
	c, err := p.by.lend(body.DataConsumerID, p.owner, p.router, p.hidden, partDataConsumer)
	if err != nil {
		return nil, err
	}
	theirs := *body
	theirs.DataConsumerID, theirs.DataProducerID = c.hidden, im.producer
	return c.creation(to(p.hidden, req, &theirs)), nil
}

// exported returns the import of a producer that is in the Router of the part, nil for none.
func (p *part) exported(id string) *imported {
	im := p.by.imports[id]
	if im == nil || im.gone || im.owner != p.owner || im.router != p.router {
		return nil
	}
	return im
}

func (p *part) translateConsumer(req *api.Request) (*translated, error) {
	switch req.Method {
	case api.MethodConsumerPause, api.MethodConsumerResume, api.MethodConsumerSetPreferredLayers, api.MethodConsumerRequestKeyFrame,
		api.MethodConsumerGetStats, api.MethodDataConsumerPause, api.MethodDataConsumerResume, api.MethodDataConsumerGetStats:
		return &translated{owner: p.owner, req: to(p.hidden, req, req.Body)}, nil
	}
	return nil, errUnknown(req)
}
