package netio_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
)

// admitting is a server that admits who says "friend".
func admitting(t *testing.T, cfg netio.TCPConfig) (*netio.TCPServer, *tcpEvents) {
	events := &tcpEvents{calls: make(chan event, 10000), react: func(c *netio.TCPConn, batch [][]byte) {
		if string(batch[0]) == "friend" {
			c.Admit()
		}
	}}
	return serveTCPWith(t, cfg, events), events
}

// idle opens n connections that say a word and wait; it returns when the server has taken them all.
func idle(t *testing.T, s *netio.TCPServer, events *tcpEvents, n int) (conns []*net.TCPConn) {
	for range n {
		conn := dial(t, s)
		write(t, conn, "stranger")
		for events.next(t).batch == nil { // an older one was closed
		}
		conns = append(conns, conn)
	}
	return conns
}

// A crowd of idle connections of one address displaces itself, and no one who was admitted.
func TestTCPStrangersOfOneAddressHaveAShare(t *testing.T) {
	s, events := admitting(t, netio.TCPConfig{MaxConnections: 100, MaxStrangers: 3})
	friend := dial(t, s)
	write(t, friend, "friend")
	events.frames(t)
	conns := idle(t, s, events, 20)
	for _, c := range conns[:17] {
		requireClosed(t, c)
	}
	stats := s.Stats()
	require.EqualValues(t, 17, stats.Displaced)
	require.Zero(t, stats.Refused)
	for _, c := range conns[17:] {
		write(t, c, "friend")
		for events.next(t).batch == nil {
		}
	}
	write(t, friend, "still here")
	_, batch := events.frames(t)
	require.Equal(t, "still here", string(batch[0]))
	require.Len(t, idle(t, s, events, 3), 3)
	require.EqualValues(t, 17, s.Stats().Displaced, "those who were admitted no longer count")
}

// The same at the limits of the worker.
func TestTCPCrowdOfOneAddress(t *testing.T) {
	s, events := admitting(t, netio.TCPConfig{})
	const strangers, share = 1000, 256
	var crowd []*net.TCPConn
	for range strangers {
		crowd = append(crowd, idle(t, s, events, 1)...)
		if len(crowd) > 300 { // the server has closed it
			crowd[0].Close()
			crowd = crowd[1:]
		}
	}
	friend := dial(t, s)
	write(t, friend, "friend")
	for events.next(t).batch == nil {
	}
	stats := s.Stats()
	t.Logf("%d connections open, %d displaced", stats.Connections, stats.Displaced)
	require.LessOrEqual(t, stats.Connections, share+1)
	require.GreaterOrEqual(t, stats.Displaced, uint64(strangers-share))
	require.Zero(t, stats.Refused)
}

// A full server has room for someone new as long as one of its connections is not admitted: the oldest goes.
func TestTCPFullServerTakesTheNewest(t *testing.T) {
	s, events := admitting(t, netio.TCPConfig{MaxConnections: 3})
	conns := idle(t, s, events, 3)
	for range 3 {
		friend := dial(t, s)
		write(t, friend, "friend")
		for events.next(t).batch == nil {
		}
	}
	for _, c := range conns {
		requireClosed(t, c)
	}
	requireRefused(t, s)
	require.EqualValues(t, 3, s.Stats().Displaced)
}
