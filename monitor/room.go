package monitor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"gazpacho/engine/look"
)

// RoomView is a Router with all that it has, on all nodes.
type RoomView struct {
	look.RoomID
	At         int64             `json:"at"` // milliseconds since 1970
	Nodes      []string          `json:"nodes"`
	Transports []RoomTransport   `json:"transports"` // without relays
	Relays     []RoomTransport   `json:"relays"`
	More       bool              `json:"more,omitempty"` // there are more than are shown
	Errors     []string          `json:"errors,omitempty"`
	History    []look.RoomSample `json:"history"`
}

// RoomTransport is a transport with what is found wrong with it.
type RoomTransport struct {
	look.Transport
	Findings []Finding `json:"findings"`
}

// TransportView is a transport with its history, what is found wrong with it, and where what it consumes comes from.
type TransportView struct {
	At int64 `json:"at"` // milliseconds since 1970
	look.Transport
	Findings []Finding         `json:"findings"`
	Origins  map[string]Origin `json:"origins"` // of what it consumes, by the producer's id
}

// Origin is where a producer is.
type Origin struct {
	Node      string `json:"node"`
	Transport string `json:"transport"`
	Paused    bool   `json:"paused"`
	Score     uint8  `json:"score"` // of its best stream
	Bitrate   uint64 `json:"bitrate"`
}

// room asks all nodes that have a part of a Router for it.
func (w *Watch) room(ctx context.Context, id look.RoomID) (*RoomView, error) {
	nodes := w.nodesOf(ctx, id)
	v := &RoomView{
		RoomID: id, At: time.Now().UnixMilli(), Nodes: []string{}, Transports: []RoomTransport{}, Relays: []RoomTransport{},
		History: []look.RoomSample{},
	}
	var mu sync.Mutex
	each(nodes, func(_ int, n Node) {
		part, err := n.room(ctx, id)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			v.Errors = append(v.Errors, n.Name+": "+err.Error())
			return
		}
		v.add(n.Name, part)
	})
	if len(v.Transports)+len(v.Relays) == 0 && len(v.Errors) == 0 {
		return nil, errors.New("there is no such Router with transports now")
	}
	v.sort()
	return v, nil
}

// nodesOf returns the nodes that have a part of a Router, or all if that is not known.
func (w *Watch) nodesOf(ctx context.Context, id look.RoomID) []Node {
	all := w.reachable()
	_, known, _ := w.list(ctx)
	names := known[id]
	if len(names) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(n Node) bool { return !slices.Contains(names, n.Name) })
}

// room asks a node for its part of a Router, piece by piece.
func (n *Node) room(ctx context.Context, id look.RoomID) (whole look.Room, err error) {
	q := look.Question{About: look.AboutRoom, RoomID: id}
	for range roomPages {
		var part look.Room
		if err := n.ask(ctx, q, &part); err != nil {
			return whole, err
		}
		whole.Transports = append(whole.Transports, part.Transports...)
		if q.After == "" {
			whole.History = part.History
		}
		if whole.More = part.More && len(part.Transports) > 0; !whole.More {
			break
		}
		q.After = part.Transports[len(part.Transports)-1].TransportID.Transport
	}
	return whole, nil
}

// add adds a node's part.
func (v *RoomView) add(node string, part look.Room) {
	if len(part.Transports) == 0 {
		return
	}
	v.Nodes = append(v.Nodes, node)
	v.More = v.More || part.More
	v.History = append([]look.RoomSample{}, look.Merge(v.History, part.History)...)
	for _, t := range part.Transports {
		t.Node = node
		row := RoomTransport{t, findings(&t)}
		if t.Kind == look.Relay {
			v.Relays = append(v.Relays, row)
			continue
		}
		v.Transports = append(v.Transports, row)
	}
}

func (v *RoomView) sort() {
	slices.Sort(v.Nodes)
	slices.Sort(v.Errors)
	byPlace := func(a, b RoomTransport) int {
		return cmp.Or(strings.Compare(a.Node, b.Node), strings.Compare(a.TransportID.Transport, b.TransportID.Transport))
	}
	slices.SortFunc(v.Transports, byPlace)
	slices.SortFunc(v.Relays, byPlace)
}

// origins returns where the Router's producers are, by their ids.
func (v *RoomView) origins() map[string]Origin {
	all := map[string]Origin{}
	for i := range v.Transports {
		t := &v.Transports[i]
		for _, p := range t.Producers {
			o := Origin{Node: t.Node, Transport: t.TransportID.Transport, Paused: p.Paused}
			for _, s := range p.Streams {
				o.Score = max(o.Score, s.Score)
				o.Bitrate += s.Bitrate
			}
			all[p.ID] = o
		}
	}
	return all
}

// transport asks a node for a transport. Where what it consumes comes from is found out if origins are wanted.
func (w *Watch) transport(ctx context.Context, node string, id look.TransportID) (*TransportView, error) {
	s, err := w.node(node)
	switch {
	case err != nil:
		return nil, err
	case s.all == nil:
		return nil, errors.New("node " + node + " does not answer: " + s.error)
	}
	v := &TransportView{At: time.Now().UnixMilli(), Origins: map[string]Origin{}}
	if err := s.ask(ctx, look.Question{About: look.AboutTransport, RoomID: id.RoomID, Transport: id.Transport}, &v.Transport); err != nil {
		return nil, err
	}
	v.Node = node
	v.Findings = findings(&v.Transport)
	if len(v.Consumers) == 0 {
		return v, nil
	}
	room, err := w.room(ctx, id.RoomID)
	if err != nil {
		return v, nil // the transport itself is shown
	}
	all := room.origins()
	for _, c := range v.Consumers {
		if o, ok := all[c.ProducerID]; ok {
			v.Origins[c.ProducerID] = o
		}
	}
	return v, nil
}
