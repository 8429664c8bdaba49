package runner_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
)

// pipeOn makes a connected PipeTransport of a relay on the given shard.
func (r *fixture) pipeOn(index int, id string) *socket {
	r.t.Helper()
	listen := enginetest.ListenInfo(api.ProtocolUDP, "198.51.100.1")
	listen.Port = 40000
	r.on(index, id, func() {
		r.Must("r", api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{
			TransportID: id, Options: &api.PipeTransportOptions{Base: &api.TransportOptions{Internal: true}, ListenInfo: &listen, EnableRTX: true},
		})
	})
	r.Must(id, api.MethodPipeTransportConnect, &api.PipeTransportConnectRequest{IP: peer.Addr().String(), Port: new(peer.Port())})
	return r.sockets[len(r.sockets)-1]
}

// relayed is the request for a producer that stands for another one, whose first SSRC is that of home.
func relayed(id string, s enginetest.Stream, home unit.SSRC) *api.TransportProduceRequest {
	request := s.Produce(id)
	for i := range request.RTPMapping.Encodings {
		request.RTPMapping.Encodings[i].MappedSSRC = uint32(enginetest.MappedSSRC(enginetest.EncodingSSRC(home, i)))
	}
	return request
}

// numbers returns the sequence numbers of what a socket has sent since the last call.
func (r *fixture) numbers(s *socket) (all []unit.SeqNo) {
	r.settle()
	for _, p := range enginetest.RTPOf(r.t, s.Take()) {
		all = append(all, p.SequenceNumber)
	}
	return all
}

// The source of a relay changes, from one shard to the other and back: consumers on both go on, with one number left out, ask the new
// source for key frames, and the application hears nothing. What the old source still sends is dropped.
func TestTakeOver(t *testing.T) {
	r := newFixture(t, 2)
	a, b := r.pipeOn(0, "a"), r.pipeOn(1, "b")
	here, there := r.plainOn(0, "here"), r.plainOn(1, "there")
	r.Produce("a", "p", enginetest.Video(10))
	r.Consume("here", "c", "p", 20)
	r.Consume("there", "d", "p", 30)
	for seq := range 3 {
		a.receive(enginetest.KeyFrame(10, unit.SeqNo(seq+1)))
	}
	before := r.numbers(here)
	require.Len(t, before, 3)
	last := before[2]
	require.Len(t, r.numbers(there), 3)
	told := len(r.All())

	take := func(pipe string, ssrc unit.SSRC) {
		t.Helper()
		r.Must(pipe, api.MethodTransportProduce, relayed("p", enginetest.Video(ssrc), 10))
	}
	continues := func(from, former *socket, ssrc, old unit.SSRC, begins unit.SeqNo) {
		t.Helper()
		former.receive(enginetest.KeyFrame(old, 5000))
		from.receive(enginetest.KeyFrame(ssrc, begins))
		from.receive(enginetest.KeyFrame(ssrc, begins-1)) // late: its number may be one of the old source
		from.receive(enginetest.KeyFrame(ssrc, begins+2))
		from.receive(enginetest.KeyFrame(ssrc, begins+1))
		want := []unit.SeqNo{last + 2, last + 4, last + 3}
		require.Equal(t, want, r.numbers(here))
		r.numbers(there)
		last += 4
		from.Take()
		r.Must("c", api.MethodConsumerRequestKeyFrame, nil)
		r.settle()
		require.Equal(t, []unit.SSRC{ssrc}, asked(t, from))
		require.Empty(t, former.Take())
	}
	take("b", 500)
	a.Take()
	continues(b, a, 500, 10, 777)
	take("a", 900)
	b.Take()
	continues(a, b, 900, 500, 65535)
	take("a", 1300) // the same transport, but another sender
	a.receive(enginetest.KeyFrame(1300, 9))
	require.Equal(t, []unit.SeqNo{last + 2}, r.numbers(here))
	require.Len(t, r.numbers(there), 1)
	for seq := range 4000 { // far beyond what could be late
		a.receive(enginetest.RTP(1300, unit.SeqNo(10+seq), []byte{0x10, 1}))
		r.settle()
	}
	numbers := r.numbers(there)
	require.Len(t, numbers, 4000)
	for i := 1; i < len(numbers); i++ {
		require.Equal(t, numbers[i-1]+1, numbers[i])
	}

	require.Len(t, r.All(), told, "the application hears nothing")
	require.Equal(t, []string{"p"}, r.Must("a", api.MethodTransportDump, nil).(*api.PipeTransportDumpResponse).Base.ProducerIDs)
	require.Empty(t, r.Must("b", api.MethodTransportDump, nil).(*api.PipeTransportDumpResponse).Base.ProducerIDs)
	r.CloseProducer("a", "p")
	require.Len(t, r.About("c", api.EventConsumerProducerClose), 1)
	require.Len(t, r.About("d", api.EventConsumerProducerClose), 1)
	r.requireAllReleased()
}

// asked returns the SSRCs of which a socket's peer was asked for key frames.
func asked(t *testing.T, s *socket) (all []unit.SSRC) {
	t.Helper()
	for _, pli := range enginetest.Find[*rtcp.PictureLossIndication](enginetest.RTCPOf(t, s.Take())) {
		all = append(all, unit.SSRC(pli.MediaSSRC))
	}
	return all
}

