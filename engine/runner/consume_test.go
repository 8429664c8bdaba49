package runner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
)

// The whole way of a packet, and the shortest example of a test of media: CONTRIBUTING.md shows it.
func TestAPacketReachesItsConsumer(t *testing.T) {
	r := newFixture(t, 2)
	in, out := r.plain("in"), r.plain("out")
	r.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	r.Consume("out", "c", "p", 20)

	in.receive(enginetest.KeyFrame(10, 1))
	r.settle()
	media := enginetest.RTPOf(t, out.Take())
	require.Len(t, media, 1)
	require.EqualValues(t, 20, media[0].SSRC)
	require.Equal(t, enginetest.VP8KeyFrame, media[0].Payload())

	r.Must("p", api.MethodProducerPause, nil)
	require.Len(t, r.About("c", api.EventConsumerProducerPause), 1)
}
