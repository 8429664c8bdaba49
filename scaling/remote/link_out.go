package remote

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/link"
	"gazpacho/scaling/session"
)

// maxLinks is how many links in each direction a node has at once, chosen here: one to each other node of a large cluster, and
// of nodes that restarted.
const maxLinks = 256

// maxLinksOf is how many of those that come are of one node, chosen here: one for each time that it was started lately.
const maxLinksOf = 16

// outLink is a link to another node. It is there while streams use it.
type outLink struct {
	server  *Server
	address string
	opener  identity.Identity // whose request it was
	cancel  context.CancelFunc
	reached atomic.Bool // a node was there

	mu      sync.Mutex
	sender  *link.Sender
	conn    *connection // nil while there is none
	alarm   alarm
	streams map[link.Token]*outStream
	ended   bool
	failure error // of the last attempt to connect
	status  LinkStatus
}

// outStream is a data producer of a guest, on its way to another node.
type outStream struct {
	guest      *guest
	page       int // of the guest's conversations
	consumerID string
	producerID string
	token      link.Token
	link       *outLink
}

// openStream opens a stream to a node, by the link that there is or a new one.
func (s *Server) openStream(o *outStream, address string, unreliable bool) error {
	for {
		l, err := s.linkTo(address, o.guest.who)
		if err != nil {
			return err
		}
		o.link = l
		if l.open(o, unreliable) {
			return nil
		}
		s.forgetLink(l) // it has just ended
	}
}

// linkTo returns the link to a node, for a front. A front of another host cannot have this one connected to its unix sockets.
func (s *Server) linkTo(address string, who identity.Identity) (*outLink, error) {
	if _, _, err := SplitAddress(address); err != nil {
		return nil, err
	}
	local := who.Name == localName
	switch {
	case local != IsLocal(address):
		return nil, errors.New("a link is either between unix sockets of one host or between hosts")
	case !local && s.options.Nodes == nil:
		return nil, errors.New("the node has no certificate for other nodes")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.links[address]; l != nil {
		return l, nil
	}
	switch {
	case s.closing:
		return nil, errors.New("the node stops")
	case len(s.links) >= maxLinks || !local && s.unreached(who) >= maxLinks/shares:
		return nil, errors.New("the node has too many links")
	}
	var id session.SessionID
	rand.Read(id[:])
	ctx, cancel := context.WithCancel(context.Background())
	l := &outLink{
		server: s, address: address, opener: who, cancel: cancel, sender: link.NewSender(clock(), id), streams: map[link.Token]*outStream{},
	}
	s.links[address] = l
	var config *tls.Config
	if !local {
		config = s.options.Nodes
	}
	s.serving.Go(func() { l.connect(ctx, config) })
	return l, nil
}

// unreached returns how many links of an application lead to where no node was yet. The lock is held.
func (s *Server) unreached(who identity.Identity) (count int) {
	for _, l := range s.links {
		if l.opener.Name == who.Name && l.opener.Tenant == who.Tenant && !l.reached.Load() {
			count++
		}
	}
	return count
}

func (s *Server) forgetLink(l *outLink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links[l.address] == l {
		delete(s.links, l.address)
	}
}

// turn runs f with the lock held, and drains the machine. If the link has ended, the guests of its streams are told, without
// the lock.
func (l *outLink) turn(f func(now unit.Time)) {
	l.mu.Lock()
	now := clock()
	f(now)
	reason, broken := l.drain(now)
	l.mu.Unlock()
	if reason == "" {
		return
	}
	l.server.forgetLink(l)
	for _, o := range broken {
		l.server.options.Log.Warn("data does not reach another node any more", "node", l.address, "who", o.guest.who, "reason", reason)
		o.guest.streamBroken(o)
	}
}

// drain returns why the link has just ended, and which streams it has ended.
func (l *outLink) drain(now unit.Time) (reason string, broken map[link.Token]*outStream) {
	out := l.sender.Output()
	taken := *out
	*out = link.SenderOutput{}
	if l.conn != nil {
		l.conn.send(taken.Bytes)
		switch {
		case taken.Drop:
			l.conn.finish()
			l.conn = nil
		case taken.Abort:
			l.conn.abort()
		}
	}
	if taken.Ended != "" && !l.ended {
		l.ended, reason = true, taken.Ended
		if l.failure != nil {
			reason += ": " + l.failure.Error()
		}
		broken, l.streams = l.streams, nil
		l.alarm.stop()
		l.cancel()
		return reason, broken
	}
	l.alarm.set(l.sender.NextTimeout(), now, func() {
		l.turn(func(now unit.Time) {
			l.alarm.fired()
			l.sender.HandleTimeout(now)
		})
	})
	return "", nil
}

// connect connects again and again until the link ends.
func (l *outLink) connect(ctx context.Context, config *tls.Config) {
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, lastPause) {
		conn, err := dial(ctx, l.address, config)
		l.mu.Lock()
		l.failure = err
		l.mu.Unlock()
		if err == nil {
			begun := time.Now()
			l.serve(conn)
			if time.Since(begun) > lastPause {
				pause = firstPause
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// serve reads a connection until it ends.
func (l *outLink) serve(c net.Conn) {
	conn := newConnection(c)
	l.turn(func(unit.Time) {
		if l.ended {
			conn.abort()
			return
		}
		l.conn = conn
		l.sender.HandleConnected()
	})
	// A node that is stopped accepts connections, by its kernel, and answers none.
	unanswered := time.AfterFunc(connectTime, func() {
		l.turn(func(unit.Time) {
			if l.conn == conn && !l.sender.Connected() {
				conn.abort()
			}
		})
	})
	defer unanswered.Stop()
	conn.read(func(b []byte) {
		l.turn(func(now unit.Time) {
			if l.conn == conn {
				l.sender.Receive(now, b)
				l.reached.Store(l.reached.Load() || l.sender.Connected())
			}
		})
	})
	l.turn(func(unit.Time) {
		if l.conn == conn {
			l.conn = nil
			l.sender.HandleDisconnected()
		}
	})
}

// open begins a stream; false if the link has ended.
func (l *outLink) open(o *outStream, unreliable bool) (done bool) {
	l.turn(func(unit.Time) {
		if done = !l.ended; done {
			l.streams[o.token] = o
			l.sender.Open(o.token, unreliable)
		}
	})
	return done
}

// close ends a stream, and the link with the last one.
func (l *outLink) close(o *outStream) {
	l.turn(func(unit.Time) {
		if l.streams[o.token] != o {
			return
		}
		delete(l.streams, o.token)
		l.sender.Close(o.token)
		if len(l.streams) == 0 {
			l.sender.End("nothing is consumed any more")
		}
	})
}

// send sends a message of a stream.
func (l *outLink) send(o *outStream, message []byte) (outcome link.Outcome) {
	l.turn(func(unit.Time) {
		outcome = l.sender.Send(o.token, message)
		if outcome == link.Sent {
			l.status.Messages++
			l.status.Bytes += uint64(len(message))
		} else {
			l.status.Lost++
		}
	})
	return outcome
}

// shown returns what the link looks like now.
func (l *outLink) shown() LinkStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	row := l.status
	row.To, row.Connected, row.Streams, row.Waiting = l.address, l.conn != nil, len(l.streams), l.sender.Waiting()
	return row
}
