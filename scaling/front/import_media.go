package front

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

// Import is a producer of another application, for this one to produce under a fresh id: that makes it one of its own Router.
type Import struct {
	ID            string // for transport.produce()
	Kind          api.MediaKind
	RTPParameters *api.RTPParameters // those of the original, without codecs that no consumer is sent
	Paused        bool
}

// Import looks for a producer of another application that uses the same nodes, and reserves an id for it in a Router. The application
// then asks one of the Router's transports to produce under this id, with the RTP parameters told. What is consumed of it comes straight
// from the original's node.
//
// done is called once. If that is without an error, event follows, in the order of what happens, until ImportClosed: the import is then
// over, and the producer has no consumers any more; to close it is the application's business, like pausing and resuming. An import ends
// with its producer, and if there is none within 10 s. Both functions are called by the front's own goroutine, and must neither block
// nor call the front. stop, which may be called from any goroutine and more than once, ends an import that was not produced; no events
// follow.
func (f *Front) Import(routerID, producerID string, done func(Import, *ImportError), event func(ImportEvent)) (stop func()) {
	m := &importedMedia{}
	m.as, m.event = m, event
	m.done = func(err *ImportError) {
		if err != nil {
			done(Import{}, err)
			return
		}
		done(Import{m.id, m.request.Kind, pipe.Importable(m.request), m.paused}, nil)
	}
	return f.startImport(&m.imported, routerID, producerID)
}

// importedMedia is a producer of another application.
type importedMedia struct {
	imported
	request  *api.TransportProduceRequest   // that has created the original, under the id here
	kind     api.RTPType                    // what it is: simple, simulcast or SVC
	scores   *api.ProducerScoreNotification // the last
	producer *producer                      // nil until it is produced
	traces   []api.ProducerTraceEventType   // what the application wants to hear of its packets
	tracing  tracing
}

func (m *importedMedia) what() string { return "Producer" }

func (m *importedMedia) name(r *api.WorkerCreateRouterRequest) { r.ProducerID = m.original }

func (m *importedMedia) read(answer api.ResponseBody) *origin {
	d, ok := answer.(*api.ProducerDumpResponse)
	if !ok || d == nil || d.RTPParameters == nil || d.RTPMapping == nil {
		return nil
	}
	return &origin{d.Home, d.Paused, d}
}

func (m *importedMedia) take(o *origin) {
	d := o.dump.(*api.ProducerDumpResponse)
	m.request = &api.TransportProduceRequest{
		ProducerID: m.id, Kind: d.Kind, RTPParameters: d.RTPParameters, RTPMapping: d.RTPMapping, Paused: d.Paused,
	}
	m.kind = d.Type
	m.scores = scoresOf(d)
}

// scoresOf returns what a producer's dump tells of its streams.
func scoresOf(d *api.ProducerDumpResponse) *api.ProducerScoreNotification {
	all := &api.ProducerScoreNotification{}
	for _, s := range d.RTPStreams {
		if s.Params != nil {
			all.Scores = append(all.Scores, api.ProducerScore{
				EncodingIdx: s.Params.EncodingIdx, SSRC: s.Params.SSRC, RID: s.Params.RID, Score: s.Score,
			})
		}
	}
	return all
}

// produceImported makes the import a producer of the application's. Nothing comes by the transport: it says in which Router the producer
// is, and closes it when it is closed.
func produceImported(o *operation, t *transport, body *api.TransportProduceRequest) *gate {
	m, ok := o.front.offered(body.ProducerID, t.router).(*importedMedia)
	switch {
	case !ok:
		return o.refuseImport(body.ProducerID)
	case !pipe.CanImport(m.request, body):
		return o.refuse(api.TypeErrorf("an import is produced with the kind and rtpParameters that it has told [method:%s]", o.req.Method.Name()))
	}
	p := &producer{
		entry: entry{id: m.id, router: t.router, node: m.home.node}, transport: t, request: body,
		paused: body.Paused, scores: make([]uint8, len(body.RTPParameters.Encodings)), imported: m,
	}
	m.producer = p
	o.enter(p)
	t.producers = append(t.producers, p)
	o.front.counters.Imports++
	o.answer(&api.TransportProduceResponse{Type: m.kind}, nil)
	m.tellScores()
	return nil
}

func (m *importedMedia) produced() bool { return m.producer != nil }

func (m *importedMedia) hear(e *api.Notification) {
	switch e.Event {
	case api.EventProducerScore:
		if body, ok := e.Body.(*api.ProducerScoreNotification); ok && body != nil {
			m.scores = body
			m.tellScores()
		}
	case api.EventProducerVideoOrientationChange:
		if m.producer != nil {
			m.front.emit(m.id, e.Event, e.Body)
		}
	}
}

// tellScores tells the application the scores of the original, which are those of the import.
func (m *importedMedia) tellScores() {
	if m.producer != nil && len(m.scores.Scores) > 0 {
		m.front.emit(m.id, api.EventProducerScore, m.scores)
		m.producer.setScores(m.scores)
	}
}

func (m *importedMedia) feed() bool {
	p := m.producer
	if !pipe.CanImport(m.request, p.request) {
		return false
	}
	p.node = m.home.node
	for _, r := range slices.Clone(p.relays) {
		if r.source == nil {
			r.move()
		}
	}
	return true
}

func (m *importedMedia) closeConsumers(why error) {
	m.producer.lost = true
	m.producer.closeElsewhere(why)
}

// dumpProducer tells of an import what the application has made of it: the original is another one's business.
func dumpProducer(o *operation, p *producer) *gate {
	if p.imported == nil {
		return o.pass(p.node)
	}
	d := &api.ProducerDumpResponse{
		ID: p.id, Kind: p.request.Kind, Type: p.imported.kind, RTPParameters: p.request.RTPParameters, RTPMapping: p.request.RTPMapping,
		TraceEventTypes: p.imported.traceEventTypes(), Paused: p.paused,
	}
	p.node.ask(o.req.Method, p.id, nil, func(body api.ResponseBody, _ error) {
		if theirs, ok := body.(*api.ProducerDumpResponse); ok && theirs != nil {
			d.RTPStreams = slices.Clone(theirs.RTPStreams)
		}
		o.answer(d, nil)
	})
	return nil
}
