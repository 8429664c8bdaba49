package apitest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// Many requests that do not wait for each other are all answered, each once, be it with an error.
func answersEachRequestOnce(t *testing.T, c *Client) {
	var accepted, missing, wrong []*Answer
	for i := range 50 {
		router := fmt.Sprint("r", i)
		accepted = append(accepted, c.room(router)...)
		accepted = append(accepted, c.Send(router, api.MethodRouterDump, nil))
		missing = append(missing, c.Send("nothing", api.MethodRouterDump, nil))
		missing = append(missing, c.Send("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "nothing"}))
		wrong = append(wrong, c.Send(router+"-out", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
			DataConsumerID: "no-sctp-here", DataProducerID: "nothing", Type: api.DataConsumerTypeSCTP,
			SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 1},
		}))
	}
	waitFor(accepted)
	for _, a := range missing {
		a.Refused(api.ErrorKindNotFound)
	}
	for _, a := range wrong {
		a.Refused(api.ErrorKindType)
	}
}

func refusalsChangeNothing(t *testing.T, c *Client) {
	waitFor(c.room("r"))
	before := c.dump("r")
	c.CreateRouter("r").Refused(api.ErrorKindError)
	c.CreateTransport("r", "r-in").Refused(api.ErrorKindError)
	c.CreateTransport("r", "r-c").Refused(api.ErrorKindError) // an id is used once, whatever it names
	c.Produce("r-in", "r-p").Refused(api.ErrorKindError)
	c.Consume("r-out", "r-c", "r-p").Refused(api.ErrorKindError)
	c.Consume("r-out", "new", "nothing").Refused(api.ErrorKindNotFound)
	c.Send("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "nothing"}).
		Refused(api.ErrorKindNotFound)
	require.Equal(t, before, c.dump("r"))
}

// Whatever is created can be used in the next call, answered or not, and its Router is known.
func objectsExistForTheNextCall(t *testing.T, c *Client) {
	require.Empty(t, c.Worker.RouterOf(""))
	require.Empty(t, c.Worker.RouterOf("nothing"))
	var all []*Answer
	for _, r := range []string{"a", "b"} {
		all = append(all, c.room(r)...)
		all = append(all, c.ProduceData(r+"-in", r+"-dp"), c.ConsumeData(r+"-out", r+"-dc", r+"-dp"))
		all = append(all, c.Send(r, api.MethodRouterCreateAudioLevelObserver, &api.RouterCreateAudioLevelObserverRequest{
			RTPObserverID: r + "-o", Options: &api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -80, Interval: 1000},
		}))
	}
	ids := []string{"", "-in", "-out", "-p", "-c", "-dp", "-dc", "-o"}
	check := func() {
		t.Helper()
		for _, r := range []string{"a", "b"} {
			for _, id := range ids {
				require.Equal(t, r, c.Worker.RouterOf(r+id), r+id)
			}
		}
	}
	check()
	waitFor(all)
	check()
	require.Equal(t, []any{[]string{"a", "b"}, []string{}}, emptied(c.dump()))
}

// emptied makes lists of no ids alike.
func emptied(lists []any) []any {
	for i, list := range lists {
		if ids, ok := list.([]string); ok && len(ids) == 0 {
			lists[i] = []string{}
		}
	}
	return lists
}

func notificationsKeepTheirOrder(t *testing.T, c *Client) {
	const rounds = 50
	all := c.room("r")
	for range rounds {
		all = append(all, c.Send("r-p", api.MethodProducerPause, nil), c.Send("r-p", api.MethodProducerResume, nil))
	}
	all = append(all, c.Send("r-in", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "r-p"}))
	waitFor(all)
	events := []api.Event{}
	for _, n := range c.Notifications("r-c", 2*rounds+1) {
		events = append(events, n.Event)
	}
	want := []api.Event{}
	for range rounds {
		want = append(want, api.EventConsumerProducerPause, api.EventConsumerProducerResume)
	}
	require.Equal(t, append(want, api.EventConsumerProducerClose), events)
}

// rtpPacket returns a packet of the producer's stream whose payload tells its number.
func rtpPacket(seq uint16) []byte {
	return []byte{
		0x80, payloadType, byte(seq >> 8), byte(seq), 0, 0, byte(seq >> 6), byte(seq << 2),
		0, 0, 0, producedSSRC, byte(seq >> 8), byte(seq), 'a', 'b', 'c',
	}
}

