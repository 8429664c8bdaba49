package transport_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// call is a producer on one transport and a consumer of it on another, with a peer each.
type call struct {
	*fixture
	in, out *transport.Plain
	p       *transport.Producer
	c       *transport.Consumer
	src     *feedbackRecorder
}

func newCall(t *testing.T, stream func(unit.SSRC) enginetest.Stream) *call {
	r := newFixture(t)
	k := &call{fixture: r, in: r.connected(), out: r.connected(), src: &feedbackRecorder{}}
	k.p = r.produce(k.in.Transport, "p", stream(10))
	k.c = r.consume(k.out.Transport, k.p, "c", 20, k.src)
	r.attach(k.out.Transport, k.p, k.c)
	k.p.AddSubscriber(&forwarder{[]*transport.Consumer{k.c}})
	return k
}

func (k *call) outSocket() *enginetest.Socket { return k.sockets[1] }
func (k *call) inSocket() *enginetest.Socket  { return k.sockets[0] }

func TestMediaGoesOut(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	require.Len(t, k.outSocket().Sent(), 1)
	pkt := enginetest.ParseRTP(t, k.outSocket().Sent()[0])
	require.EqualValues(t, 20, pkt.SSRC)
	require.Equal(t, peerAddr, k.outSocket().To()[0])
	stats := k.out.Stats(k.now).(*api.PlainTransportGetStatsResponse).Base
	require.EqualValues(t, len(k.outSocket().Sent()[0]), stats.BytesSent)
	require.EqualValues(t, len(k.outSocket().Sent()[0]), stats.RTPBytesSent)
	require.NotZero(t, stats.SendBitrate)
	require.NotZero(t, stats.RTPSendBitrate)
	in := k.in.Stats(k.now).(*api.PlainTransportGetStatsResponse).Base
	require.EqualValues(t, len(enginetest.KeyFrame(10, 1)), in.BytesReceived)
	require.EqualValues(t, len(enginetest.KeyFrame(10, 1)), in.RTPBytesReceived)
}

func TestAClosedConsumerGetsNothing(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.out.CloseConsumer(k.now, k.c)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	require.Empty(t, k.outSocket().Sent())
	dump := k.out.Dump().(*api.PlainTransportDumpResponse).Base
	require.Empty(t, dump.ConsumerIDs)
	require.Empty(t, dump.MapSSRCConsumerID)
	require.Empty(t, dump.MapRTXSSRCConsumerID)
}

func TestALostPacketIsAskedForAndResent(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	k.receive(k.in, 0, peerAddr, enginetest.RTP(10, 3, []byte{0x10, 0x01, 9, 9}))
	// The producer's transport wants the missing one.
	for range 20 {
		k.now = k.now.Add(10 * time.Millisecond)
		k.in.HandleTimeout(k.now)
		k.in.Settle(k.now)
	}
	nacks := enginetest.Find[*rtcp.TransportLayerNack](enginetest.RTCPOf(t, k.inSocket().Sent()))
	require.NotEmpty(t, nacks)
	require.EqualValues(t, 10, nacks[0].MediaSSRC)
	require.Equal(t, []uint16{2}, nacks[0].Nacks[0].PacketList())
	// The consumer's peer misses the key frame.
	lost := enginetest.ParseRTP(t, k.outSocket().Sent()[0])
	sent := len(k.outSocket().Sent())
	k.receiveRTCP(k.out, 0, peerAddr, &rtcp.TransportLayerNack{
		MediaSSRC: 20, Nacks: []rtcp.NackPair{{PacketID: uint16(lost.SequenceNumber)}},
	})
	require.Len(t, k.outSocket().Sent(), sent+1)
	again := enginetest.ParseRTP(t, k.outSocket().Sent()[sent])
	require.EqualValues(t, 101, again.PayloadType)
	require.EqualValues(t, 21, again.SSRC)
	require.True(t, again.DecodeRTX(100, 20))
	require.Equal(t, lost.SequenceNumber, again.SequenceNumber)
	require.Equal(t, lost.Payload(), again.Payload())
	require.NotZero(t, k.out.Stats(k.now).(*api.PlainTransportGetStatsResponse).Base.RTXBytesSent)
}

