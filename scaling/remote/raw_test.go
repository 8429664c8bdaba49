package remote_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/session"
)

// rawFront is a front that a test plays, frame by frame. It acknowledges nothing that it is not told to.
type rawFront struct {
	t    testing.TB
	conn net.Conn
	sent uint64
}

func newRawFront(t testing.TB, address string, id session.SessionID, epoch uint64) *rawFront {
	t.Helper()
	c, err := net.Dial("unix", strings.TrimPrefix(address, "unix:"))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = c.Write(hello(id, epoch))
	require.NoError(t, err)
	f := &rawFront{t: t, conn: c}
	require.EqualValues(t, 2, f.read()[0], "a welcome")
	return f
}

// read returns the next frame, without its length.
func (f *rawFront) read() []byte {
	f.t.Helper()
	length := make([]byte, 4)
	_, err := io.ReadFull(f.conn, length)
	require.NoError(f.t, err)
	b := make([]byte, binary.BigEndian.Uint32(length))
	_, err = io.ReadFull(f.conn, b)
	require.NoError(f.t, err)
	return b
}

// payload returns the payload of the next message. What the node tells of the cluster is left out.
func (f *rawFront) payload() []byte {
	f.t.Helper()
	for {
		if b := f.read(); b[0] == 4 && !bytes.HasPrefix(b[17:], []byte(`c{"nodes"`)) {
			return b[17:]
		}
	}
}

// send sends a payload.
func (f *rawFront) send(payload []byte) {
	f.t.Helper()
	f.sent++
	b := binary.BigEndian.AppendUint64(nil, f.sent)
	_, err := f.conn.Write(frame(4, append(append(b, make([]byte, 8)...), payload...)))
	require.NoError(f.t, err)
}

// request returns the payload of a request.
func request(t testing.TB, id uint32, method api.Method) []byte {
	t.Helper()
	b, err := fbs.Session().NewEncoder().AppendMessage(nil, &api.Request{ID: id, Method: method})
	require.NoError(t, err)
	return append([]byte{'m'}, b[4:]...)
}

// answer reads the next message as the answer to a request.
func (f *rawFront) answer() *api.Response {
	f.t.Helper()
	p := f.payload()
	for bytes.HasPrefix(p, []byte(`c{"load"`)) { // told at any time
		p = f.payload()
	}
	require.EqualValues(f.t, 'm', p[0])
	m, err := fbs.Session().DecodeMessage(p[1:])
	require.NoError(f.t, err)
	return m.(*api.Response)
}

// rawNode starts a node on a unix socket for raw fronts.
func rawNode(t testing.TB, o remote.ServerOptions) (address string, s *remote.Server) {
	t.Helper()
	address = "unix:" + filepath.Join(t.TempDir(), "node.sock")
	l, err := remote.Listen(address)
	require.NoError(t, err)
	s = remote.NewServer(o)
	t.Cleanup(s.Close)
	go s.Serve(l, nil)
	return address, s
}

var open = []byte(`c{"open":{"application":"raw"}}`)

// A front that sends what cannot be understood harms only itself, and requests get answers as far as they can be told apart.
func TestFrontThatSendsNonsense(t *testing.T) {
	log := &logBuffer{}
	address, _ := rawNode(t, remote.ServerOptions{NewWorker: newEngine, Log: slog.New(slog.NewTextHandler(log, nil))})
	f := newRawFront(t, address, session.SessionID{1}, 1)
	f.send(request(t, 1, api.MethodWorkerDump))
	require.Contains(t, f.answer().Reason, "the node has no worker for this application", "before it has opened")
	for _, nonsense := range []string{"", "x", "m", "m\xff\xff\xff\xff", "c{", "c{}"} {
		f.send([]byte(nonsense))
	}
	unknown := request(t, 77, api.MethodRTPObserverRemoveProducer)
	method := byte(api.MethodRTPObserverRemoveProducer)
	require.Equal(t, 1, bytes.Count(unknown, []byte{method}))
	unknown[bytes.IndexByte(unknown, method)] = 200
	f.send(open)
	f.send(unknown)
	a := f.answer()
	require.EqualValues(t, 77, a.ID)
	require.Contains(t, a.Reason, "unknown FBS.Request.Method 200")
	require.True(t, log.contains("a front sends what cannot be understood"))
	f.send(request(t, 2, api.MethodWorkerDump))
	require.True(t, f.answer().Accepted)
}

