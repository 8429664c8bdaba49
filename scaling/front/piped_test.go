package front_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/simnet"
)

// piped is a producer that an application pipes into another Router of its worker, as its library's pipeToRouter does by default, and
// a viewer there.
type piped struct {
	*world
	camera   *camera
	viewer   *viewer
	producer string // in the Router r
	far      string // in the Router far
	phases   []pipedPhase
}

// pipedPhase is what there is to see in a phase.
type pipedPhase struct {
	name    string
	asked   []int             // key frames, of each encoding
	packets int               // that came to the viewer
	last    map[string]string // scores and layers of each object
	states  []string          // all else that the application was told
}

// Objects of a piped producer, and the phase in which a relay of the far producer begins.
const pipeConsumer, farConsumer, consumed = "c50", "c100", "consumed"

// pipedFar is the id of the far producer: another one of the same shape.
func pipedFar(producer string) string { return fmt.Sprint("p", numberOf(producer)+uint32(len(shapes))) }

func newPiped(w *world, producer string) *piped {
	s := &piped{world: w, producer: producer, far: pipedFar(producer), camera: newCamera(producer)}
	for _, id := range []string{"r", "far"} {
		w.app.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: id})
	}
	in, out := w.connect("in"), w.connectIn("far", "out")
	in.handle, in.send = s.camera.handle, s.camera.send
	s.viewer = newViewer(*consumeRequest(farConsumer, s.far, false).RTPParameters.Encodings[0].SSRC)
	out.handle, out.send = s.viewer.handle, s.viewer.send
	return s
}

// pipe makes a pair of PipeTransports on loopback addresses, a pipe consumer and the far producer.
func (s *piped) pipe() {
	ends := map[string]*api.PipeTransportDumpResponse{}
	for _, id := range []string{"r", "far"} {
		info := loopback()
		ends[id] = s.app.must(api.MethodRouterCreatePipeTransport, id, &api.RouterCreatePipeTransportRequest{
			TransportID: "pipe-" + id, Options: &api.PipeTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info},
		}).(*api.PipeTransportDumpResponse)
	}
	for id, other := range map[string]string{"r": "far", "far": "r"} {
		to := ends[other].Tuple
		s.app.must(api.MethodPipeTransportConnect, "pipe-"+id, &api.PipeTransportConnectRequest{IP: to.LocalAddress, Port: &to.LocalPort})
	}
	consume := consumeRequest(pipeConsumer, s.producer, true)
	s.app.must(api.MethodTransportConsume, "pipe-r", consume)
	produce := produceRequest(s.far, false)
	produce.RTPParameters = consume.RTPParameters
	produce.RTPMapping.Codecs = []api.CodecMapping{{PayloadType: 101, MappedPayloadType: 101}}
	for i := range produce.RTPMapping.Encodings {
		produce.RTPMapping.Encodings[i].SSRC = consume.RTPParameters.Encodings[i].SSRC
	}
	s.app.must(api.MethodTransportProduce, "pipe-far", produce)
}

func (s *piped) play() *piped {
	s.app.must(api.MethodTransportProduce, "in", produceRequest(s.producer, false))
	s.phase("publisher alone", 2*time.Second, func() {})
	s.phase("piped", 3*time.Second, s.pipe)
	s.phase(consumed, 3*time.Second, func() { s.app.must(api.MethodTransportConsume, "out", consumeRequest(farConsumer, s.far, false)) })
	s.phase("lower layers", 3*time.Second, func() { s.prefer(0) })
	s.phase("higher layers", 3*time.Second, func() { s.prefer(2) })
	s.phase("viewer lost the picture", 2*time.Second, func() { s.viewer.wantsKey = true })
	s.phase("producer paused", 2*time.Second, func() { s.app.must(api.MethodProducerPause, s.producer, nil) })
	s.phase("far producer paused", 2*time.Second, func() { s.app.must(api.MethodProducerPause, s.far, nil) })
	s.phase("far producer resumed", 2*time.Second, func() { s.app.must(api.MethodProducerResume, s.far, nil) })
	s.phase("producer resumed", 2*time.Second, func() { s.app.must(api.MethodProducerResume, s.producer, nil) })
	s.phase("producer closed", time.Second, func() {
		s.app.must(api.MethodTransportCloseProducer, "in", &api.TransportCloseProducerRequest{ProducerID: s.producer})
	})
	s.app.worker.Close()
	return s
}

func (s *piped) prefer(spatial uint8) {
	s.app.must(api.MethodConsumerSetPreferredLayers, farConsumer, &api.ConsumerSetPreferredLayersRequest{
		PreferredLayers: &api.ConsumerLayers{SpatialLayer: spatial, TemporalLayer: new(uint8(2))},
	})
}

// phase lets something happen and time pass, and takes down what there is to see at its end.
func (s *piped) phase(name string, d time.Duration, do func()) {
	before := s.viewer.packets
	do()
	s.run(d)
	p := pipedPhase{name: name, asked: s.camera.keyFramesAsked(), packets: s.viewer.packets - before, last: map[string]string{}}
	s.app.mu.Lock()
	defer s.app.mu.Unlock()
	for _, id := range []string{s.producer, pipeConsumer, s.far, farConsumer} {
		for _, n := range s.app.events[id] {
			switch body := n.Body.(type) {
			case *api.ConsumerLayersChangeNotification:
				p.last[id+" layers"] = fmt.Sprintf("%+v", body.Layers)
				if body.Layers != nil {
					p.last[id+" layers"] = fmt.Sprintf("%d/%d", body.Layers.SpatialLayer, *body.Layers.TemporalLayer)
				}
			case *api.ConsumerScoreNotification:
				p.last[id+" score"] = fmt.Sprintf("%+v", *body.Score)
			case *api.ProducerScoreNotification:
				p.last[id+" score"] = fmt.Sprintf("%+v", body.Scores)
			default:
				p.states = append(p.states, fmt.Sprint(id, " ", n.Event))
			}
		}
	}
	clear(s.app.events)
	s.phases = append(s.phases, p)
}

// A producer is piped into another Router on loopback addresses. The pipe's ends are on the front's own engine, publisher and viewer on
// nodes; so a relay comes before the pipe and one after it. What the application sees and what the publisher is asked for is what it is
// in one engine.
func TestPipedIntoAnotherRouter(t *testing.T) {
	for _, kind := range []struct{ name, producer string }{
		{"audio", audioProducer}, {"video", simple}, {"simulcast", simulcast}, {"SVC", "p3"},
	} {
		t.Run(kind.name, func(t *testing.T) {
			one := newPiped(newWorld(t, 1, simnet.Conditions{}).alone(), kind.producer).play()
			many := newPiped(newWorld(t, 1, simnet.Conditions{}).spread(2), kind.producer).play()
			counters := many.many.Counters()
			require.Equal(t, 2, counters.Relays)
			require.Equal(t, map[string]int{"own": 2, "node1": 1, "node2": 1}, counters.Transports)
			for i, want := range one.phases {
				have := many.phases[i]
				if want.name == consumed && kind.producer == simulcast { // the relay learns of encodings one after the other
					for i := range want.asked {
						want.asked[i]++
					}
				}
				require.Equal(t, want, have, want.name)
			}
			require.Greater(t, one.viewer.packets, 500)
		})
	}
}