// Packets can be longer than an MTU. One that comes again must fit the room that is left for it.
func TestLargePacketsAreResent(t *testing.T) {
	k := newCall(t, enginetest.Video)
	padding := packet.SmallSize - len(enginetest.KeyFrame(10, 1))
	for seq := range unit.SeqNo(20) {
		big := append(enginetest.KeyFrame(10, seq), make([]byte, padding)...)
		k.receive(k.in, 0, peerAddr, big)
	}
	first := enginetest.ParseRTP(t, k.outSocket().Sent()[0]).SequenceNumber
	sent := len(k.outSocket().Sent())
	k.receiveRTCP(k.out, 0, peerAddr, &rtcp.TransportLayerNack{
		MediaSSRC: 20, Nacks: []rtcp.NackPair{{PacketID: uint16(first), LostPackets: 0xffff}},
	})
	require.Len(t, k.outSocket().Sent(), sent+17)
	for _, again := range k.outSocket().Sent()[sent:] {
		require.Greater(t, len(again), packet.SmallSize)
	}
}

func TestReportsAreSentRegularly(t *testing.T) {
	k := newCall(t, enginetest.Video)
	require.Equal(t, k.now.Add(500*time.Millisecond), k.out.NextTimeout())
	for seq := range unit.SeqNo(100) {
		k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, seq))
		k.now = k.now.Add(50 * time.Millisecond)
		for _, p := range []*transport.Plain{k.in, k.out} {
			if p.NextTimeout() <= k.now {
				p.HandleTimeout(k.now)
				p.Settle(k.now)
			}
		}
	}
	reports := enginetest.Find[*rtcp.ReceiverReport](enginetest.RTCPOf(t, k.inSocket().Sent()))
	require.GreaterOrEqual(t, len(reports), 3)
	require.LessOrEqual(t, len(reports), 6)
	require.EqualValues(t, 10, reports[0].Reports[0].SSRC)
	require.Len(t, enginetest.Find[*rtcp.SenderReport](enginetest.RTCPOf(t, k.outSocket().Sent())), len(enginetest.Find[*rtcp.SourceDescription](enginetest.RTCPOf(t, k.outSocket().Sent()))))
	require.NotEmpty(t, enginetest.Find[*rtcp.SenderReport](enginetest.RTCPOf(t, k.outSocket().Sent())))
	for _, b := range k.outSocket().Sent() {
		require.LessOrEqual(t, len(b), 1500)
	}
}

func TestKeyFrameRequestsGoToTheProducer(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	k.src.keyFrames = nil
	k.receiveRTCP(k.out, 0, peerAddr, &rtcp.PictureLossIndication{MediaSSRC: 20})
	k.now = k.now.Add(time.Second)
	k.receiveRTCP(k.out, 0, peerAddr, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 20, SequenceNumber: 1}}})
	require.Equal(t, []unit.SSRC{1010, 1010}, k.src.keyFrames)
	k.now = k.now.Add(time.Millisecond)
	k.in.RequestKeyFrame(k.now, k.p, 1010)
	k.in.Settle(k.now)
	require.Len(t, enginetest.Find[*rtcp.PictureLossIndication](enginetest.RTCPOf(t, k.inSocket().Sent())), 1)
	// Requests that arrive after the producer was closed go nowhere.
	k.in.CloseProducer(k.p)
	k.in.RequestKeyFrame(k.now, k.p, 1010)
	k.in.ReportFractionLost(k.p, "c", 1010, 9)
	k.in.Settle(k.now)
	require.Len(t, enginetest.Find[*rtcp.PictureLossIndication](enginetest.RTCPOf(t, k.inSocket().Sent())), 1)
}

func TestTheWorstLossOfAllConsumersIsReportedForInBandFEC(t *testing.T) {
	k := newCall(t, enginetest.Audio)
	k.receive(k.in, 0, peerAddr, enginetest.RTP(10, 1, []byte{1, 2, 3}))
	k.receiveRTCP(k.out, 0, peerAddr, &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 20, FractionLost: 77}}})
	require.Equal(t, map[string]uint8{"c": 77}, k.src.losses)
	fraction := func() uint8 {
		t.Helper()
		k.inSocket().Take()
		for range 4 {
			k.now = k.now.Add(time.Second)
			k.in.HandleTimeout(k.now)
		}
		reports := enginetest.Find[*rtcp.ReceiverReport](enginetest.RTCPOf(t, k.inSocket().Sent()))
		require.NotEmpty(t, reports)
		return reports[len(reports)-1].Reports[0].FractionLost
	}
	k.in.ReportFractionLost(k.p, "c", 1010, 77)
	k.in.ReportFractionLost(k.p, "other", 1010, 30)
	require.EqualValues(t, 77, fraction())
	k.p.ForgetConsumer("c")
	require.EqualValues(t, 30, fraction())
	k.p.ForgetConsumer("other")
	require.Zero(t, fraction())
}

