package media_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

// SSRCs of encoding i: of the peer, the router and the receiver.
func peerOf(i int) unit.SSRC   { return enginetest.EncodingSSRC(peerSSRC, i) }
func mappedOf(i int) unit.SSRC { return enginetest.MappedSSRC(peerOf(i)) }
func outOf(i int) unit.SSRC    { return enginetest.EncodingSSRC(outSSRC, i) }

// pipeRequest consumes all of simulcastRequest's three encodings.
func pipeRequest() *api.TransportConsumeRequest {
	out := outStream(enginetest.VP8)
	out.Encodings = 3
	r := out.Consume("consumer", simulcastRequest())
	r.Type = api.RTPTypePipe
	return r
}

func pipeFixture(t testing.TB) *fixture {
	return newFixture(t, simulcastRequest(), pipeRequest())
}

// of makes a packet of encoding i, which the producer knows by its RID.
func of(i int, seq unit.SeqNo, ts unit.Timestamp, payload []byte) enginetest.Packet {
	return enginetest.Packet{SSRC: peerOf(i), Seq: seq, Timestamp: ts, Marker: true, Payload: payload, Extensions: rid(inRID, []string{"low", "mid", "high"}[i])}
}

func TestPipeForwardsAllEncodings(t *testing.T) {
	r := pipeFixture(t)
	require.Equal(t, api.RTPTypePipe, r.c.Type())
	require.Equal(t, []unit.SSRC{outOf(0), outOf(1), outOf(2)}, r.c.MediaSSRCs())
	require.Equal(t, []unit.SSRC{outOf(0) + 1, outOf(1) + 1, outOf(2) + 1}, r.c.RTXSSRCs())
	require.Equal(t, []unit.SSRC{mappedOf(0), mappedOf(1), mappedOf(2)}, r.c.MappedSSRCs())
	var last [3]unit.SeqNo
	for n := range 20 {
		for i := range 3 {
			o := r.one(of(i, unit.SeqNo(65530+1000*i+n), unit.Timestamp(3000*n), vp8Key))
			require.Equal(t, outOf(i), o.SSRC)
			require.Equal(t, unit.Timestamp(3000*n), o.Timestamp, "timestamps stay")
			require.True(t, o.Marker)
			require.Equal(t, vp8Key, o.Payload())
			if n > 0 {
				require.Equal(t, last[i]+1, o.SequenceNumber)
			}
			last[i] = o.SequenceNumber
		}
	}
	_, c := r.take()
	require.Empty(t, c.Notifications, "neither scores nor layers are notified")
	_, ok := r.c.ProducerStream()
	require.False(t, ok)
}

func TestPipeStreamsBeginWithTheirOwnKeyFrames(t *testing.T) {
	r := pipeFixture(t)
	_, c := r.take()
	require.Equal(t, r.c.MappedSSRCs(), c.KeyFrameRequests)
	r.one(of(0, 1, 1, vp8Key))
	r.none(of(1, 1, 1, vp8Delta))
	r.one(of(0, 2, 2, vp8Delta))
	_, outs := r.receive(of(1, 0, 1, vp8Key))
	require.Len(t, outs, 2, "the delta packet was held back until its key frame")
	require.Equal(t, outOf(1), outs[0].SSRC)
	require.Equal(t, outs[0].SequenceNumber+1, outs[1].SequenceNumber)
	require.Equal(t, vp8Delta, outs[1].Payload())

	r.c.Pause(r.now)
	r.none(of(0, 3, 3, vp8Key))
	r.c.Resume(r.now)
	_, c = r.take()
	require.Equal(t, r.c.MappedSSRCs(), c.KeyFrameRequests)
	require.Empty(t, c.Notifications)
	r.none(of(0, 4, 4, vp8Delta))
	r.one(of(1, 2, 2, vp8Key))
	require.EqualValues(t, 1, r.c.Drops().Inactive)
}

func TestPipeTakesFeedbackBySSRC(t *testing.T) {
	r := pipeFixture(t)
	var sent [3]out
	for i := range 3 {
		sent[i] = r.one(of(i, 7, 7, vp8Key))
	}
	r.take()
	r.c.EnableTraceEvents([]api.ConsumerTraceEventType{api.ConsumerTraceEventTypePLI})
	r.c.HandleKeyFrameRequest(r.now, media.PLI, outOf(1))
	r.c.HandleKeyFrameRequest(r.now, media.PLI, 4242)
	_, c := r.take()
	require.Equal(t, r.c.MappedSSRCs(), c.KeyFrameRequests, "of all streams, as in mediasoup")
	require.Len(t, c.Notifications, 1)

	r.c.HandleNACK(r.now, enginetest.NACKFor(outOf(2), sent[2].SequenceNumber))
	r.c.HandleNACK(r.now, enginetest.NACKFor(4242, sent[1].SequenceNumber))
	outs := r.retransmissions()
	require.Len(t, outs, 1)
	require.Equal(t, outOf(2)+1, outs[0].SSRC)

	r.c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{SSRC: uint32(outOf(1)), FractionLost: 40})
	r.c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{SSRC: uint32(outOf(2)), FractionLost: 30})
	r.c.HandleReceptionReport(r.now, &rtcp.ReceptionReport{SSRC: 4242, FractionLost: 90})
	require.EqualValues(t, 40, r.c.FractionLost(), "the worst")

	require.Equal(t, &api.ConsumerScore{Score: 10, ProducerScore: 10, ProducerScores: []uint8{10, 10, 10}}, r.c.Score())
	require.Nil(t, r.c.Response().PreferredLayers)
	require.Nil(t, r.c.SetPreferredLayers(r.now, &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{}}).PreferredLayers)
}

