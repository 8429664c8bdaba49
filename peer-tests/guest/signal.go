package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

const (
	patience    = 15 * time.Second // for an answer, as the page's
	maxMessage  = 1 << 20          // bytes; the longest, with the Router's capabilities, has some 10 KB
	mostWaiting = 1024             // events
)

var errBehind = errors.New("the server tells more than can be followed")

// refusal is an error that the server answered with: the connection is well.
type refusal string

func (r refusal) Error() string { return string(r) }

// event is something that the server tells of its own accord.
type event struct {
	name string
	data json.RawMessage
}

// message is what the server sends: the answer to a request, or an event.
type message struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
	Event  string          `json:"event"`
	Data   json.RawMessage `json:"data"`
}

// signaller is the WebSocket to the conference: requests with answers, and events.
type signaller struct {
	conn   *websocket.Conn
	events chan event

	mu      sync.Mutex
	pending map[int]chan message // by the request's id; one message each
	last    int                  // id
}

// dial connects. lost is called with the reason when the connection has ended.
func dial(ctx context.Context, address string, insecure bool, lost func(error)) (*signaller, error) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: insecure}}}
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxMessage)
	s := &signaller{conn: conn, events: make(chan event, mostWaiting), pending: make(map[int]chan message)}
	go func() { lost(s.read(ctx)) }()
	return s, nil
}

func (s *signaller) read(ctx context.Context) error {
	for {
		var m message
		if err := wsjson.Read(ctx, s.conn, &m); err != nil {
			return err
		}
		if m.Event == "" {
			s.answer(m)
			continue
		}
		select {
		case s.events <- event{m.Event, m.Data}:
		default:
			return errBehind
		}
	}
}

func (s *signaller) answer(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting, ok := s.pending[m.ID]; ok {
		delete(s.pending, m.ID)
		waiting <- m
	}
}

func (s *signaller) expect() (id int, answer chan message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	answer = make(chan message, 1)
	s.pending[s.last] = answer
	return s.last, answer
}

// request sends a request, and decodes the answer into result unless that is nil. The error is a refusal if the server says no.
func (s *signaller) request(ctx context.Context, method string, data, result any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer to %s", method))
	defer cancel()
	id, answer := s.expect()
	if err := wsjson.Write(ctx, s.conn, map[string]any{"id": id, "method": method, "data": data}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case m := <-answer:
		switch {
		case m.Error != "":
			return refusal(m.Error)
		case result == nil:
			return nil
		}
		return json.Unmarshal(m.Result, result)
	}
}

// close ends the connection, which tells the server that this guest is gone.
func (s *signaller) close() { _ = s.conn.CloseNow() }
