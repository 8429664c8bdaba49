package media_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/layer"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

func TestLossIsReportedAndRepairedByRTX(t *testing.T) {
	r := videoFixture(t)
	first := r.one(enginetest.Packet{Seq: 100, Payload: vp8Key})
	r.one(enginetest.Packet{Seq: 102, Payload: vp8Delta})
	r.after(40 * time.Millisecond) // mediasoup looks for gaps every 40 ms
	p, _ := r.take()
	require.Len(t, p.RTCP, 1)
	n := p.RTCP[0].(*rtcp.TransportLayerNack)
	require.EqualValues(t, peerSSRC, n.MediaSSRC)
	require.Equal(t, []uint16{101}, n.Nacks[0].PacketList())

	rtx := enginetest.Packet{Seq: 7, SSRC: peerRTX, PT: peerRTXPT, Payload: append([]byte{0, 101}, vp8Delta...)}
	result, outs := r.receive(rtx)
	require.Equal(t, media.Retransmission, result)
	require.Len(t, outs, 1)
	require.Equal(t, 1, outs[0].SequenceNumber.Sub(first.SequenceNumber))
	require.Equal(t, vp8Delta, outs[0].Payload())
	require.EqualValues(t, mappedPT, outs[0].PayloadType)

	rtx.Seq = 8
	require.Equal(t, media.Retransmission, r.none(rtx), "not missing any more")
	rtx.Seq, rtx.Payload = 9, nil
	require.Equal(t, media.Retransmission, r.none(rtx), "a probe without original sequence number")
	require.EqualValues(t, 2, r.p.Drops().Stream)

	stats := r.p.Stats(r.now).Stats[0].Data.(*api.RTPStreamRecvStats)
	base := stats.Base.Data.(*api.RTPStreamBaseStats)
	require.EqualValues(t, 1, base.NACKCount)
	require.EqualValues(t, 1, base.PacketsRepaired)
	require.EqualValues(t, peerRTX, *base.RTXSSRC)
	require.EqualValues(t, 3, stats.PacketCount)
}

func TestRetransmissionOnTheRTXStream(t *testing.T) {
	r := videoFixture(t)
	sent := r.one(enginetest.Packet{Seq: 100, Timestamp: 9, Marker: true, Payload: vp8Key, Extensions: []rtp.Extension{{ID: inOrientation, Value: []byte{3}}}})
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, sent.SequenceNumber, sent.SequenceNumber+1))
	outs := r.retransmissions()
	require.Len(t, outs, 1)
	o := outs[0]
	require.Equal(t, outRTX, o.SSRC)
	require.EqualValues(t, mappedRTXPT, o.PayloadType)
	require.Equal(t, unit.Timestamp(9), o.Timestamp)
	require.True(t, o.Marker)
	require.Equal(t, extensionsOf(&sent.Packet), extensionsOf(&o.Packet))
	require.Positive(t, o.TransportCC, "a number of its own")
	require.True(t, o.DecodeRTX(mappedPT, outSSRC))
	require.Equal(t, sent.SequenceNumber, o.SequenceNumber)
	require.Equal(t, vp8Key, o.Payload())

	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, sent.SequenceNumber))
	require.Empty(t, r.retransmissions(), "not twice within a round trip")
	r.now = r.now.Add(200 * time.Millisecond)
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, sent.SequenceNumber))
	require.Len(t, r.retransmissions(), 1)

	base := r.c.Stats(r.now).Stats[0].Data.(*api.RTPStreamSendStats).Base.Data.(*api.RTPStreamBaseStats)
	require.EqualValues(t, 3, base.NACKCount)
	require.EqualValues(t, 4, base.NACKPacketCount)
	require.EqualValues(t, 2, base.PacketsRetransmitted)
	require.EqualValues(t, 1, base.PacketsRepaired)

	r.c.Pause(r.now)
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, sent.SequenceNumber))
	require.Empty(t, r.retransmissions())
}

