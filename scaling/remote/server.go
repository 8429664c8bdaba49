package remote

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/internal/crowd"
	"gazpacho/scaling/federation"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/link"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/reach"
	"gazpacho/scaling/session"
)

// Chosen here: what strangers may occupy before they have shown who they are.
const (
	maxStrangers = 256             // connections at once: see package crowd
	strangerTime = 5 * time.Second // for the handshake and the first frame
	loadInterval = time.Second
)

// ServerOptions says how to be a node.
type ServerOptions struct {
	// Name is the node's own, for its status.
	Name string
	// NewWorker makes a worker for a front. Required.
	NewWorker func(o *Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error)
	// Load returns the load of what all workers run on, from 0 to 1, which is the node's also while it has none. It is asked for once a
	// second. nil: the node's load is that of its busiest worker.
	Load func() float64
	// Traffic returns what the node has received and sent until now. It is asked once a second; nil: nothing.
	Traffic func() Traffic
	// Ports names the ports for media, for people.
	Ports string
	// Bandwidth is what the node's network carries in each direction, in kilobits a second: using it up counts as load. 0: it does not matter.
	Bandwidth uint64
	// Logger returns the logger of a front's worker, whose lines go to the front by emit; nil discards them.
	Logger func(o *Opening, emit func(line string)) *slog.Logger
	// Nodes is how other nodes on other hosts are reached, to send them data and to ask them; nil: they are not.
	Nodes *tls.Config
	// Addresses are those of the node's sockets.
	Addresses Addresses
	// Labels say where the node is.
	Labels placement.Labels
	// Watermark is the load, from 0 to 1, up to which the node is to be filled; 0 leaves that to the fronts.
	Watermark float64
	// Cores is how many cores it may use; 0: all.
	Cores int
	// Look answers the questions of monitors; nil: they are refused. It is called from many goroutines, and bounds what they do.
	Look func(question []byte) ([]byte, error)
	// MaxFronts is how many fronts are taken at once, a quarter of them of one application; 0 means 1,024.
	MaxFronts int
	// Log is the node's own log; nil discards.
	Log *slog.Logger
}

// Server is a node: it gives each front that opens a session a worker.
type Server struct {
	options    ServerOptions
	numbers    atomic.Uint64 // the last conversation's
	strangers  *crowd.Crowd  // connections before their first frame
	refused    atomic.Uint64
	complaints complaints
	// unclaimed is how many messages of other nodes nothing here waited for.
	unclaimed atomic.Uint64
	outlook   outlook
	index     index
	traffic   trafficMeter
	meeting   federation.Node // of the fronts' workers

	mu        sync.Mutex
	guests    map[session.SessionID]*guest
	links     map[string]*outLink // by address
	inLinks   map[session.SessionID]*inLink
	targets   map[link.Token]*target
	table     table
	rows      func() []membership.Row // all nodes of the cluster; nil: there is no other
	unheard   func() []reach.Unheard  // nil: it is not known
	orders    chan struct{}
	listeners []net.Listener
	draining  atomic.Bool
	closing   bool
	serving   sync.WaitGroup
	stop      chan struct{}
}

// NewServer returns a node that serves nothing yet.
func NewServer(o ServerOptions) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxFronts == 0 {
		o.MaxFronts = 1024
	}
	if o.Cores == 0 {
		o.Cores = runtime.GOMAXPROCS(0)
	}
	if o.Load == nil {
		o.Load = func() float64 { return 0 }
	}
	if o.Traffic == nil {
		o.Traffic = func() Traffic { return Traffic{} }
	}
	s := &Server{
		options: o, strangers: crowd.New(maxStrangers), guests: map[session.SessionID]*guest{},
		stop: make(chan struct{}), orders: make(chan struct{}, 1),
		links: map[string]*outLink{}, inLinks: map[session.SessionID]*inLink{}, targets: map[link.Token]*target{},
	}
	var b [8]byte
	rand.Read(b[:])
	s.numbers.Store(binary.BigEndian.Uint64(b[:]) | 1)
	s.serving.Go(s.tellLoads)
	return s
}

// conversation draws a number that no other conversation of this process has, and that one of an earlier process is as good
// as certain not to have had.
func (s *Server) conversation() uint64 {
	for {
		if n := s.numbers.Add(1); n != 0 {
			return n
		}
	}
}

