package data

import (
	"maps"
	"slices"

	"gazpacho/engine/api"
)

// Listener finds the data producer of a message by its SCTP stream. The zero value is ready.
type Listener struct {
	byStream map[uint16]*Producer
}

// Add enters a producer of type SCTP. Error: *api.Error when another producer has its stream.
func (l *Listener) Add(p *Producer) error {
	id, ok := p.StreamID()
	if !ok {
		panic("data: only producers over SCTP have a stream to listen to")
	}
	if _, taken := l.byStream[id]; taken {
		return api.Errorf("streamId already exists in SCTP listener [streamId:%d]", id)
	}
	if l.byStream == nil {
		l.byStream = map[uint16]*Producer{}
	}
	l.byStream[id] = p
	return nil
}

// Remove removes a producer; one that is not entered is ignored.
func (l *Listener) Remove(p *Producer) {
	if id, ok := p.StreamID(); ok && l.byStream[id] == p {
		delete(l.byStream, id)
	}
}

// Producer returns the producer of a stream, nil when there is none.
func (l *Listener) Producer(streamID uint16) *Producer { return l.byStream[streamID] }

// Dump returns the table, in the order of stream ids.
func (l *Listener) Dump() *api.TransportSCTPListener {
	d := &api.TransportSCTPListener{StreamIDTable: []api.Uint16String{}}
	for _, id := range slices.Sorted(maps.Keys(l.byStream)) {
		d.StreamIDTable = append(d.StreamIDTable, api.Uint16String{Key: id, Value: l.byStream[id].id})
	}
	return d
}
