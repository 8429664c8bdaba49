package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtcp"
)

// fanOut sends count packets of one producer to many consumers, each on its own transport, and returns what each of them
// received: the payloads, and sequence numbers relative to the first.
func fanOut(t *testing.T, shards, consumers, count int) [][]byte {
	a := newApp(t, engine.Options{Shards: shards})
	a.CreateRouter("router")
	options := plainOptions()
	options.Comedia = true
	in := a.CreatePlain("router", "in", options)
	a.Produce("in", "producer", enginetest.Video(1111))
	var peers []*enginetest.Peer
	for i := range consumers {
		p := enginetest.NewPeer(t)
		id := fmt.Sprint("out", i)
		a.CreatePlain("router", id, plainOptions())
		a.ConnectPlain(id, p.Addr())
		a.Consume(id, "consumer"+id, "producer", 5000+unit.SSRC(i))
		peers = append(peers, p)
	}
	sender := enginetest.NewPeer(t)
	for seq := range count {
		sender.Send(in.Tuple, keyFrame(1111, unit.SeqNo(65530+seq), 1100-seq%2))
	}
	received := make([][]byte, consumers)
	for i, p := range peers {
		var first unit.SeqNo
		for got := 0; got < count; {
			b := p.Receive()
			if rtcp.LooksLikeRTCP(b) {
				continue
			}
			pkt := enginetest.ParseRTP(t, b)
			require.EqualValues(t, 5000+i, pkt.SSRC)
			require.Equal(t, enginetest.PayloadType, pkt.PayloadType)
			if got == 0 {
				first = pkt.SequenceNumber
			}
			received[i] = binary.BigEndian.AppendUint16(received[i], uint16(pkt.SequenceNumber-first))
			received[i] = append(received[i], pkt.Payload()...)
			got++
		}
	}
	return received
}

func TestConsumersOnOtherShardsReceiveTheSameBytes(t *testing.T) {
	const consumers, count = 40, 30
	one := fanOut(t, 1, consumers, count)
	many := fanOut(t, 4, consumers, count)
	for i := range consumers {
		require.True(t, bytes.Equal(one[0], one[i]), "consumer %d on one shard", i)
		require.True(t, bytes.Equal(one[0], many[i]), "consumer %d on several shards", i)
	}
}

func TestWorkerDump(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	a.CreateRouter("r1")
	a.CreateRouter("r2")
	a.CreateDirect("r1", "t1")
	a.Produce("t1", "p1", enginetest.Audio(1))
	a.Consume("t1", "c1", "p1", 2)
	dump := a.Must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse)
	require.EqualValues(t, os.Getpid(), dump.PID)
	require.Equal(t, []string{"r1", "r2"}, dump.RouterIDs)
	require.Equal(t, []string{"r1", "r2", "t1", "p1", "c1"}, dump.ChannelMessageHandlers.ChannelRequestHandlers)
	require.Equal(t, []string{"t1", "p1"}, dump.ChannelMessageHandlers.ChannelNotificationHandlers)

	router := a.Must("r1", api.MethodRouterDump, nil).(*api.RouterDumpResponse)
	require.Equal(t, &api.RouterDumpResponse{
		ID: "r1", TransportIDs: []string{"t1"},
		MapProducerIDConsumerIDs: []api.StringStringArray{{Key: "p1", Values: []string{"c1"}}},
		MapConsumerIDProducerID:  []api.StringString{{Key: "c1", Value: "p1"}},
		MapProducerIDObserverIDs: []api.StringStringArray{{Key: "p1"}},
	}, router)

	a.Must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r1"})
	dump = a.Must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse)
	require.Equal(t, []string{"r2"}, dump.RouterIDs)
	require.Equal(t, []string{"r2"}, dump.ChannelMessageHandlers.ChannelRequestHandlers)
	require.Empty(t, dump.ChannelMessageHandlers.ChannelNotificationHandlers)
}

func TestResourceUsageIsReal(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	usage := a.Must("", api.MethodWorkerGetResourceUsage, nil).(*api.WorkerResourceUsageResponse)
	require.NotZero(t, usage.RuMaxrss)
	require.NotZero(t, usage.RuMinflt)
}

