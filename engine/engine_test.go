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
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// packetOf builds an RTP packet of a VP8 key frame, or of an Opus frame that looks the same to nobody who cares.
func packetOf(ssrc uint32, seq uint16, size int) []byte {
	b := rtp.AppendHeader(nil, rtp.Header{
		PayloadType: 101, SequenceNumber: unit.SeqNo(seq), Timestamp: unit.Timestamp(seq) * 3000, SSRC: unit.SSRC(ssrc), Marker: true,
	}, nil)
	// VP8 payload descriptor with S=1 (RFC 7741 section 4.2) and a frame header with P=0 (RFC 6386 section 9.1): a key frame.
	payload := make([]byte, size)
	payload[0] = 0x10
	copy(payload[1:], []byte{0x00, 0x9d, 0x01, 0x2a})
	binary.BigEndian.PutUint16(payload[10:], seq)
	return append(b, payload...)
}

func parse(t *testing.T, b []byte) *rtp.Packet {
	t.Helper()
	var p rtp.Packet
	require.NoError(t, p.Parse(b))
	return &p
}

// fanOut sends count packets of one producer to many consumers, each on its own transport, and returns what each of them
// received: the payloads, and sequence numbers relative to the first.
func fanOut(t *testing.T, shards, consumers, count int) [][]byte {
	a := newApp(t, engine.Options{Shards: shards})
	a.router("router")
	options := plainOptions()
	options.Comedia = true
	in := a.plain("router", "in", options)
	a.produce("in", "producer", api.MediaKindVideo, video(1111))
	var peers []*peer
	for i := range consumers {
		p := newPeer(t)
		id := fmt.Sprint("out", i)
		a.plain("router", id, plainOptions())
		a.connect(id, p.addr())
		a.consume(id, "consumer"+id, "producer", api.MediaKindVideo, 1111, 5000+uint32(i))
		peers = append(peers, p)
	}
	sender := newPeer(t)
	for seq := range count {
		sender.send(in.Tuple, packetOf(1111, uint16(65530+seq), 1100-seq%2))
	}
	received := make([][]byte, consumers)
	for i, p := range peers {
		var first unit.SeqNo
		for got := 0; got < count; {
			b := p.receive()
			if rtcp.LooksLikeRTCP(b) {
				continue
			}
			pkt := parse(t, b)
			require.EqualValues(t, 5000+i, pkt.SSRC)
			require.EqualValues(t, 101, pkt.PayloadType)
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
	a.router("r1")
	a.router("r2")
	a.direct("r1", "t1")
	a.produce("t1", "p1", api.MediaKindAudio, audio(1))
	a.consume("t1", "c1", "p1", api.MediaKindAudio, 1, 2)
	dump := a.must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse)
	require.EqualValues(t, os.Getpid(), dump.PID)
	require.Equal(t, []string{"r1", "r2"}, dump.RouterIDs)
	require.Equal(t, []string{"r1", "r2", "t1", "p1", "c1"}, dump.ChannelMessageHandlers.ChannelRequestHandlers)
	require.Equal(t, []string{"t1", "p1"}, dump.ChannelMessageHandlers.ChannelNotificationHandlers)

	router := a.must("r1", api.MethodRouterDump, nil).(*api.RouterDumpResponse)
	require.Equal(t, &api.RouterDumpResponse{
		ID: "r1", TransportIDs: []string{"t1"},
		MapProducerIDConsumerIDs: []api.StringStringArray{{Key: "p1", Values: []string{"c1"}}},
		MapConsumerIDProducerID:  []api.StringString{{Key: "c1", Value: "p1"}},
		MapProducerIDObserverIDs: []api.StringStringArray{{Key: "p1"}},
	}, router)

	a.must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r1"})
	dump = a.must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse)
	require.Equal(t, []string{"r2"}, dump.RouterIDs)
	require.Equal(t, []string{"r2"}, dump.ChannelMessageHandlers.ChannelRequestHandlers)
	require.Empty(t, dump.ChannelMessageHandlers.ChannelNotificationHandlers)
}

func TestResourceUsageIsReal(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	usage := a.must("", api.MethodWorkerGetResourceUsage, nil).(*api.WorkerResourceUsageResponse)
	require.NotZero(t, usage.RuMaxrss)
	require.NotZero(t, usage.RuMinflt)
}

func TestUpdateSettingsIsThePartOfWhoeverLogs(t *testing.T) {
	var got []string
	a := newApp(t, engine.Options{Shards: 1, UpdateSettings: func(r *api.WorkerUpdateSettingsRequest) error {
		got = append(got, r.LogLevel)
		return api.TypeErrorf("no such level")
	}})
	a.refused(api.ErrorKindType, "no such level", "", api.MethodWorkerUpdateSettings, &api.WorkerUpdateSettingsRequest{LogLevel: "loud"})
	require.Equal(t, []string{"loud"}, got)
	b := newApp(t, engine.Options{Shards: 1})
	b.must("", api.MethodWorkerUpdateSettings, &api.WorkerUpdateSettingsRequest{})
}

