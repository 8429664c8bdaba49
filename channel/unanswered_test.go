package channel_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
)

// reply answers a request.
type reply = func(api.ResponseBody, error)

// lateWorker is a worker that leaves its requests to the test.
func lateWorker() (w *worker, requests chan reply) {
	w, requests = newWorker(), make(chan reply, 5000)
	w.request = func(_ *api.Request, r func(api.ResponseBody, error)) { requests <- r }
	return w, requests
}

// consume is a request that creates a consumer.
func consume(id uint32, consumer string) *api.Request {
	return &api.Request{
		ID: id, Method: api.MethodTransportConsume, HandlerID: "t", Body: &api.TransportConsumeRequest{
			ConsumerID: consumer, ProducerID: "p", RTPParameters: &api.RTPParameters{RTCP: &api.RTCPParameters{}},
		},
	}
}

// state is a notification of the given object.
func state(id string) *api.Notification {
	return &api.Notification{HandlerID: id, Event: api.EventConsumerProducerPause}
}

// take returns the next n messages in short: a response as its id, a notification as its object, a log as its text.
func (a *app) take(n int) (got []string) {
	a.t.Helper()
	for range n {
		switch m := a.read().(type) {
		case *api.Notification:
			got = append(got, m.HandlerID)
		case *api.Response:
			got = append(got, fmt.Sprint(m.ID))
		case *api.Log:
			got = append(got, m.Data)
		}
	}
	return got
}