func TestUpdateSettingsIsThePartOfWhoeverLogs(t *testing.T) {
	var got []string
	a := newApp(t, engine.Options{Shards: 1, UpdateSettings: func(r *api.WorkerUpdateSettingsRequest) error {
		got = append(got, r.LogLevel)
		return api.TypeErrorf("no such level")
	}})
	a.Refused(api.ErrorKindType, "no such level", "", api.MethodWorkerUpdateSettings, &api.WorkerUpdateSettingsRequest{LogLevel: "loud"})
	require.Equal(t, []string{"loud"}, got)
	b := newApp(t, engine.Options{Shards: 1})
	b.Must("", api.MethodWorkerUpdateSettings, &api.WorkerUpdateSettingsRequest{})
}

func TestRefusedRequestsChangeNothing(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.CreateRouter("r")
	a.CreateDirect("r", "t")
	a.CreateDirect("r", "t2")
	a.Produce("t", "p", enginetest.Video(1))
	a.Consume("t2", "c", "p", 2)
	before := []api.ResponseBody{
		a.Must("", api.MethodWorkerDump, nil), a.Must("r", api.MethodRouterDump, nil),
		a.Must("t", api.MethodTransportDump, nil), a.Must("t2", api.MethodTransportDump, nil),
	}
	direct := &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}
	withMID := enginetest.Video(3)
	withMID.MID = "0"
	a.Produce("t", "mid", withMID)
	a.CloseProducer("t", "mid")
	tests := []struct {
		kind    api.ErrorKind
		text    string
		handler string
		method  api.Method
		body    api.RequestBody
	}{
		{"Error", "same routerId", "", api.MethodWorkerCreateRouter, &api.WorkerCreateRouterRequest{RouterID: "r"}},
		{"Error", "ID p already exists", "", api.MethodWorkerCreateRouter, &api.WorkerCreateRouterRequest{RouterID: "p"}},
		{"NotFoundError", "Router not found", "", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "x"}},
		{"TypeError", "wrong or missing body", "", api.MethodWorkerCreateRouter, nil},
		{"TypeError", "wrong or missing body", "", api.MethodWorkerCreateRouter, &api.WorkerCloseRouterRequest{RouterID: "x"}},
		{"TypeError", "wrong or missing body", "", api.MethodWorkerCreateRouter, (*api.WorkerCreateRouterRequest)(nil)},
		{"TypeError", "wrong listenInfos", "", api.MethodWorkerCreateWebRtcServer, &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: "s"}},
		{"NotFoundError", "WebRtcServer not found", "", api.MethodWorkerWebRtcServerClose, &api.WorkerCloseWebRtcServerRequest{}},
		{"NotFoundError", "ID nobody not found [method:transport.dump]", "nobody", api.MethodTransportDump, nil},
		{"Error", "unknown method 'transport.dump'", "r", api.MethodTransportDump, nil},
		{"Error", "unknown method 'producer.dump'", "t", api.MethodProducerDump, nil},
		{"Error", "unknown method 'plainTransport.connect'", "t", api.MethodPlainTransportConnect, &api.PlainTransportConnectRequest{}},
		{"Error", "unknown method 'consumer.dump'", "p", api.MethodConsumerDump, nil},
		{"Error", "unknown method 'router.dump'", "c", api.MethodRouterDump, nil},
		{"Error", "Transport with same id", "r", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{TransportID: "t", Options: direct}},
		{"Error", "ID c already exists", "r", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{TransportID: "c", Options: direct}},
		{"NotFoundError", "Transport not found", "r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "p"}},
		{"Error", "same producerId", "t", api.MethodTransportProduce, enginetest.Video(9).Produce("p")},
		{"Error", "ID p already exists", "t2", api.MethodTransportProduce, enginetest.Video(9).Produce("p")},
		{"Error", "ssrc already exists in RTP listener [ssrc:1]", "t", api.MethodTransportProduce, enginetest.Video(1).Produce("q")},
		{"Error", "same consumerId", "t2", api.MethodTransportConsume, a.ConsumeRequest("c", "p", 5)},
		{"Error", "ID t already exists", "t2", api.MethodTransportConsume, a.ConsumeRequest("t", "p", 5)},
		{"NotFoundError", "Producer not found [producerId:x]", "t2", api.MethodTransportConsume, enginetest.Video(5).Consume("d", enginetest.Video(1).Produce("x"))},
		{"NotFoundError", "Producer not found [method:transport.closeProducer]", "t2", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "p"}},
		{"NotFoundError", "Consumer not found [method:transport.closeConsumer]", "t", api.MethodTransportCloseConsumer, &api.TransportCloseConsumerRequest{ConsumerID: "c"}},
		{"TypeError", "must be <=", "t", api.MethodTransportSetMaxIncomingBitrate, &api.TransportSetMaxIncomingBitrateRequest{MaxIncomingBitrate: 1 << 63}},
		{"TypeError", "must be >= 30000", "t", api.MethodTransportSetMaxOutgoingBitrate, &api.TransportSetMaxOutgoingBitrateRequest{MaxOutgoingBitrate: 29999}},
		{"TypeError", "must be <=", "t", api.MethodTransportSetMinOutgoingBitrate, &api.TransportSetMinOutgoingBitrateRequest{MinOutgoingBitrate: 1 << 63}},
	}
	for _, test := range tests {
		a.Refused(test.kind, test.text, test.handler, test.method, test.body)
	}
	require.Equal(t, before, []api.ResponseBody{
		a.Must("", api.MethodWorkerDump, nil), a.Must("r", api.MethodRouterDump, nil),
		a.Must("t", api.MethodTransportDump, nil), a.Must("t2", api.MethodTransportDump, nil),
	})
}

