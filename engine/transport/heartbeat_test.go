package transport_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// pipes are two ends of a pipe with a network between them on the fixture's clock.
type pipes struct {
	*fixture
	ends    [2]*transport.Pipe
	sockets [2]*enginetest.Socket
	mute    [2]bool // what this end sends is lost
	asleep  [2]bool // the process of this end is stopped
	inbox   [2][][]byte
	beats   [2]int // that each end has sent
}

func newPipes(t *testing.T, options api.PipeTransportOptions) *pipes {
	n := &pipes{fixture: newFixture(t)}
	var addresses [2]netip.AddrPort
	for i, id := range []string{"a", "b"} {
		options.ListenInfo = plainOptions().ListenInfo
		end, err := transport.NewPipe(id, &options, n.env)
		require.NoError(t, err)
		n.ends[i], n.sockets[i] = end, n.fixture.sockets[len(n.fixture.sockets)-1]
		addresses[i] = n.sockets[i].LocalAddr()
	}
	for i, end := range n.ends {
		req := &api.PipeTransportConnectRequest{IP: addresses[1-i].Addr().String(), Port: new(addresses[1-i].Port())}
		req.SRTPParameters = n.ends[1-i].Dump().(*api.PipeTransportDumpResponse).SRTPParameters
		_, err := end.Connect(n.now, req)
		require.NoError(t, err)
	}
	return n
}

// run lets time pass.
func (n *pipes) run(d time.Duration) {
	for end := n.now.Add(d); n.now < end; {
		n.now = n.now.Add(10 * time.Millisecond)
		for i, e := range n.ends {
			if !n.asleep[i] {
				n.turn(i, e)
			}
		}
	}
}

// turn has an end do what is due, timers first, as they are when a stopped process goes on.
func (n *pipes) turn(i int, e *transport.Pipe) {
	if e.NextTimeout() <= n.now {
		e.HandleTimeout(n.now)
		e.Settle(n.now)
	}
	for _, b := range n.inbox[i] {
		e.HandleDatagrams(n.now, 0, enginetest.Datagrams(n.sockets[1-i].LocalAddr(), b))
		e.Settle(n.now)
	}
	n.inbox[i] = nil
	for _, b := range n.sockets[i].Take() {
		if len(b) == len("receiver")+16+4 { // with the tag and the index of SRTCP
			n.beats[i]++
		}
		if !n.mute[i] {
			n.inbox[1-i] = append(n.inbox[1-i], b)
		}
	}
}

// told returns what the ends have notified of since the last call.
func (n *pipes) told() (all []string) {
	for _, e := range n.notifications.All() {
		all = append(all, e.HandlerID+" "+e.Event.String())
	}
	n.notifications.Reset()
	return all
}

func internalPipe() api.PipeTransportOptions {
	return api.PipeTransportOptions{Base: &api.TransportOptions{Internal: true}, EnableSRTP: true}
}

// An idle pipe shows that it lives; one whose packets are lost, in one direction or in both, is noticed by whom they do not reach, and
// so is the end of that.
func TestHeartbeatOfAPipe(t *testing.T) {
	n := newPipes(t, internalPipe())
	n.run(time.Minute)
	require.Empty(t, n.told())

	n.mute[0] = true
	n.run(1400 * time.Millisecond)
	require.Empty(t, n.told())
	n.run(700 * time.Millisecond)
	require.Equal(t, []string{"b PIPETRANSPORT_SILENT"}, n.told())
	n.mute[1] = true
	n.run(3 * time.Second)
	require.Equal(t, []string{"a PIPETRANSPORT_SILENT"}, n.told(), "each says it once")

	n.mute = [2]bool{}
	n.run(1100 * time.Millisecond)
	require.ElementsMatch(t, []string{"a PIPETRANSPORT_HEARD", "b PIPETRANSPORT_HEARD"}, n.told())
	n.run(time.Minute)
	require.Empty(t, n.told())
}

// An end that was stopped for longer than the limit does not take that for the other one's silence.
func TestHeartbeatOfAStoppedProcess(t *testing.T) {
	n := newPipes(t, internalPipe())
	n.run(time.Second)
	n.asleep[0] = true
	n.run(time.Minute)
	require.Equal(t, []string{"b PIPETRANSPORT_SILENT"}, n.told())
	n.asleep[0] = false
	n.run(2 * time.Second)
	require.Equal(t, []string{"b PIPETRANSPORT_HEARD"}, n.told())
}