// A second connection of a session takes the place of the first.
func TestSecondConnection(t *testing.T) {
	address, _ := rawNode(t, remote.ServerOptions{NewWorker: newEngine})
	first := newRawFront(t, address, session.SessionID{1}, 1)
	newRawFront(t, address, session.SessionID{1}, 2)
	_, err := io.Copy(io.Discard, first.conn)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

// The front hears why its worker could not be made, or has ended.
func TestWorkerThatEnds(t *testing.T) {
	inner := newStand(nil)
	made := make(chan api.Worker, 1)
	address, _ := rawNode(t, remote.ServerOptions{
		NewWorker: func(o *remote.Opening, _ api.Emitter, log *slog.Logger) (api.Worker, error) {
			if o.Application == "raw" {
				return nil, errors.New("no room")
			}
			log.Info("made")
			made <- inner
			return inner, nil
		},
		Logger: func(_ *remote.Opening, emit func(string)) *slog.Logger {
			return slog.New(slog.NewTextHandler(lines(emit), nil))
		},
	})
	f := newRawFront(t, address, session.SessionID{1}, 1)
	f.send(open)
	for p := ""; p != `c{"ended":"no room"}`; {
		p = string(f.payload())
	}

	heard := make(chan string, 10)
	w := dial(t, remote.Options{Address: address, LogLine: func(line string) { heard <- line }, Emit: func(*api.Notification) {}})
	<-made
	require.Contains(t, <-heard, "made")
	inner.failure = errors.New("the worker is not in the mood")
	require.NoError(t, w.HandleNotification(&api.Notification{
		HandlerID: "x", Event: api.EventTransportSendRTCP,
		Body: &api.TransportSendRTCPNotification{Data: []byte{1}},
	}))
	inner.await(t, 1)
	inner.end(errors.New("out of luck"))
	<-w.Done()
	require.ErrorContains(t, w.Err(), "the worker on the node has ended: out of luck")
	require.ErrorContains(t, ask(w, api.MethodWorkerDump, "", nil), "does not answer any more")
}

// lines is a writer that passes lines on.
type lines func(string)

func (l lines) Write(b []byte) (int, error) { l(string(b)); return len(b), nil }

// A front that reads nothing loses media and messages of data channels. When not even state can be kept for it, it is given up.
func TestFrontThatReadsNothing(t *testing.T) {
	workers := make(chan *stand, 1)
	log := &logBuffer{}
	address, s := rawNode(t, remote.ServerOptions{
		NewWorker: func(_ *remote.Opening, emit api.Emitter, _ *slog.Logger) (api.Worker, error) {
			w := newStand(emit)
			workers <- w
			return w, nil
		},
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	f := newRawFront(t, address, session.SessionID{1}, 1)
	f.send(open)
	w := <-workers
	big := make([]byte, 1<<20)
	for range 20 {
		w.emit(&api.Notification{HandlerID: "dc", Event: api.EventDataConsumerMessage, Body: &api.DataConsumerMessageNotification{Data: big}})
	}
	messages := dropped(s)
	require.GreaterOrEqual(t, messages, uint64(4), "what goes beyond 16 MiB")
	require.Less(t, messages, uint64(15), "the load of each second that passes is dropped, too")
	w.emit(&api.Notification{HandlerID: "c", Event: api.EventConsumerRTP, Body: &api.ConsumerRTPNotification{Data: big}})
	require.Greater(t, dropped(s), messages)
	state := &api.Notification{HandlerID: "o", Event: api.EventAudioLevelObserverVolumes, Body: &api.AudioLevelObserverVolumesNotification{
		Volumes: []api.Volume{{ProducerID: strings.Repeat("x", 15<<20)}},
	}}
	for range 4 {
		w.emit(state)
	}
	<-w.done
	require.True(t, log.contains("a front is given up"))
	w.emit(state) // of a conversation that is over
}

func dropped(s *remote.Server) uint64 { return s.Status().Fronts[0].Dropped }

// scripted is a node that a test plays with a session's machine, on a unix socket.
type scripted struct {
	net.Listener
	node *session.Node
}

func newScripted(t testing.TB) *scripted {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "scripted.sock"))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return &scripted{Listener: l, node: session.NewNode(func() uint64 { return 5 }, session.DefaultLimits)}
}

func (s *scripted) address() string { return "unix:" + s.Addr().String() }

// connection waits for a front, and welcomes it.
func (s *scripted) connection(t testing.TB) net.Conn {
	t.Helper()
	c, err := s.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	b := make([]byte, 1<<16)
	n, err := c.Read(b)
	require.NoError(t, err)
	first, _, ok, err := session.ReadFirst(b[:n])
	require.NoError(t, err)
	require.True(t, ok)
	require.Zero(t, s.node.Accept(unixTime, *first.Hello))
	s.write(t, c)
	return c
}

func (s *scripted) write(t testing.TB, c net.Conn) {
	t.Helper()
	_, err := c.Write(s.node.Output().Bytes)
	require.NoError(t, err)
	s.node.Output().Reset()
}

// A node that sends what cannot be understood, or what was not asked for, is not believed, and the session goes on.
func TestNodeThatSendsNonsense(t *testing.T) {
	s, log := newScripted(t), &logBuffer{}
	heard := make(chan *api.Notification, 1)
	w := dial(t, remote.Options{
		Address: s.address(), Log: slog.New(slog.NewTextHandler(log, nil)),
		Emit: func(n *api.Notification) { kept := *n; heard <- &kept },
	})
	c := s.connection(t)
	b, err := fbs.Session().NewEncoder().AppendMessage(nil, &api.Response{ID: 99, Accepted: true})
	require.NoError(t, err)
	for _, payload := range []string{"", "x", "c{", "m\x00", "m" + string(b[4:]), `c{"log":"discarded"}`, `c{"event":{"handlerId":"dc","event":1000}}`} {
		require.NoError(t, s.node.Send([]byte(payload)))
	}
	s.write(t, c)
	require.Equal(t, "dc", (<-heard).HandlerID)
	require.True(t, log.contains("the node sends what cannot be understood"))
	require.True(t, log.contains("the node answers what was not asked"))
	require.NoError(t, w.Err())

	c.Write(frame(99, nil))
	s.connection(t)
	require.True(t, log.contains("the node does not keep to the session's protocol"))
}

// A node that refuses is asked again.
func TestNodeThatRefuses(t *testing.T) {
	s, log := newScripted(t), &logBuffer{}
	w := dial(t, remote.Options{Address: s.address(), Log: slog.New(slog.NewTextHandler(log, nil)), Emit: func(*api.Notification) {}})
	c, err := s.Accept()
	require.NoError(t, err)
	c.Write(session.AppendRefusal(nil, session.RefuseBusy, "full"))
	s.connection(t)
	require.True(t, log.contains("the node refuses the session"))
	w.Close()
	require.ErrorIs(t, w.Err(), api.ErrClosed)
}

// Requests that need more room than a session has end the worker, since nothing can be sent any more.
func TestTooManyRequests(t *testing.T) {
	s := newScripted(t)
	w := dial(t, remote.Options{Address: s.address(), Emit: func(*api.Notification) {}})
	answered := make(chan error, 5)
	for range 5 {
		w.HandleRequest(&api.Request{Method: api.MethodDataConsumerSend, HandlerID: "dc", Body: &api.DataConsumerSendRequest{
			Data: make([]byte, 15<<20),
		}}, func(_ api.ResponseBody, err error) { answered <- err })
	}
	<-w.Done()
	require.ErrorIs(t, w.Err(), session.ErrOverflow)
	for range 5 {
		require.ErrorContains(t, <-answered, "does not answer any more")
	}
	require.Error(t, w.HandleNotification(sendData(nil)))
}

// A node that welcomes and is silent then, or is silent from the beginning, is left after a second or three: another connection may
// get through.
func TestSilentNodes(t *testing.T) {
	mute := newScripted(t)
	w := dial(t, remote.Options{Address: mute.address(), Emit: func(*api.Notification) {}})
	stopped, far := newScripted(t), newScripted(t)
	dial(t, remote.Options{Address: stopped.address(), Emit: func(*api.Notification) {}})
	home := localNode(t)
	home.must(t, api.MethodTransportConsumeData, "d", outgoing("out", far.address(), tokenOf(1)))
	stopped.connection(t)
	stopped.connection(t)
	for _, l := range []*scripted{mute, mute, far, far} {
		c, err := l.Accept() // its kernel accepts, and that is all
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, c)
		require.NoError(t, err)
		c.Close()
	}
	require.False(t, w.Available())
}