// The bodies of notifications are good as long as they are kept, whatever the worker does meanwhile.
func bodiesMayBeKept(t *testing.T, c *Client) {
	waitFor(c.room("r"))
	waitFor([]*Answer{c.ProduceData("r-in", "dp"), c.ConsumeData("r-out", "dc", "dp")})
	const packets = 300
	for seq := range uint16(packets) {
		require.NoError(t, c.Worker.HandleNotification(&api.Notification{
			HandlerID: "r-p", Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: rtpPacket(seq)},
		}))
		require.NoError(t, c.Worker.HandleNotification(&api.Notification{
			HandlerID: "dp", Event: api.EventDataProducerSend,
			Body: &api.DataProducerSendNotification{PPID: 51, Data: fmt.Appendf(nil, "message %d", seq)},
		}))
	}
	c.Notifications("dc", packets)
	got := 0
	for _, n := range c.Notifications("r-c", packets) {
		if body, ok := n.Body.(*api.ConsumerRTPNotification); ok {
			require.Len(t, body.Data, 17)
			require.Equal(t, []byte{byte(got >> 8), byte(got), 'a', 'b', 'c'}, body.Data[12:])
			got++
		}
	}
	require.Greater(t, got, packets-10, "some may be notifications of scores")
	for seq, n := range c.Notifications("dc", packets) {
		require.Equal(t, fmt.Sprintf("message %d", seq), string(n.Body.(*api.DataConsumerMessageNotification).Data))
	}
}

// An id is free, and leads nowhere, as soon as its object is closed: by itself, with its owner, or with its producer.
func closedObjectsAreGone(t *testing.T, c *Client) {
	all := c.room("r")
	all = append(all, c.Send("r-in", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "r-p"}))
	waitFor(all)
	c.Send("r-p", api.MethodProducerDump, nil).Refused(api.ErrorKindNotFound)
	c.Send("r-c", api.MethodConsumerDump, nil).Refused(api.ErrorKindNotFound)
	waitFor([]*Answer{
		c.Produce("r-in", "r-p"), c.Consume("r-out", "r-c", "r-p"),
		c.Send("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r"}),
	})
	for _, id := range []string{"r", "r-in", "r-out", "r-p", "r-c"} {
		c.Send(id, api.MethodTransportDump, nil).Refused(api.ErrorKindNotFound)
		require.Empty(t, c.Worker.RouterOf(id))
	}
	waitFor(c.room("r"))
	require.Equal(t, "r", c.Worker.RouterOf("r-c"))
}

func loadDoneAndErrFromAnyGoroutine(t *testing.T, c *Client) {
	var group sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		group.Go(func() {
			for {
				load := c.Worker.Load()
				if load.CPU < 0 || load.CPU > 1 || load.Routers < 0 || c.Worker.Err() != nil {
					t.Errorf("%+v, %v", load, c.Worker.Err())
				}
				select {
				case <-stop:
					return
				case <-c.Worker.Done():
					t.Errorf("ended by itself")
					return
				default:
				}
			}
		})
	}
	for i := range 20 {
		router := fmt.Sprint("r", i)
		waitFor(c.room(router))
		waitFor([]*Answer{c.ProduceData(router+"-in", router+"-dp"), c.ConsumeData(router+"-out", router+"-dc", router+"-dp")})
	}
	close(stop)
	group.Wait()
	load := c.Worker.Load()
	load.CPU = 0
	require.Equal(t, api.Load{
		Routers: 20, Transports: 40, Producers: 20, Consumers: 20, DataProducers: 20, DataConsumers: 20,
	}, load)
}

func ends(t *testing.T, c *Client) {
	waitFor(c.room("r"))
	require.NoError(t, c.Worker.Err())
	c.Worker.Close()
	require.ErrorIs(t, c.Worker.Err(), api.ErrClosed)
	select {
	case <-c.Worker.Done():
	default:
		t.Fatal("not done")
	}
	before := len(c.of("r-c"))
	c.Send("r", api.MethodRouterDump, nil).Refused(api.ErrorKindError)
	c.CreateRouter("new").Refused(api.ErrorKindError)
	require.Error(t, c.Worker.HandleNotification(&api.Notification{
		HandlerID: "r-p", Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: rtpPacket(1)},
	}))
	require.Empty(t, c.Worker.RouterOf("r"))
	require.Empty(t, c.Worker.RouterOf("new"))
	require.Equal(t, api.Load{}, c.Worker.Load())
	c.Worker.Close()
	require.Len(t, c.of("r-c"), before, "closing notifies of nothing")
}

func closeAnswersWhatIsUnanswered(t *testing.T, c *Client) {
	var all []*Answer
	for i := range 50 {
		all = append(all, c.room(fmt.Sprint("r", i))...)
	}
	c.Worker.Close()
	for _, a := range all {
		select {
		case <-a.done:
		case <-time.After(patience):
			require.FailNow(t, "Close has left a request without an answer", a.what)
		}
	}
}
