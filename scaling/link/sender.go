package link

import (
	"time"

	"gazpacho/engine/unit"
	"gazpacho/scaling/session"
)

// Chosen here.
const (
	// MaxMessage is the longest message in bytes.
	MaxMessage = 16 << 20
	// MaxStream and MaxLink bound the bytes that wait at the sender: twice the longest message, and four times.
	MaxStream = 32 << 20
	MaxLink   = 64 << 20
	// Late is how much may wait before messages of unreliable streams are lost: at 100 Mbit/s they would be a third of a second old.
	Late = 4 << 20
	// OpenTime is how long the first connection may take.
	OpenTime = 10 * time.Second
)

// Token names a stream, and is the right to send into it. It stands in front of each of its messages.
type Token [16]byte

// limits are those of the conversation.
var limits = session.Limits{MaxMessage: len(Token{}) + MaxMessage, Pieces: 65536, Bytes: MaxLink}

// Sender is the sending end of a link.
type Sender struct {
	front     *session.Front
	streams   map[Token]*stream
	messages  []message // that wait, in order
	waiting   int       // bytes of them
	opened    bool      // there was a connection
	connected bool      // there is one
	deadline  unit.Time // for the first connection
	ended     bool
	out       SenderOutput
}

type stream struct {
	unreliable bool
	waiting    int  // bytes
	full       bool // a message was lost, and not much less waits since
}

// message is what its stream's bound must know of a message that waits.
type message struct {
	stream *stream
	size   int // what is not acknowledged of it
}

// SenderOutput is what a Sender has for its owner, who drains it after each call.
type SenderOutput struct {
	Bytes []byte // to write to the connection
	Drop  bool   // close the connection, after writing Bytes
	Abort bool   // close the connection at once: another one may get through
	Ended string // why the link has ended, with all its streams; empty while it lives
}

// Outcome is what became of a message.
type Outcome uint8

// Outcomes.
const (
	Sent Outcome = iota // it waits, or is on its way, until it has arrived
	Lost                // there is no room
	Full                // the same, the first time since there was room: the application is to be told
)

// NewSender returns a link that is still to be opened. id is random.
func NewSender(now unit.Time, id session.SessionID) *Sender {
	return &Sender{front: session.NewLink(now, id, limits), streams: map[Token]*stream{}, deadline: now.Add(OpenTime)}
}

// Output is what the machine has for its owner.
func (s *Sender) Output() *SenderOutput { return &s.out }

// Open begins a stream.
func (s *Sender) Open(t Token, unreliable bool) { s.streams[t] = &stream{unreliable: unreliable} }

// Close ends a stream. What waits is still sent, if the link stays.
func (s *Sender) Close(t Token) { delete(s.streams, t) }

// Streams returns how many streams there are.
func (s *Sender) Streams() int { return len(s.streams) }

// Waiting returns how many bytes wait.
func (s *Sender) Waiting() int { return s.waiting }

// Send sends a message, which the caller may use again. A stream that is not open loses it.
func (s *Sender) Send(t Token, content []byte) Outcome {
	to := s.streams[t]
	if to == nil || s.ended {
		return Lost
	}
	size := len(t) + len(content)
	late := to.unreliable && (s.waiting+size > Late || s.opened && !s.connected)
	switch {
	case late:
		return Lost
	case !s.front.Fits(size), to.waiting+size > MaxStream:
		if to.full || to.unreliable {
			return Lost
		}
		to.full = true
		return Full
	}
	b := append(append(make([]byte, 0, size), t[:]...), content...)
	if err := s.front.Send(b); err != nil {
		panic("link: the session does not take what fits: " + err.Error())
	}
	s.messages = append(s.messages, message{to, size})
	to.waiting += size
	s.waiting += size
	s.drain()
	return Sent
}

// Connected reports whether there is a connection that the other node has accepted.
func (s *Sender) Connected() bool { return s.connected }

// HandleConnected says that there is a new connection.
func (s *Sender) HandleConnected() {
	s.connected = false
	s.front.Connected()
	s.drain()
}

// HandleDisconnected says that the connection is gone.
func (s *Sender) HandleDisconnected() {
	s.connected = false
	s.front.Disconnected()
	s.drain()
}

// Receive takes bytes that the connection brought, cut anywhere.
func (s *Sender) Receive(now unit.Time, b []byte) {
	s.front.Receive(now, b)
	s.drain()
}

// HandleTimeout does what is due.
func (s *Sender) HandleTimeout(now unit.Time) {
	s.front.HandleTimeout(now)
	s.drain()
	if !s.opened && now >= s.deadline {
		s.end("the node is not reached")
	}
}

// NextTimeout returns when HandleTimeout has something to do, [unit.Never] for not at all.
func (s *Sender) NextTimeout() unit.Time {
	switch {
	case s.ended:
		return unit.Never
	case s.opened:
		return s.front.NextTimeout()
	}
	return min(s.front.NextTimeout(), s.deadline)
}

// End ends the link; the other node is told.
func (s *Sender) End(reason string) { s.end(reason) }

func (s *Sender) end(reason string) {
	if s.ended {
		return
	}
	s.ended = true
	s.front.Goodbye(reason)
	s.drain()
	s.streams, s.messages, s.waiting = map[Token]*stream{}, nil, 0
	s.out.Ended = reason
}

// drain takes what the session has, and notes what was acknowledged.
func (s *Sender) drain() {
	out := s.front.Output()
	taken := *out
	out.Reset()
	if s.out.Bytes == nil {
		s.out.Bytes = taken.Bytes
	} else {
		s.out.Bytes = append(s.out.Bytes, taken.Bytes...)
	}
	s.out.Drop = s.out.Drop || taken.Drop
	if taken.Drop {
		s.connected = false
	}
	for _, e := range taken.Events {
		s.handle(e)
	}
	s.free(s.waiting - s.front.Waiting())
}

// free notes that so many bytes more were acknowledged.
func (s *Sender) free(acknowledged int) {
	for acknowledged > 0 {
		m := &s.messages[0]
		n := min(acknowledged, m.size)
		acknowledged -= n
		s.waiting -= n
		m.size -= n
		m.stream.waiting -= n
		m.stream.full = m.stream.full && m.stream.waiting > MaxStream/2
		if m.size == 0 {
			s.messages = s.messages[1:]
		}
	}
	if len(s.messages) == 0 {
		s.messages = nil // the array behind it may have grown large
	}
}

func (s *Sender) handle(e session.Event) {
	switch e.Kind {
	case session.EventOpened:
		if s.opened {
			s.end("the node has restarted")
			return
		}
		s.opened, s.connected = true, true
	case session.EventResumed:
		s.connected = true
	case session.EventSuspected:
		s.out.Abort = true
	case session.EventExpired:
		s.end("the node was silent for longer than its lease")
	case session.EventGoodbye:
		s.end("the node ended the link: " + e.Reason)
	case session.EventRefused:
		if e.Code != session.RefuseBusy {
			s.end("the node refuses the link: " + e.Code.String() + " " + e.Reason)
		}
	}
}
