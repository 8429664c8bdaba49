// Package runner runs the state machines of transports and RtpObservers on the shards of the process. It is the layer between
// sockets and machines: what must know of both, of goroutines or of locks is here, so that routers have only tables and
// machines only state.
//
// A TransportActor runs one transport: it takes the turn of the transport's shard, calls the transport, calls Settle, and arms
// the timer. An ObserverActor does the same for an RtpObserver. Ports are read by pollers, which hand each batch to an actor;
// those of a WebRtcServer first find the actor of each datagram (ServerPorts). A FanOut takes a producer's packets to its
// consumers on all shards, ProducerFeedback takes their requests back.
//
// # A datagram's way
//
// netio reads a batch; a reader of this package gives each datagram its ICE tuple, the demultiplexer finds the actors, and the
// actor calls transport, which decrypts and calls media. The packets come back here twice. Settle hands them to the FanOut,
// because a transport does not know which shards its consumers are on; and after each consumer the actor of the consumer's
// transport calls Settle there, because a fault must end at the transport that it happened in.
//
// # Who owns what
//
//   - A shard's turn (package shard) guards the machines, the consumers of a FanOut on that shard, and the timers.
//   - The control loop of a worker, the goroutine that carries out its requests, owns a FanOut's list of shards, Placement,
//     and the list of an ObserverActor's taps. No lock.
//   - ServerPorts.mu guards the demultiplexing table, the only state that shards share. It is read once per batch of datagrams,
//     and nothing is called with it held.
//   - ProducerFeedback.mu and PeerClosed.mu guard what one shard leaves for another, or for the control loop, to collect.
//   - The number of transports on each shard is an atomic, because several workers may place transports at once.
//
// A Runner belongs to the process. Workers that share one keep apart by what they give it: a transport.WorkerEnv for each
// transport, and their own Placement and PeerClosed. A worker ends by closing its transports and ports; the Runner goes on.
package runner

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"gazpacho/engine/netio"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// Runner is the shards of a process with their pollers.
type Runner struct {
	shards  []*ShardContext
	log     *slog.Logger
	readers sync.WaitGroup // of TCP ports
	poller  *netio.Poller  // reads the UDP ports of all WebRtcServers

	unroutable atomic.Uint64
}

// ShardContext is one shard with what its transports share. Each has a poller of its own for their sockets, so that waiting
// for one shard's turn does not delay the sockets of another.
type ShardContext struct {
	runner     *Runner
	shard      *shard.Shard
	poller     *netio.Poller
	env        transport.ShardEnv
	transports atomic.Int64 // of all workers; see Placement

	// Of all transports, what they did and who they are, under the shard's turn.
	figures transport.Figures
	actors  []*TransportActor
	faults  uint64
}

// Options configure a Runner.
type Options struct {
	Shards    int // number of shards, at least one
	Clock     shard.Clock
	Log       *slog.Logger // of the process: faults that no actor contains, and overload
	Listen    func(netio.UDPConfig) (transport.Socket, error)
	ListenTCP func(netio.TCPConfig) (*netio.TCPServer, error)
	Seed      [32]byte // of the random numbers that need not be secret
}

// New starts the shards and pollers. An error means that the process has no descriptors left.
func New(o Options) (*Runner, error) {
	r := &Runner{log: o.Log}
	var err error
	if r.poller, err = netio.NewPoller(); err != nil {
		return nil, err
	}
	for i := range max(o.Shards, 1) {
		poller, err := netio.NewPoller()
		if err != nil {
			r.Close()
			return nil, err
		}
		seed := o.Seed
		seed[0] ^= byte(i)
		s := &ShardContext{runner: r, poller: poller}
		s.shard = shard.New(i, o.Clock, s.fault)
		s.env = transport.ShardEnv{
			Batch: netio.NewBatch(), Rand: rand.New(rand.NewChaCha8(seed)), Figures: &s.figures, Listen: o.Listen, ListenTCP: o.ListenTCP,
		}
		r.shards = append(r.shards, s)
	}
	return r, nil
}

// fault is what the shard calls when a message or timer panics and no actor contains it.
func (s *ShardContext) fault(fault any, stack []byte) {
	s.faults++
	s.runner.log.Error(fmt.Sprintf("internal error in a message or timer of shard %d: %v\n%s", s.shard.Index(), fault, stack))
}

// Close ends pollers and shards. All transports, observers and ports must be closed already.
func (r *Runner) Close() {
	r.readers.Wait()
	r.poller.Close()
	for _, s := range r.shards {
		s.poller.Close()
	}
	for _, s := range r.shards {
		s.shard.Close()
		if n := s.shard.Dropped(); n > 0 {
			r.log.Warn("messages dropped because a shard was too far behind", "shard", s.shard.Index(), "messages", n)
		}
	}
}

// ArmedTimers returns how many timers are armed on all shards. The caller must not hold a turn.
func (r *Runner) ArmedTimers() int {
	total := 0
	for _, s := range r.shards {
		total += s.shard.ArmedTimers()
	}
	return total
}

// Unroutable returns how many datagrams came to the ports of WebRtcServers that were for no transport.
func (r *Runner) Unroutable() uint64 { return r.unroutable.Load() }

// TakeTurns takes the turn of each shard once.
func (r *Runner) TakeTurns() {
	for _, s := range r.shards {
		s.Do(func(unit.Time) {})
	}
}

// Do runs f with the shard's turn held.
func (s *ShardContext) Do(f func(now unit.Time)) { s.shard.Do(f) }

// Index returns the shard's number.
func (s *ShardContext) Index() int { return s.shard.Index() }
