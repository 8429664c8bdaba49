package front

import (
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gazpacho/engine/api"
	"gazpacho/pipe"
	"gazpacho/scaling/placement"
)

// Chosen here.
const (
	// DefaultSilence is how long a node may leave a request unanswered before the application gets an error.
	DefaultSilence = 8 * time.Second
	// relayLinger is how long a relay stays after its last consumer: whoever changes what it watches often comes back.
	relayLinger = 5 * time.Second
	// linkDoubt is how long a link may have ended because its far node has restarted, before the front hears of that.
	linkDoubt = 3 * time.Second
)

// Options says what a front is made of.
type Options struct {
	// Emit takes notifications for the application. Required.
	Emit api.Emitter
	// Log takes what is to be told people; nil discards it.
	Log *slog.Logger
	// Own is the front's own engine. It carries DirectTransports and pipes on loopback addresses, and everything if there are no
	// nodes. Required.
	Own NodeOptions
	// Nodes carry the other transports.
	Nodes []NodeOptions
	// Placement chooses among nodes; nil means placement.Fill.
	Placement placement.Policy
	// FanOut is how many nodes one node feeds a producer to, before those feed others; 0 means placement.FanOut.
	FanOut int
	// Find finds the node that has a producer of another application, by the node's name in NodeOptions, so that not all have to be asked:
	// they are when it finds none, or fails. It calls done once, from any goroutine, and not before it has returned. nil: all are asked.
	Find func(producerID string, done func(node string, err error))
	// Clock is when time-outs are due; nil means that of the process.
	Clock Clock
	// Silence is how long a node may leave a request unanswered; 0 means DefaultSilence.
	Silence time.Duration
}

// NodeOptions is a node.
type NodeOptions struct {
	// Name is how log and error messages call it.
	Name string
	// Worker returns the node's worker, which notifies by emit. The front closes it.
	Worker func(emit api.Emitter) (api.Worker, error)
	// Pipe is where its ends of pipes to other nodes listen.
	Pipe api.ListenInfo
	// SameHost says that it runs on the application's host, where loopback addresses mean the same.
	SameHost bool
	// Link is the address at which other nodes reach it, to send it data: those with SameHost, if it has that too, else those
	// without. Empty: its data comes and goes through the front.
	Link string
	// Again says that Worker may be called again when its worker has ended: the node may come back, and then gets what it held again.
	Again bool
}

// Front implements api.Worker. Use New.
type Front struct {
	options Options
	log     *slog.Logger
	inbox   *inbox
	routes  routes
	done    chan struct{}
	closing sync.Once
	methods map[api.Method]method
	// importPrefix begins the ids of imports, lastImport is the number of the last one.
	importPrefix string
	lastImport   atomic.Uint64

	// The control goroutine's, as everything below and behind.
	own *node
	// current are the nodes in the order in which they were added; one that came back has taken the place of the one that ended. The
	// control goroutine replaces the list, any may read it.
	current    atomic.Pointer[[]*node]
	lastIndex  int                // of a node
	objects    map[string]object  // of the application, by id
	hidden     map[string]hidden  // of the front, by id
	leaving    map[string]*leaver // of the application, by id
	routers    []*router          // in the order of creation, as all lists
	servers    []*server
	imports    map[string]*imported // by id
	homes      []*home
	cuts       map[[2]*node]int // by two nodes that do not reach each other: pairs between them
	lane       *lane            // of requests to the worker itself
	expected   map[string]*lane // of objects that a queued request will create
	pending    map[*operation]struct{}
	operations uint64 // so far
	lastID     uint64 // of a hidden object
	ssrcs      pipe.SSRCs
	counters   Counters
	usage      usage
	ended      bool
}

// Counters say what a front did.
type Counters struct {
	// Relays is how many relays of producers were made, DataRelays of data producers. Links is how many of these go by a link.
	Relays, DataRelays, Links int
	// Transports has how many transports of the application each node took, the front's own engine included.
	Transports map[string]int
	// Imports is how many producers and data producers of other applications were made ones of this application.
	Imports int
	// Busy is how often a node refused a transport as busy, Short how often all did.
	Busy, Short int
	// Dropped is how many messages of media and data were lost because the front was too slow.
	Dropped uint64
}