func TestPipeDumpStatsAndReports(t *testing.T) {
	r := pipeFixture(t)
	r.c.HandleRRTR(r.now, r.now.NTP())
	for i := range 3 {
		r.one(of(i, 7, 7, vp8Key))
	}
	d := r.c.Dump().Data
	require.Equal(t, api.RTPTypePipe, d.Base.Type)
	require.Len(t, d.RTPStreams, 3)
	for i, s := range d.RTPStreams {
		require.EqualValues(t, i, s.Params.EncodingIdx)
		require.Equal(t, uint32(outOf(i)), s.Params.SSRC)
		require.Equal(t, uint32(outOf(i))+1, *s.Params.RTXSSRC)
	}
	for _, l := range []*int16{
		d.PreferredSpatialLayer, d.PreferredTemporalLayer, d.TargetSpatialLayer, d.TargetTemporalLayer,
		d.CurrentSpatialLayer, d.CurrentTemporalLayer,
	} {
		require.EqualValues(t, -1, *l)
	}
	require.Len(t, r.c.Stats(r.now).Stats, 3)
	require.Positive(t, r.c.Bitrate(r.now))

	reports := r.c.AppendRTCP(r.now, nil)
	var srs int
	for _, pkt := range reports {
		switch p := pkt.(type) {
		case *rtcp.SenderReport:
			require.Equal(t, uint32(outOf(srs)), p.SSRC)
			srs++
		case *rtcp.SourceDescription:
			require.Len(t, p.Chunks, 3)
		case *rtcp.ExtendedReport:
			require.Len(t, p.Reports[0].(*rtcp.DLRRReportBlock).Reports, 3)
		}
	}
	require.Equal(t, 3, srs)
}

func TestPipeTakesNoPartInBitrateAllocation(t *testing.T) {
	r := pipeFixture(t)
	r.c.SetExternallyManagedBitrate(r.now)
	r.one(of(0, 7, 7, vp8Key))
	require.Zero(t, r.c.DesiredBitrate(r.now))
	require.Zero(t, r.c.IncreaseLayer(r.now, 1e9, true))
	r.c.ApplyLayers(r.now)
	r.one(of(0, 8, 8, vp8Key))
}

func TestPipeDropsStreamsThatAreNotConsumable(t *testing.T) {
	req := pipeRequest()
	req.RTPParameters.Encodings, req.ConsumableRTPEncodings = req.RTPParameters.Encodings[:2], req.ConsumableRTPEncodings[:2]
	r := newFixture(t, simulcastRequest(), req)
	r.none(of(2, 1, 1, vp8Key))
	require.EqualValues(t, 1, r.c.Drops().Stream)
	r.one(of(1, 1, 1, vp8Key))
}

func TestPipeNeedsAsManyEncodings(t *testing.T) {
	req := pipeRequest()
	req.ConsumableRTPEncodings = req.ConsumableRTPEncodings[:2]
	_, err := newConsumer(req)
	requireTypeError(t, err, "number of rtpParameters.encodings and consumableRtpEncodings do not match")
}

// TestRetransmissionWithoutRTXIsTheSamePacket: SRTP would otherwise encrypt two packets under one nonce.
func TestRetransmissionWithoutRTXIsTheSamePacket(t *testing.T) {
	for _, codec := range []enginetest.Codec{enginetest.VP8, enginetest.Opus} {
		t.Run(codec.MimeType, func(t *testing.T) {
			req := consumeRequest(codec)
			req.RTPParameters.Encodings[0].RTX = nil
			r := newFixture(t, produceRequest(codec), req)
			for n := range 3 {
				o := r.one(enginetest.Packet{Seq: unit.SeqNo(n), Timestamp: 5, Payload: vp8Key, Marker: n == 1})
				if n < 2 && o.TransportCC != 0 {
					r.dst[o.TransportCC], r.dst[o.TransportCC+1] = 0x12, byte(n)
					r.c.SetTransportCC(unit.SeqNo(0x1200 + n))
				}
				sent := append([]byte{}, r.dst[:o.Len]...)
				for range 3 {
					r.after(time.Second / 3)
					r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, o.SequenceNumber))
					again := r.c.WriteRetransmission(r.now, r.dst[:])
					require.Equal(t, sent, r.dst[:again.Len])
					require.Zero(t, again.TransportCC, "the transport leaves it as it is")
					require.Equal(t, o.Outgoing.HeaderLen, again.HeaderLen)
				}
			}
		})
	}
}

// TestRenumberedSourceGoesOn: whatever numbers a source uses after a restart or an outage, the sent numbers go on, without a gap of
// thousands. One number is left out: the receiver then knows that something is missing.
func TestRenumberedSourceGoesOn(t *testing.T) {
	r := videoFixture(t)
	seq := unit.SeqNo(40000)
	last := r.one(enginetest.Packet{Seq: seq, Payload: vp8Key})
	for i, jump := range []int{-1600, -20000, -32768, -5000, 3001, 30000} {
		seq += unit.SeqNo(jump)
		r.none(enginetest.Packet{Seq: seq, Payload: vp8Key}) // one alone is taken for a stray packet
		seq++
		o := r.one(enginetest.Packet{Seq: seq, Payload: vp8Key})
		require.Equal(t, last.SequenceNumber+2, o.SequenceNumber, fmt.Sprint(i))
		seq++
		last = r.one(enginetest.Packet{Seq: seq, Payload: vp8Delta})
		require.Equal(t, o.SequenceNumber+1, last.SequenceNumber, fmt.Sprint(i))
	}
}