// Listen opens the listener for an address: a unix socket that only its owner may use, or TCP. A socket file that no process
// listens on any more is replaced.
func Listen(address string) (net.Listener, error) {
	network, where, err := SplitAddress(address)
	if err != nil {
		return nil, err
	}
	if network == "tcp" {
		return net.Listen(network, where)
	}
	if c, err := net.Dial(network, where); err == nil {
		c.Close()
		return nil, fmt.Errorf("another process listens on %s", where)
	}
	if info, err := os.Lstat(where); err == nil && info.Mode().Type() == os.ModeSocket {
		os.Remove(where)
	}
	l, err := net.Listen(network, where)
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(where, 0o600)
}

// Serve accepts fronts on a listener until that or the server closes, and returns net.ErrClosed then. Without a TLS configuration only
// unix sockets are served: for others it returns an error at once.
func (s *Server) Serve(l net.Listener, config *tls.Config) error {
	if _, local := l.Addr().(*net.UnixAddr); !local && config == nil {
		l.Close()
		return errors.New("other hosts are served with certificates only")
	}
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		l.Close()
		return net.ErrClosed
	}
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	for {
		c, err := crowd.Accept(l, s.options.Log)
		if err != nil {
			return err
		}
		displaced, ok := s.strangers.Enter(c)
		if displaced {
			s.refused.Add(1)
		}
		if !ok { // the listener is about to be closed
			c.Close()
			continue
		}
		s.serving.Go(func() { s.serve(c, config) })
	}
}

// serve takes a connection to its guest and reads it until it ends.
func (s *Server) serve(c net.Conn, config *tls.Config) {
	raw := c
	c, who, first, rest, err := greet(c, config)
	if !s.strangers.Leave(raw) { // it was displaced, and counted
		c.Close()
		return
	}
	if err != nil {
		c.Close()
		if !errors.Is(err, io.EOF) { // closed again before a word was said
			s.refused.Add(1)
			s.complain("connection refused", "from", c.RemoteAddr(), "error", err)
		}
		return
	}
	conn := newConnection(c)
	if first.Hello == nil {
		if !mayAsk(who) {
			s.refused.Add(1)
			s.complain("question refused", "from", c.RemoteAddr(), "who", who, "query", first.Query)
		}
		conn.send(s.reply(first.Query, who))
		conn.finish()
		return
	}
	serve := s.serveGuest
	if first.Link {
		serve = s.serveLink
	}
	if code := serve(conn, *first.Hello, who, rest); code != 0 {
		s.refused.Add(1)
		s.complain("session refused", "from", c.RemoteAddr(), "who", who, "code", code, "link", first.Link)
		conn.send(session.AppendRefusal(nil, code, ""))
		conn.finish()
	}
}

// serveGuest takes a connection of a front, and reads it until it ends.
func (s *Server) serveGuest(c *connection, h session.Hello, who identity.Identity, rest []byte) session.RefuseCode {
	g, code := s.guest(h, who)
	if code == 0 {
		code = g.accept(c, h)
	}
	if code == 0 {
		g.serve(c, rest)
	}
	return code
}

// mayAsk says whether somebody may ask the node about its fronts. Applications learn nothing of each other.
func mayAsk(who identity.Identity) bool {
	return who.Role != identity.Application || who.Name == localName
}

// reply answers a query.
func (s *Server) reply(query string, who identity.Identity) []byte {
	if !mayAsk(who) {
		return session.AppendRefusal(nil, session.RefuseIdentity, "operators and nodes may ask")
	}
	word, about, _ := strings.Cut(query, " ")
	switch word {
	case queryStatus:
		return replyJSON(s.Status())
	case queryCluster:
		return replyJSON(s.clusterStatus())
	case queryFind:
		return replyJSON(s.findAll(about))
	case queryHas:
		return replyJSON(s.has(about))
	case queryLook:
		return s.look(about, who)
	case queryDrain, queryUndrain:
		reply, err := s.drainReply(query, who)
		if err != nil {
			return session.AppendRefusal(nil, session.RefuseUnknown, err.Error())
		}
		return session.AppendReply(nil, []byte(reply))
	}
	return session.AppendRefusal(nil, session.RefuseVersion, "unknown query")
}

// look answers a monitor's question.
func (s *Server) look(question string, who identity.Identity) []byte {
	switch {
	case who.Role == identity.Node: // which has no need to know what others carry
		return session.AppendRefusal(nil, session.RefuseIdentity, "operators may look")
	case s.options.Look == nil:
		return session.AppendRefusal(nil, session.RefuseVersion, "the node shows nothing to monitors")
	}
	return replyTo(question, s.options.Look)
}