func TestNotificationsToNobody(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	a.CreateRouter("r")
	a.CreateDirect("r", "t")
	a.CreatePlain("r", "plain", plainOptions())
	a.Produce("t", "p", enginetest.Audio(1))
	a.Consume("t", "c", "p", 2)
	send := &api.ProducerSendNotification{Data: []byte{1}}
	for id, text := range map[string]string{
		"x": "ID x not found", "r": "unknown event", "t": "unknown event", "c": "unknown event",
	} {
		require.ErrorContains(t, a.worker.HandleNotification(&api.Notification{HandlerID: id, Event: api.EventProducerSend, Body: send}), text)
	}
	require.ErrorContains(t, a.worker.HandleNotification(&api.Notification{HandlerID: "p", Event: api.EventProducerSend}), "unknown event")
	rtcp := &api.TransportSendRTCPNotification{Data: []byte{1}}
	require.ErrorContains(t, a.worker.HandleNotification(&api.Notification{HandlerID: "plain", Event: api.EventTransportSendRTCP, Body: rtcp}), "direct Transport only")
	require.NoError(t, a.worker.HandleNotification(&api.Notification{HandlerID: "t", Event: api.EventTransportSendRTCP, Body: rtcp}))
}

func TestAClosedWorkerAnswersThatItIsClosed(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.CreateRouter("r")
	a.CreatePlain("r", "t", plainOptions())
	a.worker.Close()
	a.worker.Close()
	a.Refused(api.ErrorKindError, "closed", "", api.MethodWorkerDump, nil)
	require.ErrorContains(t, a.worker.HandleNotification(&api.Notification{}), "closed")
}

func TestClosingAProducerClosesItsConsumersOnce(t *testing.T) {
	for _, how := range []string{"producer", "transport", "router"} {
		t.Run(how, func(t *testing.T) {
			a := newApp(t, engine.Options{Shards: 4})
			a.CreateRouter("r")
			a.CreateDirect("r", "in")
			a.Produce("in", "p", enginetest.Audio(1))
			const consumers = 40
			for i := range consumers {
				id := fmt.Sprint("out", i)
				a.CreateDirect("r", id)
				a.Consume(id, "c"+id, "p", 2)
			}
			want := 1
			switch how {
			case "producer":
				a.Must("in", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "p"})
			case "transport":
				a.Must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "in"})
			case "router":
				a.Must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r"})
				want = 0
			}
			for i := range consumers {
				id := fmt.Sprint("cout", i)
				require.Len(t, a.About(id, api.EventConsumerProducerClose), want)
				a.Refused(api.ErrorKindNotFound, "not found", id, api.MethodConsumerDump, nil)
			}
			if how != "router" {
				dump := a.Must("r", api.MethodRouterDump, nil).(*api.RouterDumpResponse)
				require.Empty(t, dump.MapConsumerIDProducerID)
				require.Empty(t, dump.MapProducerIDConsumerIDs)
			}
		})
	}
}

