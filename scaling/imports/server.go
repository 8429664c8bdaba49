package imports

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"gazpacho/engine/api"
	"gazpacho/internal/crowd"
	"gazpacho/scaling/front"
)

// Chosen here: what the processes of the application may occupy.
const (
	maxConnections = 4096
	askTime        = 5 * time.Second  // for the line that asks
	writeTime      = 10 * time.Second // for each line that is told: an event loop may be busy
	// maxUnread is how many events wait for a process that reads slowly. Then the connection is closed, as if the front had ended.
	maxUnread = 64
)

// Front is what imports. See [front.Front.Import].
type Front interface {
	Import(routerID, producerID string, done func(front.Import, *front.ImportError), event func(front.ImportEvent)) (stop func())
	ImportData(
		routerID, dataProducerID string, done func(front.ImportedData, *front.ImportError), event func(front.ImportEvent),
	) (stop func())
}

// Options says how to serve.
type Options struct {
	// Front does what is asked for. Required.
	Front Front
	// Knows says which header extensions the application's library has words for; nil: all.
	Knows func(api.RTPHeaderExtensionURI) bool
	// MaxConnections is how many imports there may be at once; 0 means 4,096.
	MaxConnections int
	// Log is for questions that cannot be taken or understood; nil discards.
	Log *slog.Logger
}

// Server answers on one listener until it is closed.
type Server struct {
	options  Options
	listener net.Listener

	mu      sync.Mutex
	open    map[net.Conn]bool
	closed  bool
	serving sync.WaitGroup
}

// Serve answers those who connect.
func Serve(l net.Listener, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = maxConnections
	}
	if o.Knows == nil {
		o.Knows = func(api.RTPHeaderExtensionURI) bool { return true }
	}
	s := &Server{options: o, listener: l, open: map[net.Conn]bool{}}
	s.serving.Go(s.accept)
	return s
}

// Close ends all connections, and removes the socket. It always returns nil.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.listener.Close()
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
	return nil
}

func (s *Server) accept() {
	for {
		c, err := crowd.Accept(s.listener, s.options.Log)
		if err != nil {
			return // it is closed
		}
		s.mu.Lock()
		full := len(s.open) >= s.options.MaxConnections
		if s.closed || full {
			s.mu.Unlock()
			if full {
				newConversation(c).refuse(front.ImportBusy, "too many producers of other applications are used already")
			}
			c.Close()
			continue
		}
		s.open[c] = true
		s.serving.Go(func() { s.serve(c) })
		s.mu.Unlock()
	}
}

// serve carries out one import.
func (s *Server) serve(c net.Conn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
	c.SetReadDeadline(time.Now().Add(askTime))
	want, err := ask(c)
	if err == io.EOF {
		return
	}
	conversation := newConversation(c)
	if err != nil {
		s.options.Log.Warn("a question about another application's producer is not understood", "error", err)
		conversation.refuse(front.ImportFailed, err.Error())
		return
	}
	c.SetReadDeadline(time.Time{})
	defer s.begin(conversation, want)()
	go func() {
		io.Copy(io.Discard, c) // nothing more is asked: the process has ended the connection, or serve has
		conversation.end()
	}()
	conversation.write()
}

// begin has the front import what is wanted.
func (s *Server) begin(c *conversation, want *wanted) (stop func()) {
	if want.DataProducerID != "" {
		return s.options.Front.ImportData(want.RouterID, want.DataProducerID, c.answerData, c.event)
	}
	return s.options.Front.Import(want.RouterID, want.ProducerID, func(imp front.Import, err *front.ImportError) {
		c.answer(imp, err, s.options.Knows)
	}, c.event)
}

// conversation is what is told on a connection. The front adds to it, and one goroutine writes.
type conversation struct {
	conn  net.Conn
	lines chan []byte

	mu    sync.Mutex
	ended bool
}

func newConversation(c net.Conn) *conversation {
	return &conversation{conn: c, lines: make(chan []byte, maxUnread)}
}

// answer takes the front's answer.
func (c *conversation) answer(imp front.Import, refused *front.ImportError, knows func(api.RTPHeaderExtensionURI) bool) {
	if refused != nil {
		c.last(told{Error: &refusal{refused.Code, refused.Reason}})
		return
	}
	kind := "audio"
	if imp.Kind == api.MediaKindVideo {
		kind = "video"
	}
	c.offer(described{imp.ID, kind, describe(imp.RTPParameters, knows), imp.Paused}, "the producer's RTP parameters are too long")
}

// answerData is answer for a data producer.
func (c *conversation) answerData(imp front.ImportedData, refused *front.ImportError) {
	if refused != nil {
		c.last(told{Error: &refusal{refused.Code, refused.Reason}})
		return
	}
	d := describedData{imp.ID, (*sctpStreamParameters)(imp.SCTPStreamParameters), imp.Label, imp.Protocol, imp.Paused}
	c.offer(d, "the data producer's label and protocol are too long")
}

// offer has what was imported told, if it fits into a line.
func (c *conversation) offer(what any, tooLong string) {
	line, err := encode(told{Import: what})
	if err != nil {
		c.last(told{Error: &refusal{front.ImportFailed, tooLong}})
		return
	}
	c.tell(line)
}

// event takes an event of the import.
func (c *conversation) event(e front.ImportEvent) {
	if e == front.ImportClosed {
		c.last(told{Event: e})
		return
	}
	line, _ := encode(told{Event: e})
	c.tell(line)
}

// tell has a line written. A process that does not read loses the connection.
func (c *conversation) tell(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	select {
	case c.lines <- line:
	default:
		c.endLocked()
		c.conn.Close()
	}
}

// last has the last line written.
func (c *conversation) last(t told) {
	line, _ := encode(t)
	c.tell(line)
	c.end()
}

// refuse writes an error at once.
func (c *conversation) refuse(code front.ImportCode, message string) {
	c.last(told{Error: &refusal{code, message}})
	c.write()
}

// end has the connection closed when what was told is written.
func (c *conversation) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked()
}

func (c *conversation) endLocked() {
	if !c.ended {
		c.ended = true
		close(c.lines)
	}
}

// write writes what is told until there is no more, or it is not taken.
func (c *conversation) write() {
	for line := range c.lines {
		c.conn.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := c.conn.Write(line); err != nil {
			c.end()
			return
		}
	}
}
