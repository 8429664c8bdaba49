package remote

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"gazpacho/engine/unit"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/link"
	"gazpacho/scaling/session"
)

// inLink is a link from another node.
type inLink struct {
	server *Server
	id     session.SessionID
	who    identity.Identity

	mu       sync.Mutex
	receiver *link.Receiver
	conn     *connection
	alarm    alarm
	ended    bool
	status   LinkStatus

	// reading is held by whoever reads the link's connection: the reader of an earlier one may still be handing out messages.
	reading sync.Mutex
}

// target is where the messages of a stream go.
type target struct {
	guest      *guest
	page       int // of the guest's conversations
	producerID string
}

// serveLink takes a connection of another node, and reads it until it ends.
func (s *Server) serveLink(c *connection, h session.Hello, who identity.Identity, rest []byte) session.RefuseCode {
	l, code := s.inLink(h.Session, who)
	if code == 0 {
		code = l.accept(c, h)
	}
	if code == 0 {
		l.serve(c, rest)
	}
	return code
}

// inLink returns the link of a session, a new one if the session is new.
func (s *Server) inLink(id session.SessionID, who identity.Identity) (*inLink, session.RefuseCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.inLinks[id]
	switch {
	case s.closing:
		return nil, session.RefuseStopping
	case who.Role != identity.Node && who.Name != localName, l != nil && (l.who.Role != who.Role || l.who.Name != who.Name):
		return nil, session.RefuseIdentity
	case l != nil:
		return l, 0
	case len(s.inLinks) >= maxLinks || who.Name != localName && s.linksOf(who) >= maxLinksOf:
		return nil, session.RefuseBusy
	}
	l = &inLink{server: s, id: id, who: who, receiver: link.NewReceiver(s.conversation)}
	s.inLinks[id] = l
	return l, 0
}

// linksOf returns how many links a node has. The lock is held.
func (s *Server) linksOf(who identity.Identity) (count int) {
	for _, l := range s.inLinks {
		if l.who.Name == who.Name {
			count++
		}
	}
	return count
}

// turn runs f with the lock held, drains the machine, and returns the messages that have arrived.
func (l *inLink) turn(f func(now unit.Time)) []link.Message {
	l.mu.Lock()
	now := clock()
	f(now)
	out := l.receiver.Output()
	taken := *out
	*out = link.ReceiverOutput{}
	if l.conn != nil {
		l.conn.send(taken.Bytes)
		if taken.Drop {
			l.conn.finish()
			l.conn = nil
		}
	}
	for _, m := range taken.Messages {
		l.status.Messages++
		l.status.Bytes += uint64(len(m.Payload))
	}
	ended := taken.Ended != "" && !l.ended
	if ended {
		l.ended = true
		l.alarm.stop()
	} else if !l.ended {
		l.alarm.set(l.receiver.NextTimeout(), now, func() {
			l.turn(func(now unit.Time) {
				l.alarm.fired()
				l.receiver.HandleTimeout(now)
			})
		})
	}
	l.mu.Unlock()
	if taken.Broken != "" {
		l.server.refused.Add(1)
		l.server.complain("a node does not keep to the session's protocol", "who", l.who, "reason", taken.Broken)
	}
	if ended {
		l.server.options.Log.Debug("a link is over", "who", l.who, "reason", taken.Ended)
		l.server.mu.Lock()
		delete(l.server.inLinks, l.id)
		l.server.mu.Unlock()
	}
	return taken.Messages
}

// accept gives the link a new connection; an earlier one is closed.
func (l *inLink) accept(c *connection, h session.Hello) (code session.RefuseCode) {
	l.turn(func(now unit.Time) {
		if l.ended {
			code = session.RefuseBusy // the other node tries again, and gets a new link
			return
		}
		if code = l.receiver.Accept(now, h); code != 0 {
			return
		}
		if l.conn != nil {
			l.conn.abort()
		}
		l.conn = c
	})
	return code
}

// serve reads an accepted connection until it ends.
func (l *inLink) serve(c *connection, rest []byte) {
	l.reading.Lock()
	defer l.reading.Unlock()
	take := func(b []byte) {
		messages := l.turn(func(now unit.Time) {
			if l.conn == c {
				l.receiver.Receive(now, b)
			}
		})
		for _, m := range messages {
			l.server.deliver(m)
		}
	}
	take(rest)
	c.read(take)
	l.turn(func(unit.Time) {
		if l.conn == c {
			l.conn = nil
			l.receiver.HandleDisconnected()
		}
	})
}

// leave ends the link, since the node stops.
func (l *inLink) leave() { l.turn(func(unit.Time) { l.receiver.End("the node stops") }) }

func (l *inLink) shown() LinkStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	row := l.status
	row.From, row.Connected = l.who.Name, l.conn != nil
	return row
}

// expect has the messages that come by a token delivered; false if the token is there already.
func (s *Server) expect(token link.Token, t *target) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.targets[token] != nil {
		return false
	}
	s.targets[token] = t
	return true
}

func (s *Server) expectNoMore(token link.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.targets, token)
}

// deliver hands a message to the guest that expects it. One that none expects is counted: its relay has just ended, or its sender
// guessed.
func (s *Server) deliver(m link.Message) {
	s.mu.Lock()
	t := s.targets[m.Token]
	s.mu.Unlock()
	if t == nil || !t.guest.deliver(t, m.Payload) {
		s.unclaimed.Add(1)
	}
}

// linksShown returns what all links look like now.
func (s *Server) linksShown() []LinkStatus {
	s.mu.Lock()
	out, in := slices.Collect(maps.Values(s.links)), slices.Collect(maps.Values(s.inLinks))
	s.mu.Unlock()
	rows := make([]LinkStatus, 0, len(out)+len(in))
	for _, l := range out {
		rows = append(rows, l.shown())
	}
	for _, l := range in {
		rows = append(rows, l.shown())
	}
	slices.SortFunc(rows, func(a, b LinkStatus) int { return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.From, b.From)) })
	return rows
}
