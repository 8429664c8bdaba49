package front

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

// Chosen here.
const (
	// produceTime is how long an application may take to produce what it has imported.
	produceTime = 10 * time.Second
	// seekPause is the time between two attempts to find a producer again whose node or worker has ended.
	seekPause = 250 * time.Millisecond
	// maxImports is how many producers of other applications one may use.
	maxImports = 10_000
)

// importPrefix marks the ids of imports, so that one that has ended is not mistaken for a producer of the application's own. A random
// text follows, a hyphen, and the id of the original.
const importPrefix = "import-"

// newImportID returns a fresh id for a producer of another application.
func newImportID(original string) string { return importPrefix + rand.Text() + "-" + original }

// isImport reports whether an id is that of an import, perhaps of one that has ended.
func isImport(id string) bool { return strings.HasPrefix(id, importPrefix) }

// originalOf returns the id that a producer has where it was made: the import of an import leads there, too.
func originalOf(id string) string {
	if rest, ok := strings.CutPrefix(id, importPrefix); ok {
		if _, original, ok := strings.Cut(rest, "-"); ok {
			return original
		}
	}
	return id
}

// ImportCode is why a producer cannot be imported.
type ImportCode string

const (
	ImportRouterNotFound   ImportCode = "ROUTER_NOT_FOUND"   // the application has no such Router
	ImportProducerNotFound ImportCode = "PRODUCER_NOT_FOUND" // no application of the tenant has it on a node
	ImportUnsupported      ImportCode = "UNSUPPORTED"        // the front has no nodes that other applications use
	ImportBusy             ImportCode = "BUSY"               // too many already
	ImportFailed           ImportCode = "FAILED"             // a node that may have it does not answer, or the front has ended
)

// ImportError says why a producer cannot be imported.
type ImportError struct {
	Code   ImportCode
	Reason string
}

// Error implements error.
func (e *ImportError) Error() string { return e.Reason }

func importErrorf(code ImportCode, format string, args ...any) *ImportError {
	return &ImportError{code, fmt.Sprintf(format, args...)}
}

// Import is a producer of another application, for this one to produce under a fresh id: that makes it one of its own Router.
type Import struct {
	ID            string // for transport.produce()
	Kind          api.MediaKind
	RTPParameters *api.RTPParameters // those of the original, without codecs that no consumer is sent
	Paused        bool
}

// ImportEvent is what has become of the original.
type ImportEvent string

const (
	ImportPaused  ImportEvent = "paused"
	ImportResumed ImportEvent = "resumed"
	ImportClosed  ImportEvent = "closed" // or the import itself; there are no more events
)

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
	original := originalOf(producerID)
	imp := &imported{front: f, id: newImportID(original), original: original, done: done, event: event}
	f.inbox.put(item{do: func() { imp.begin(routerID) }, refuse: func() {
		done(Import{}, importErrorf(ImportFailed, "Worker is closed"))
	}})
	return func() { f.inbox.put(item{do: imp.stop}) }
}

// imported is a producer of another application.
type imported struct {
	front    *Front
	router   *router
	id       string                         // in the application
	nodeID   string                         // on the node
	original string                         // id of the producer at its application
	done     func(Import, *ImportError)     // nil once it was called
	event    func(ImportEvent)              // nil when no more events follow
	home     *home                          // where the original is, or was last; nil before it was found
	request  *api.TransportProduceRequest   // that has created the original, under the id here
	kind     api.RTPType                    // what it is: simple, simulcast or SVC
	scores   *api.ProducerScoreNotification // the last
	paused   bool                           // the original is
	producer *producer                      // nil until it is produced
	deadline time.Time                      // until when it is sought again
	cancel   func() bool                    // of the next attempt to find it
	ended    bool
}

// begin looks for the original.
func (imp *imported) begin(routerID string) {
	f := imp.front
	r, ok := f.objects[routerID].(*router)
	switch {
	case !ok:
		imp.refuse(importErrorf(ImportRouterNotFound, "there is no Router with ID %s", routerID))
	case len(f.imports) >= maxImports:
		imp.refuse(importErrorf(ImportBusy, "%d producers of other applications are used already", len(f.imports)))
	default:
		imp.router, imp.nodeID = r, f.newID("import")
		f.imports[imp.id], f.hidden[imp.nodeID] = imp, imp
		imp.seek(imp.found, func(err *ImportError) {
			imp.refuse(err)
			imp.end()
		})
	}
}

func (imp *imported) refuse(err *ImportError) {
	imp.event = nil
	if done := imp.done; done != nil {
		imp.done = nil
		done(Import{}, err)
	}
}

// stop takes note that nobody follows the import any more.
func (imp *imported) stop() {
	imp.event, imp.done = nil, nil
	if imp.producer == nil {
		imp.end()
	}
}

func (imp *imported) tell(event ImportEvent) {
	if imp.event != nil {
		imp.event(event)
	}
}

// found takes where the original is, the first time.
func (imp *imported) found(at *node, d *api.ProducerDumpResponse) {
	imp.enterHome(at, d)
	imp.front.after(produceTime, func() {
		if imp.producer == nil {
			imp.end()
		}
	})
	done := imp.done
	imp.done = nil
	done(Import{imp.id, d.Kind, pipe.Importable(imp.request), d.Paused}, nil)
}

