package runner_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/shard"
	"gazpacho/engine/unit"
)

// A sender report in each batch, which changes the stream's state, does not take the batch past the bound of a busy shard. The
// state itself arrives, in one message.
func TestReportsInEachBatchForABusyShard(t *testing.T) {
	r, in, outs := fanOut(t)
	const excess = 20_480 - shard.MaxDroppable
	in.receive(enginetest.KeyFrame(10, 0))
	r.settle()
	busy := r.runner.Shards()[1]
	now := busy.Enter()
	for i := range shard.MaxDroppable + excess {
		report, err := (&rtcp.SenderReport{SSRC: 10, NTPTime: uint64(1+i) << 32, RTPTime: uint32(i) * 3000}).Marshal()
		require.NoError(t, err)
		in.receive(enginetest.KeyFrame(10, unit.SeqNo(1+i)), report)
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

	// Once it has caught up, updates travel with their packets again.
	report, err := (&rtcp.SenderReport{SSRC: 10, NTPTime: 1 << 50}).Marshal()
	require.NoError(t, err)
	in.receive(enginetest.KeyFrame(10, shard.MaxDroppable+excess+1), report)
	r.settle()
	require.Len(t, outs[1].Take(), 1)
	require.EqualValues(t, excess, busy.Dropped())
	r.requireAllReleased()
}

// A stream that begins while the shard is too far behind is known to the consumers there afterwards.
func TestAStreamThatBeginsForABusyShard(t *testing.T) {
	r, in, outs := fanOut(t)
	busy := r.runner.Shards()[1]
	now := busy.Enter()
	for range shard.MaxDroppable {
		require.True(t, busy.PostDroppable(nothing{}))
	}
	in.receive(enginetest.KeyFrame(10, 0))
	busy.Leave(now)
	r.settle()
	require.Empty(t, outs[1].Take())
	in.receive(enginetest.KeyFrame(10, 1))
	r.settle()
	require.Len(t, outs[1].Take(), 1)
	r.requireAllReleased()
}

// nothing is a message without effect.
type nothing struct{}

func (nothing) Run(unit.Time) {}
