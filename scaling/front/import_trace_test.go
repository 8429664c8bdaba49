package front_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

func tracing(types ...api.ProducerTraceEventType) *api.ProducerEnableTraceEventRequest {
	return &api.ProducerEnableTraceEventRequest{Events: types}
}

// traces returns what was traced of an import.
func (imp *imported) traces() (all []*api.ProducerTraceNotification) {
	for _, e := range imp.seen(imp.ID, api.EventProducerTrace) {
		all = append(all, e.Body.(*api.ProducerTraceNotification))
	}
	return all
}

// An import is traced where its packets first arrive, once each, with the SSRCs and payload types of the original. The original's
// application has nothing to do with it.
func TestTracesOfAnImport(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	pub := newPublisher(a.app, t, simulcast)
	imp := b.imports(simulcast, "p9")
	b.must(api.MethodProducerEnableTraceEvent, imp.ID, tracing(api.ProducerTraceEventTypeRTP, api.ProducerTraceEventTypePLI))
	var viewers []*viewing
	for i := range 2 {
		p, ssrc := imp.view(t, []string{"c100", "c101"}[i])
		viewers = append(viewers, &viewing{p, ssrc})
	}
	b.flows(viewers...)
	b.await("packets", func() bool { return len(imp.traces()) > 20 })
	numbers := map[[2]uint32]int{}
	for _, trace := range imp.traces() {
		switch info := trace.Info.(type) {
		case *api.ProducerRTPTraceInfo:
			require.Contains(t, pub.ssrcs, info.RTPPacket.SSRC)
			require.EqualValues(t, 111, info.RTPPacket.PayloadType)
			numbers[[2]uint32{info.RTPPacket.SSRC, uint32(info.RTPPacket.SequenceNumber)}]++
		case *api.ProducerPLITraceInfo:
			require.Equal(t, api.TraceDirectionOut, trace.Direction)
			require.Contains(t, pub.ssrcs, info.SSRC)
		default:
			require.Fail(t, "not wanted", "%T", info)
		}
	}
	for _, count := range numbers {
		require.Equal(t, 1, count, "each packet once, though it goes to two nodes")
	}
	dump := b.must(api.MethodProducerDump, imp.ID, nil).(*api.ProducerDumpResponse)
	require.Equal(t, []api.ProducerTraceEventType{api.ProducerTraceEventTypeRTP, api.ProducerTraceEventTypePLI}, dump.TraceEventTypes)
	require.Empty(t, a.must(api.MethodProducerDump, simulcast, nil).(*api.ProducerDumpResponse).TraceEventTypes)
	require.Empty(t, a.seen(simulcast, api.EventProducerTrace))

	// The node that has traced ends: another one does.
	b.kill(0)
	b.comesBack()
	b.lookAgain()
	before := len(imp.traces())
	b.flows(viewers[1])
	b.await("packets", func() bool { return len(imp.traces()) > before+5 })

	b.must(api.MethodProducerEnableTraceEvent, imp.ID, tracing(api.ProducerTraceEventTypeKeyFrame))
	b.must(api.MethodRouterDump, "r", nil)
	before = len(imp.traces())
	b.must(api.MethodConsumerRequestKeyFrame, "c101", nil)
	b.await("a key frame", func() bool { return len(imp.traces()) > before })
	for _, trace := range imp.traces()[before:] {
		require.True(t, trace.Info.(*api.ProducerKeyFrameTraceInfo).RTPPacket.IsKeyFrame)
	}
	b.must(api.MethodProducerEnableTraceEvent, imp.ID, tracing())
	require.Empty(t, b.must(api.MethodProducerDump, imp.ID, nil).(*api.ProducerDumpResponse).TraceEventTypes)
	b.refused("body", api.MethodProducerEnableTraceEvent, imp.ID, nil)
	imp.close()
	n.nothingLeft(a, b)
}

// What nodes tell of relays: only the one that traces is heard, and an SSRC that the publisher's RTP parameters do not have is that of
// the scores, as soon as there are any.
func TestTracesWithSSRCsThatNobodyHasAnnounced(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	a.transport("t0")
	request := produceRequest(simple, false)
	request.RTPParameters.MID = "0"
	for i, rid := range []string{"lo"} {
		request.RTPParameters.Encodings[i].SSRC, request.RTPParameters.Encodings[i].RID = nil, rid
		request.RTPMapping.Encodings[i].SSRC, request.RTPMapping.Encodings[i].RID = nil, rid
	}
	a.must(api.MethodTransportProduce, "t0", request)
	var mu sync.Mutex
	var onPipe []uint32
	for _, node := range b.nodes {
		node.refuseIf(func(req *api.Request) error {
			if body, ok := req.Body.(*api.TransportProduceRequest); ok {
				mu.Lock()
				defer mu.Unlock()
				onPipe = append(onPipe, *body.RTPParameters.Encodings[0].SSRC)
			}
			return nil
		})
	}
	imp := b.imports(simple, "p8")
	b.must(api.MethodProducerEnableTraceEvent, imp.ID, tracing(api.ProducerTraceEventTypeSR, api.ProducerTraceEventTypeFIR, api.ProducerTraceEventTypeNACK))
	imp.view(t, "c100") // on the first node
	require.Len(t, onPipe, 1)
	tell := func(node int, id string, event api.Event, body api.NotificationBody) {
		b.front().Tell(node, &api.Notification{HandlerID: id, Event: event, Body: body})
		b.front().Do(func() {})
	}
	trace := func(node int, info api.ProducerTraceInfo) {
		tell(node, imp.ID, api.EventProducerTrace, &api.ProducerTraceNotification{Info: info})
	}
	last := func() api.ProducerTraceInfo { return imp.traces()[len(imp.traces())-1].Info }
	trace(0, &api.ProducerFIRTraceInfo{SSRC: onPipe[0]})
	require.Equal(t, &api.ProducerFIRTraceInfo{SSRC: onPipe[0]}, last())
	scores := &api.ProducerScoreNotification{Scores: []api.ProducerScore{{EncodingIdx: 1, SSRC: 76}, {EncodingIdx: 0, SSRC: 77}}}
	for _, id := range b.front().Hidden() {
		tell(0, id, api.EventProducerScore, scores)
	}
	trace(0, &api.ProducerFIRTraceInfo{SSRC: onPipe[0]})
	require.Equal(t, &api.ProducerFIRTraceInfo{SSRC: 77}, last())
	trace(0, &api.ProducerSrTraceInfo{SSRC: onPipe[0], RTPTS: 5})
	require.Equal(t, &api.ProducerSrTraceInfo{SSRC: 77, RTPTS: 5}, last())
	trace(0, &api.ProducerPLITraceInfo{SSRC: 5})
	require.Equal(t, &api.ProducerPLITraceInfo{SSRC: 5}, last(), "of no encoding")
	trace(0, &api.ProducerRTPTraceInfo{})
	require.Equal(t, &api.ProducerRTPTraceInfo{}, last())
	trace(0, nil) // a NACK has no details
	require.Nil(t, last())
	heard := len(imp.traces())
	trace(1, &api.ProducerFIRTraceInfo{SSRC: onPipe[0]})
	tell(0, imp.ID, api.EventProducerTrace, nil)
	tell(0, imp.ID, api.EventProducerScore, scores)
	require.Len(t, imp.traces(), heard)
	require.False(t, slices.ContainsFunc(b.seen(imp.ID, api.EventProducerScore)[1:], func(api.Notification) bool { return true }),
		"scores are those of the home")
}