// Answers leave in the order in which they are given, from whatever goroutine.
func TestAnswersLeaveWhenTheyExist(t *testing.T) {
	const requests = 500
	w, replies := lateWorker()
	a := start(t, w)
	var all []reply
	for id := uint32(1); id <= requests; id++ {
		a.send(&api.Request{ID: id})
		all = append(all, <-replies)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, i := range rng.Perm(requests) {
		go all[i](nil, nil)
		require.EqualValues(t, i+1, a.response().ID)
	}
}

// Nothing waits for an answer but what is told of the object that it creates.
func TestOnlyNotificationsOfTheNewObjectWait(t *testing.T) {
	w, replies := lateWorker()
	a := start(t, w)
	a.send(consume(1, "new"))
	first := <-replies
	a.send(&api.Request{ID: 2})
	second := <-replies
	require.NoError(t, a.settings.SetLogLevel("debug"))
	a.ch.Emit(state("new"))
	a.ch.Emit(state("old"))
	a.ch.Logger().Debug("hello")
	second(nil, nil)
	a.ch.Emit(state("new"))
	require.Equal(t, []string{"old", "Dhello", "2"}, a.take(3))
	first(nil, nil)
	a.ch.Emit(state("new"))
	a.ch.Emit(state("old"))
	require.Equal(t, []string{"1", "new", "new", "new", "old"}, a.take(5))
}

// A packet of an object that the application does not know is of no use to it, now or later.
func TestMediaOfANewObjectIsDropped(t *testing.T) {
	w, replies := lateWorker()
	a := start(t, w)
	a.send(consume(1, "new"))
	answer := <-replies
	rtp := &api.Notification{HandlerID: "new", Event: api.EventConsumerRTP, Body: &api.ConsumerRTPNotification{Data: []byte{1}}}
	a.ch.Emit(rtp)
	a.ch.Emit(state("new"))
	answer(nil, nil)
	a.ch.Emit(rtp)
	require.Equal(t, []string{"1", "new", "new"}, a.take(3))
}

// A request that is refused has created nothing: what was held back is an older object's, or that of another request's.
func TestRefusalsReleaseNotifications(t *testing.T) {
	w, replies := lateWorker()
	a := start(t, w)
	a.send(consume(1, "x"))
	a.send(consume(2, "x"))
	a.send(consume(3, "x"))
	r1, r2, r3 := <-replies, <-replies, <-replies
	a.ch.Emit(state("x"))
	r1(nil, errors.New("no"))
	a.ch.Emit(state("other"))
	require.Equal(t, []string{"1", "other"}, a.take(2), "another request may still create it")
	r2(nil, nil)
	a.ch.Emit(state("x"))
	require.Equal(t, []string{"2", "x", "x"}, a.take(3), "it exists, whatever the third request's answer is")
	a.send(consume(4, "x"))
	r4 := <-replies
	a.ch.Emit(state("x"))
	r3(nil, errors.New("no"))
	require.Equal(t, []string{"3"}, a.take(1))
	r4(nil, errors.New("no"))
	require.Equal(t, []string{"4", "x"}, a.take(2))
}

// What waits for the answers of a Router that cannot be reached is bounded, and takes no room from others.
func TestHeldNotificationsAreBounded(t *testing.T) {
	const objects, each = 100, 100
	w, replies := lateWorker()
	a := start(t, w)
	require.NoError(t, a.settings.SetLogLevel("warn"))
	var answers []reply
	name := func(i int) string { return fmt.Sprint("object", i, strings.Repeat("x", 1000)) }
	for i := range objects {
		a.send(consume(uint32(i), name(i)))
		answers = append(answers, <-replies)
	}
	for i := range objects {
		for range each {
			a.ch.Emit(state(name(i)))
		}
	}
	require.Zero(t, a.ch.Queued())
	a.ch.Emit(state("other"))
	kept, answered, reported := map[string]int{}, 0, ""
	for kept["other"] == 0 {
		switch m := a.read().(type) {
		case *api.Notification:
			kept[m.HandlerID]++
		case *api.Log:
			reported = m.Data
		}
	}
	go func() {
		for _, answer := range answers {
			answer(nil, nil)
		}
	}()
	total := 0
	for reported == "" || answered < objects {
		switch m := a.read().(type) {
		case *api.Notification:
			kept[m.HandlerID]++
			total++
		case *api.Response:
			answered++
		case *api.Log:
			reported = m.Data
		}
	}
	require.Greater(t, kept[name(0)], 50)
	require.Less(t, kept[name(0)], 65, "64 KiB of about 1 KiB each")
	require.Greater(t, total, 3500)
	require.Less(t, total, 4100, "4 MiB in all")
	require.Regexp(t, `^Wnotifications dropped because the creation of their objects`, reported)
}

// Each Router may owe 1,024 answers, and so may the worker itself. Whatever one owes, others go on, and objects can be closed.
func TestUnansweredRequestsAreBoundedPerRouter(t *testing.T) {
	const allowed = 1024
	w, replies := lateWorker()
	w.routers = map[string]string{"r1": "r1", "t1": "r1", "r2": "r2"}
	a := start(t, w)
	id := uint32(0)
	send := func(handler string, body api.RequestBody) uint32 {
		id++
		method := api.MethodTransportDump
		if body != nil {
			method = api.MethodRouterCloseTransport
		}
		a.send(&api.Request{ID: id, Method: method, HandlerID: handler, Body: body})
		return id
	}
	refused := func(handler string) {
		t.Helper()
		sent := send(handler, nil)
		r := a.response()
		require.Equal(t, sent, r.ID)
		require.False(t, r.Accepted)
		require.Contains(t, r.Reason, "too many unanswered requests")
	}
	var owed []reply
	for i := range allowed {
		send([]string{"r1", "t1"}[i%2], nil)
		owed = append(owed, <-replies)
	}
	refused("r1")
	refused("t1")
	for range allowed {
		send("r2", nil)
		owed = append(owed, <-replies)
		send("", nil)
		owed = append(owed, <-replies)
	}
	refused("r2")
	refused("")
	closing := send("r1", &api.RouterCloseTransportRequest{TransportID: "t1"})
	(<-replies)(nil, nil)
	require.Equal(t, closing, a.response().ID)

	owed[0](nil, nil)
	require.EqualValues(t, 1, a.response().ID)
	send("t1", nil)
	<-replies
	refused("r1")
}

// Objects are announced by their answers though requests are answered, and notifications emitted, by many goroutines at once.
func TestNewObjectsAreAnnouncedWhateverTheGoroutines(t *testing.T) {
	const objects, each = 200, 20
	w, replies := lateWorker()
	a := start(t, w)
	var done sync.WaitGroup
	defer done.Wait()
	for i := range uint32(objects) {
		a.send(consume(i, fmt.Sprint(i)))
		answer := <-replies
		done.Go(func() { answer(nil, nil) })
		done.Go(func() {
			for n := range each {
				a.ch.Emit(&api.Notification{
					HandlerID: fmt.Sprint(i), Event: api.EventConsumerLayersChange,
					Body: &api.ConsumerLayersChangeNotification{Layers: &api.ConsumerLayers{SpatialLayer: uint8(n)}},
				})
			}
		})
	}
	next := map[string]uint8{}
	for range objects * (each + 1) {
		switch m := a.read().(type) {
		case *api.Response:
			next[fmt.Sprint(m.ID)] = 0
		case *api.Notification:
			n, announced := next[m.HandlerID]
			require.True(t, announced, "%s before its answer", m.HandlerID)
			require.Equal(t, n, m.Body.(*api.ConsumerLayersChangeNotification).Layers.SpatialLayer)
			next[m.HandlerID]++
		}
	}
}

func TestInternalEventsDoNotReachTheApplication(t *testing.T) {
	a := start(t, newWorker())
	require.NoError(t, a.settings.SetLogLevel("debug"))
	for _, e := range []api.Event{
		api.EventDataConsumerClosedByPeer, api.EventTransportOutOfService, api.EventRTPObserverOutOfService,
	} {
		a.ch.Emit(&api.Notification{HandlerID: "x", Event: e})
	}
	a.ch.Emit(state("x"))
	require.Equal(t, []string{"x"}, a.take(1))
}

// A worker that ends by itself ends the channel.
func TestAWorkerThatEndsByItself(t *testing.T) {
	w := newWorker()
	a := start(t, w)
	w.err = errors.New("lease lost")
	close(w.done)
	err := a.end()
	require.ErrorIs(t, err, channel.ErrWorkerEnded)
	require.EqualError(t, err, "the worker has ended: lease lost")
	closed(t, w.closed)
}