func TestRoundTripTimesFromReports(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	k.receiveRTCP(k.in, 0, peerAddr, &rtcp.SenderReport{SSRC: 10, NTPTime: k.now.NTP(), RTPTime: 3000, PacketCount: 1})
	k.receiveRTCP(k.in, 0, peerAddr, &rtcp.ExtendedReport{SenderSSRC: 10, Reports: []rtcp.ReportBlock{
		&rtcp.DLRRReportBlock{Reports: []rtcp.DLRRReport{{LastRR: unit.CompactNTP(k.now.Add(-100 * time.Millisecond).NTP()), DLRR: unit.NTPDuration(20 * time.Millisecond)}}},
	}})
	producer := k.p.Stats(k.now).Stats
	require.InDelta(t, 80, roundTrip(t, producer[0]), 1)
	k.receiveRTCP(k.out, 0, peerAddr, &rtcp.ExtendedReport{SenderSSRC: 1, Reports: []rtcp.ReportBlock{
		&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: k.now.NTP()},
	}})
	k.now = k.now.Add(2 * time.Second)
	k.out.HandleTimeout(k.now)
	require.NotEmpty(t, enginetest.Find[*rtcp.ExtendedReport](enginetest.RTCPOf(t, k.outSocket().Sent())), "the delay since the receiver's reference time")
}

func roundTrip(t *testing.T, s api.RTPStreamStats) float32 {
	t.Helper()
	recv := s.Data.(*api.RTPStreamRecvStats)
	return recv.Base.Data.(*api.RTPStreamBaseStats).RoundTripTime
}

// Each kind of RTCP and RTP that leads nowhere has its counter, and nothing else happens.
func TestDropsAreCounted(t *testing.T) {
	type drops = transport.Drops
	rr := func(ssrc uint32) rtcp.Packet {
		return &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: ssrc}}}
	}
	tests := map[string]struct {
		pkts []rtcp.Packet
		raw  []byte
		want drops
	}{
		"unknown SSRC in RR":            {pkts: []rtcp.Packet{rr(99)}, want: drops{RTCPUnknown: 1}},
		"RR about RTX":                  {pkts: []rtcp.Packet{rr(21)}},
		"RR about the probation stream": {pkts: []rtcp.Packet{rr(1234)}},
		"unknown SSRC in SR":            {pkts: []rtcp.Packet{&rtcp.SenderReport{SSRC: 99}}, want: drops{RTCPUnknown: 1}},
		"unknown SSRC in PLI":           {pkts: []rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: 99}}, want: drops{RTCPUnknown: 1}},
		"PLI for the probation stream":  {pkts: []rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: 1234}}},
		"unknown SSRC in NACK":          {pkts: []rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: 99, Nacks: []rtcp.NackPair{{PacketID: 1}}}}, want: drops{RTCPUnknown: 1}},
		"unknown SSRC in DLRR": {pkts: []rtcp.Packet{&rtcp.ExtendedReport{SenderSSRC: 99, Reports: []rtcp.ReportBlock{
			&rtcp.DLRRReportBlock{Reports: []rtcp.DLRRReport{{LastRR: 1}}},
		}}}, want: drops{RTCPUnknown: 1}},
		"goodbye":              {pkts: []rtcp.Packet{&rtcp.Goodbye{Sources: []uint32{10}}}},
		"estimates":            {pkts: []rtcp.Packet{&rtcp.ReceiverEstimatedMaximumBitrate{SSRCs: []uint32{10}, Bitrate: 1e6}}, want: drops{RTCPUnsupported: 1}},
		"malformed RTCP":       {raw: []byte{0x80, 201, 0, 99}, want: drops{RTCPMalformed: 1}},
		"truncated RTP":        {raw: []byte{0x90, 100, 0, 1, 0, 0, 0, 0, 0, 0, 0, 10}, want: drops{RTPMalformed: 1}},
		"RTP of no producer":   {raw: enginetest.KeyFrame(77, 1), want: drops{RTPUnknown: 1}},
		"neither":              {raw: []byte("hello, who is there?"), want: drops{Unrecognized: 1}},
		"nothing":              {raw: []byte{}, want: drops{Unrecognized: 1}},
		"unknown payload type": {raw: func() []byte { b := enginetest.KeyFrame(10, 1); b[1] = 55; return b }(), want: drops{RTPDiscarded: 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k := newCall(t, enginetest.Video)
			// Consumer and producer on one transport: all tables are in use.
			c := k.consume(k.in.Transport, k.p, "c2", 20, k.src)
			k.attach(k.in.Transport, k.p, c)
			_, err := k.in.Consume(k.now, enginetest.Video(19).Consume("c3", k.produced[k.p]), k.src)
			require.ErrorContains(t, err, "ssrc already used by another Consumer of the Transport [ssrc:20]")
			k.notifications.Reset()
			if test.pkts != nil {
				k.receiveRTCP(k.in, 0, peerAddr, test.pkts...)
			} else {
				k.receive(k.in, 0, peerAddr, test.raw)
			}
			require.Equal(t, test.want, k.in.Drops())
			require.Empty(t, k.notifications.All())
			require.Empty(t, k.outSocket().Sent())
		})
	}
}