// New starts a front and its workers.
func New(o Options) (*Front, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Placement == nil {
		o.Placement = placement.Fill{}
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Silence == 0 {
		o.Silence = DefaultSilence
	}
	f := &Front{
		options: o, log: o.Log, inbox: newInbox(), done: make(chan struct{}), methods: methods(),
		objects: map[string]object{}, hidden: map[string]hidden{}, leaving: map[string]*leaver{}, expected: map[string]*lane{},
		imports: map[string]*imported{}, cuts: map[[2]*node]int{},
		importPrefix: importPrefix + rand.Text(), pending: map[*operation]struct{}{}, counters: Counters{Transports: map[string]int{}},
	}
	f.routes.routers = map[string]string{}
	f.lane = newLane(f)
	var err error
	if f.own, err = f.newNode(o.Own); err != nil {
		return nil, err
	}
	f.setNodes(nil)
	for i := range o.Nodes {
		n, err := f.newNode(o.Nodes[i])
		if err != nil {
			f.closeWorkers()
			return nil, err
		}
		f.enterNode(n)
	}
	go f.run()
	return f, nil
}

// run is the control goroutine.
func (f *Front) run() {
	defer close(f.done)
	var spare []item
	for !f.ended {
		<-f.inbox.news
		items := f.inbox.take(spare)
		for i := range items {
			switch {
			case !f.ended:
				items[i].do()
			case items[i].refuse != nil:
				items[i].refuse()
			}
			items[i] = item{}
		}
		spare = items
	}
}

// HandleRequest implements api.Worker.
func (f *Front) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	f.routes.announce(req)
	o := &operation{front: f, req: req, reply: reply}
	f.inbox.put(item{do: func() { f.dispatch(o) }, refuse: func() { reply(nil, errClosed()) }})
}

// HandleNotification implements api.Worker.
func (f *Front) HandleNotification(n *api.Notification) (err error) {
	if !f.routes.knows(n.HandlerID) {
		return api.NotFoundErrorf("Channel notification handler with ID %s not found", n.HandlerID)
	}
	o := &operation{front: f, notification: n, media: sizeOf(n)}
	f.inbox.put(item{do: func() { f.dispatch(o) }, refuse: func() { err = errClosed() }, media: o.media, own: true})
	return err
}

// RouterOf implements api.Worker.
func (f *Front) RouterOf(id string) string { return f.routes.routerOf(id) }

// Load implements api.Worker. The CPU time is that of the node with the most left, which is where new Routers go.
func (f *Front) Load() api.Load {
	select {
	case <-f.done:
		return api.Load{}
	default:
	}
	load := f.routes.load()
	nodes := f.nodes()
	if len(nodes) == 0 {
		load.CPU = f.own.load()
		return load
	}
	load.CPU = 1
	for _, n := range nodes {
		load.CPU = min(load.CPU, n.load())
	}
	return load
}

// Done implements api.Worker: a front ends by Close only.
func (f *Front) Done() <-chan struct{} { return f.done }

// Err implements api.Worker.
func (f *Front) Err() error {
	select {
	case <-f.done:
		return api.ErrClosed
	default:
		return nil
	}
}

// Counters returns what the front has done. It is called after Close.
func (f *Front) Counters() Counters {
	<-f.done
	c := f.counters
	c.Dropped += f.inbox.lost()
	return c
}

// Close implements api.Worker: what is not answered yet is refused.
func (f *Front) Close() {
	f.closing.Do(func() { f.inbox.put(item{do: f.end}) })
	<-f.done
}

func (f *Front) end() {
	f.ended = true
	for o := range f.pending {
		o.answer(nil, errClosed())
	}
	f.routes.clear()
	f.closeWorkers()
	f.inbox.close()
	f.log.Debug("front closed", "relays", f.counters.Relays, "dataRelays", f.counters.DataRelays,
		"transports", f.counters.Transports, "dropped", f.counters.Dropped+f.inbox.lost())
}

func (f *Front) closeWorkers() {
	f.own.worker.Close()
	for _, n := range f.nodes() {
		n.worker.Close()
	}
}

// nodes returns the present nodes. The list is not modified.
func (f *Front) nodes() []*node { return *f.current.Load() }

func (f *Front) setNodes(nodes []*node) { f.current.Store(&nodes) }

func errClosed() *api.Error { return api.Errorf("Worker is closed") }
