package front_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// direct makes a DirectTransport in the Router.
func (a *app) direct(id string) {
	a.t.Helper()
	a.must(api.MethodRouterCreateDirectTransport, "r", &api.RouterCreateDirectTransportRequest{
		TransportID: id, Options: &api.DirectTransportOptions{Base: &api.TransportOptions{
			Direct: true, MaxSendMessageSize: 1 << 20, MaxReceiveMessageSize: 1 << 20,
		}},
	})
}

// sctpPair makes two PlainTransports that talk SCTP with each other.
func (a *app) sctpPair(one, other string) {
	a.t.Helper()
	var tuples []*api.TransportTuple
	for _, id := range []string{one, other} {
		tuples = append(tuples, a.must(api.MethodRouterCreatePlainTransport, "r", plainRequest(id)).(*api.PlainTransportDumpResponse).Tuple)
	}
	for i, id := range []string{one, other} {
		a.must(api.MethodPlainTransportConnect, id, &api.PlainTransportConnectRequest{IP: "127.0.0.1", Port: &tuples[1-i].LocalPort})
	}
}

func (a *app) sendMessage(producer string, n *api.DataProducerSendNotification) {
	a.t.Helper()
	require.NoError(a.t, a.worker.HandleNotification(&api.Notification{HandlerID: producer, Event: api.EventDataProducerSend, Body: n}))
}

// Messages go from the application to one node, over SCTP to another one, and back to the application, in their order; a consumer
// gets those of its subchannels, and none while its producer is paused.
func TestDataOverRelays(t *testing.T) {
	inBoth(t, func(t *testing.T, a *app) any {
		a.direct("d")
		a.sctpPair("x", "y")
		a.must(api.MethodTransportProduceData, "d", &api.TransportProduceDataRequest{DataProducerID: "dp", Type: api.DataProducerTypeDirect})
		a.must(api.MethodTransportProduceData, "y", dataProducerRequest("far"))
		q := dataConsumerRequest("dc", "dp")
		q.Subchannels = []uint16{7}
		a.must(api.MethodTransportConsumeData, "x", q)
		a.must(api.MethodTransportConsumeData, "d", &api.TransportConsumeDataRequest{DataConsumerID: "back", DataProducerID: "far", Type: api.DataConsumerTypeDirect})
		a.await("SCTP", func() bool {
			for _, e := range a.seen("x", api.EventTransportSCTPStateChange) {
				if e.Body.(*api.TransportSCTPStateChangeNotification).SCTPState == api.SCTPStateConnected {
					return true
				}
			}
			return false
		})
		seven, eight := uint16(7), uint16(8)
		const count = 300
		for i := range count {
			a.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: fmt.Appendf(nil, "message %d", i), Subchannels: []uint16{7}})
			a.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: []byte("for others"), Subchannels: []uint16{8}})
			a.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: []byte("for others"), RequiredSubchannel: &eight})
			a.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: []byte("for others"), IgnoredSubchannel: &seven})
		}
		a.await("messages", func() bool { return len(a.seen("back", api.EventDataConsumerMessage)) >= count })
		a.must(api.MethodDataProducerPause, "dp", nil)
		a.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: []byte("paused")})
		a.must(api.MethodDataProducerResume, "dp", nil)
		a.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: []byte("last"), RequiredSubchannel: &seven})
		a.await("the last message", func() bool { return len(a.seen("back", api.EventDataConsumerMessage)) > count })
		var messages []string
		for _, e := range a.seen("back", api.EventDataConsumerMessage) {
			m := e.Body.(*api.DataConsumerMessageNotification)
			require.EqualValues(t, 51, m.PPID)
			require.Empty(t, m.Subchannels, "not for applications")
			messages = append(messages, string(m.Data))
		}
		require.Len(t, messages, count+1)
		dc := a.must(api.MethodDataConsumerGetStats, "dc", nil).(*api.DataConsumerGetStatsResponse)
		dp := a.must(api.MethodDataProducerGetStats, "dp", nil).(*api.DataProducerGetStatsResponse)
		a.must(api.MethodTransportCloseDataProducer, "d", &api.TransportCloseDataProducerRequest{DataProducerID: "dp"})
		a.awaitEvent("dc", api.EventDataConsumerDataProducerClose)
		require.Len(t, a.seen("dc", api.EventDataConsumerDataProducerPause), 1)
		return []any{messages, dc.MessagesSent, dc.BytesSent, dp.MessagesReceived, dp.BytesReceived}
	})
}

// A node that does not take messages: the first one is logged, the others are counted.
func TestRefusedMessagesAreLoggedNowAndThen(t *testing.T) {
	var log logged
	o := options(2)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	r := newRoomOn(t, o)
	r.direct("d")
	r.must(api.MethodTransportProduceData, "d", &api.TransportProduceDataRequest{DataProducerID: "dp", Type: api.DataProducerTypeDirect})
	r.must(api.MethodTransportConsumeData, "t0", dataConsumerRequest("dc", "dp"))
	sent := 0
	lines := func(messages int, after time.Duration) int {
		for range messages {
			r.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: []byte("x")})
		}
		sent += messages
		r.await("messages", func() bool { return r.nodes[0].notifications() == sent })
		r.clock.advance(after)
		r.front().Do(func() {})
		return log.take("notification")
	}
	require.Zero(t, lines(100, time.Minute))
	r.nodes[0].setDeaf(true)
	require.Equal(t, 1, lines(100, 0))
	require.Equal(t, 0, lines(100, 9*time.Second))
	require.Equal(t, 1, lines(100, time.Second), "how many there were")
	require.Equal(t, 1, lines(1, 10*time.Second))
	require.Equal(t, 0, lines(0, 10*time.Second))
	require.Equal(t, 1, lines(100, 0), "it begins again")
}

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// take returns how many lines have a word in them, since the last call.
func (l *logged) take(word string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, word) {
			n++
		}
	}
	l.text.Reset()
	return n
}

// What the application sends into a DirectTransport reaches consumers on nodes, and back: RTP, and RTCP of its own.
func TestDirectTransportsOverRelays(t *testing.T) {
	inBoth(t, func(t *testing.T, a *app) any {
		a.direct("d")
		a.must(api.MethodTransportProduce, "d", produceRequest(simple, false))
		p, ssrc := a.subscribe(t, "c100", simple, nil)
		for seq := range 50 {
			require.NoError(t, a.worker.HandleNotification(&api.Notification{
				HandlerID: simple, Event: api.EventProducerSend,
				Body: &api.ProducerSendNotification{Data: frame(mappedSSRC(simple, 0)+1000000, seq+1, seq%10 == 0)},
			}))
			pause()
		}
		require.NoError(t, a.worker.HandleNotification(&api.Notification{
			HandlerID: "d", Event: api.EventTransportSendRTCP, Body: &api.TransportSendRTCPNotification{Data: []byte{0x80, 201, 0, 1, 0, 0, 0, 1}},
		}))
		require.Error(t, a.worker.HandleNotification(&api.Notification{HandlerID: "nothing", Event: api.EventProducerSend}))
		a.await("media", func() bool { return len(p.received(ssrc)) > 20 })

		newPublisher(a, t, "p8") // VP8 as well
		a.must(api.MethodTransportConsume, "d", consumeRequest("c200", "p8", false))
		a.await("media at the application", func() bool { return len(a.seen("c200", api.EventConsumerRTP)) > 20 })
		stats := a.must(api.MethodConsumerGetStats, "c100", nil).(*api.ConsumerGetStatsResponse).Stats
		return len(stats)
	})
}