func TestProducersAreFoundByMIDAndRID(t *testing.T) {
	r := newFixture(t)
	in := r.connected()
	request := func(id, mid, rid string) *api.TransportProduceRequest {
		q := enginetest.Video(10).Produce(id)
		q.RTPParameters.MID = mid
		q.RTPParameters.Encodings = []api.RTPEncodingParameters{{RID: rid}}
		q.RTPMapping.Encodings = []api.EncodingMapping{{RID: rid, MappedSSRC: 1}}
		q.RTPParameters.HeaderExtensions = []api.RTPHeaderExtensionParameters{
			{URI: api.RTPHeaderExtensionURIMid, ID: 1},
			{URI: api.RTPHeaderExtensionURIRTPStreamId, ID: 2},
			{URI: api.RTPHeaderExtensionURIRepairRTPStreamId, ID: 3},
		}
		return q
	}
	first, err := in.Produce(r.now, request("first", "m1", "r"))
	require.NoError(t, err)
	_, err = in.Produce(r.now, request("second", "m2", "r"))
	require.NoError(t, err, "a MID tells equal RIDs apart")
	_, err = in.Produce(r.now, request("third", "m1", "x"))
	require.ErrorContains(t, err, "MID already exists in RTP listener [mid:m1]")
	_, err = in.Produce(r.now, request("fourth", "", "r"))
	require.ErrorContains(t, err, "RID already exists in RTP listener and no MID is given [rid:r]")

	for i, test := range []struct {
		ext  []byte // RFC 8285 one-byte elements
		want string
	}{
		{[]byte{0x11, 'm', '2', 0x20, 'r', 0, 0, 0}, "second"},
		{[]byte{0x20, 'r', 0, 0}, "first"},
		{[]byte{0x11, 'm', '3', 0x20, 'r', 0, 0, 0}, ""},
		{[]byte{0x20, 'y', 0, 0}, ""},
		{[]byte{0x30, 'r', 0, 0}, "first"}, // a retransmission says what it repairs
		{[]byte{0x20, 'y', 0x30, 'r'}, ""},
	} {
		ssrc := uint32(500 + i)
		b := []byte{0x90, 100, 0, 1, 0, 0, 0, 0, 0, 0, byte(ssrc >> 8), byte(ssrc), 0xbe, 0xde, 0, byte(len(test.ext) / 4)}
		b = append(append(b, test.ext...), 0x10, 0, 0, 0, 0x9d, 0x01, 0x2a)
		r.receive(in, 0, peerAddr, b)
		var got string
		for _, row := range in.Dump().(*api.PlainTransportDumpResponse).Base.RTPListener.SSRCTable {
			if row.Key == ssrc {
				got = row.Value
			}
		}
		require.Equal(t, test.want, got, "packet %d", i)
	}
	in.CloseProducer(first)
	listener := in.Dump().(*api.PlainTransportDumpResponse).Base.RTPListener
	require.Equal(t, []api.StringString{{Key: "m2", Value: "second"}}, listener.MIDTable)
	require.Empty(t, listener.RIDTable)
	require.Equal(t, []api.Uint32String{{Key: 500, Value: "second"}}, listener.SSRCTable)
}