// enterHome takes note of where the original is, and of how it is there.
func (imp *imported) enterHome(at *node, d *api.ProducerDumpResponse) {
	imp.request = &api.TransportProduceRequest{
		ProducerID: imp.id, Kind: d.Kind, RTPParameters: d.RTPParameters, RTPMapping: d.RTPMapping, Paused: d.Paused,
	}
	imp.kind, imp.paused = d.Type, d.Paused
	imp.scores = scoresOf(d)
	imp.home = imp.front.homeOf(imp.router, at, d.Home)
	imp.home.enter(imp)
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
	imp := o.front.imports[body.ProducerID]
	switch {
	case imp == nil || imp.router != t.router || imp.done != nil || imp.request == nil:
		return o.refuse(api.NotFoundErrorf("there is no import with ID %s in this Router, or it has ended [method:%s]", body.ProducerID, o.req.Method.Name()))
	case !pipe.CanImport(imp.request, body):
		return o.refuse(api.TypeErrorf("an import is produced with the kind and rtpParameters that it has told [method:%s]", o.req.Method.Name()))
	}
	p := &producer{
		entry: entry{id: imp.id, router: t.router, node: imp.home.node}, transport: t, request: body,
		paused: body.Paused, scores: make([]uint8, len(body.RTPParameters.Encodings)), imported: imp,
	}
	imp.producer = p
	o.enter(p)
	t.producers = append(t.producers, p)
	o.front.counters.Imports++
	o.answer(&api.TransportProduceResponse{Type: imp.kind}, nil)
	imp.tellScores()
	return nil
}

func (imp *imported) of() *router { return imp.router }

// handleEvent implements hidden: the node tells what happens to the original.
func (imp *imported) handleEvent(n *node, e *api.Notification) {
	if imp.home == nil || imp.home.at != n || imp.home.node.gone != nil {
		return
	}
	switch e.Event {
	case api.EventImportPaused:
		imp.setPaused(true)
	case api.EventImportResumed:
		imp.setPaused(false)
	case api.EventImportClosed:
		imp.lose(api.Errorf("the producer was closed by its application"))
	case api.EventImportLost:
		imp.front.loseHome(imp.home, api.Errorf("the worker of its application has ended"))
	case api.EventProducerScore:
		if body, ok := e.Body.(*api.ProducerScoreNotification); ok && body != nil {
			imp.scores = body
			imp.tellScores()
		}
	case api.EventProducerVideoOrientationChange:
		if imp.producer != nil {
			imp.front.emit(imp.id, e.Event, e.Body)
		}
	}
}

// tellScores tells the application the scores of the original, which are those of the import.
func (imp *imported) tellScores() {
	if imp.producer != nil && len(imp.scores.Scores) > 0 {
		imp.front.emit(imp.id, api.EventProducerScore, imp.scores)
		imp.producer.setScores(imp.scores)
	}
}

func (imp *imported) setPaused(paused bool) {
	switch {
	case imp.paused == paused:
	case paused:
		imp.tell(ImportPaused)
	default:
		imp.tell(ImportResumed)
	}
	imp.paused = paused
}

// lose takes note that the original is gone for good: what consumes it hears that its producer is closed.
func (imp *imported) lose(why error) {
	if imp.producer == nil {
		imp.end()
		return
	}
	imp.producer.lost = true
	imp.producer.closeElsewhere(why)
	imp.tell(ImportClosed)
	imp.event = nil
}

// end ends the import.
func (imp *imported) end() {
	if imp.ended {
		return
	}
	imp.ended = true
	delete(imp.front.imports, imp.id)
	delete(imp.front.hidden, imp.nodeID)
	if imp.cancel != nil {
		imp.cancel()
	}
	if imp.home != nil {
		imp.home.leave(imp)
	}
	imp.tell(ImportClosed)
	imp.event, imp.done = nil, nil
}

// endImports ends what was imported into the Router and not produced.
func (r *router) endImports() {
	for _, imp := range r.lane.front.imports {
		if imp.router == r && imp.producer == nil {
			if imp.done != nil {
				imp.refuse(importErrorf(ImportRouterNotFound, "the Router was closed meanwhile"))
			}
			imp.end()
		}
	}
}

// dumpProducer tells of an import what the application has made of it: the original is another one's business.
func dumpProducer(o *operation, p *producer) *gate {
	if p.imported == nil {
		return o.pass(p.node)
	}
	d := &api.ProducerDumpResponse{
		ID: p.id, Kind: p.request.Kind, Type: p.imported.kind, RTPParameters: p.request.RTPParameters, RTPMapping: p.request.RTPMapping,
		Paused: p.paused,
	}
	p.node.ask(o.req.Method, p.id, nil, func(body api.ResponseBody, _ error) {
		if theirs, ok := body.(*api.ProducerDumpResponse); ok && theirs != nil {
			d.RTPStreams = slices.Clone(theirs.RTPStreams)
		}
		o.answer(d, nil)
	})
	return nil
}

// traceProducer has the node tell what happens to a producer's packets. Of an import it tells nothing: the original's traces are its
// application's.
func traceProducer(o *operation, p *producer) *gate {
	if p.imported != nil {
		return o.answer(nil, nil)
	}
	return o.passThen(p.node, func(api.ResponseBody) { p.settings.keep(o.req.Method, o.req.Body) })
}
