package monitor

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/look"
)

func TestOverview(t *testing.T) {
	var s stage
	a := s.add("a", transportIn("one", "t1"), transportIn("two", "t2"))
	b := s.add("b", transportIn("one", "t3"))
	c := s.add("c")
	c.dead = true
	a.relays = []look.RelayEnd{
		{RoomID: roomID("one"), Local: "10.0.0.1:1", Remote: "10.0.0.2:2", RecvBitrate: 100},
		{RoomID: roomID("one"), Local: "10.0.0.1:5", Remote: "10.0.0.3:6"}, // to a node that does not answer
	}
	b.relays = []look.RelayEnd{{RoomID: roomID("one"), Local: "10.0.0.2:2", Remote: "10.0.0.1:1", RecvBitrate: 200}}
	a.Links = []Link{{To: "b:7000", Connected: true, Streams: 2}, {To: "nowhere:7000"}}
	b.Links = []Link{{To: "a:7000", Waiting: 10, Lost: 1}}
	a.Fronts = []Front{{Owner: owner, Release: "3.27.1", Connected: true}, {Owner: look.Owner{Application: "idle"}}}
	w := s.watch(t)
	o := call[*Overview](t, overviewOf(w), nil)
	require.Equal(t, 2, o.Rooms, "a Router on two nodes is one")
	require.Equal(t, 3, o.Sums.Transports)
	require.Equal(t, 0.5, o.CPU)
	require.Equal(t, 1, o.Lost)
	require.Equal(t, []PipeRow{{
		A: "a", B: "b", Relays: 1, Rooms: 1, ToA: 100, ToB: 200, Links: 2, Broken: 1, Streams: 2, Waiting: 10, Lost: 1,
	}}, o.Pipes)
	require.Len(t, o.Nodes, 3)
	require.Equal(t, 0.5, o.Nodes[0].Busiest)
	require.Equal(t, 0.001, o.Nodes[0].Delay)
	require.Equal(t, "connection refused", o.Nodes[2].Error)
	require.Len(t, o.Owners, 2)
	require.Equal(t, 1, o.Owners[0].Cut)
	require.Equal(t, []string{"a", "b"}, o.Owners[1].Nodes)
	require.Equal(t, 2, o.Owners[1].Rooms)

	v := call[*NodeView](t, must((&Server{options: Options{Watch: w}}).node(url.Values{"node": {"a"}})), nil)
	require.Len(t, v.Rows, 2)
	require.Len(t, v.Fronts, 2)
	_, err := w.node("unknown")
	require.ErrorContains(t, err, `no node or worker "unknown"`)
}

func overviewOf(w *Watch) view { return must((&Server{options: Options{Watch: w}}).overview(nil)) }

func must(v view, err error) view {
	if err != nil {
		panic(err)
	}
	return v
}

// Processes are asked often while somebody looks, and often enough for samples while nobody does. Trends have ten minutes of both.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stage
		a := s.add("a", transportIn("one", "t"))
		w := NewWatch(s.find)
		go w.Run(t.Context())
		asked := func() int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return a.asked[look.AboutAll]
		}
		trend := func() *Trend {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.trends.copyOf("a")
		}
		time.Sleep(time.Minute)
		quiet := asked()
		require.InDelta(t, 12, quiet, 1)
		for range 60 {
			w.look()
			time.Sleep(time.Second)
		}
		require.InDelta(t, 30, asked()-quiet, 3)
		time.Sleep(20 * time.Minute)
		have := trend()
		require.Len(t, have.At, look.MaxSamples)
		require.Len(t, have.CPU, look.MaxSamples)
		require.EqualValues(t, look.SampleSeconds, have.At[1]-have.At[0])

		s.mu.Lock()
		s.processes = nil
		s.mu.Unlock()
		time.Sleep(time.Minute)
		require.Nil(t, trend(), "what is gone is forgotten")
	})
}

