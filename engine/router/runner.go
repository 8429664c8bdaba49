package router

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/netio"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
)

// spreadThreshold is by how many transports a shard must be ahead of another before a router spreads to that one too, ours. A
// small room stays on one shard, where its packets need no message; a large one uses all.
const spreadThreshold = 16

// Runner is the shards of a process and what their transports share.
type Runner struct {
	shards      []*ShardContext
	certificate *dtls.Certificate
	log         *slog.Logger
	servers     map[string]*Server // control loop only
	peerClosed  peerClosed
	readers     sync.WaitGroup // of TCP ports
	poller      *netio.Poller  // reads the UDP ports of all WebRtcServers
}

// ShardContext is one shard with the environment of its transports, and with the poller that reads their sockets: waiting for the
// shard's turn then keeps no other shard's sockets waiting.
type ShardContext struct {
	shard      *shard.Shard
	poller     *netio.Poller
	env        transport.Env
	transports int
}

// RunnerOptions says what a runner is made of.
type RunnerOptions struct {
	Shards                 int // number of shards, at least one
	Clock                  shard.Clock
	Emit                   api.Emitter
	Log                    *slog.Logger
	Listen                 func(netio.UDPConfig) (transport.Socket, error)
	ListenTCP              func(netio.TCPConfig) (*netio.TCPServer, error)
	Certificate            *dtls.Certificate
	RTCMinPort, RTCMaxPort uint16
	Compat                 api.Compat
	Seed                   [32]byte // of the random numbers that need not be secret
}

// NewRunner starts the shards and pollers. The error says that the process has no descriptors left.
func NewRunner(o RunnerOptions) (*Runner, error) {
	h := &Runner{certificate: o.Certificate, log: o.Log, servers: map[string]*Server{}}
	var err error
	if h.poller, err = netio.NewPoller(); err != nil {
		return nil, err
	}
	for i := range max(o.Shards, 1) {
		poller, err := netio.NewPoller()
		if err != nil {
			h.Close()
			return nil, err
		}
		seed := o.Seed
		seed[0] ^= byte(i)
		h.shards = append(h.shards, &ShardContext{
			shard:  shard.New(i, o.Clock, logFaults(o.Log, i)),
			poller: poller,
			env: transport.Env{
				Emit: o.Emit, Log: o.Log, Batch: netio.NewBatch(), Rand: rand.New(rand.NewChaCha8(seed)),
				Listen: o.Listen, ListenTCP: o.ListenTCP, RTCMinPort: o.RTCMinPort, RTCMaxPort: o.RTCMaxPort,
				Compat: o.Compat,
			},
		})
	}
	return h, nil
}

// logFaults returns what a shard calls when a message or timer panics and no actor contains it.
func logFaults(log *slog.Logger, shard int) func(fault any, stack []byte) {
	return func(fault any, stack []byte) {
		log.Error(fmt.Sprintf("internal error in a message or timer of shard %d: %v\n%s", shard, fault, stack))
	}
}

// Close ends pollers and shards. All routers and WebRtcServers were closed before.
func (h *Runner) Close() {
	h.readers.Wait()
	h.poller.Close()
	for _, p := range h.shards {
		p.poller.Close()
	}
	for _, p := range h.shards {
		p.shard.Close()
		if n := p.shard.Dropped(); n > 0 {
			h.log.Warn("messages dropped because a shard was too far behind", "shard", p.shard.Index(), "messages", n)
		}
	}
}

// ArmedTimers returns how many timers of all shards wait for their time. No turn may be held.
func (h *Runner) ArmedTimers() int {
	total := 0
	for _, p := range h.shards {
		total += p.shard.ArmedTimers()
	}
	return total
}

// choose returns the place for a router's next transport: the one with the fewest transports, where a place that the
// router does not use yet counts as if it had more.
func (h *Runner) choose(perShard map[*ShardContext]int) *ShardContext {
	cost := func(p *ShardContext) int {
		if perShard[p] == 0 {
			return p.transports + spreadThreshold
		}
		return p.transports
	}
	best := h.shards[0]
	for _, p := range h.shards[1:] {
		if cost(p) < cost(best) {
			best = p
		}
	}
	return best
}

// serve has the poller read a socket until it is closed. Sockets of tests that nobody reads have no Serve method.
func serve(poller *netio.Poller, socket transport.Socket, handler netio.Handler) error {
	s, ok := socket.(interface {
		Serve(*netio.Poller, netio.Handler) error
	})
	if !ok {
		return nil
	}
	return s.Serve(poller, handler)
}
