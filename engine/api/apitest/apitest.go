// Package apitest tests that implementations of [api.Worker] keep its contract. [Run] takes any of them; [Late] makes one that
// answers late, out of order and from other goroutines out of one that answers at once.
package apitest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// patience is how long a test waits for what must come; only a failing test waits that long.
const patience = 20 * time.Second

// Start makes a worker that emits to emit.
type Start func(t testing.TB, emit api.Emitter) api.Worker

// Run checks that workers keep the contract of [api.Worker].
func Run(t *testing.T, start Start) {
	for name, test := range map[string]func(*testing.T, *Client){
		"AnswersEachRequestOnce":         answersEachRequestOnce,
		"RefusalsChangeNothing":          refusalsChangeNothing,
		"ObjectsExistForTheNextCall":     objectsExistForTheNextCall,
		"NotificationsKeepTheirOrder":    notificationsKeepTheirOrder,
		"BodiesMayBeKept":                bodiesMayBeKept,
		"ClosedObjectsAreGone":           closedObjectsAreGone,
		"LoadDoneAndErrFromAnyGoroutine": loadDoneAndErrFromAnyGoroutine,
		"Ends":                           ends,
		"CloseAnswersWhatIsUnanswered":   closeAnswersWhatIsUnanswered,
	} {
		t.Run(name, func(t *testing.T) { test(t, NewClient(t, start)) })
	}
}

// Client is a worker's caller: its control loop is the test's goroutine.
type Client struct {
	Worker api.Worker
	t      testing.TB

	mu    sync.Mutex
	seen  []api.Notification // with the bodies as they came: they may be kept
	news  chan struct{}
	count uint32
}

// NewClient starts a worker, and closes it when the test ends.
func NewClient(t testing.TB, start Start) *Client {
	c := &Client{t: t, news: make(chan struct{}, 1)}
	c.Worker = start(t, c.take)
	t.Cleanup(c.Worker.Close)
	return c
}

// take implements api.Emitter.
func (c *Client) take(n *api.Notification) {
	c.mu.Lock()
	c.seen = append(c.seen, *n)
	c.mu.Unlock()
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// Answer is the answer to a request, now or later.
type Answer struct {
	t     testing.TB
	what  string
	done  chan struct{}
	times sync.Mutex // locked for good by the first reply
	body  api.ResponseBody
	err   error
}

// Send makes a request without waiting for the answer.
func (c *Client) Send(handler string, method api.Method, body api.RequestBody) *Answer {
	c.count++
	a := &Answer{t: c.t, what: fmt.Sprint(method, " of ", handler), done: make(chan struct{})}
	c.Worker.HandleRequest(&api.Request{ID: c.count, Method: method, HandlerID: handler, Body: body},
		func(body api.ResponseBody, err error) {
			if !a.times.TryLock() {
				a.t.Errorf("answered twice: %s", a.what)
				return
			}
			a.body, a.err = body, err
			close(a.done)
		})
	return a
}

// Wait returns the answer.
func (a *Answer) Wait() (api.ResponseBody, error) {
	a.t.Helper()
	select {
	case <-a.done:
	case <-time.After(patience):
		require.FailNow(a.t, "no answer", a.what)
	}
	return a.body, a.err
}

// Accepted waits for the answer, which must not be an error.
func (a *Answer) Accepted() api.ResponseBody {
	a.t.Helper()
	body, err := a.Wait()
	require.NoError(a.t, err, a.what)
	return body
}

// Refused waits for the answer, which must be an error of the given class.
func (a *Answer) Refused(kind api.ErrorKind) {
	a.t.Helper()
	_, err := a.Wait()
	require.Error(a.t, err, a.what)
	got := api.ErrorKindError
	if refusal, ok := errors.AsType[*api.Error](err); ok {
		got = refusal.Kind
	}
	require.Equal(a.t, kind, got, a.what)
}

// Notifications returns the first n notifications of an object, as soon as there are so many.
func (c *Client) Notifications(id string, n int) []api.Notification {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		if of := c.of(id); len(of) >= n {
			return of[:n]
		}
		select {
		case <-c.news:
		case <-deadline:
			require.FailNow(c.t, "too few notifications", "%s: %d of %d", id, len(c.of(id)), n)
		}
	}
}