// What is not authentic is no sign of life.
func TestHeartbeatIsAuthentic(t *testing.T) {
	n := newPipes(t, internalPipe())
	n.mute[0] = true
	for range 30 {
		n.run(100 * time.Millisecond)
		n.inbox[1] = append(n.inbox[1], []byte{0x80, 201, 0, 1, 0, 0, 0, 0}, enginetest.RTP(10, 1, []byte{1}))
	}
	require.Equal(t, []string{"b PIPETRANSPORT_SILENT"}, n.told())
}

// A pipe that sends anyway sends nothing more for the heartbeat, and one of the application has none.
func TestHeartbeatCostsLittle(t *testing.T) {
	n := newPipes(t, internalPipe())
	n.run(10 * time.Second)
	require.Equal(t, []int{20, 20}, n.beats[:])

	in := n.connected()
	p := n.produce(in.Transport, "p", enginetest.Audio(10))
	c := n.consume(n.ends[0].Transport, p, "c", 20, &feedbackRecorder{})
	n.attach(n.ends[0].Transport, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	n.beats = [2]int{}
	for seq := range 100 {
		n.receive(in, 0, peerAddr, enginetest.RTP(10, unit.SeqNo(seq), []byte{1}))
		n.run(100 * time.Millisecond)
	}
	require.Equal(t, []int{0, 20}, n.beats[:])

	of := newPipes(t, api.PipeTransportOptions{Base: &api.TransportOptions{}, EnableSRTP: true})
	of.run(10 * time.Second)
	require.Zero(t, of.beats)
	require.Empty(t, of.told())
}

// A pipe that is connected again waits anew.
func TestHeartbeatAfterConnectingAgain(t *testing.T) {
	n := newPipes(t, internalPipe())
	n.mute = [2]bool{true, true}
	n.run(3 * time.Second)
	require.Len(t, n.told(), 2)
	for i, end := range n.ends {
		to := n.sockets[1-i].LocalAddr()
		_, err := end.Connect(n.now, &api.PipeTransportConnectRequest{
			IP: to.Addr().String(), Port: new(to.Port()), SRTPParameters: n.ends[1-i].Dump().(*api.PipeTransportDumpResponse).SRTPParameters,
		})
		require.NoError(t, err)
	}
	n.run(1400 * time.Millisecond)
	require.Empty(t, n.told())
	n.run(700 * time.Millisecond)
	require.Len(t, n.told(), 2)
}

// The silence of a pipe says nothing about its streams, until others would have taken it over. A stream that is silent while the pipe
// is heard counts as ever.
func TestStreamsOfASilentPipe(t *testing.T) {
	n := newPipes(t, internalPipe())
	in := n.connected()
	s := enginetest.Video(10)
	s.Encodings = 2
	p := n.produce(in.Transport, "p", s)
	s.SSRC = 30
	request := s.Consume("c", n.produced[p])
	request.Type = api.RTPTypePipe
	c, err := n.ends[0].Consume(n.now, request, &feedbackRecorder{})
	require.NoError(t, err)
	n.attach(n.ends[0].Transport, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	far := n.produce(n.ends[1].Transport, "far", s)
	seq := unit.SeqNo(0)
	send := func(encodings int, d time.Duration) {
		for end := n.now.Add(d); n.now < end; {
			seq++
			for i := range encodings {
				n.receive(in, 0, peerAddr, enginetest.KeyFrame(enginetest.EncodingSSRC(10, i), seq))
			}
			n.run(100 * time.Millisecond)
		}
	}
	delivers := func() (all []bool) {
		for _, score := range far.Scores() {
			all = append(all, score > 0)
		}
		return all
	}
	send(2, 3*time.Second)
	require.Equal(t, []bool{true, true}, delivers())
	n.mute[0] = true
	send(2, 4500*time.Millisecond)
	require.Equal(t, []bool{true, true}, delivers(), "the pipe is silent, the streams may not be")
	send(2, 2*time.Second)
	require.Equal(t, []bool{false, false}, delivers())
	n.mute[0] = false
	send(2, 10*time.Second) // until what was lost does not weigh so much
	require.Equal(t, []bool{true, true}, delivers())
	send(1, 1300*time.Millisecond)
	require.Equal(t, []bool{true, true}, delivers())
	send(1, 500*time.Millisecond)
	require.Equal(t, []bool{true, false}, delivers())
}
