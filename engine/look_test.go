package engine_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/look"
)

// What operators see is what the application is told by getStats() and dump().
func TestALookEqualsStatistics(t *testing.T) {
	owner := look.Owner{Application: "edumeet", Tenant: "school"}
	a := newApp(t, engine.Options{Shards: 2, Owner: owner})
	a.CreateRouter("r")
	source, sink := enginetest.NewPeer(t), enginetest.NewPeer(t)
	in := a.CreatePlain("r", "in", plainOptions())
	a.ConnectPlain("in", source.Addr())
	a.CreatePlain("r", "out", plainOptions())
	a.ConnectPlain("out", sink.Addr())
	a.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	a.Consume("out", "c", "p", 20)
	source.Send(in.Tuple, keyFrame(10, 1, 900))
	sink.Receive()

	host := a.worker.Host()
	stats := a.Must("out", api.MethodTransportGetStats, nil).(*api.PlainTransportGetStatsResponse)
	id := look.TransportID{RoomID: look.RoomID{Owner: owner, Router: "r"}, Transport: "out"}
	seen, ok := host.LookAtTransport(id)
	require.True(t, ok)
	later := a.Must("out", api.MethodTransportGetStats, nil).(*api.PlainTransportGetStatsResponse)
	require.GreaterOrEqual(t, seen.Stats.BytesSent, stats.Base.BytesSent, "there may be reports")
	require.LessOrEqual(t, seen.Stats.BytesSent, later.Base.BytesSent)
	require.Equal(t, stats.Base.RTPBytesSent, seen.Stats.RTPBytesSent)
	require.Positive(t, seen.Stats.RTPBytesSent)
	require.Equal(t, "127.0.0.1:"+strconv.Itoa(int(stats.Tuple.LocalPort)), seen.Local)
	require.Equal(t, sink.Addr().String(), seen.Remote)
	require.False(t, seen.TCP)

	consumer := a.Must("c", api.MethodConsumerGetStats, nil).(*api.ConsumerGetStatsResponse).Stats[0].Data.(*api.RTPStreamSendStats)
	require.Equal(t, consumer.ByteCount, seen.Consumers[0].Streams[0].ByteCount)
	require.EqualValues(t, 1, seen.Consumers[0].Streams[0].PacketCount)
	require.EqualValues(t, 20, seen.Consumers[0].Streams[0].SSRC)
	require.Equal(t, "video/VP8", seen.Consumers[0].MIMEType)

	sender, ok := host.LookAtTransport(look.TransportID{RoomID: id.RoomID, Transport: "in"})
	require.True(t, ok)
	producer := a.Must("p", api.MethodProducerGetStats, nil).(*api.ProducerGetStatsResponse).Stats[0].Data.(*api.RTPStreamRecvStats)
	require.Equal(t, producer.ByteCount, sender.Producers[0].Streams[0].ByteCount)
	require.EqualValues(t, 10, sender.Producers[0].Streams[0].Score)

	room := host.LookAtRoom(id.RoomID, "")
	require.Len(t, room.Transports, 2)
}

func TestASurvey(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.CreateRouter("r")
	a.webRtc("r", "web", "")
	a.CreateDirect("r", "direct")
	host := a.worker.Host()
	first := host.Survey(nil)
	require.Equal(t, 1, first.Rooms)
	require.Equal(t, 2, first.Owners[0].Transports)
	require.Len(t, first.Shards, 2)
	require.Equal(t, 2, first.Shards[0].Transports+first.Shards[1].Transports)
	require.Zero(t, first.Shards[0].Busy, "nothing was measured before")
	for _, r := range first.Readings {
		require.Equal(t, r.ID.Transport == "web", r.HasICE)
	}
	second := host.Survey(first)
	require.Greater(t, second.Shards[0].Turns, first.Shards[0].Turns)
	require.GreaterOrEqual(t, second.At, first.At)
	require.LessOrEqual(t, second.Shards[0].Busy, 1.0)

	seen, ok := host.LookAtTransport(look.TransportID{RoomID: look.RoomID{Router: "r"}, Transport: "web"})
	require.True(t, ok)
	require.Equal(t, look.State{Kind: look.WebRtc, ICE: "new", DTLS: "new", SCTP: "new"}, seen.State)
	require.Empty(t, seen.Remote)
}
