package runner

import (
	"slices"
	"sync"
	"sync/atomic"

	"gazpacho/engine/api"
	"gazpacho/engine/ice"
	"gazpacho/engine/transport"
	"gazpacho/engine/wire/stun"
)

// ServerPorts are the ports of a WebRtcServer, which any number of WebRtcTransports share. A datagram's tuple leads to its
// transport; the first one of a new tuple must be a STUN request, whose username fragment names the transport.
//
// The table is the only state that shards share: a port's reader must find the shard before it can take its turn.
type ServerPorts struct {
	runner     *Runner
	ports      Ports
	unroutable atomic.Uint64

	mu         sync.RWMutex // held for look-ups and changes only
	byFragment map[string]*TransportActor
	byTuple    map[ice.Tuple]*TransportActor
}

// OpenServerPorts binds and serves the ports of a WebRtcServer, or none. The error is for the application.
func (r *Runner) OpenServerPorts(infos []api.ListenInfo, worker transport.WorkerEnv) (*ServerPorts, error) {
	ports, err := r.OpenPorts(infos, worker)
	if err != nil {
		return nil, err
	}
	s := &ServerPorts{runner: r, ports: ports, byFragment: map[string]*TransportActor{}, byTuple: map[ice.Tuple]*TransportActor{}}
	if err := r.servePorts(r.poller, ports, s); err != nil {
		ports.Close()
		return nil, err
	}
	return s, nil
}

// Ports returns the ports in the order of the application's list.
func (s *ServerPorts) Ports() Ports { return s.ports }

// Unroutable returns how many datagrams were for no transport.
func (s *ServerPorts) Unroutable() uint64 { return s.unroutable.Load() }

// Fragments returns the username fragments of each transport.
func (s *ServerPorts) Fragments() map[*TransportActor][]string {
	byActor := map[*TransportActor][]string{}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for fragment, actor := range s.byFragment {
		byActor[actor] = append(byActor[actor], fragment)
	}
	return byActor
}

// Size returns how many username fragments and tuples lead to transports.
func (s *ServerPorts) Size() (fragments, tuples int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.byFragment), len(s.byTuple)
}

// handleDatagrams implements receiver. A transport gets its share of a batch at once, so that its producers' packets reach each
// consumer together, the more the higher the load is. The order of one tuple's datagrams is kept.
//
// The poller's goroutine takes the turn of one shard only, and only if that is free. It posts the rest, so that other shards
// work meanwhile: all transports of a worker may be behind this one port.
func (s *ServerPorts) handleDatagrams(link *transport.Link, batch []transport.Datagram) {
	for part := range slices.Chunk(batch, maxDemuxed) {
		var d demux
		s.findAll(part, d.actors[:])
		for i := range part {
			if d.actors[i] == nil {
				d.actors[i] = s.handleUnknown(link, part[i:i+1])
			}
		}
		d.deliver(link, part)
	}
}

// findAll looks up the actors of a batch's known tuples.
func (s *ServerPorts) findAll(batch []transport.Datagram, actors []*TransportActor) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range batch {
		actors[i] = s.byTuple[batch[i].Tuple]
	}
}

// handleUnknown handles a datagram whose tuple was unknown when its batch came. A STUN request is handled at once: it registers
// the tuple for the datagrams behind it. If one before it did so, handleUnknown returns the actor and leaves the datagram.
func (s *ServerPorts) handleUnknown(link *transport.Link, one []transport.Datagram) *TransportActor {
	actor, known := s.find(&one[0])
	switch {
	case known:
		return actor
	case actor != nil:
		actor.handleDatagrams(link, one)
	default:
		s.unroutable.Add(1)
		s.runner.unroutable.Add(1)
		one[0].Buffer.Release()
	}
	return nil
}

// find returns the actor of one datagram, nil for none, and whether its tuple is known: a transport is also found by the
// username fragment in a STUN request.
func (s *ServerPorts) find(d *transport.Datagram) (actor *TransportActor, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if actor := s.byTuple[d.Tuple]; actor != nil {
		return actor, true
	}
	b := d.Buffer.Bytes()
	if !stun.LooksLikeSTUN(b) {
		return nil, false
	}
	var m stun.Message
	if m.Parse(b) != nil {
		return nil, false
	}
	return s.byFragment[string(m.LocalUsernameFragment())], false
}

// handleClosed implements receiver.
func (s *ServerPorts) handleClosed(link *transport.Link) {
	s.mu.RLock()
	actor := s.byTuple[link.Tuple(link.Remote)]
	s.mu.RUnlock()
	if actor != nil {
		actor.handleClosed(link)
	}
}

// Table returns the demultiplexing table as the transport of one actor changes it.
func (s *ServerPorts) Table(actor *TransportActor) transport.DemuxTable { return &demuxTable{s, actor} }

type demuxTable struct {
	ports *ServerPorts
	actor *TransportActor
}

// AddFragment implements transport.DemuxTable.
func (t *demuxTable) AddFragment(fragment string) {
	t.ports.mu.Lock()
	defer t.ports.mu.Unlock()
	t.ports.byFragment[fragment] = t.actor
}

// RemoveFragment implements transport.DemuxTable.
func (t *demuxTable) RemoveFragment(fragment string) {
	t.ports.mu.Lock()
	defer t.ports.mu.Unlock()
	if t.ports.byFragment[fragment] == t.actor {
		delete(t.ports.byFragment, fragment)
	}
}

// AddTuple implements transport.DemuxTable. A tuple belongs to the first transport that claims it.
func (t *demuxTable) AddTuple(tuple ice.Tuple) {
	t.ports.mu.Lock()
	defer t.ports.mu.Unlock()
	if t.ports.byTuple[tuple] == nil {
		t.ports.byTuple[tuple] = t.actor
	}
}

// RemoveTuple implements transport.DemuxTable.
func (t *demuxTable) RemoveTuple(tuple ice.Tuple) {
	t.ports.mu.Lock()
	defer t.ports.mu.Unlock()
	if t.ports.byTuple[tuple] == t.actor {
		delete(t.ports.byTuple, tuple)
	}
}
