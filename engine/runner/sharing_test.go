package runner_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/router"
	"gazpacho/engine/transport"
)

// A second worker on the same shards uses the same ids for other objects. Each gets its own notifications and media, and one
// ends while the other goes on.
func TestTwoWorkersShareTheShards(t *testing.T) {
	r := newFixture(t, 2)
	in := r.plain("in")
	r.produce("in", "p")
	out := r.plain("out")
	r.consume("out", "c", "p")

	first, firstRouter := r.reg, r.router
	var others []string
	r.reg = router.NewScope(r.runner, transport.WorkerEnv{
		Emit: func(n *api.Notification) { others = append(others, n.HandlerID) }, Log: slog.New(slog.DiscardHandler),
	}, nil)
	r.router = r.newRouter("r")
	otherIn := r.plain("in")
	r.produce("in", "p")
	otherOut := r.plain("out")
	r.consume("out", "c", "p")

	in.receive(keyFrame(1))
	r.settle()
	require.Len(t, out.Take(), 1)
	require.Empty(t, otherOut.Take())
	otherIn.receive(keyFrames(1, 2)...)
	r.settle()
	require.Empty(t, out.Take())
	require.Len(t, otherOut.Take(), 2)

	told := len(r.notified("c"))
	require.NotZero(t, told)
	others = nil
	r.Must("p", api.MethodProducerPause, nil)
	require.Equal(t, []string{"c"}, others)
	require.Len(t, r.notified("c"), told)

	r.router.Close()
	require.Empty(t, r.reg.IDs(false))
	r.reg, r.router = first, firstRouter
	in.receive(keyFrame(2))
	r.settle()
	require.Len(t, out.Take(), 1)
	r.Must("p", api.MethodProducerDump, nil)
	r.requireAllReleased()
}