func TestRetransmissionWithoutRTX(t *testing.T) {
	c := consumeRequest(enginetest.VP8)
	c.RTPParameters.Codecs = c.RTPParameters.Codecs[:1]
	c.RTPParameters.Encodings[0].RTX = nil
	r := newFixture(t, produceRequest(enginetest.VP8), c)
	require.Empty(t, r.c.RTXSSRCs())
	sent := r.one(enginetest.Packet{Seq: 100, Payload: vp8Key})
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, sent.SequenceNumber))
	outs := r.retransmissions()
	require.Len(t, outs, 1)
	require.Equal(t, sent.Data, outs[0].Data)
}

func TestReceiverReports(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: 100, Payload: vp8Key})
	r.receive(enginetest.Packet{Seq: 1, SSRC: peerRTX, PT: peerRTXPT, Payload: []byte{0, 99, 1}})
	pkts := r.p.AppendRTCP(r.now, nil)
	require.Len(t, pkts, 2)
	rr := pkts[0].(*rtcp.ReceiverReport)
	require.Len(t, rr.Reports, 2)
	require.EqualValues(t, peerSSRC, rr.Reports[0].SSRC)
	require.EqualValues(t, peerRTX, rr.Reports[1].SSRC)
	require.Equal(t, &rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: r.now.NTP()}, pkts[1].(*rtcp.ExtendedReport).Reports[0])

	require.Empty(t, r.p.AppendRTCP(r.now.Add(869*time.Millisecond), nil), "video reports once a second, a little early")
	given := []rtcp.Packet{&rtcp.ExtendedReport{}, pkts[1], &rtcp.ReceiverReport{Reports: make([]rtcp.ReceptionReport, 30)}}
	all := r.p.AppendRTCP(r.now.Add(870*time.Millisecond), given)
	require.Len(t, all, 4, "one report fits, the other begins a packet, one reference time is enough")
	require.Len(t, all[2].(*rtcp.ReceiverReport).Reports, 31)
	require.Len(t, all[3].(*rtcp.ReceiverReport).Reports, 1)
}

func TestAudioReportsAsOften(t *testing.T) {
	r := audioFixture(t)
	r.one(enginetest.Packet{Seq: 100, Payload: []byte{0x78}})
	require.NotEmpty(t, r.p.AppendRTCP(r.now, nil))
	require.Empty(t, r.p.AppendRTCP(r.now.Add(869*time.Millisecond), nil))
	require.NotEmpty(t, r.p.AppendRTCP(r.now.Add(870*time.Millisecond), nil))
}

func TestSenderReports(t *testing.T) {
	r := videoFixture(t)
	require.Empty(t, r.c.AppendRTCP(r.now, nil), "nothing sent yet")
	r.after(time.Second)
	r.one(enginetest.Packet{Seq: 100, Timestamp: 90000, Payload: vp8Key})
	r.after(500 * time.Millisecond)
	r.c.HandleRRTR(r.now, 0x1122334455667788)
	r.after(500 * time.Millisecond)
	pkts := r.c.AppendRTCP(r.now, nil)
	require.Len(t, pkts, 3)
	sr := pkts[0].(*rtcp.SenderReport)
	require.EqualValues(t, outSSRC, sr.SSRC)
	require.Equal(t, r.now.NTP(), sr.NTPTime)
	require.EqualValues(t, 90000+90000, sr.RTPTime)
	require.EqualValues(t, 1, sr.PacketCount)
	chunk := pkts[1].(*rtcp.SourceDescription).Chunks[0]
	require.EqualValues(t, outSSRC, chunk.Source)
	require.Equal(t, "router", chunk.Items[0].Text)
	dlrr := pkts[2].(*rtcp.ExtendedReport).Reports[0].(*rtcp.DLRRReportBlock).Reports[0]
	require.Equal(t, rtcp.DLRRReport{SSRC: uint32(outSSRC), LastRR: 0x33445566, DLRR: 1 << 15}, dlrr)

	require.Len(t, r.c.AppendRTCP(r.now, pkts), 3, "not due")
	r.after(900 * time.Millisecond)
	more := r.c.AppendRTCP(r.now, pkts)
	require.Len(t, more, 4, "chunk and block go where others are")
	require.Len(t, more[1].(*rtcp.SourceDescription).Chunks, 2)
	require.Len(t, more[2].(*rtcp.ExtendedReport).Reports[0].(*rtcp.DLRRReportBlock).Reports, 2)
}