// replyTo returns the reply to a monitor's question.
func replyTo(question string, look func([]byte) ([]byte, error)) []byte {
	answer, err := look([]byte(question))
	if err != nil {
		return session.AppendRefusal(nil, session.RefuseUnknown, err.Error())
	}
	return session.AppendReply(nil, answer)
}

func replyJSON(status any) []byte {
	b, err := json.Marshal(status)
	if err != nil {
		panic("remote: a status cannot be encoded: " + err.Error()) // it is made of strings and numbers
	}
	return session.AppendReply(nil, b)
}

// localName is the name of whoever comes by a unix socket: the same user, or root, on this host.
const localName = "(local)"

// greet finds out who is at the other end, and reads its first frame.
func greet(c net.Conn, config *tls.Config) (conn net.Conn, who identity.Identity, first session.First, rest []byte, err error) {
	c.SetDeadline(time.Now().Add(strangerTime))
	if config == nil || c.LocalAddr().Network() == "unix" {
		who = identity.Identity{Role: identity.Application, Name: localName}
		err = checkPeer(c)
	} else {
		secure := tls.Server(c, config)
		c = secure
		if err = secure.HandshakeContext(context.Background()); err == nil {
			who, err = identity.Peer(secure.ConnectionState())
		}
	}
	if err == nil {
		first, rest, err = readFirst(c)
	}
	return c, who, first, rest, err
}

// readFirst reads the first frame of a connection.
func readFirst(c net.Conn) (first session.First, rest []byte, err error) {
	var got []byte
	for b := make([]byte, 1024); ; {
		n, err := c.Read(b)
		got = append(got, b[:n]...)
		first, rest, ok, parseErr := session.ReadFirst(got)
		switch {
		case ok:
			c.SetDeadline(time.Time{})
			return first, rest, nil
		case parseErr != nil:
			return first, nil, parseErr
		case err == io.EOF && len(got) > 0:
			return first, nil, io.ErrUnexpectedEOF
		case err != nil:
			return first, nil, err
		}
	}
}

// guest returns the guest of a session, a new one if the session is new.
func (s *Server) guest(h session.Hello, who identity.Identity) (*guest, session.RefuseCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.draining.Load() && s.guests[h.Session] == nil {
		return nil, session.RefuseStopping
	}
	if g := s.guests[h.Session]; g != nil {
		if g.who.Role != who.Role || g.who.Name != who.Name || g.who.Tenant != who.Tenant {
			return nil, session.RefuseIdentity
		}
		return g, 0
	}
	switch {
	case who.Role != identity.Application:
		return nil, session.RefuseIdentity
	case len(s.guests) >= s.options.MaxFronts || who.Name != localName && s.frontsOf(who) >= max(s.options.MaxFronts/shares, 1):
		return nil, session.RefuseBusy
	}
	g := newGuest(s, h.Session, who)
	s.guests[h.Session] = g
	s.serving.Go(g.run)
	return g, 0
}

// shares: an application has at most one of so many of what all have in common. Chosen here.
const shares = 4

// frontsOf returns how many fronts an application has. The lock is held.
func (s *Server) frontsOf(who identity.Identity) (count int) {
	for _, g := range s.guests {
		if g.who.Name == who.Name && g.who.Tenant == who.Tenant {
			count++
		}
	}
	return count
}

func (s *Server) forget(g *guest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guests[g.id] == g {
		delete(s.guests, g.id)
	}
}

func (s *Server) all() []*guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*guest, 0, len(s.guests))
	for _, g := range s.guests {
		list = append(list, g)
	}
	return list
}

// tellLoads measures the node's load, and tells all fronts that of their workers, again and again.
func (s *Server) tellLoads() {
	ticker := time.NewTicker(loadInterval)
	defer ticker.Stop()
	for {
		s.traffic.sample(clock(), s.options.Traffic())
		select {
		case <-s.stop:
			return
		case <-ticker.C:
		}
		s.options.Load() // it covers the time between two calls
		for _, g := range s.all() {
			g.tellLoad()
		}
	}
}

// isServing reports whether fronts are accepted anywhere.
func (s *Server) isServing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.listeners) > 0 && !s.closing
}

// Close says goodbye to all fronts, closes their workers, and returns when all has ended.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.closing = true
	close(s.stop)
	for _, l := range s.listeners {
		l.Close()
	}
	s.strangers.Close()
	incoming := slices.Collect(maps.Values(s.inLinks))
	s.mu.Unlock()
	for _, g := range s.all() { // links to other nodes end with their last stream
		g.turn(func(unit.Time) { g.leave("the node stops") })
	}
	for _, l := range incoming {
		l.leave()
	}
	s.serving.Wait()
	s.index.close()
}
