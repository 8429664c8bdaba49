package remote_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/identity"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/session"
)

// dialFrom connects from another address of this host.
func dialFrom(t testing.TB, address, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// crowdOf keeps connections open from an address, without a word, until the test ends: whenever one is closed, there is another.
func crowdOf(t testing.TB, address, from string, count int) {
	t.Helper()
	ended := make(chan struct{})
	var holding sync.WaitGroup
	hold := func(c net.Conn) {
		defer c.Close()
		go func() {
			<-ended
			c.Close()
		}()
		io.Copy(io.Discard, c)
	}
	for range count {
		first := dialFrom(t, address, from)
		holding.Go(func() {
			hold(first)
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
			for {
				select {
				case <-ended:
					return
				default:
				}
				if c, err := d.Dial("tcp", address); err == nil {
					hold(c)
				}
			}
		})
	}
	t.Cleanup(func() {
		close(ended)
		holding.Wait()
	})
}

// TestACrowdOfStrangers: who opens connections and says nothing keeps nobody else out.
func TestACrowdOfStrangers(t *testing.T) {
	c := newCast(t)
	crowdOf(t, c.address, "127.0.0.2", 260)
	edumeet := client(t, c.dir, identity.Application, "edumeet")
	say(t, "tcp", c.address, edumeet, hello(session.SessionID{1}, 1), len(frame(2, make([]byte, welcomeLen)))) // at the first attempt
	require.NotZero(t, c.node.Status().Refused)
}

// welcomeLen is the length of a welcome: version, resumed, conversation, received, time, lease.
const welcomeLen = 2 + 1 + 4*8

// TestAFrontThatReadsNothing: what waits for a front that goes on asking and does not read is bounded.
func TestAFrontThatReadsNothing(t *testing.T) {
	address, _ := rawNode(t, remote.ServerOptions{NewWorker: newEngine})
	c, err := net.Dial("unix", strings.TrimPrefix(address, "unix:"))
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = c.Write(hello(session.SessionID{1}, 1))
	require.NoError(t, err)
	welcome := make([]byte, 4+1+welcomeLen)
	_, err = io.ReadFull(c, welcome)
	require.NoError(t, err)
	told := welcome[len(welcome)-16 : len(welcome)-8]
	pings := bytes.Repeat(frame(6, append(bytes.Clone(told), make([]byte, 8)...)), 10_000)
	sent := 0
	for ; err == nil && sent < 32<<20; sent += len(pings) {
		_, err = c.Write(pings)
	}
	require.Error(t, err, "%d MB of pings are taken, and their answers wait", sent>>20)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}
