package front_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// Whatever is created too late is closed again, and its id is free.
func TestWhatIsCreatedTooLateIsClosed(t *testing.T) {
	info := loopback()
	tests := []struct {
		call  call
		id    string
		close api.Method
	}{
		{call{api.MethodRouterCreatePlainTransport, "r", plainRequest("new")}, "new", api.MethodRouterCloseTransport},
		{call{api.MethodTransportProduce, "t0", produceRequest("p7", false)}, "p7", api.MethodTransportCloseProducer},
		{call{api.MethodTransportConsume, "t0", consumeRequest("new", simulcast, false)}, "new", api.MethodTransportCloseConsumer},
		{call{api.MethodTransportProduceData, "t0", func() *api.TransportProduceDataRequest {
			q := dataProducerRequest("new")
			q.SCTPStreamParameters.StreamID = 9
			return q
		}()}, "new", api.MethodTransportCloseDataProducer},
		{call{api.MethodTransportConsumeData, "t0", dataConsumerRequest("new", "dp")}, "new", api.MethodTransportCloseDataConsumer},
		{call{api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
			RTPObserverID: "new", Options: &api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -60, Interval: 5000},
		}}, "new", api.MethodRouterCloseRTPObserver},
		{call{api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "new", ListenInfos: []api.ListenInfo{info}}}, "new", api.MethodWorkerWebRtcServerClose},
	}
	for _, tt := range tests {
		t.Run(tt.call.method.Name(), func(t *testing.T) {
			r := newRoom(t)
			r.produce()
			r.transport("t2") // so that the next one goes to the first node
			r.transport("t3")
			r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "t2"})
			r.nodes[0].freeze()
			answers := r.send(tt.call.method, tt.call.handler, tt.call.body)
			r.front().Do(func() {})
			r.clock.advance(8 * time.Second)
			require.ErrorContains(t, receive(t, answers).err, "node1 does not answer")
			require.Empty(t, r.front().RouterOf(tt.id))
			r.front().Do(r.nodes[0].thaw)
			r.await("it is closed", func() bool { return r.nodes[0].count(tt.close) > 0 })
			r.must(tt.call.method, tt.call.handler, tt.call.body)
		})
	}
}

// Pausing and resuming that fail at home leave everything as it was.
func TestPausingThatFails(t *testing.T) {
	r := newRoom(t)
	r.produce()
	r.consume()
	fail := func(methods ...api.Method) {
		r.nodes[0].refuseIf(func(req *api.Request) error {
			for _, m := range methods {
				if req.Method == m {
					return api.Errorf("out of service")
				}
			}
			return nil
		})
	}
	fail(api.MethodProducerPause, api.MethodDataProducerPause)
	r.refused("out of service", api.MethodProducerPause, simulcast, nil)
	r.refused("out of service", api.MethodDataProducerPause, "dp", nil)
	require.Empty(t, r.seen("c1", api.EventConsumerProducerPause))
	fail()
	r.must(api.MethodProducerPause, simulcast, nil)
	r.must(api.MethodDataProducerPause, "dp", nil)
	fail(api.MethodProducerResume, api.MethodDataProducerResume)
	r.refused("out of service", api.MethodProducerResume, simulcast, nil)
	r.refused("out of service", api.MethodDataProducerResume, "dp", nil)
	fail()
	r.must(api.MethodProducerResume, simulcast, nil)
	r.must(api.MethodDataProducerResume, "dp", nil)
	r.nodes[1].refuseIf(func(req *api.Request) error {
		if req.Method == api.MethodConsumerResume {
			return api.Errorf("out of service")
		}
		return nil
	})
	r.must(api.MethodConsumerPause, "c1", nil)
	r.refused("out of service", api.MethodConsumerResume, "c1", nil)
}

// A producer is paused and resumed while a relay of it is made: the consumer ends up with what was asked last.
func TestPausingWhileARelayIsMade(t *testing.T) {
	for _, last := range []api.Method{api.MethodProducerPause, api.MethodProducerResume} {
		t.Run(last.Name(), func(t *testing.T) {
			r := newRoom(t)
			r.produce()
			answers := []<-chan answer{
				r.send(api.MethodProducerPause, simulcast, nil),
				r.send(api.MethodProducerResume, simulcast, nil),
				r.send(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false)),
				r.send(api.MethodProducerPause, simulcast, nil),
				r.send(last, simulcast, nil),
			}
			for _, a := range answers {
				require.NoError(t, receive(t, a).err)
			}
			dump := r.must(api.MethodConsumerDump, "c1", nil).(*api.ConsumerDumpResponse)
			require.Equal(t, last == api.MethodProducerPause, dump.Data.Base.ProducerPaused)
		})
	}
}

// A Router is closed with requests behind that: they find nothing, and one of the same id can be created at once.
func TestRequestsBehindTheEndOfARouter(t *testing.T) {
	r := newRoom(t)
	r.produce()
	var answers []<-chan answer
	send := func(m api.Method, handler string, body api.RequestBody) {
		answers = append(answers, r.send(m, handler, body))
	}
	send(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	send(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	send(api.MethodTransportDump, "t1", nil)
	send(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	send(api.MethodRouterCreatePlainTransport, "r", plainRequest("t1"))
	send(api.MethodTransportDump, "t1", nil)
	for i, want := range []string{"", "", "not found", "", "", ""} {
		got := receive(t, answers[i])
		if want == "" {
			require.NoError(t, got.err, "request %d", i)
		} else {
			require.ErrorContains(t, got.err, want)
		}
	}
	require.Equal(t, "r", r.front().RouterOf("t1"))
}
