package remote_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
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

// busyAfter says hello from one party again and again until it is refused as busy, and returns how often it was welcomed.
func busyAfter(t testing.TB, address string, config *tls.Config, hello func(id session.SessionID) []byte) (welcomed int) {
	t.Helper()
	for ; welcomed < 100; welcomed++ {
		length := len(refused(session.RefuseBusy))
		answer := say(t, "tcp", address, config, hello(session.SessionID{byte(welcomed), config.ServerName[0]}), length)
		if bytes.Equal(answer, refused(session.RefuseBusy)) {
			return welcomed
		}
	}
	return welcomed
}

// named returns the TLS configuration of a party, with its name as one more mark of who it is.
func named(t testing.TB, c *cast, role identity.Role, name string) *tls.Config {
	config := client(t, c.dir, role, name)
	config.ServerName = name
	return config
}

// TestOneApplicationLeavesRoomForOthers: it cannot have all places for fronts on a node.
func TestOneApplicationLeavesRoomForOthers(t *testing.T) {
	c := newCastOf(t, remote.ServerOptions{MaxFronts: 8})
	front := func(id session.SessionID) []byte { return hello(id, 1) }
	require.Equal(t, 2, busyAfter(t, c.address, named(t, c, identity.Application, "edumeet"), front))
	require.Equal(t, 2, busyAfter(t, c.address, named(t, c, identity.Application, "other"), front))
}

// TestOneNodeLeavesLinksForOthers: neither can another node have all places for links.
func TestOneNodeLeavesLinksForOthers(t *testing.T) {
	c := newCast(t)
	link := func(id session.SessionID) []byte {
		b := hello(id, 1)
		b[4] = 11
		return b
	}
	require.Equal(t, 16, busyAfter(t, c.address, named(t, c, identity.Node, "b"), link))
	require.NotZero(t, busyAfter(t, c.address, named(t, c, identity.Node, "a"), link))
}

// TestLinksToNowhere: an application that names addresses at which no node is cannot have all places for links to others.
func TestLinksToNowhere(t *testing.T) {
	c := newCluster(t)
	home := c.node("home")
	home.furnish(t)
	link := func(i int) error {
		address := fmt.Sprint("127.0.0.1:", 1+i) // where nobody listens
		return home.try(api.MethodTransportConsumeData, "d", outgoing(fmt.Sprint("out", i), address, bytes.Repeat([]byte{byte(i)}, 16)))
	}
	for i := range 64 {
		require.NoError(t, link(i))
	}
	require.ErrorContains(t, link(64), "too many links")
}

// explosive is a worker with a fault.
type explosive struct{ api.Worker }

func (e explosive) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	if req.Method == api.MethodWorkerDump {
		panic("a fault")
	}
	e.Worker.HandleRequest(req, reply)
}

// TestAFaultOfOneFrontsWorker: what one application's request brings about ends neither the node nor its own worker.
func TestAFaultOfOneFrontsWorker(t *testing.T) {
	log := &logBuffer{}
	address, _ := rawNode(t, remote.ServerOptions{
		NewWorker: func(o *remote.Opening, emit api.Emitter, log *slog.Logger) (api.Worker, error) {
			w, err := newEngine(o, emit, log)
			return explosive{w}, err
		},
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	f := newRawFront(t, address, session.SessionID{1}, 1)
	f.send(open)
	f.send(request(t, 1, api.MethodWorkerDump))
	require.Contains(t, f.answer().Reason, "internal error: a fault")
	f.send(request(t, 2, api.MethodWorkerGetResourceUsage))
	require.True(t, f.answer().Accepted)
	require.True(t, log.contains("panic while a message was handled"))
}

// TestNonsenseDoesNotFillTheLog: whoever does wrong again and again is counted.
func TestNonsenseDoesNotFillTheLog(t *testing.T) {
	log := &logBuffer{}
	address, _ := rawNode(t, remote.ServerOptions{NewWorker: newEngine, Log: slog.New(slog.NewTextHandler(log, nil))})
	f := newRawFront(t, address, session.SessionID{1}, 1)
	for range 1000 {
		f.send([]byte("x"))
	}
	f.send(request(t, 1, api.MethodWorkerDump))
	f.answer()
	log.mu.Lock()
	defer log.mu.Unlock()
	require.LessOrEqual(t, strings.Count(log.text.String(), "\n"), 110)
}
