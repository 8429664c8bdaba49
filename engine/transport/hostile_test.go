package transport_test

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/srtp"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// With SRTP, only an authentic packet makes a peer. SCTP, which SRTP does not protect, makes none.
func TestSCTPDoesNotTellThePeerOfASecuredTransport(t *testing.T) {
	r := newFixture(t)
	r.env.Wake = func() {}
	suite := api.SRTPCryptoSuiteAEADAES128GCM
	s := r.secureWith(suite, suite, srtp.AEADAES128GCM, func(o *api.PlainTransportOptions) {
		o.Comedia, o.Base.EnableSCTP, o.Base.MaxReceiveMessageSize = true, true, 1<<16
	})
	r.produce(s.Transport, "p", enginetest.Video(10))
	r.receive(s.Plain, 0, strangerAddr, make([]byte, 16))
	require.Equal(t, uint64(1), s.Drops().ForeignSender)
	require.Empty(t, r.notifications.Of(api.EventPlainTransportTuple))
	r.receive(s.Plain, 0, peerAddr, r.protect(s, enginetest.KeyFrame(10, 1)))
	tuples := r.notifications.Of(api.EventPlainTransportTuple)
	require.Len(t, tuples, 1)
	require.Equal(t, peerAddr.Addr().String(), tuples[0].Body.(*api.PlainTransportTupleNotification).Tuple.RemoteIP)
	r.receive(s.Plain, 0, strangerAddr, make([]byte, 16))
	require.Equal(t, uint64(2), s.Drops().ForeignSender)
	r.receive(s.Plain, 0, peerAddr, make([]byte, 16))
	require.Equal(t, uint64(2), s.Drops().ForeignSender, "the peer's SCTP is taken")
}

// One datagram may ask for each packet hundreds of times: it is resent once.
func TestANACKStormResendsEachPacketOnce(t *testing.T) {
	k := newCall(t, enginetest.Video)
	const packets = 20
	for seq := range unit.SeqNo(packets) {
		k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, seq))
	}
	var seqs []uint16
	for _, b := range k.outSocket().Sent() {
		seqs = append(seqs, uint16(enginetest.ParseRTP(t, b).SequenceNumber))
	}
	require.Len(t, seqs, packets)
	nack := &rtcp.TransportLayerNack{MediaSSRC: 20, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)}
	storm := make([]rtcp.Packet, 200)
	for i := range storm {
		storm[i] = nack
	}
	before := len(k.outSocket().Sent())
	k.receiveRTCP(k.out, 0, peerAddr, storm...)
	require.Len(t, k.outSocket().Sent(), before+packets)
}

// However many requests for a key frame a datagram holds, the producer's peer gets one.
func TestAFloodOfKeyFrameRequestsIsThrottled(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	flood := make([]rtcp.Packet, 1000)
	for i := range flood {
		flood[i] = &rtcp.PictureLossIndication{MediaSSRC: 20}
	}
	k.receiveRTCP(k.out, 0, peerAddr, flood...)
	require.NotEmpty(t, k.src.keyFrames)
	for _, mapped := range k.src.keyFrames {
		k.in.RequestKeyFrame(k.now, k.p, mapped)
		k.in.Settle(k.now)
	}
	require.Len(t, enginetest.Find[*rtcp.PictureLossIndication](enginetest.RTCPOf(t, k.inSocket().Sent())), 1)
}

// rembCall is a call whose consumer's bandwidth is estimated by REMB.
func rembCall(t *testing.T) (*fixture, *transport.Plain) {
	r := newFixture(t)
	in, out := r.connected(), r.connected()
	p := r.produce(in.Transport, "p", enginetest.Video(10))
	consumed := enginetest.Video(20)
	consumed.Extensions = []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURIAbsSendTime, ID: 4}}
	consumed.Feedback = []api.RTCPFeedback{enginetest.REMB}
	c := r.consumeAs(out.Transport, p, "c", consumed, &feedbackRecorder{})
	r.attach(out.Transport, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	out.EnableTraceEvents([]api.TransportTraceEventType{api.TransportTraceEventTypeBWE})
	return r, out
}