func TestRefusedRequestsChangeNothing(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.router("r")
	a.direct("r", "t")
	a.direct("r", "t2")
	a.produce("t", "p", api.MediaKindVideo, video(1))
	a.consume("t2", "c", "p", api.MediaKindVideo, 1, 2)
	before := []api.ResponseBody{
		a.must("", api.MethodWorkerDump, nil), a.must("r", api.MethodRouterDump, nil),
		a.must("t", api.MethodTransportDump, nil), a.must("t2", api.MethodTransportDump, nil),
	}
	direct := &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}
	sameMID := video(3)
	sameMID.MID = "0"
	withMID := video(4)
	withMID.MID = "0"
	a.produce("t", "mid", api.MediaKindVideo, sameMID)
	a.must("t", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "mid"})
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
		{"Error", "same producerId", "t", api.MethodTransportProduce, produceRequest("p", api.MediaKindVideo, video(9))},
		{"Error", "ID p already exists", "t2", api.MethodTransportProduce, produceRequest("p", api.MediaKindVideo, video(9))},
		{"Error", "ssrc already exists in RTP listener [ssrc:1]", "t", api.MethodTransportProduce, produceRequest("q", api.MediaKindVideo, video(1))},
		{"Error", "same consumerId", "t2", api.MethodTransportConsume, consumeRequest("c", "p", api.MediaKindVideo, 1, 5)},
		{"Error", "ID t already exists", "t2", api.MethodTransportConsume, consumeRequest("t", "p", api.MediaKindVideo, 1, 5)},
		{"NotFoundError", "Producer not found [producerId:x]", "t2", api.MethodTransportConsume, consumeRequest("d", "x", api.MediaKindVideo, 1, 5)},
		{"NotFoundError", "Producer not found [method:transport.closeProducer]", "t2", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "p"}},
		{"NotFoundError", "Consumer not found [method:transport.closeConsumer]", "t", api.MethodTransportCloseConsumer, &api.TransportCloseConsumerRequest{ConsumerID: "c"}},
		{"TypeError", "must be <=", "t", api.MethodTransportSetMaxIncomingBitrate, &api.TransportSetMaxIncomingBitrateRequest{MaxIncomingBitrate: 1 << 63}},
		{"TypeError", "must be >= 30000", "t", api.MethodTransportSetMaxOutgoingBitrate, &api.TransportSetMaxOutgoingBitrateRequest{MaxOutgoingBitrate: 29999}},
		{"TypeError", "must be <=", "t", api.MethodTransportSetMinOutgoingBitrate, &api.TransportSetMinOutgoingBitrateRequest{MinOutgoingBitrate: 1 << 63}},
	}
	for _, test := range tests {
		a.refused(test.kind, test.text, test.handler, test.method, test.body)
	}
	require.Equal(t, before, []api.ResponseBody{
		a.must("", api.MethodWorkerDump, nil), a.must("r", api.MethodRouterDump, nil),
		a.must("t", api.MethodTransportDump, nil), a.must("t2", api.MethodTransportDump, nil),
	})
}

func TestNotificationsToNobody(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	a.router("r")
	a.direct("r", "t")
	a.plain("r", "plain", plainOptions())
	a.produce("t", "p", api.MediaKindAudio, audio(1))
	a.consume("t", "c", "p", api.MediaKindAudio, 1, 2)
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
	a.router("r")
	a.plain("r", "t", plainOptions())
	a.worker.Close()
	a.worker.Close()
	a.refused(api.ErrorKindError, "closed", "", api.MethodWorkerDump, nil)
	require.ErrorContains(t, a.worker.HandleNotification(&api.Notification{}), "closed")
}

func TestClosingAProducerClosesItsConsumersOnce(t *testing.T) {
	for _, how := range []string{"producer", "transport", "router"} {
		t.Run(how, func(t *testing.T) {
			a := newApp(t, engine.Options{Shards: 4})
			a.router("r")
			a.direct("r", "in")
			a.produce("in", "p", api.MediaKindAudio, audio(1))
			const consumers = 40
			for i := range consumers {
				id := fmt.Sprint("out", i)
				a.direct("r", id)
				a.consume(id, "c"+id, "p", api.MediaKindAudio, 1, 2)
			}
			want := 1
			switch how {
			case "producer":
				a.must("in", api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: "p"})
			case "transport":
				a.must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "in"})
			case "router":
				a.must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r"})
				want = 0
			}
			for i := range consumers {
				id := fmt.Sprint("cout", i)
				require.Len(t, a.notifications(id, api.EventConsumerProducerClose), want)
				a.refused(api.ErrorKindNotFound, "not found", id, api.MethodConsumerDump, nil)
			}
			if how != "router" {
				dump := a.must("r", api.MethodRouterDump, nil).(*api.RouterDumpResponse)
				require.Empty(t, dump.MapConsumerIDProducerID)
				require.Empty(t, dump.MapProducerIDConsumerIDs)
			}
		})
	}
}

