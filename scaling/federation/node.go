package federation

import (
	"strconv"
	"strings"
	"sync"

	"gazpacho/engine/api"
)

// Chosen here: how much one member may have of others.
const (
	maxImports = 10_000
	maxParts   = 20_000 // transports and consumers
)

// hiddenPrefix marks the ids that objects have in the worker of a member that did not ask for them.
const hiddenPrefix = "gazpacho/export/"

func isHidden(id string) bool { return strings.HasPrefix(id, hiddenPrefix) }

// Node is where members meet. The zero value is ready for use.
type Node struct {
	// mu guards the tables of all members. It is never held while a worker or an emitter is called.
	mu        sync.Mutex
	producers map[name]*Member // that have producers and data producers which are at home here
	numbers   uint64
}

// name is the id of a producer, or data producer, as one tenant knows it.
type name struct {
	tenant, id string
	data       bool
}

// home is what is known of a producer, or data producer, that is at home here.
type home struct {
	piped bool // it has come by a pipe of the application
	data  bool
}

// Registry takes note of the producers and data producers of a member: those that are at home here, not relays. It hears of each
// in the order of what happens, and must not call the member.
type Registry interface {
	// Enter takes one that was made. piped says that it came by a PipeTransport of the application: it may have the id of its original,
	// which is rather found.
	Enter(id string, piped bool)
	Leave(id string)
}

// imported is a producer, or data producer, of one member that another one uses, or the same one.
type imported struct {
	by    *Member
	id    string // that it has there
	owner *Member
	data  bool
	// producer is its id at the owner, router that of its Router.
	producer, router string
	gone             bool // the producer is
}

// part is something of one member in a Router of another one.
type part struct {
	by     *Member
	id     string // that it has there
	owner  *Member
	hidden string // its id at the owner
	parent string // that of its Router or transport there
	router string
	kind   partKind
}

type partKind uint8

const (
	partTransport partKind = iota
	partConsumer
	partDataConsumer
)

// Join makes a worker a member. newWorker makes it, and emit takes what it notifies the member's own front of.
func (n *Node) Join(tenant string, emit api.Emitter, newWorker func(api.Emitter) (api.Worker, error)) (*Member, error) {
	m := &Member{
		node: n, tenant: tenant, front: emit,
		pipes: map[string]bool{}, homes: map[string]home{}, imports: map[string]*imported{}, parts: map[string]*part{},
		exports: map[string]users{}, lent: map[string]*part{},
	}
	n.mu.Lock()
	n.numbers++
	m.number = n.numbers
	n.mu.Unlock()
	var err error
	m.worker, err = newWorker(m.emit)
	return m, err
}

// newHidden returns an id that nothing else on the node has. The lock is held.
func (n *Node) newHidden() string {
	n.numbers++
	return hiddenPrefix + strconv.FormatUint(n.numbers, 10)
}