func TestProducerPublishesSenderReports(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: 100, Payload: vp8Key})
	r.receive(enginetest.Packet{Seq: 1, SSRC: peerRTX, PT: peerRTXPT, Payload: []byte{0, 99, 1}})
	r.p.EnableTraceEvents([]api.ProducerTraceEventType{api.ProducerTraceEventTypeSR})
	r.take()
	r.p.HandleSenderReport(r.now, &rtcp.SenderReport{SSRC: uint32(peerSSRC), NTPTime: 5<<32 | 6, RTPTime: 7, PacketCount: 8, OctetCount: 9})
	r.p.HandleSenderReport(r.now, &rtcp.SenderReport{SSRC: uint32(peerRTX)})
	r.p.HandleSenderReport(r.now, &rtcp.SenderReport{SSRC: 77})
	p, c := r.take()
	require.Positive(t, p.Streams[0].Stream.Bitrates.Total())
	require.Equal(t, []media.StreamUpdate{{Kind: layer.StreamSenderReport, Stream: media.StreamInfo{
		MappedSSRC: mappedSSRC, SSRC: peerSSRC, ClockRate: 90000, Score: 10,
		ActiveSince: r.now, Bitrates: p.Streams[0].Stream.Bitrates,
		SenderReport: layer.SenderReport{NTP: 5<<32 | 6, Timestamp: 7, ReceivedAt: r.now},
	}}}, p.Streams)
	require.Equal(t, []api.Notification{{HandlerID: "producer", Event: api.EventProducerTrace, Body: &api.ProducerTraceNotification{
		Type: api.ProducerTraceEventTypeSR, Timestamp: r.now.Milliseconds(), Direction: api.TraceDirectionIn,
		Info: &api.ProducerSrTraceInfo{SSRC: uint32(peerSSRC), NTPSec: 5, NTPFrac: 6, RTPTS: 7, PacketCount: 8, OctetCount: 9},
	}}}, p.Notifications)
	require.Empty(t, c.Notifications)
	require.Equal(t, p.Streams[0].Stream, r.p.Streams()[0])
}

func TestRoundTripTimeOfTheProducer(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: 100, Payload: vp8Key})
	sent := unit.CompactNTP(r.now.NTP())
	r.now = r.now.Add(300 * time.Millisecond)
	r.p.HandleDLRR(r.now, rtcp.DLRRReport{SSRC: uint32(peerSSRC), LastRR: sent, DLRR: unit.NTPDuration(100 * time.Millisecond)})
	r.p.HandleDLRR(r.now, rtcp.DLRRReport{SSRC: 77, LastRR: 1, DLRR: 1})
	stats := r.p.StreamStats(r.now, mappedSSRC).Data.(*api.RTPStreamRecvStats).Base.Data.(*api.RTPStreamBaseStats)
	require.InDelta(t, 200, stats.RoundTripTime, 1)
	require.Nil(t, r.p.StreamStats(r.now, 77))
}