func TestAPeerCannotFillTheTableOfSSRCs(t *testing.T) {
	r := newFixture(t)
	in := r.connected()
	q := enginetest.Video(10).Produce("p")
	q.RTPParameters.MID = "m"
	q.RTPParameters.HeaderExtensions = []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURIMid, ID: 1}}
	_, err := in.Produce(r.now, q)
	require.NoError(t, err)
	for ssrc := range unit.SSRC(3000) {
		r.receive(in, 0, peerAddr, []byte{
			0x90, 100, 0, 1, 0, 0, 0, 0, 1, 0, byte(ssrc >> 8), byte(ssrc), 0xbe, 0xde, 0, 1, 0x10, 'm', 0, 0, 0x10, 0, 0,
		})
	}
	table := in.Dump().(*api.PlainTransportDumpResponse).Base.RTPListener.SSRCTable
	require.Len(t, table, 1024+2, "those learned, the encoding's own and its RTX")
	require.EqualValues(t, 0, in.Drops().RTPUnknown, "all are routed nevertheless")
}

func TestDuplicateSSRCsAreRefused(t *testing.T) {
	r := newFixture(t)
	in := r.connected()
	r.produce(in.Transport, "p", enginetest.Video(10))
	_, err := in.Produce(r.now, enginetest.Video(10).Produce("q"))
	require.ErrorContains(t, err, "ssrc already exists in RTP listener [ssrc:10]")
	q := enginetest.Video(30).Produce("q")
	q.RTPParameters.Encodings[0].RTX.SSRC = 11
	_, err = in.Produce(r.now, q)
	require.ErrorContains(t, err, "RTX ssrc already exists in RTP listener [ssrc:11]")
	q.RTPParameters.Encodings[0].RTX.SSRC = 30
	_, err = in.Produce(r.now, q)
	require.ErrorContains(t, err, "RTX ssrc already exists in RTP listener [ssrc:30]")
	require.Equal(t, []string{"p"}, in.Dump().(*api.PlainTransportDumpResponse).Base.ProducerIDs)
}

func TestBitratesAndTraceEvents(t *testing.T) {
	r := newFixture(t)
	p := r.connected()
	require.NoError(t, p.SetMaxIncomingBitrate(r.now, 1))
	require.NoError(t, p.SetMinOutgoingBitrate(r.now, 50000))
	require.ErrorContains(t, p.SetMaxOutgoingBitrate(r.now, 40000), "current min outgoing bitrate (50000)")
	require.NoError(t, p.SetMaxOutgoingBitrate(r.now, 60000))
	require.ErrorContains(t, p.SetMinOutgoingBitrate(r.now, 70000), "current max outgoing bitrate (60000)")
	stats := p.Stats(r.now).(*api.PlainTransportGetStatsResponse).Base
	require.EqualValues(t, 1, *stats.MaxIncomingBitrate)
	require.EqualValues(t, 60000, *stats.MaxOutgoingBitrate)
	require.EqualValues(t, 50000, *stats.MinOutgoingBitrate)
	require.NoError(t, p.SetMinOutgoingBitrate(r.now, 0))
	require.Nil(t, p.Stats(r.now).(*api.PlainTransportGetStatsResponse).Base.MinOutgoingBitrate)

	p.EnableTraceEvents([]api.TransportTraceEventType{api.TransportTraceEventTypeBWE, api.TransportTraceEventTypeProbation, api.TransportTraceEventTypeBWE})
	require.Equal(t, []api.TransportTraceEventType{api.TransportTraceEventTypeProbation, api.TransportTraceEventTypeBWE},
		p.Dump().(*api.PlainTransportDumpResponse).Base.TraceEventTypes)
	p.EnableTraceEvents(nil)
	require.Empty(t, p.Dump().(*api.PlainTransportDumpResponse).Base.TraceEventTypes)
}

