package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/look"
)

// stage is a few processes, as a Watch finds them.
type stage struct {
	mu        sync.Mutex
	processes []*process
}

// process answers questions from what it has.
type process struct {
	Node
	dead       bool
	transports []look.Transport
	relays     []look.RelayEnd
	asked      map[string]int
}

var owner = look.Owner{Application: "edumeet", Tenant: "school"}

func roomID(router string) look.RoomID { return look.RoomID{Owner: owner, Router: router} }

// at returns a transport of a Router.
func transportIn(router, id string) look.Transport {
	return look.Transport{
		TransportID: look.TransportID{RoomID: roomID(router), Transport: id},
		State:       look.State{Kind: look.WebRtc, ICE: "completed", DTLS: "connected"},
	}
}

// add adds a process.
func (s *stage) add(name string, transports ...look.Transport) *process {
	p := &process{Node: Node{Name: name, Address: name + ":7000", State: "alive"}, transports: transports, asked: map[string]int{}}
	p.Ask = func(ctx context.Context, question []byte) ([]byte, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return p.answer(question)
	}
	s.processes = append(s.processes, p)
	return p
}

func (s *stage) find(context.Context) (nodes []Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.processes {
		nodes = append(nodes, p.Node)
	}
	return nodes
}

func (p *process) answer(question []byte) ([]byte, error) {
	q, err := look.ParseQuestion(question)
	switch {
	case err != nil:
		return nil, err
	case p.dead:
		return nil, errors.New("connection refused")
	}
	p.asked[q.About]++
	var survey look.Survey
	for _, t := range p.transports {
		survey.Readings = append(survey.Readings, look.Reading{
			ID: t.TransportID, Kind: t.Kind, SendBitrate: t.Stats.SendBitrate, Producers: len(t.Producers), Consumers: len(t.Consumers),
		})
	}
	survey.Sum()
	survey.Relays, survey.CPU = p.relays, 0.5
	survey.Shards = []look.Shard{{Busy: 0.25, Delay: 0.001}, {Busy: 0.5}}
	switch q.About {
	case look.AboutAll:
		return json.Marshal(&look.All{Process: look.Process{Name: p.Name, Version: "1"}, Survey: survey})
	case look.AboutRooms:
		rooms, more := survey.After(q.RoomID, 2)
		return json.Marshal(&look.Rooms{Rooms: rooms, More: more})
	case look.AboutRoom:
		room := look.Room{RoomID: q.RoomID, History: []look.RoomSample{{At: 10, SendBitrate: 1}}}
		for _, t := range p.transports {
			if t.RoomID == q.RoomID && t.TransportID.Transport > q.After && !room.More {
				room.More = len(room.Transports) == 2
				room.Transports = append(room.Transports, t)
			}
		}
		if room.More {
			room.Transports = room.Transports[:2]
		}
		return json.Marshal(&room)
	}
	for _, t := range p.transports {
		if t.TransportID.Transport == q.Transport && t.RoomID == q.RoomID {
			return json.Marshal(&t)
		}
	}
	return nil, errors.New("there is no such transport")
}

// watch returns a Watch that has asked once.
func (s *stage) watch(t *testing.T) *Watch {
	t.Helper()
	w := NewWatch(s.find)
	w.round(t.Context())
	return w
}

func names(rows []RoomRow) (routers []string) {
	for _, r := range rows {
		routers = append(routers, r.Router)
	}
	return routers
}

// call runs a view.
func call[T any](t *testing.T, v view, err error) T {
	t.Helper()
	require.NoError(t, err)
	data, err := v(t.Context())
	require.NoError(t, err)
	return data.(T)
}
