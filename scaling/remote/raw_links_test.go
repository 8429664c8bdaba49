package remote_test

import (
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/scaling/link"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/session"
)

// rawLink is a node that a test plays, with a link to another one.
type rawLink struct {
	sender *link.Sender
	conn   net.Conn
}

func newRawLink(t testing.TB, address string) *rawLink {
	l := &rawLink{sender: link.NewSender(unixTime, session.SessionID{3})}
	l.connect(t, address)
	return l
}

// connect gives the link a connection that is welcomed.
func (l *rawLink) connect(t testing.TB, address string) {
	t.Helper()
	c, err := net.Dial("unix", address[len("unix:"):])
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	l.conn = c
	l.sender.HandleConnected()
	l.flush(t)
	b := make([]byte, 1024)
	n, err := c.Read(b)
	require.NoError(t, err)
	l.sender.Receive(unixTime, b[:n])
	require.True(t, l.sender.Connected())
	l.flush(t)
}

func (l *rawLink) flush(t testing.TB) {
	t.Helper()
	_, err := l.conn.Write(l.sender.Output().Bytes)
	require.NoError(t, err)
	*l.sender.Output() = link.SenderOutput{}
}

// Another node that keeps to nothing loses its connection, and its messages go to the data producer that they are for or nowhere.
func TestNodeThatSendsNonsenseByALink(t *testing.T) {
	log := &logBuffer{}
	address := "unix:" + filepath.Join(t.TempDir(), "node.sock")
	l, err := remote.Listen(address)
	require.NoError(t, err)
	far := start(t, l, address, nil, nil, remote.ServerOptions{Log: slog.New(slog.NewTextHandler(log, nil))})
	far.furnish(t)
	far.must(t, api.MethodTransportProduceData, "d", incoming(tokenOf(7)))
	other := newRawLink(t, address)
	token := link.Token(tokenOf(7))
	other.sender.Open(token, false)
	message := func(n *api.Notification) []byte {
		b, err := fbs.Session().NewEncoder().AppendMessage(nil, n)
		require.NoError(t, err)
		return append([]byte{'m'}, b[4:]...)
	}
	strange := sendData([]byte("for another"))
	strange.HandlerID = "another"
	for _, b := range [][]byte{{}, []byte("x"), message(strange), message(sendData([]byte("meant")))} {
		require.Equal(t, link.Sent, other.sender.Send(token, b))
	}
	other.flush(t)
	require.Equal(t, []byte("meant"), far.inner.await(t, 1)[0].Body.(*api.DataProducerSendNotification).Data)
	require.Len(t, far.inner.messages, 1)
	require.True(t, log.contains("another node sends what is no message of its data producer"))

	first := other.conn
	other.connect(t, address) // takes the place of the first
	_, err = io.Copy(io.Discard, first)
	require.NoError(t, err)
	_, err = other.conn.Write(frame(99, nil))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, other.conn)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return log.contains("a node does not keep to the session's protocol") }, patience, time.Millisecond)
	require.EqualValues(t, 1, far.server.Status().Refused)
	other.connect(t, address)
	require.Equal(t, link.Sent, other.sender.Send(token, message(sendData([]byte("goes on")))))
	other.flush(t)
	far.inner.await(t, 2)
}

// Requests for the end of a relay that the worker refuses, or that is there already, change nothing.
func TestEndsThatAreRefused(t *testing.T) {
	home, far := localNode(t), localNode(t)
	home.relay(t, far, far.address)
	far.must(t, api.MethodTransportProduceData, "d", incoming(tokenOf(8))) // the stand takes any id
	far.inner.refuse = api.Errorf("no")
	more := incoming(tokenOf(9))
	more.DataProducerID = "more"
	require.Error(t, far.try(api.MethodTransportProduceData, "d", more))
	far.inner.refuse = nil
	far.must(t, api.MethodTransportProduceData, "d", more)

	home.must(t, api.MethodTransportConsumeData, "d", outgoing("x", far.address, tokenOf(9)))
	home.must(t, api.MethodTransportConsumeData, "d", outgoing("y", far.address, tokenOf(9)))
	closes := func(id string) {
		home.must(t, api.MethodTransportCloseDataConsumer, "d", &api.TransportCloseDataConsumerRequest{DataConsumerID: id})
		home.settle(t)
	}
	closes("x") // whose token y has
	require.Equal(t, 2, home.server.Status().Links[0].Streams)
	closes("y")
	require.Equal(t, 1, home.server.Status().Links[0].Streams)
}

// A message that is too long for a link, or is none, does not cross it; the data consumers behind it are told as of a full buffer.
func TestMessagesThatDoNotCross(t *testing.T) {
	home, far := localNode(t), localNode(t)
	home.relay(t, far, far.address)
	home.inner.emit(&api.Notification{HandlerID: "out", Event: api.EventDataConsumerMessage})
	home.receive("out", &api.DataConsumerMessageNotification{Data: make([]byte, 16<<20)})
	home.awaitEvent(t, "out", api.EventDataConsumerSCTPSendBufferFull)
	home.receive("out", &api.DataConsumerMessageNotification{Data: []byte("crosses")})
	require.Len(t, far.inner.await(t, 1), 1)
}

// tubes is a listener that says to be a unix socket's and is none.
type tubes struct{ net.Listener }

func (t tubes) Accept() (net.Conn, error) {
	c, err := t.Listener.Accept()
	return struct{ net.Conn }{c}, err
}

// Who is at the other end of what is no unix socket is not known.
func TestPeersThatAreNotKnown(t *testing.T) {
	at := filepath.Join(t.TempDir(), "node.sock")
	l, err := remote.Listen("unix:" + at)
	require.NoError(t, err)
	s := remote.NewServer(remote.ServerOptions{NewWorker: newEngine})
	t.Cleanup(s.Close)
	go s.Serve(tubes{l}, nil)
	require.Empty(t, say(t, "unix", at, nil, hello(session.SessionID{1}, 1), 0))
	require.Eventually(t, func() bool { return s.Status().Refused == 1 }, patience, time.Millisecond)
}
