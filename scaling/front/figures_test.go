package front_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

func TestFigures(t *testing.T) {
	r := restartable(t, 3, func(o *front.Options) {
		for i := range o.Nodes {
			o.Nodes[i].Link = o.Nodes[i].Name + ":7000"
		}
	})
	for _, id := range []string{"t0", "t1", "t2"} {
		r.transport(id)
	}
	r.must(api.MethodTransportProduceData, "t0", dataProducerRequest("dp"))
	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc", "dp"))
	r.must(api.MethodTransportProduce, "t0", produceRequest(simulcast, false))
	r.must(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
	r.must(api.MethodTransportConsume, "t2", consumeRequest("c2", simulcast, false))
	f := r.front().Figures()
	require.Equal(t, front.NodeFigures{Present: 3}, f.Nodes)
	require.Equal(t, 1, f.Data)
	require.Equal(t, 1, f.DataRelays)
	require.Equal(t, 2, f.Media)
	require.Equal(t, 2, f.Relays)
	require.Zero(t, f.Requests)
	require.NotEmpty(t, f.Transports)

	r.kill(2)
	require.Equal(t, front.NodeFigures{Present: 2, Gone: 1}, r.front().Figures().Nodes)
	r.worker.Close()
	require.Zero(t, r.front().Figures())
}