// Whatever a peer claims to be able to receive, the estimate stays a number that makes sense, and is distributed once for
// each datagram.
func TestAbsurdREMB(t *testing.T) {
	r, out := rembCall(t)
	available := func() uint64 {
		return *out.Stats(r.now).(*api.PlainTransportGetStatsResponse).Base.AvailableOutgoingBitrate
	}
	var storm []rtcp.Packet
	for range 50 {
		for _, bitrate := range []float32{0, 1, 1 << 30, 1 << 62, float32(math.Pow(2, 63)), math.MaxFloat32, float32(math.Inf(1))} {
			storm = append(storm, &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: min(bitrate, 0x3FFFF<<46), SSRCs: []uint32{20}})
		}
	}
	for range 20 {
		r.now = r.now.Add(100 * time.Millisecond)
		before := len(r.notifications.Of(api.EventTransportTrace))
		r.receiveRTCP(out, 0, peerAddr, storm...)
		require.LessOrEqual(t, len(r.notifications.Of(api.EventTransportTrace)), before+1)
		require.Positive(t, available())
		require.Less(t, available(), uint64(1)<<60)
	}
}

// A report may hold thousands of receiver reference times, which concern each consumer: the last one counts.
func TestManyReferenceTimes(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	xr := &rtcp.ExtendedReport{SenderSSRC: 99}
	for i := range uint64(1000) {
		xr.Reports = append(xr.Reports, &rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: (i + 1) << 16})
	}
	k.receiveRTCP(k.out, 0, peerAddr, xr, &rtcp.ExtendedReport{SenderSSRC: 99})
	for range 4 {
		k.now = k.now.Add(time.Second)
		k.out.HandleTimeout(k.now)
		k.out.Settle(k.now)
	}
	reports := enginetest.Find[*rtcp.ExtendedReport](enginetest.RTCPOf(t, k.outSocket().Sent()))
	require.NotEmpty(t, reports)
	require.Equal(t, uint32(1000), reports[0].Reports[0].(*rtcp.DLRRReportBlock).Reports[0].LastRR)
}

// Retransmissions without the number of the packet that they repeat, and padding that is longer than the packet, are dropped.
func TestAbsurdRTP(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	before := len(k.outSocket().Sent())
	for _, payload := range [][]byte{nil, {1}} {
		b := enginetest.RTP(11, 1, payload)
		b[1] = 101 // RTX
		k.receive(k.in, 0, peerAddr, b)
	}
	padded := enginetest.RTP(10, 2, []byte{1, 2, 3, 200})
	padded[0] |= 0x20
	k.receive(k.in, 0, peerAddr, padded)
	csrcs := enginetest.RTP(10, 3, []byte{1, 2, 3})
	csrcs[0] |= 0x0f
	k.receive(k.in, 0, peerAddr, csrcs)
	require.Equal(t, transport.Drops{RTPMalformed: 2}, k.in.Drops(), "the retransmissions are counted as such")
	require.Len(t, k.outSocket().Sent(), before)
}

// A datagram may hold many reports, each of which changes the score of a stream. The application is told once, and so are the
// consumers.
func TestAFloodOfReportsIsToldOnce(t *testing.T) {
	k := newCall(t, enginetest.Video)
	for seq := range unit.SeqNo(20) {
		k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 2*seq))
	}
	consumers := &subscriber{}
	k.p.AddSubscriber(consumers)
	scores := func() int {
		return len(k.notifications.Of(api.EventProducerScore)) + len(k.notifications.Of(api.EventConsumerScore))
	}

	k.notifications.Reset()
	flood := make([]rtcp.Packet, 3)
	for i := range flood {
		flood[i] = &rtcp.SenderReport{SSRC: 10, NTPTime: uint64(i+1) << 32}
	}
	k.receiveRTCP(k.in, 0, peerAddr, flood...)
	require.Less(t, k.p.Scores()[0], uint8(10))
	require.Equal(t, 2, scores(), "one of the producer, one of the consumer")
	require.Len(t, consumers.updates, 2, "the score and the report")

	k.notifications.Reset()
	for i := range flood {
		flood[i] = &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 20, TotalLost: 20}}}
	}
	k.receiveRTCP(k.out, 0, peerAddr, flood...)
	require.Less(t, k.c.Score().Score, uint8(10))
	require.Equal(t, 1, scores())

	for i := range flood {
		flood[i] = &rtcp.PictureLossIndication{MediaSSRC: 20}
	}
	k.src.keyFrames = nil
	k.receiveRTCP(k.out, 0, peerAddr, flood...)
	require.Len(t, k.src.keyFrames, 1)
	stats := k.c.Stats(k.now).Stats[0].Data.(*api.RTPStreamSendStats).Base.Data.(*api.RTPStreamBaseStats)
	require.EqualValues(t, len(flood), stats.PLICount)
}
