package media_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/wire/rtp"
)

func producerTraces(ns []api.Notification) []api.ProducerTraceEventType {
	var ts []api.ProducerTraceEventType
	for _, b := range enginetest.Bodies[*api.ProducerTraceNotification](ns) {
		ts = append(ts, b.Type)
	}
	return ts
}

func consumerTraces(ns []api.Notification) []api.ConsumerTraceEventType {
	var ts []api.ConsumerTraceEventType
	for _, b := range enginetest.Bodies[*api.ConsumerTraceNotification](ns) {
		ts = append(ts, b.Type)
	}
	return ts
}

func TestTracesOfPackets(t *testing.T) {
	r := videoFixture(t)
	r.p.EnableTraceEvents([]api.ProducerTraceEventType{api.ProducerTraceEventTypeRTP, api.ProducerTraceEventTypeKeyFrame})
	r.c.EnableTraceEvents([]api.ConsumerTraceEventType{api.ConsumerTraceEventTypeRTP, api.ConsumerTraceEventTypeKeyFrame})
	r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
	o := r.one(enginetest.Packet{Seq: 2, Timestamp: 3, Marker: true, Payload: vp8Delta, Extensions: []rtp.Extension{{ID: inMID, Value: []byte("0")}, {ID: inRID, Value: []byte("hi")}}})
	p, c := r.take()
	require.Equal(t, []api.ProducerTraceEventType{api.ProducerTraceEventTypeKeyFrame, api.ProducerTraceEventTypeRTP}, producerTraces(p.Notifications))
	require.Equal(t, []api.ConsumerTraceEventType{api.ConsumerTraceEventTypeKeyFrame, api.ConsumerTraceEventTypeRTP}, consumerTraces(c.Notifications))

	received := p.Notifications[len(p.Notifications)-1].Body.(*api.ProducerTraceNotification)
	require.Equal(t, &api.ProducerTraceNotification{
		Type: api.ProducerTraceEventTypeRTP, Timestamp: r.now.Milliseconds(), Direction: api.TraceDirectionIn,
		Info: &api.ProducerRTPTraceInfo{RTPPacket: &api.RTPPacketDump{
			PayloadType: peerPT, SequenceNumber: 2, Timestamp: 3, Marker: true, SSRC: uint32(peerSSRC),
			Size: 12 + 4 + 8 + uint64(len(vp8Delta)), PayloadSize: uint64(len(vp8Delta)), MID: "0", RID: "hi",
		}},
	}, received)
	sent := c.Notifications[len(c.Notifications)-1].Body.(*api.ConsumerTraceNotification)
	require.Equal(t, &api.ConsumerTraceNotification{
		Type: api.ConsumerTraceEventTypeRTP, Timestamp: r.now.Milliseconds(), Direction: api.TraceDirectionOut,
		Info: &api.ConsumerRTPTraceInfo{RTPPacket: &api.RTPPacketDump{
			PayloadType: mappedPT, SequenceNumber: uint16(o.SequenceNumber), Timestamp: 3, Marker: true, SSRC: uint32(outSSRC),
			Size: uint64(o.Len), PayloadSize: uint64(len(vp8Delta)), MID: "7",
		}},
	}, sent)

	// A retransmission is marked as one.
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, o.SequenceNumber))
	require.Len(t, r.retransmissions(), 1)
	_, c = r.take()
	require.True(t, c.Notifications[0].Body.(*api.ConsumerTraceNotification).Info.(*api.ConsumerRTPTraceInfo).IsRTX)

	r.p.EnableTraceEvents(nil)
	r.c.EnableTraceEvents(nil)
	r.one(enginetest.Packet{Seq: 3, Payload: vp8Delta})
	p, c = r.take()
	require.Empty(t, p.Notifications)
	require.Empty(t, c.Notifications)
}

func TestTracesOfFeedbackToTheProducer(t *testing.T) {
	for _, tc := range []struct {
		feedback []api.RTCPFeedback
		want     []api.ProducerTraceEventType
	}{
		{[]api.RTCPFeedback{enginetest.NACK, enginetest.PLI, enginetest.FIR}, []api.ProducerTraceEventType{api.ProducerTraceEventTypePLI, api.ProducerTraceEventTypeNACK}},
		{[]api.RTCPFeedback{enginetest.FIR}, []api.ProducerTraceEventType{api.ProducerTraceEventTypeFIR}},
	} {
		req := produceRequest(enginetest.VP8)
		req.RTPParameters.Codecs[0].RTCPFeedback = tc.feedback
		r := newFixture(t, req, consumeRequest(enginetest.VP8))
		r.p.EnableTraceEvents([]api.ProducerTraceEventType{api.ProducerTraceEventTypePLI, api.ProducerTraceEventTypeFIR, api.ProducerTraceEventTypeNACK})
		r.none(enginetest.Packet{Seq: 1, Payload: vp8Delta})
		r.none(enginetest.Packet{Seq: 3, Payload: vp8Delta})
		r.after(80 * time.Millisecond)
		p, _ := r.take()
		require.Equal(t, tc.want, producerTraces(p.Notifications))
		for _, n := range p.Notifications {
			if b, ok := n.Body.(*api.ProducerTraceNotification); ok {
				require.Equal(t, api.TraceDirectionOut, b.Direction)
			}
		}
	}
}

func TestTracesOfRequestsOfTheReceiver(t *testing.T) {
	r := videoFixture(t)
	r.c.EnableTraceEvents([]api.ConsumerTraceEventType{api.ConsumerTraceEventTypePLI, api.ConsumerTraceEventTypeFIR, api.ConsumerTraceEventTypeNACK})
	r.c.HandleKeyFrameRequest(r.now, media.PLI, outSSRC)
	r.c.HandleKeyFrameRequest(r.now, media.FIR, outSSRC)
	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, 1))
	_, c := r.take()
	var bodies []api.NotificationBody
	for _, n := range c.Notifications {
		bodies = append(bodies, n.Body)
	}
	at := r.now.Milliseconds()
	require.Equal(t, []api.NotificationBody{
		&api.ConsumerTraceNotification{Type: api.ConsumerTraceEventTypePLI, Timestamp: at, Info: &api.ConsumerPLITraceInfo{SSRC: uint32(outSSRC)}},
		&api.ConsumerTraceNotification{Type: api.ConsumerTraceEventTypeFIR, Timestamp: at, Info: &api.ConsumerFIRTraceInfo{SSRC: uint32(outSSRC)}},
		&api.ConsumerTraceNotification{Type: api.ConsumerTraceEventTypeNACK, Timestamp: at},
	}, bodies)
	base := r.c.Stats(r.now).Stats[0].Data.(*api.RTPStreamSendStats).Base.Data.(*api.RTPStreamBaseStats)
	require.EqualValues(t, 1, base.PLICount)
	require.EqualValues(t, 1, base.FIRCount)
}