func TestScores(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: 0, Payload: vp8Key})
	p, c := r.take()
	require.Equal(t, []api.Notification{{HandlerID: "producer", Event: api.EventProducerScore, Body: &api.ProducerScoreNotification{
		Scores: []api.ProducerScore{{SSRC: uint32(peerSSRC), Score: 10}},
	}}}, p.Notifications, "the first score comes with the stream")
	require.Equal(t, layer.StreamNew, p.Streams[0].Kind)
	score := func(s api.ConsumerScore) []api.Notification {
		return []api.Notification{{HandlerID: "consumer", Event: api.EventConsumerScore, Body: &api.ConsumerScoreNotification{Score: &s}}}
	}
	require.Equal(t, score(api.ConsumerScore{Score: 10, ProducerScore: 10, ProducerScores: []uint8{10}}), c.Notifications)

	// Half of what the peer sends is lost.
	for i := range 50 {
		r.one(enginetest.Packet{Seq: unit.SeqNo(2 + 2*i), Payload: vp8Delta})
	}
	r.take()
	r.p.HandleSenderReport(r.now, &rtcp.SenderReport{SSRC: uint32(peerSSRC), NTPTime: 1})
	p, c = r.take()
	require.Equal(t, []api.Event{api.EventProducerScore}, enginetest.Events(p.Notifications))
	require.Equal(t, layer.StreamScore, p.Streams[0].Kind)
	require.EqualValues(t, 10, p.Streams[0].PreviousScore)
	down := p.Streams[0].Stream.Score
	require.Less(t, down, uint8(10))
	require.Equal(t, []uint8{down}, r.p.Scores())
	require.Equal(t, score(api.ConsumerScore{Score: 10, ProducerScore: down, ProducerScores: []uint8{down}}), c.Notifications)

	// Half of what we send is lost.
	r.c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{SSRC: uint32(outSSRC), FractionLost: 128, TotalLost: 25})
	r.c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{SSRC: 77, FractionLost: 255})
	_, c = r.take()
	require.Equal(t, []api.Event{api.EventConsumerScore}, enginetest.Events(c.Notifications))
	require.Less(t, r.c.Score().Score, uint8(10))
	require.True(t, c.FractionLostChanged)
	require.EqualValues(t, 128, r.c.FractionLost())

	r.c.Pause(r.now)
	require.Zero(t, r.c.FractionLost(), "paused consumers do not count")
	require.Zero(t, r.c.Bitrate(r.now))
	_, c = r.take()
	require.True(t, c.FractionLostChanged)
	r.c.Resume(r.now)
	require.EqualValues(t, 128, r.c.FractionLost())
	require.Positive(t, r.c.Bitrate(r.now))
	mapped, ok := r.c.ProducerStream()
	require.True(t, ok)
	require.Equal(t, mappedSSRC, mapped)
}

func TestWorstLossOfConsumersReachesThePeerWithInBandFEC(t *testing.T) {
	p := produceRequest(enginetest.Opus)
	p.RTPParameters.Codecs[0].Parameters = []api.Parameter{{Name: "useinbandfec", Value: &api.ValueInteger32{Value: 1}}, {Name: "usedtx", Value: &api.ValueInteger32{Value: 1}}}
	r := newFixture(t, p, consumeRequest(enginetest.Opus))
	r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}})
	r.c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{SSRC: uint32(outSSRC), FractionLost: 77, TotalLost: 1})
	r.route()
	rr := r.p.AppendRTCP(r.now, nil)[0].(*rtcp.ReceiverReport)
	require.EqualValues(t, 77, rr.Reports[0].FractionLost)
	params := r.p.Dump().RTPStreams[0].Params
	require.True(t, params.UseInBandFEC)
	require.True(t, params.UseDTX)
}

func TestRoundTripTimeOfTheConsumer(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
	sr := r.c.AppendRTCP(r.now, nil)[0].(*rtcp.SenderReport)
	r.after(150 * time.Millisecond)
	r.c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{
		SSRC: uint32(outSSRC), LastSenderReport: unit.CompactNTP(sr.NTPTime), Delay: unit.NTPDuration(50 * time.Millisecond),
	})
	require.InDelta(t, 100, r.c.RTT(), 1)
}