func TestPausingAProducerReachesConsumersOnAllShardsOnce(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 4})
	a.router("r")
	a.direct("r", "in")
	a.produce("in", "p", api.MediaKindAudio, audio(1))
	const consumers = 40
	for i := range consumers {
		id := fmt.Sprint("out", i)
		a.direct("r", id)
		response := a.consume(id, "c"+id, "p", api.MediaKindAudio, 1, 2)
		require.False(t, response.ProducerPaused)
	}
	for range 2 {
		a.must("p", api.MethodProducerPause, nil)
	}
	late := a.consume("in", "late", "p", api.MediaKindAudio, 1, 3)
	require.True(t, late.ProducerPaused)
	for range 2 {
		a.must("p", api.MethodProducerResume, nil)
	}
	for i := range consumers {
		id := fmt.Sprint("cout", i)
		require.Len(t, a.notifications(id, api.EventConsumerProducerPause), 1)
		require.Len(t, a.notifications(id, api.EventConsumerProducerResume), 1)
	}
}

func TestApplicationToApplication(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.router("r")
	a.direct("r", "t")
	a.produce("t", "p", api.MediaKindAudio, audio(7))
	a.consume("t", "c", "p", api.MediaKindAudio, 7, 8)
	const count = 50
	for seq := range count {
		sent := packetOf(7, uint16(seq), 100)
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
	for i, n := range a.awaitCount("c", api.EventConsumerRTP, count) {
		pkt := parse(t, n.Body.(*api.ConsumerRTPNotification).Data)
		require.EqualValues(t, 8, pkt.SSRC)
		require.EqualValues(t, i, binary.BigEndian.Uint16(pkt.Payload()[10:]))
	}
	stats := a.must("t", api.MethodTransportGetStats, nil).(*api.DirectTransportGetStatsResponse)
	require.EqualValues(t, count*112+5*11, stats.Base.BytesReceived)
	require.EqualValues(t, count*112, stats.Base.RTPBytesReceived)
	consumer := a.must("c", api.MethodConsumerGetStats, nil).(*api.ConsumerGetStatsResponse)
	require.Len(t, consumer.Stats, 2, "the consumer's own stream and the producer's")
}

func TestAPlainTransportTakesItsFirstSenderForGood(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	a.router("r")
	options := plainOptions()
	options.Comedia = true
	tuple := a.plain("r", "in", options).Tuple
	require.Zero(t, tuple.RemotePort)
	a.produce("in", "p", api.MediaKindAudio, audio(7))
	a.direct("r", "out")
	a.consume("out", "c", "p", api.MediaKindAudio, 7, 8)
	honest, injector := newPeer(t), newPeer(t)
	honest.send(tuple, packetOf(7, 0, 100))
	n := a.await("in", api.EventPlainTransportTuple)
	require.Equal(t, honest.addr().Port(), n.Body.(*api.PlainTransportTupleNotification).Tuple.RemotePort)
	injector.send(tuple, packetOf(7, 500, 100))
	injector.send(tuple, []byte("neither RTP nor RTCP"))
	for seq := 1; seq < 10; seq++ {
		honest.send(tuple, packetOf(7, uint16(seq), 100))
	}
	for i, n := range a.awaitCount("c", api.EventConsumerRTP, 10) {
		pkt := parse(t, n.Body.(*api.ConsumerRTPNotification).Data)
		require.EqualValues(t, i, binary.BigEndian.Uint16(pkt.Payload()[10:]))
	}
	require.Len(t, a.notifications("in", api.EventPlainTransportTuple), 1)
}

func TestCreatingAndClosingLeavesNothingBehind(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	for cycle := range 100 {
		a.router("r")
		options := plainOptions()
		options.RTCPMux = false
		a.plain("r", "t", options)
		a.produce("t", "p", api.MediaKindVideo, video(1))
		a.consume("t", "c", "p", api.MediaKindVideo, 1, 2)
		if cycle%2 == 0 {
			a.must("r", api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: "t"})
		}
		a.must("", api.MethodWorkerCloseRouter, &api.WorkerCloseRouterRequest{RouterID: "r"})
	}
	dump := a.must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse)
	require.Empty(t, dump.RouterIDs)
	require.Empty(t, dump.ChannelMessageHandlers.ChannelRequestHandlers)
}
