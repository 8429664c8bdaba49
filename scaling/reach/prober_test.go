package reach_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/membership"
	"gazpacho/scaling/reach"
)

// wire is a socket that is connected with one other.
type wire struct {
	in, out chan []byte
	blocked *atomic.Bool // what is sent here is lost
	closed  chan struct{}
}

func (w *wire) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case got := <-w.in:
		return copy(b, got), netip.AddrPort{}, nil
	case <-w.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (w *wire) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	if w.blocked.Load() {
		return 0, errors.New("not permitted")
	}
	w.out <- b
	return len(b), nil
}

func (w *wire) Close() error {
	close(w.closed)
	return nil
}

func wires() (a, b *wire) {
	there, back := make(chan []byte, 100), make(chan []byte, 100)
	a = &wire{back, there, new(atomic.Bool), make(chan struct{})}
	b = &wire{there, back, new(atomic.Bool), make(chan struct{})}
	return a, b
}

// A firewall is known and logged on the side at which nothing arrives, and so is that it is open again.
func TestProber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connA, connB := wires()
		a, b := nodeOf(0), nodeOf(1)
		var log bytes.Buffer
		atA := reach.NewProber(connA, a, slog.New(slog.NewTextHandler(&log, nil)))
		atB := reach.NewProber(connB, b, slog.New(slog.DiscardHandler))
		rows := []membership.Row{{Node: a, Condition: membership.Alive}, {Node: b, Condition: membership.Alive}}
		atA.HandleNodes(rows)
		atB.HandleNodes(rows)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Empty(t, atA.Unheard())

		connB.blocked.Store(true)
		time.Sleep(reach.UnheardAfter + reach.Interval)
		synctest.Wait()
		require.Equal(t, []reach.Unheard{{Node: "n1", From: netip.MustParseAddr("10.0.0.1"), To: netip.MustParseAddr("10.0.0.0")}}, atA.Unheard())
		require.Empty(t, atB.Unheard())
		require.Contains(t, log.String(), "does not arrive")
		connB.blocked.Store(false)
		time.Sleep(2 * reach.Interval)
		synctest.Wait()
		require.Empty(t, atA.Unheard())
		require.Contains(t, log.String(), "arrives here again")

		atA.Close()
		atB.Close()
		atA.HandleNodes(rows)
		require.Empty(t, connA.out, "nothing is sent any more")
	})
}

// A node that cannot find out hears all.
func TestNoProber(t *testing.T) {
	var none *reach.Prober
	none.HandleNodes([]membership.Row{{Node: nodeOf(1), Condition: membership.Alive}})
	require.Empty(t, none.Unheard())
	none.Close()
}

func TestPortsForProbing(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	first, err := reach.Listen(loopback, 30000, 30009)
	require.NoError(t, err)
	defer first.Close()
	port := func(c *net.UDPConn) uint16 { return c.LocalAddr().(*net.UDPAddr).AddrPort().Port() }
	highest := port(first)
	second, err := reach.Listen(loopback, 30000, highest)
	require.NoError(t, err)
	defer second.Close()
	require.Less(t, port(second), highest)
	_, err = reach.Listen(loopback, highest, highest)
	require.ErrorContains(t, err, "is free")
	_, err = reach.Listen(netip.MustParseAddr("192.0.2.1"), 1, 1)
	require.Error(t, err)
}
