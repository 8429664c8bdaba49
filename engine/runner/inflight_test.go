package runner_test

import (
	"fmt"
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// keyFrames returns n packets, the first with the given sequence number.
func keyFrames(first unit.SeqNo, n int) (list [][]byte) {
	for i := range n {
		list = append(list, keyFrame(first+unit.SeqNo(i)))
	}
	return list
}

// A fault in a consumer's transport on another shard than the producer's reaches no other transport on either.
func TestAFaultOnAnotherShardConcernsOneTransport(t *testing.T) {
	r := newFixture(t, 3)
	in := r.plainOn(0, "in")
	r.produce("in", "p")
	outs := map[string]*socket{}
	for id, shard := range map[string]int{"same": 0, "before": 1, "faulty": 1, "behind": 1, "other": 2} {
		outs[id] = r.plainOn(shard, id)
		r.consume(id, "c-"+id, "p")
	}
	in.receive(keyFrame(1))
	r.settle()
	for id, out := range outs {
		require.Len(t, out.Take(), 1, id)
	}
	outs["faulty"].Faulty = true
	for seq := range unit.SeqNo(3) {
		in.receive(keyFrame(2 + seq))
		r.settle()
		for id, out := range outs {
			if id != "faulty" {
				require.Len(t, out.Take(), 1, id)
			}
		}
	}
	require.ErrorContains(t, r.refusal("faulty", api.MethodTransportDump, nil), "out of service")
	require.Contains(t, r.logged(), "in transport faulty while handling media")
	logged := r.logged()

	r.Must("p", api.MethodProducerPause, nil)
	r.Must("p", api.MethodProducerResume, nil)
	r.CloseTransport("r", "faulty")
	r.CloseTransport("r", "in")
	for id := range outs {
		want := []notified{{id: "c-" + id, event: api.EventConsumerProducerPause}, {id: "c-" + id, event: api.EventConsumerProducerResume}, {id: "c-" + id, event: api.EventConsumerProducerClose}}
		if id == "faulty" {
			want = nil // it is broken
		}
		require.Equal(t, want, r.notified("c-"+id, api.EventConsumerProducerPause, api.EventConsumerProducerResume, api.EventConsumerProducerClose))
	}
	r.end()
	require.True(t, logged == r.logged(), "one fault, one message")
}

// A fault in the producer's transport, here because of a consumer's request, leaves its consumers in service. Each notifies once
// that the producer is gone, when the application closes the transport.
func TestAFaultOfTheProducersTransportLeavesItsConsumers(t *testing.T) {
	r := newFixture(t, 2)
	in := r.plainOn(0, "in")
	r.produce("in", "p")
	out := r.plainOn(1, "out")
	r.consume("out", "c", "p")
	in.receive(keyFrame(1))
	r.settle()
	require.Len(t, out.Take(), 1)
	in.Faulty = true
	pli := enginetest.MarshalRTCP(&rtcp.PictureLossIndication{MediaSSRC: consumedSSRC})
	out.receive(pli)
	r.settle()
	require.Contains(t, r.logged(), "in transport in while handling key frame request")
	logged := r.logged()
	for _, method := range []api.Method{api.MethodProducerDump, api.MethodProducerPause} {
		require.ErrorContains(t, r.refusal("p", method, nil), "out of service")
	}
	in.receive(keyFrame(2)) // its socket may still have something
	out.receive(pli)
	r.settle()
	for _, method := range []api.Method{api.MethodConsumerDump, api.MethodConsumerGetStats, api.MethodConsumerPause, api.MethodConsumerResume} {
		r.Must("c", method, nil)
	}
	r.plainOn(1, "out2")
	r.consume("out2", "late", "p") // it waits for a producer that will not come
	require.Empty(t, out.Take())
	r.CloseTransport("r", "in")
	for _, id := range []string{"c", "late"} {
		require.Len(t, r.notified(id, api.EventConsumerProducerClose), 1, id)
		require.Nil(t, r.reg.Find(id))
	}
	r.Must("out", api.MethodTransportDump, nil)
	r.end()
	require.True(t, logged == r.logged(), "one fault, one message")
}

// closings are the ways in which what a packetBatch leads to may end. Each begins with the consumers' transports, made before
// the producer's, with consumers on two shards.
var closings = map[string]func(r *fixture){
	"producer": func(r *fixture) {
		r.CloseProducer("in", "p")
	},
	"consumers": func(r *fixture) {
		for i := range 4 {
			id := fmt.Sprint("out", i)
			r.CloseConsumer(id, "c-"+id)
		}
	},
	"producer's transport": func(r *fixture) { r.CloseTransport("r", "in") },
	"consumers' transports": func(r *fixture) {
		for i := range 4 {
			r.CloseTransport("r", fmt.Sprint("out", i))
		}
	},
	"router": func(r *fixture) { r.router.Close() },
	"all":    func(r *fixture) { r.end() },
}

// fanOut makes a producer on one shard and four consumers, two of them on another one.
func fanOut(t *testing.T) (r *fixture, in *socket, outs []*socket) {
	r = newFixture(t, 2)
	for i := range 4 {
		outs = append(outs, r.plainOn(i%2, fmt.Sprint("out", i)))
	}
	in = r.plainOn(0, "in")
	r.produce("in", "p")
	for i := range 4 {
		r.consume(fmt.Sprint("out", i), fmt.Sprint("c-out", i), "p")
	}
	return r, in, outs
}

// Packets are under way to another shard when something closes: they arrive before that, and none is kept.
func TestWhatIsUnderWayWhenSomethingCloses(t *testing.T) {
	for name, end := range closings {
		t.Run(name, func(t *testing.T) {
			r, in, outs := fanOut(t)
			const batches, each = 50, 5
			busy := r.runner.Shards()[1]
			now := busy.Enter()
			for i := range batches {
				in.receive(keyFrames(unit.SeqNo(i*each), each)...)
			}
			require.Empty(t, outs[1].Take(), "they wait for the shard")
			closed := make(chan struct{})
			go func() { defer close(closed); end(r) }()
			busy.Leave(now)
			<-closed
			for _, out := range outs {
				require.Len(t, out.Take(), batches*each)
			}
			r.requireAllReleased()
		})
	}
}

// Packets come in the middle of a closing, for consumers some of which are gone already.
func TestWhatComesWhileSomethingCloses(t *testing.T) {
	for name, end := range closings {
		t.Run(name, func(t *testing.T) {
			r, in, outs := fanOut(t)
			seq := unit.SeqNo(0)
			more := func() {
				in.receive(keyFrames(seq, 3)...)
				seq += 3
			}
			more()
			r.OnEmit(func(n *api.Notification) {
				if n.Event == api.EventConsumerProducerClose && n.HandlerID != "c-out0" && n.HandlerID != "c-out2" {
					more() // from the other shard's turn, while the producer lives
				}
			})
			for _, i := range []int{1, 3} {
				outs[i].OnClose = more
			}
			end(r)
			require.NotEmpty(t, outs[0].Take())
			r.requireAllReleased()
		})
	}
}

// Packets come as fast as they can while consumers come and go on other shards.
func TestConsumersComeAndGoUnderLoad(t *testing.T) {
	r, in, outs := fanOut(t)
	stop := flood(in)
	for i := range 30 {
		for j := range outs { // until the other shard has none
			id := fmt.Sprint("out", j)
			r.CloseConsumer(id, "c-"+id)
		}
		if i%5 == 4 {
			r.CloseTransport("r", "out1")
			outs[1] = r.plainOn(1, "out1")
		}
		for j := range outs {
			id := fmt.Sprint("out", j)
			r.consume(id, "c-"+id, "p")
		}
	}
	seq := stop()
	r.settle()
	for _, out := range outs {
		out.Take()
	}
	in.receive(keyFrames(seq, 4)...)
	r.settle()
	for i, out := range outs {
		require.Len(t, out.Take(), 4, i)
	}
	r.requireAllReleased()
}

// A shard whose consumers are gone gets no media any more.
func TestAShardWithoutConsumersGetsNoMedia(t *testing.T) {
	r, in, _ := fanOut(t)
	closings["consumers"](r)
	r.Must("out0", api.MethodTransportDump, nil)
	idle := r.runner.Shards()[1]
	now := idle.Enter()
	for i := range shard.MaxDroppable + 10 {
		in.receive(keyFrame(unit.SeqNo(i)))
	}
	idle.Leave(now)
	require.Zero(t, idle.Dropped())
	r.requireAllReleased()
}

// What does not fit a busy shard's mailbox is lost for its consumers alone, and its packets are given back.
func TestMediaForABusyShardIsBounded(t *testing.T) {
	r, in, outs := fanOut(t)
	const excess = 10
	in.receive(keyFrame(0)) // the stream is known to all: what follows is media alone
	r.settle()
	busy := r.runner.Shards()[1]
	now := busy.Enter()
	for i := range shard.MaxDroppable + excess {
		in.receive(keyFrame(unit.SeqNo(1 + i)))
	}
	busy.Leave(now)
	r.settle()
	require.EqualValues(t, excess, busy.Dropped())
	for i, out := range outs {
		want := 1 + shard.MaxDroppable
		if i%2 == 0 {
			want += excess
		}
		require.Len(t, out.Take(), want, i)
	}
	r.requireAllReleased()
	require.Contains(t, r.logged(), `msg="messages dropped because a shard was too far behind" shard=1 messages=10`)
}