// What is neither media nor data must arrive.
func TestOtherNotifications(t *testing.T) {
	n := localNode(t)
	require.NoError(t, n.worker.HandleNotification(&api.Notification{Event: api.EventWorkerClose}))
	require.Equal(t, api.EventWorkerClose, n.inner.await(t, 1)[0].Event)
}

// Media for a node that takes none is dropped.
func TestMediaForANodeThatTakesNone(t *testing.T) {
	s := newScripted(t)
	w := dial(t, remote.Options{Address: s.address(), Emit: func(*api.Notification) {}})
	send := func() error {
		return w.HandleNotification(&api.Notification{HandlerID: "p", Event: api.EventProducerSend, Body: &api.ProducerSendNotification{
			Data: make([]byte, 1<<20),
		}})
	}
	sent := 0
	for ; send() == nil; sent++ {
		require.Less(t, sent, 5)
	}
	require.Equal(t, 3, sent, "up to 4 MiB")
	require.ErrorContains(t, send(), "reached too slowly")
	require.NoError(t, w.Err())
}

// Who cannot be asked is said.
func TestQuestionsWithoutAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	closing := newScripted(t)
	go func() {
		for {
			c, err := closing.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 100))
			c.Close()
		}
	}()
	for address, want := range map[string]string{
		"unix:":           "names no socket",
		"nowhere":         "is no address",
		l.Addr().String(): "with certificates only",
		closing.address(): "EOF",
		"unix:/not/there": "no such file",
	} {
		_, err := remote.AskStatus(t.Context(), address, nil)
		require.ErrorContains(t, err, want, address)
	}
	_, err = remote.Dial(remote.Options{Address: "nowhere"})
	require.ErrorContains(t, err, "is no address")
}

// Who asks need not wait for a node that says nothing.
func TestQuestionThatIsGivenUp(t *testing.T) {
	silent := newScripted(t)
	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		c, err := silent.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 1<<10)
		c.Read(b)
		giveUp()
		c.Read(b)
	}()
	_, err := remote.AskCluster(ctx, silent.address(), nil)
	require.ErrorIs(t, err, context.Canceled)
}
