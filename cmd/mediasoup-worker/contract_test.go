package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/fbs"
)

// contractPatience bounds how long the channel waits for its worker to close: longer than a test ever takes.
const contractPatience = 20 * time.Second

// behindChannel is a worker as an application sees it: requests go to a channel as frames, and answers come back so. It fails
// the test when a notification of an object comes before the answer that creates it.
type behindChannel struct {
	api.Worker // behind the channel: for what the application has no messages for
	t          testing.TB
	emit       api.Emitter
	dialect    *fbs.Dialect
	encoder    *fbs.Encoder
	to, from   *os.File
	ended      chan struct{} // everything from the channel has been read

	mu       sync.Mutex
	arrived  sync.Cond // handled has grown
	sent     int       // frames to the channel
	handled  int       // of those, seen by the worker
	closed   bool
	replies  map[uint32]reply
	creating map[string]int // unanswered requests by the object that they create
}

// reply is a request without an answer.
type reply struct {
	to      func(api.ResponseBody, error)
	creates string
}

func startBehindChannel(t testing.TB, emit api.Emitter, start apitest.Start) *behindChannel {
	dialect, err := fbs.Load(fbs.Newest())
	require.NoError(t, err)
	in, to, err := os.Pipe()
	require.NoError(t, err)
	from, out, err := os.Pipe()
	require.NoError(t, err)
	ch := channel.New(channel.Options{
		In: in, Out: out, Decoder: dialect, Encoder: dialect.NewEncoder(), Settings: channel.NewSettings(), PID: 1,
		CloseTime: contractPatience,
	})
	b := &behindChannel{
		Worker: start(t, ch.Emit), t: t, emit: emit, dialect: dialect, encoder: dialect.NewEncoder(), to: to, from: from,
		ended: make(chan struct{}), replies: map[uint32]reply{}, creating: map[string]int{},
	}
	b.arrived.L = &b.mu
	go func() {
		_ = ch.Serve(&counted{b.Worker, b})
		_ = out.Close()
		_ = in.Close()
	}()
	go b.read()
	return b
}

// counted counts what arrives at the worker.
type counted struct {
	api.Worker
	by *behindChannel
}

func (c *counted) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	c.Worker.HandleRequest(req, reply)
	c.by.count()
}

func (c *counted) HandleNotification(n *api.Notification) error {
	defer c.by.count()
	return c.Worker.HandleNotification(n)
}

// Close comes after the last RouterOf of the test's goroutine, which count shows to the race detector.
func (c *counted) Close() {
	c.by.count()
	c.Worker.Close()
}

func (b *behindChannel) count() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handled++
	b.arrived.Broadcast()
}

// send writes a frame.
func (b *behindChannel) send(m api.MessageBody) {
	frame, err := b.encoder.AppendMessage(nil, m)
	require.NoError(b.t, err)
	_, err = b.to.Write(frame)
	require.NoError(b.t, err)
}

// HandleRequest implements api.Worker.
func (b *behindChannel) HandleRequest(req *api.Request, to func(api.ResponseBody, error)) {
	if b.closed {
		to(nil, api.ErrClosed)
		return
	}
	b.mu.Lock()
	b.sent++
	b.replies[req.ID] = reply{to, req.Creates()}
	b.creating[req.Creates()]++
	b.mu.Unlock()
	b.send(req)
}

// HandleNotification implements api.Worker.
func (b *behindChannel) HandleNotification(n *api.Notification) error {
	if b.closed {
		return api.ErrClosed
	}
	b.mu.Lock()
	b.sent++
	b.mu.Unlock()
	b.send(n)
	return nil
}

// RouterOf implements api.Worker, once the worker has seen what was sent.
func (b *behindChannel) RouterOf(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed && b.handled < b.sent {
		b.arrived.Wait()
	}
	return b.Worker.RouterOf(id)
}

// Close implements api.Worker as an application does that closes its side.
func (b *behindChannel) Close() {
	if b.closed {
		return
	}
	b.closed = true
	_ = b.to.Close()
	<-b.ended
	_ = b.from.Close()
}