// A consumer of simulcast goes on with its layer, and asks for the key frame of that one only.
func TestTakeOverOfSimulcast(t *testing.T) {
	r := newFixture(t, 2)
	a, b := r.pipeOn(0, "a"), r.pipeOn(1, "b")
	out := r.plainOn(0, "out")
	s := enginetest.Video(10)
	s.Encodings = 3
	r.Produce("a", "p", s)
	request := enginetest.Video(20).Consume("c", s.Produce("p"))
	request.Type = api.RTPTypeSimulcast
	request.RTPParameters.Encodings[0].ScalabilityMode = "L3T1"
	request.PreferredLayers = &api.ConsumerLayers{SpatialLayer: 0}
	r.Must("out", api.MethodTransportConsume, request)
	send := func(from *socket, first unit.SSRC, seq unit.SeqNo) {
		for i := range 3 {
			from.receive(enginetest.KeyFrame(enginetest.EncodingSSRC(first, i), seq))
		}
	}
	send(a, 10, 1)
	r.settle()
	send(a, 10, 2)
	before := r.numbers(out)
	require.NotEmpty(t, before)
	layers := r.notified("c", api.EventConsumerLayersChange)

	s.SSRC = 500
	r.Must("b", api.MethodTransportProduce, relayed("p", s, 10))
	b.Take()
	r.Must("c", api.MethodConsumerRequestKeyFrame, nil)
	r.settle()
	require.Equal(t, []unit.SSRC{500}, asked(t, b), "before its first packet, too")
	send(b, 500, 4000)
	send(b, 500, 4001)
	last := before[len(before)-1]
	require.Equal(t, []unit.SeqNo{last + 2, last + 3}, r.numbers(out))
	require.Equal(t, layers, r.notified("c", api.EventConsumerLayersChange))
	require.Empty(t, a.Take())
}

// A paused producer stays paused, and a stream that the old source never sent begins as any other.
func TestTakeOverOfWhatIsPausedOrSilent(t *testing.T) {
	r := newFixture(t, 2)
	r.pipeOn(0, "a")
	b, out := r.pipeOn(1, "b"), r.plainOn(0, "out")
	r.Produce("a", "p", enginetest.Audio(10))
	r.Consume("out", "c", "p", 20)
	r.Must("p", api.MethodProducerPause, nil)
	r.Must("b", api.MethodTransportProduce, relayed("p", enginetest.Audio(500), 10))
	b.receive(enginetest.RTP(500, 1, []byte{1}))
	require.Empty(t, r.numbers(out))
	r.Must("p", api.MethodProducerResume, nil)
	b.receive(enginetest.RTP(500, 2, []byte{1}))
	require.Len(t, r.numbers(out), 1)
	require.Len(t, r.About("c", api.EventConsumerProducerPause), 1)
	require.Len(t, r.About("c", api.EventConsumerProducerResume), 1)
}

// What is no successor is refused, and changes nothing; outside of relays an id cannot come twice.
func TestTakeOverThatIsRefused(t *testing.T) {
	r := newFixture(t, 1)
	a := r.pipeOn(0, "a")
	r.pipeOn(0, "b")
	out := r.plain("out")
	r.Produce("a", "p", enginetest.Video(10))
	r.Produce("b", "q", enginetest.Video(600))
	r.Consume("out", "c", "p", 20)
	malformed := relayed("p", enginetest.Video(500), 10)
	malformed.RTPParameters.Codecs = nil
	taken := relayed("p", enginetest.Video(600), 10)
	simulcast := enginetest.Video(500)
	simulcast.Encodings = 2
	for text, request := range map[string]*api.TransportProduceRequest{
		"another one":         relayed("p", enginetest.Audio(500), 10),
		"empty codecs":        malformed,
		"ssrc already exists": taken,
		"taken over is":       relayed("p", simulcast, 10),
		"to be taken over":    relayed("p", enginetest.Video(500), 11),
	} {
		_, err := r.Try("b", api.MethodTransportProduce, request)
		require.ErrorContains(t, err, text)
	}
	require.ErrorContains(t, r.refusal("out", api.MethodTransportProduce, relayed("p", enginetest.Video(500), 10)), "already exists")
	a.receive(enginetest.KeyFrame(10, 1))
	require.Len(t, r.numbers(out), 1)
}

// The producer of a transport that is out of service cannot be taken over.
func TestTakeOverFromABrokenTransport(t *testing.T) {
	r := newFixture(t, 1)
	a, out := r.pipeOn(0, "a"), r.plain("out")
	r.pipeOn(0, "b")
	r.Produce("a", "p", enginetest.Video(10))
	r.Consume("out", "c", "p", 20)
	a.receive(enginetest.KeyFrame(10, 1))
	a.Faulty = true
	out.receive(enginetest.MarshalRTCP(&rtcp.PictureLossIndication{MediaSSRC: 20}))
	r.settle()
	require.ErrorContains(t, r.refusal("b", api.MethodTransportProduce, relayed("p", enginetest.Video(500), 10)), "Transport a is out of service")
	r.Must("c", api.MethodConsumerDump, nil)
	r.CloseProducer("a", "p")
	require.Len(t, r.About("c", api.EventConsumerProducerClose), 1)
}
