package netio_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
)

// Before it is admitted, a connection must not announce a frame larger than a STUN message: a peer with another protocol
// is cut off at its first bytes.
func TestTCPOtherProtocolsAreRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"HTTP":            []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"TLS":             {22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3},
		"a byte too many": frame(make([]byte, packet.SmallSize+1)),
		"all ones":        bytes.Repeat([]byte{0xff}, 5000),
	} {
		t.Run(name, func(t *testing.T) {
			s, events := serveTCP(t, netio.TCPConfig{}, false)
			client := dial(t, s)
			client.Write(data) // may fail if the server closes first
			events.closed(t)
			requireClosed(t, client)
			require.Equal(t, netio.TCPStats{Accepted: 1, Oversized: 1}, s.Stats())
		})
	}
}

func TestTCPLargestFrameOfAStranger(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{}, false)
	client := dial(t, s)
	write(t, client, string(make([]byte, packet.SmallSize)))
	_, batch := events.frames(t)
	require.Len(t, batch[0], packet.SmallSize)
	// Good frames before a bad one are delivered.
	client.Write(append(frame([]byte("good")), 0xff, 0xff))
	_, batch = events.frames(t)
	require.Equal(t, [][]byte{[]byte("good")}, batch)
	events.closed(t)
}

// Frames that are too short for any protocol do not reach the handler, wherever a read ends.
func TestTCPFramesTooShortToBeAnything(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{MinFrame: 12}, true)
	client := dial(t, s)
	write(t, client, "the first one")
	_, batch := events.frames(t)
	require.Equal(t, [][]byte{[]byte("the first one")}, batch)
	var short []byte
	for range 30_000 {
		short = append(short, frame([]byte("x"))...)
		short = append(append(short, frame(nil)...), frame([]byte("eleven byte"))...)
	}
	client.Write(append(short, frame([]byte("twelve bytes"))...))
	_, batch = events.frames(t)
	require.Equal(t, [][]byte{[]byte("twelve bytes")}, batch)
	require.EqualValues(t, 60_000, s.Stats().Runts)
	require.EqualValues(t, 2, s.Stats().Received)
}

// A connection that is not admitted in time is closed: one that sends nothing, one that stops within a frame, one that
// sends unknown frames. An older one that was admitted stays.
func TestTCPAdmissionTimeout(t *testing.T) {
	events := &tcpEvents{calls: make(chan event, 1000), react: func(c *netio.TCPConn, batch [][]byte) {
		if string(batch[0]) == "friend" {
			c.Admit()
			c.Admit() // the second call changes nothing
		}
	}}
	// Long enough, even on a busy machine, for the friend to be admitted and for the strangers to write.
	s := serveTCPWith(t, netio.TCPConfig{AdmissionTimeout: 3 * time.Second}, events)
	friend := dial(t, s)
	write(t, friend, "friend")
	c, _ := events.frames(t)

	var strangers []*net.TCPConn
	for _, data := range [][]byte{
		nil,                           // silence
		{0},                           // half a length
		frame([]byte("stranger"))[:5], // half a frame
		frame([]byte("stranger")),     // unknown frames
		make([]byte, 100),             // null packets only
		append(frame([]byte("stranger")), 0, 9, 1), // a frame and a half
	} {
		client := dial(t, s)
		_, err := client.Write(data)
		require.NoError(t, err)
		strangers = append(strangers, client)
	}
	for closed := 0; closed < len(strangers); {
		ev := events.next(t)
		require.NotSame(t, c, ev.conn)
		if ev.batch == nil {
			closed++
		}
	}
	for _, client := range strangers {
		requireClosed(t, client)
	}
	require.Equal(t, uint64(len(strangers)), s.Stats().Expired)
	write(t, friend, "still here")
	same, batch := events.frames(t)
	require.Same(t, c, same)
	require.Equal(t, [][]byte{[]byte("still here")}, batch)
}

// Connections beyond the limit are reset; when one ends, another may come.
func TestTCPConnectionLimit(t *testing.T) {
	s, events := serveTCP(t, netio.TCPConfig{MaxConnections: 2}, true)
	first, second := dial(t, s), dial(t, s)
	write(t, first, "first")
	events.frames(t)
	write(t, second, "second")
	events.frames(t)
	for range 20 {
		requireRefused(t, s)
	}
	require.Equal(t, netio.TCPStats{Connections: 2, Accepted: 2, Refused: 20, Received: 2}, s.Stats())

	require.NoError(t, first.Close())
	events.closed(t)
	third := dial(t, s)
	write(t, third, "third")
	_, batch := events.frames(t)
	require.Equal(t, [][]byte{[]byte("third")}, batch)
}
