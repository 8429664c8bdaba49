package media_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/packet"
)

// Packets far above an MTU do not wait for a key frame: they would hold memory that no ordinary packet takes.
func TestLongPacketsAreNotHeld(t *testing.T) {
	const header = 12
	for length, held := range map[int]bool{packet.SmallSize: true, packet.SmallSize + 1: false} {
		r := videoFixture(t)
		payload := make([]byte, length-header)
		copy(payload, vp8Delta)
		r.none(enginetest.Packet{Seq: 101, Payload: payload})
		_, outs := r.receive(enginetest.Packet{Seq: 100, Payload: vp8Key})
		if held {
			require.Len(t, outs, 2)
			continue
		}
		require.Len(t, outs, 1)
		require.EqualValues(t, 1, r.c.Drops().KeyFrame)
	}
}