// read takes answers and notifications until the channel has ended. What is unanswered then is answered as the Node library
// does when its worker dies.
func (b *behindChannel) read() {
	defer close(b.ended)
	for {
		m, err := b.next()
		if err != nil {
			break
		}
		switch m := m.(type) {
		case *api.Response:
			b.answer(m)
		case *api.Notification:
			b.mu.Lock()
			early := b.creating[m.HandlerID] > 0
			b.mu.Unlock()
			if early {
				b.t.Errorf("%s of %s before the answer that creates it", m.Event, m.HandlerID)
			}
			b.emit(m)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.replies {
		r.to(nil, api.ErrClosed)
	}
}

func (b *behindChannel) next() (api.MessageBody, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(b.from, prefix[:]); err != nil {
		return nil, err
	}
	payload := make([]byte, binary.LittleEndian.Uint32(prefix[:]))
	if _, err := io.ReadFull(b.from, payload); err != nil {
		return nil, err
	}
	return b.dialect.DecodeMessage(payload)
}

func (b *behindChannel) answer(m *api.Response) {
	b.mu.Lock()
	r := b.replies[m.ID]
	delete(b.replies, m.ID)
	b.creating[r.creates]--
	b.mu.Unlock()
	if m.Accepted {
		r.to(m.Body, nil)
		return
	}
	r.to(nil, &api.Error{Kind: api.ErrorKind(m.Error), Reason: m.Reason})
}

func startEngine(t testing.TB, emit api.Emitter) api.Worker {
	w, err := engine.New(engine.Options{Emit: emit, Shards: 2})
	require.NoError(t, err)
	return w
}

func startLate(t testing.TB, emit api.Emitter) api.Worker {
	return apitest.NewLate(startEngine(t, emit), 1)
}

// Through the channel, the contract holds for workers that answer at once and for those that do not.
func TestTheContractHoldsThroughTheChannel(t *testing.T) {
	for name, start := range map[string]apitest.Start{"Engine": startEngine, "Late": startLate} {
		t.Run(name, func(t *testing.T) {
			apitest.Run(t, func(t testing.TB, emit api.Emitter) api.Worker { return startBehindChannel(t, emit, start) })
		})
	}
}

func TestExitCodes(t *testing.T) {
	for code, reason := range map[int]error{
		exitOK: channel.ErrHungUp, exitBrokenChannel: io.ErrUnexpectedEOF, exitWrongSettings: errWrongSettings,
		exitWorkerEnded: channel.ErrWorkerEnded,
	} {
		require.Equal(t, code, exitCode(fmt.Errorf("%w: because", reason)))
	}
}

// A Router that cannot be reached owes as many answers as it may; others are created, answered and notified of meanwhile.
func TestAFrozenRouterStopsNoOther(t *testing.T) {
	var late *apitest.Late
	c := apitest.NewClient(t, func(t testing.TB, emit api.Emitter) api.Worker {
		return startBehindChannel(t, emit, func(t testing.TB, emit api.Emitter) api.Worker {
			late = apitest.NewLate(startEngine(t, emit), 1)
			return late
		})
	})
	c.CreateRouter("frozen").Accepted()
	c.CreateTransport("frozen", "frozen-t").Accepted()
	thaw := late.Freeze("frozen")
	var owed []*apitest.Answer
	for range 1024 {
		owed = append(owed, c.Send("frozen-t", api.MethodTransportDump, nil))
	}
	c.Send("frozen-t", api.MethodTransportDump, nil).Refused(api.ErrorKindError)
	closing := c.Send("frozen", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "frozen-t"})

	for i := range 10 {
		router := fmt.Sprint("r", i)
		c.CreateRouter(router).Accepted()
		c.CreateTransport(router, router+"-t").Accepted()
		c.Produce(router+"-t", router+"-p").Accepted()
		c.Consume(router+"-t", router+"-c", router+"-p").Accepted()
		c.Send(router+"-p", api.MethodProducerPause, nil).Accepted()
		require.Equal(t, api.EventConsumerProducerPause, c.Notifications(router+"-c", 1)[0].Event)
	}
	thaw()
	for _, a := range owed {
		a.Accepted()
	}
	closing.Accepted()
}

// The peer of a port that is known beforehand sends before the transport exists. The application hears of it, after the
// answer: behindChannel sees to the order.
func TestNothingIsToldOfAnObjectBeforeTheAnswer(t *testing.T) {
	c := apitest.NewClient(t, func(t testing.TB, emit api.Emitter) api.Worker { return startBehindChannel(t, emit, startEngine) })
	c.CreateRouter("r").Accepted()
	create := func(id string, port uint16) *api.TransportTuple {
		body := c.Send("r", api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{
			TransportID: id,
			Options: &api.PlainTransportOptions{
				Base: &api.TransportOptions{}, RTCPMux: true, Comedia: true,
				ListenInfo: &api.ListenInfo{
					Protocol: api.ProtocolUDP, IP: "127.0.0.1", Port: port, PortRange: &api.PortRange{}, Flags: &api.SocketFlags{},
				},
			},
		}).Accepted()
		return body.(*api.PlainTransportDumpResponse).Tuple
	}
	closeIt := func(id string) {
		c.Send("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: id}).Accepted()
	}
	port := create("probe", 0).LocalPort
	closeIt("probe")
	peer, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)})
	require.NoError(t, err)
	stop := make(chan struct{})
	var group sync.WaitGroup
	defer group.Wait()
	defer peer.Close()
	defer close(stop)
	group.Go(func() {
		packet := make([]byte, 32)
		packet[0], packet[1] = 0x80, 101
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = peer.Write(packet) // nothing may listen there now
			}
		}
	})
	for i := range 50 {
		id := fmt.Sprint("t", i)
		create(id, port)
		require.Equal(t, api.EventPlainTransportTuple, c.Notifications(id, 1)[0].Event)
		closeIt(id)
	}
}
