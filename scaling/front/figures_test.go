package front_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

func TestFigures(t *testing.T) {
	r := newRoomOn(t, linked(3))
	r.must(api.MethodTransportProduceData, "t0", dataProducerRequest("dp"))
	r.must(api.MethodTransportConsumeData, "t1", dataConsumerRequest("dc", "dp"))
	f := r.front().Figures()
	require.Equal(t, front.NodeFigures{Present: 3}, f.Nodes)
	require.Equal(t, 1, f.Data)
	require.Equal(t, 1, f.DataRelays)
	require.Zero(t, f.Media)
	require.Zero(t, f.Requests)
	require.NotEmpty(t, f.Transports)

	r.worker.Close()
	require.Zero(t, r.front().Figures())
}
