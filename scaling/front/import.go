package front

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gazpacho/engine/api"
)

// Chosen here.
const (
	// produceTime is how long an application may take to produce what it has imported.
	produceTime = 10 * time.Second
	// seekPause is the time between two attempts to find a producer again whose node or worker has ended.
	seekPause = 250 * time.Millisecond
	// maxImports is how many producers and data producers of other applications one may use.
	maxImports = 10_000
)

// importPrefix marks the ids of imports. A random text of the front and a number follow, a hyphen, and the id of the original.
const importPrefix = "import-"

// newImportID returns a fresh id for a producer of another application.
func (f *Front) newImportID(original string) string {
	return f.importPrefix + strconv.FormatUint(f.lastImport.Add(1), 36) + "-" + original
}

// isImport reports whether an id is that of an import of this front, perhaps of one that has ended, which must not be mistaken for a
// producer of the application's own. One of another front may come by a pipe between Routers.
func (f *Front) isImport(id string) bool { return strings.HasPrefix(id, f.importPrefix) }

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

// ImportEvent is what has become of the original.
type ImportEvent string

const (
	ImportPaused  ImportEvent = "paused"
	ImportResumed ImportEvent = "resumed"
	ImportClosed  ImportEvent = "closed" // or the import itself; there are no more events
)

// imported is a producer or data producer of another application.
type imported struct {
	front    *Front
	as       importable
	router   *router
	id       string             // in the application
	nodeID   string             // on the node
	original string             // its id at its application
	done     func(*ImportError) // nil once it was called
	event    func(ImportEvent)  // nil when no more events follow
	home     *home              // where the original is, or was last; nil before it was found
	paused   bool               // the original is
	lost     bool               // the original is gone for good, and what stands for it here is not closed yet
	deadline time.Time          // until when it is sought again
	cancel   func() bool        // of the next attempt to find it
	ended    bool
}

// importable is what differs between producers and data producers.
type importable interface {
	// what is how people call it.
	what() string
	// name puts the id of the original into the request that imports it.
	name(*api.WorkerCreateRouterRequest)
	// read returns what a node tells of the original, nil for an answer that does not.
	read(api.ResponseBody) *origin
	// take takes note of what read has returned.
	take(*origin)
	// hear takes what the node notifies of, of this kind alone.
	hear(*api.Notification)
	// produced reports whether the application has produced it.
	produced() bool
	// feed has what consumes it fed from its home, which is another one now. It returns false if that has something else.
	feed() bool
	// closeConsumers closes what consumes it, since it is gone.
	closeConsumers(why error)
}

// origin is an original as its node tells of it.
type origin struct {
	home   string // how the node calls the Router
	paused bool
	dump   api.ResponseBody
}

// importOf returns what an object was imported as, nil for the application's own.
func importOf(o object) *imported {
	switch o := o.(type) {
	case *producer:
		if o.imported != nil {
			return &o.imported.imported
		}
	case *dataProducer:
		if o.imported != nil {
			return &o.imported.imported
		}
	}
	return nil
}

// startImport begins an import. The rest of it is the caller's to set.
func (f *Front) startImport(imp *imported, routerID, producerID string) (stop func()) {
	imp.front, imp.original = f, originalOf(producerID)
	imp.id = f.newImportID(imp.original)
	f.inbox.put(item{do: func() { imp.begin(routerID) }, refuse: func() {
		imp.done(importErrorf(ImportFailed, "Worker is closed"))
	}})
	return func() { f.inbox.put(item{do: imp.stop}) }
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
		done(err)
	}
}

// stop takes note that nobody follows the import any more.
func (imp *imported) stop() {
	imp.event, imp.done = nil, nil
	if !imp.as.produced() {
		imp.end()
	}
}

func (imp *imported) tell(event ImportEvent) {
	if imp.event != nil {
		imp.event(event)
	}
}

// found takes where the original is, the first time.
func (imp *imported) found(at *node, o *origin) {
	imp.enterHome(at, o)
	imp.front.after(produceTime, func() {
		if !imp.as.produced() {
			imp.end()
		}
	})
	done := imp.done
	imp.done = nil
	done(nil)
}

// enterHome takes note of where the original is, and of how it is there.
func (imp *imported) enterHome(at *node, o *origin) {
	imp.as.take(o)
	imp.paused = o.paused
	imp.home = imp.front.homeOf(imp.router, at, o.home)
	imp.home.enter(imp)
}

// offered returns what is to be produced under an id in a Router, nil if it was not imported there, or has ended.
func (f *Front) offered(id string, r *router) importable {
	imp := f.imports[id]
	if imp == nil || imp.router != r || imp.done != nil {
		return nil
	}
	return imp.as
}

func (o *operation) refuseImport(id string) *gate {
	return o.refuse(api.NotFoundErrorf("there is no import with ID %s in this Router, or it has ended [method:%s]", id, o.req.Method.Name()))
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
	default:
		imp.as.hear(e)
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
	if !imp.as.produced() {
		imp.end()
		return
	}
	imp.lost = true
	imp.as.closeConsumers(why)
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
		if imp.router == r && !imp.as.produced() {
			if imp.done != nil {
				imp.refuse(importErrorf(ImportRouterNotFound, "the Router was closed meanwhile"))
			}
			imp.end()
		}
	}
}