func TestPausingAProducerReachesConsumersOnAllShardsOnce(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 4})
	a.CreateRouter("r")
	a.CreateDirect("r", "in")
	a.Produce("in", "p", enginetest.Audio(1))
	const consumers = 40
	for i := range consumers {
		id := fmt.Sprint("out", i)
		a.CreateDirect("r", id)
		response := a.Consume(id, "c"+id, "p", 2)
		require.False(t, response.ProducerPaused)
	}
	for range 2 {
		a.Must("p", api.MethodProducerPause, nil)
	}
	late := a.Consume("in", "late", "p", 3)
	require.True(t, late.ProducerPaused)
	for range 2 {
		a.Must("p", api.MethodProducerResume, nil)
	}
	for i := range consumers {
		id := fmt.Sprint("cout", i)
		require.Len(t, a.About(id, api.EventConsumerProducerPause), 1)
		require.Len(t, a.About(id, api.EventConsumerProducerResume), 1)
	}
}

func TestApplicationToApplication(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.CreateRouter("r")
	a.CreateDirect("r", "t")
	a.Produce("t", "p", enginetest.Audio(7))
	a.Consume("t", "c", "p", 8)
	const count = 50
	for seq := range count {
		sent := keyFrame(7, unit.SeqNo(seq), 100)
		if seq%10 == 5 {
			// Truncated RTP is counted and dropped; all else goes on.
			require.NoError(t, a.worker.HandleNotification(&api.Notification{
				HandlerID: "p", Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: sent[:11]},
			}))
		}
		require.NoError(t, a.worker.HandleNotification(&api.Notification{
			HandlerID: "p", Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: sent},
		}))
	}
	for i, n := range a.AwaitCount("c", api.EventConsumerRTP, count) {
		pkt := enginetest.ParseRTP(t, n.Body.(*api.ConsumerRTPNotification).Data)
		require.EqualValues(t, 8, pkt.SSRC)
		require.EqualValues(t, i, binary.BigEndian.Uint16(pkt.Payload()[sequenceAt:]))
	}
	stats := a.Must("t", api.MethodTransportGetStats, nil).(*api.DirectTransportGetStatsResponse)
	require.EqualValues(t, count*112+5*11, stats.Base.BytesReceived)
	require.EqualValues(t, count*112, stats.Base.RTPBytesReceived)
	consumer := a.Must("c", api.MethodConsumerGetStats, nil).(*api.ConsumerGetStatsResponse)
	require.Len(t, consumer.Stats, 2, "the consumer's own stream and the producer's")
}

func TestAPlainTransportTakesItsFirstSenderForGood(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	a.CreateRouter("r")
	options := plainOptions()
	options.Comedia = true
	tuple := a.CreatePlain("r", "in", options).Tuple
	require.Zero(t, tuple.RemotePort)
	a.Produce("in", "p", enginetest.Audio(7))
	a.CreateDirect("r", "out")
	a.Consume("out", "c", "p", 8)
	honest, injector := enginetest.NewPeer(t), enginetest.NewPeer(t)
	honest.Send(tuple, keyFrame(7, 0, 100))
	n := a.Await("in", api.EventPlainTransportTuple)
	require.Equal(t, honest.Addr().Port(), n.Body.(*api.PlainTransportTupleNotification).Tuple.RemotePort)
	injector.Send(tuple, keyFrame(7, 500, 100))
	injector.Send(tuple, []byte("neither RTP nor RTCP"))
	for seq := 1; seq < 10; seq++ {
		honest.Send(tuple, keyFrame(7, unit.SeqNo(seq), 100))
	}
	for i, n := range a.AwaitCount("c", api.EventConsumerRTP, 10) {
		pkt := enginetest.ParseRTP(t, n.Body.(*api.ConsumerRTPNotification).Data)
		require.EqualValues(t, i, binary.BigEndian.Uint16(pkt.Payload()[sequenceAt:]))
	}
	require.Len(t, a.About("in", api.EventPlainTransportTuple), 1)
}

func TestCreatingAndClosingLeavesNothingBehind(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	for cycle := range 100 {
		a.CreateRouter("r")
		options := plainOptions()
		options.RTCPMux = false
		a.CreatePlain("r", "t", options)
		a.Produce("t", "p", enginetest.Video(1))
		a.Consume("t", "c", "p", 2)
		if cycle%2 == 0 {
			a.Must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "t"})
		}
		a.Must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r"})
	}
	dump := a.Must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse)
	require.Empty(t, dump.RouterIDs)
	require.Empty(t, dump.ChannelMessageHandlers.ChannelRequestHandlers)
}