func (c *Client) of(id string) (of []api.Notification) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.seen {
		if n.HandlerID == id {
			of = append(of, n)
		}
	}
	return of
}

// CreateRouter and its like make requests whose answers the test may wait for.
func (c *Client) CreateRouter(id string) *Answer {
	return c.Send("", api.MethodWorkerCreateRouter, &api.WorkerCreateRouterRequest{RouterID: id})
}

// CreateTransport creates a DirectTransport.
func (c *Client) CreateTransport(router, id string) *Answer {
	return c.Send(router, api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
		TransportID: id,
		Options: &api.DirectTransportOptions{Base: &api.TransportOptions{
			Direct: true, MaxSendMessageSize: 1 << 18, MaxReceiveMessageSize: 1 << 18,
		}},
	})
}

// The stream of producers and of consumers.
const (
	producedSSRC = 10
	mappedSSRC   = 1010
	consumedSSRC = 20
	payloadType  = 101
)

func opus(ssrc uint32) *api.RTPParameters {
	return &api.RTPParameters{
		Codecs: []api.RTPCodecParameters{
			{MimeType: "audio/opus", PayloadType: payloadType, ClockRate: 48000, Channels: new(uint8(2))},
		},
		Encodings: []api.RTPEncodingParameters{{SSRC: &ssrc}},
		RTCP:      &api.RTCPParameters{CNAME: "c", ReducedSize: true},
	}
}

// Produce creates an audio producer.
func (c *Client) Produce(transport, id string) *Answer {
	return c.Send(transport, api.MethodTransportProduce, &api.TransportProduceRequest{
		ProducerID: id, Kind: api.MediaKindAudio, RTPParameters: opus(producedSSRC),
		RTPMapping: &api.RTPMapping{
			Codecs:    []api.CodecMapping{{PayloadType: payloadType, MappedPayloadType: payloadType}},
			Encodings: []api.EncodingMapping{{SSRC: new(uint32(producedSSRC)), MappedSSRC: mappedSSRC}},
		},
	})
}

// Consume creates a consumer of a producer that Produce made.
func (c *Client) Consume(transport, id, producer string) *Answer {
	return c.Send(transport, api.MethodTransportConsume, &api.TransportConsumeRequest{
		ConsumerID: id, ProducerID: producer, Kind: api.MediaKindAudio, RTPParameters: opus(consumedSSRC),
		ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: new(uint32(mappedSSRC))}},
	})
}

// ProduceData creates a data producer of the application.
func (c *Client) ProduceData(transport, id string) *Answer {
	return c.Send(transport, api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: id, Type: api.DataProducerTypeDirect,
	})
}

// ConsumeData creates a data consumer of the application.
func (c *Client) ConsumeData(transport, id, producer string) *Answer {
	return c.Send(transport, api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: id, DataProducerID: producer, Type: api.DataConsumerTypeDirect,
	})
}

// room creates a Router with two transports, a producer and a consumer, all named after it.
func (c *Client) room(router string) []*Answer {
	return []*Answer{
		c.CreateRouter(router),
		c.CreateTransport(router, router+"-in"), c.CreateTransport(router, router+"-out"),
		c.Produce(router+"-in", router+"-p"), c.Consume(router+"-out", router+"-c", router+"-p"),
	}
}

// dump returns the worker's ids and those of the given Routers.
func (c *Client) dump(routers ...string) []any {
	c.t.Helper()
	worker := c.Send("", api.MethodWorkerDump, nil).Accepted().(*api.WorkerDumpResponse)
	all := []any{worker.RouterIDs, worker.WebRtcServerIDs}
	for _, router := range routers {
		all = append(all, c.Send(router, api.MethodRouterDump, nil).Accepted())
	}
	return all
}

// waitFor waits for all answers, accepted ones.
func waitFor(answers []*Answer) {
	for _, a := range answers {
		a.t.Helper()
		a.Accepted()
	}
}