func TestListOfRooms(t *testing.T) {
	var s stage
	a, b := s.add("a"), s.add("b")
	for i := range 9 {
		one := transportIn(fmt.Sprint("room", i), "x")
		one.Stats.SendBitrate = uint64(i)
		a.transports = append(a.transports, one)
	}
	b.transports = append(b.transports, transportIn("room3", "y"), transportIn("Öffentlich", "z"))
	w := s.watch(t)
	rows, nodes, at := w.list(t.Context())
	require.Len(t, rows, 10, "in pieces, from both")
	require.Equal(t, []string{"a", "b"}, nodes[roomID("room3")])
	first := find(rows, Search{Limit: 3}, at)
	require.Equal(t, []string{"room8", "room7", "room6"}, names(first.Rows), "those that send most")
	require.Equal(t, 10, first.Matches)
	for want, search := range map[string]Search{
		"[room5 room4]":      {Limit: 2, Offset: 3},
		"[room0 room1]":      {Limit: 2, Sort: "router", Up: true},
		"[room3]":            {Limit: 1, Sort: "nodes"},
		"[Öffentlich]":       {Limit: 9, Text: "öFF"},
		"[room3 Öffentlich]": {Limit: 9, Text: "b", Sort: "transports"},
		"[]":                 {Limit: 9, Text: "nothing"},
	} {
		require.Equal(t, want, fmt.Sprint(names(find(rows, search, at).Rows)), "%+v", search)
	}
	require.Empty(t, find(rows, Search{Offset: 100, Limit: 5}, at).Rows)
	asked := a.asked[look.AboutRooms]
	w.list(t.Context())
	require.Equal(t, asked, a.asked[look.AboutRooms], "it is kept for a while")
}

func TestTheListIsCompleteThoughItsReaderLeaves(t *testing.T) {
	var s stage
	s.add("a", transportIn("r", "1"))
	w := s.watch(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	_, _, _ = w.list(gone)
	rows, _, _ := w.list(t.Context())
	require.Equal(t, []string{"r"}, names(rows))
}

func TestARoomOnSeveralNodes(t *testing.T) {
	var s stage
	speaker, relay := transportIn("one", "t1"), transportIn("one", "t2")
	speaker.Producers = []look.Producer{{ID: "p", Streams: []look.Stream{{Score: 9, Bitrate: 3}, {Score: 10, Bitrate: 4}}}}
	relay.Kind = look.Relay
	listener := transportIn("one", "t3")
	listener.Consumers = []look.Consumer{{ID: "c", ProducerID: "p", Active: true, Score: 10, ProducerScore: 10}, {ID: "d", ProducerID: "elsewhere"}}
	s.add("a", speaker, relay, transportIn("two", "t9"))
	b := s.add("b", listener, transportIn("one", "t4"), transportIn("one", "t5"), transportIn("one", "t6"), transportIn("one", "t7"))
	cut := s.add("c", transportIn("two", "t8"))
	w := s.watch(t)
	v, err := w.room(t.Context(), roomID("one"))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, v.Nodes)
	require.Len(t, v.Transports, 6)
	require.Len(t, v.Relays, 1)
	require.Equal(t, "b", v.Transports[5].Node)
	require.EqualValues(t, 2, v.History[0].SendBitrate, "of both")
	require.Equal(t, 3, b.asked[look.AboutRoom], "in pieces")
	require.Zero(t, cut.asked[look.AboutRoom], "others are not asked")
	_, err = w.room(t.Context(), roomID("unknown"))
	require.ErrorContains(t, err, "no such Router")

	one, err := w.transport(t.Context(), "b", listener.TransportID)
	require.NoError(t, err)
	require.Equal(t, map[string]Origin{"p": {Node: "a", Transport: "t1", Score: 10, Bitrate: 7}}, one.Origins)
	_, err = w.transport(t.Context(), "b", speaker.TransportID)
	require.ErrorContains(t, err, "no such transport")
	_, err = w.transport(t.Context(), "z", speaker.TransportID)
	require.ErrorContains(t, err, "no node or worker")

	b.dead = true
	v, err = w.room(t.Context(), roomID("one"))
	require.NoError(t, err)
	require.Equal(t, []string{"b: connection refused"}, v.Errors)
	require.Len(t, v.Transports, 1)
	w.round(t.Context())
	_, err = w.transport(t.Context(), "b", listener.TransportID)
	require.ErrorContains(t, err, "does not answer")
}