func TestOptionsThatNoTransportTakes(t *testing.T) {
	r := newFixture(t)
	_, err := transport.NewDirect(r.now, "d", &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true, EnableSCTP: true}}, r.env)
	require.ErrorContains(t, err, "cannot enable SCTP in a direct Transport")
	_, err = transport.NewDirect(r.now, "d", &api.DirectTransportOptions{Base: &api.TransportOptions{InitialAvailableOutgoingBitrate: new(uint64(1 << 63))}}, r.env)
	require.ErrorContains(t, err, "wrong initialAvailableOutgoingBitrate")
}

func TestADirectTransportTalksToTheApplication(t *testing.T) {
	r := newFixture(t)
	d, err := transport.NewDirect(r.now, "d", &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}, r.env)
	require.NoError(t, err)
	p := r.produce(d, "p", enginetest.Audio(10))
	c := r.consume(d, p, "c", 20, &feedbackRecorder{})
	r.attach(d, p, c)
	p.AddSubscriber(&subscriber{then: func(now unit.Time, pkts []*packet.Packet) { c.Forward(now, pkts) }})
	d.HandleProducerSend(r.now, enginetest.RTP(10, 1, []byte{1, 2, 3}))
	d.HandleProducerSend(r.now, make([]byte, packet.LargeSize+1))
	d.Settle(r.now)
	require.Equal(t, transport.Drops{TooLarge: 1}, d.Drops())
	require.Len(t, r.notifications.Of(api.EventConsumerRTP), 1)
	r.now = r.now.Add(2 * time.Second)
	d.HandleTimeout(r.now)
	require.NotEmpty(t, r.notifications.Of(api.EventDirectTransportRTCP))
	dump := d.Dump().(*api.DirectTransportDumpResponse)
	require.True(t, dump.Base.Direct)
	require.Equal(t, []string{"c"}, dump.Base.ConsumerIDs)
	d.Close()
	d.Close()
	require.Equal(t, unit.Never, d.NextTimeout())
}

// Whoever takes notifications may keep their bodies: what they hold is in no buffer that is used again.
func TestNotificationsMayKeepTheirBodies(t *testing.T) {
	r := newFixture(t)
	d, err := transport.NewDirect(r.now, "d", &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}, r.env)
	require.NoError(t, err)
	p := r.produce(d, "p", enginetest.Audio(10))
	c := r.consume(d, p, "c", 20, &feedbackRecorder{})
	r.attach(d, p, c)
	p.AddSubscriber(&subscriber{then: func(now unit.Time, pkts []*packet.Packet) { c.Forward(now, pkts) }})
	payload := []byte{1, 2, 3}
	d.HandleProducerSend(r.now, enginetest.RTP(10, 1, payload))
	d.Settle(r.now)
	r.now = r.now.Add(2 * time.Second)
	d.HandleTimeout(r.now)
	var bodies [][]byte
	for _, n := range r.notifications.Of(api.EventConsumerRTP) {
		bodies = append(bodies, n.Body.(*api.ConsumerRTPNotification).Data)
	}
	for _, n := range r.notifications.Of(api.EventDirectTransportRTCP) {
		bodies = append(bodies, n.Body.(*api.DirectTransportRTCPNotification).Data)
	}
	require.Greater(t, len(bodies), 1)
	var before [][]byte
	for _, b := range bodies {
		before = append(before, bytes.Clone(b))
	}

	poison := r.env.Batch.Space(1)
	for i := range poison {
		poison[i] = 0xee
	}
	clear(payload)
	for seq := range unit.SeqNo(100) {
		d.HandleProducerSend(r.now, enginetest.RTP(10, seq+2, []byte{9, 9, 9}))
		d.Settle(r.now)
		r.now = r.now.Add(2 * time.Second)
		d.HandleTimeout(r.now)
	}
	require.Equal(t, before, bodies)
}

func TestATransportOutOfServiceIsSilent(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.in.Break()
	k.in.Break()
	require.True(t, k.in.Broken())
	require.Len(t, k.notifications.Of(api.EventTransportOutOfService), 1, "but for this")
	require.Equal(t, 1, k.inSocket().Closed())
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	k.in.HandleTimeout(k.now.Add(time.Hour))
	require.Empty(t, k.inSocket().Sent())
	require.Empty(t, k.outSocket().Sent())
	require.Equal(t, unit.Never, k.in.NextTimeout())
}

func TestWhatTheKernelRefusesIsCounted(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.outSocket().Refuse = true
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	require.EqualValues(t, 1, k.out.Drops().SendFailed)
}
