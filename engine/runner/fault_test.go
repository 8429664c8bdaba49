package runner_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/runner"
	"gazpacho/engine/transport"
)

// A fault in one consumer's transport, even one that happens again while it is taken out of service, does not reach the
// producer's nor the other consumers', and the transport can be closed.
func TestAFaultConcernsOneTransport(t *testing.T) {
	r := newFixture(t, 1)
	in := r.plain("in")
	first, faulty, last := r.plain("first"), r.plain("faulty"), r.plain("last")
	r.produce("in", "p")
	for _, id := range []string{"first", "faulty", "last"} {
		r.consume(id, "c-"+id, "p")
	}
	in.receive(keyFrame(1))
	require.Len(t, first.Take(), 1)
	require.Len(t, faulty.Take(), 1)
	require.Len(t, last.Take(), 1)

	faulty.Faulty = true
	in.receive(keyFrame(2))
	require.Len(t, first.Take(), 1)
	require.Len(t, last.Take(), 1)
	require.ErrorContains(t, r.refusal("faulty", api.MethodTransportDump, nil), "out of service")
	require.Len(t, r.notified("faulty", api.EventTransportOutOfService), 1)
	require.Empty(t, r.notified("first", api.EventTransportOutOfService))
	require.ErrorContains(t, r.refusal("c-faulty", api.MethodConsumerDump, nil), "out of service")
	require.Contains(t, r.logged(), "handling media")
	require.Contains(t, r.logged(), "while transport faulty is taken out of service: close")

	in.receive(keyFrame(3))
	require.Len(t, first.Take(), 1)
	require.Len(t, last.Take(), 1)
	r.Must("p", api.MethodProducerPause, nil)
	r.Must("in", api.MethodTransportDump, nil)
}

// Consumers on other shards that ask for key frames without end have one message under way, not one for each request.
func TestKeyFrameRequestsDoNotPileUp(t *testing.T) {
	r := newFixture(t, 2)
	in := r.plain("in")
	r.produce("in", "p")
	var outs []*socket
	for i := range 40 { // more than stay on one shard
		id := string(rune('A' + i))
		outs = append(outs, r.plain(id))
		r.consume(id, "c-"+id, "p")
	}
	in.receive(keyFrame(1))
	in.Take()
	flood := make([]rtcp.Packet, 500)
	for i := range flood {
		flood[i] = &rtcp.PictureLossIndication{MediaSSRC: 20}
	}
	for _, out := range outs {
		out.receive(enginetest.MarshalRTCP(flood...))
	}
	r.Must("p", api.MethodProducerDump, nil) // a turn of the producer's shard, which runs what was posted
	plis := enginetest.Find[*rtcp.PictureLossIndication](enginetest.RTCPOf(t, in.Take()))
	require.Len(t, plis, 1, "all wanted together are one request")
}

// While the producer's shard is busy, each further request for a key frame and each further report of loss costs no memory.
func TestFeedbackToABusyShardDoesNotAllocate(t *testing.T) {
	r := newFixture(t, 1)
	placement := r.runner.NewPlacement()
	actor := runner.NewTransportActor(placement.Choose(), transport.WorkerEnv{Emit: r.Emit})
	direct, err := transport.NewDirect(stillClock{}.Now(), "direct", &api.DirectTransportOptions{Base: &api.TransportOptions{}}, actor.Env())
	require.NoError(t, err)
	actor.Run(direct)
	feedback := runner.NewProducerFeedback(nil, actor)
	busy := r.runner.Shards()[0]
	now := busy.Enter()
	require.Zero(t, testing.AllocsPerRun(1000, func() { feedback.RequestKeyFrame(1010) }))
	lost := uint8(0)
	require.Zero(t, testing.AllocsPerRun(1000, func() { lost++; feedback.ReportFractionLost("c", 1010, lost) }))
	direct.Close()
	busy.Leave(now)
}

// Packets that an operation left in the shard's batch do not go to the peer of the transport that sends next: that transport is
// taken out of service, and the others go on with an empty batch.
func TestPacketsLeftInTheBatchGoNowhere(t *testing.T) {
	r := newFixture(t, 1)
	in := r.plain("in")
	first, second := r.plain("first"), r.plain("second")
	r.produce("in", "p")
	r.consume("first", "c-first", "p")
	r.consume("second", "c-second", "p")
	placement := r.runner.NewPlacement()
	batch := runner.NewTransportActor(placement.Choose(), transport.WorkerEnv{}).Env().Batch
	batch.Commit(copy(batch.Space(10), "for others"))
	in.receive(keyFrame(1))
	require.Empty(t, first.Take())
	require.Len(t, second.Take(), 1)
	require.Contains(t, r.logged(), "in transport first while handling media")
	require.ErrorContains(t, r.refusal("first", api.MethodTransportDump, nil), "out of service")
	r.Must("second", api.MethodTransportDump, nil)
}
