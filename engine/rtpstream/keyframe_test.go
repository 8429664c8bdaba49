package rtpstream_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// requester drives a KeyFrameRequests on virtual time and notes when which SSRC was needed.
type requester struct {
	*rtpstream.KeyFrameRequests
	now unit.Time
	at  []time.Duration
}

func newRequester(delay time.Duration) *requester {
	return &requester{KeyFrameRequests: rtpstream.NewKeyFrameRequests(delay), now: start}
}

func (r *requester) note() {
	for range r.Needed() {
		r.at = append(r.at, r.now.Sub(start))
	}
}

func (r *requester) to(at time.Duration) *requester {
	for r.NextTimeout() <= start.Add(at) {
		r.now = r.NextTimeout()
		r.HandleTimeout(r.now)
		r.note()
	}
	r.now = start.Add(at)
	return r
}

func (r *requester) request() *requester { r.Request(r.now, 1); r.note(); return r }
func (r *requester) force() *requester   { r.Force(r.now, 1); r.note(); return r }
func (r *requester) receive() *requester { r.Received(r.now, 1); return r }

func TestKeyFrameRequests(t *testing.T) {
	const s, ms100 = time.Second, 100 * time.Millisecond
	for _, c := range []struct {
		name  string
		delay time.Duration
		run   func(r *requester)
		at    []time.Duration
	}{
		{"repeated once when none comes", 0, func(r *requester) { r.request() }, []time.Duration{0, s}},
		{"not repeated when it comes", 0, func(r *requester) { r.request().to(s / 2).receive() }, []time.Duration{0}},
		{"requests while one is pending count as one", 0, func(r *requester) {
			r.request().request().to(s / 2).request()
		}, []time.Duration{0, s}},
		{"a request after the repetition makes one more", 0, func(r *requester) {
			r.request().to(3 * s / 2).request()
		}, []time.Duration{0, s, 2 * s}},
		{"asked for again at once after it came", 0, func(r *requester) {
			r.request().to(s / 2).receive().request().receive()
		}, []time.Duration{0, s / 2}},
		{"forced while pending", 0, func(r *requester) { r.request().to(s / 2).force() }, []time.Duration{0, s / 2, 3 * s / 2}},
		{"a delay makes one of many", s / 2, func(r *requester) {
			r.request().receive().to(s / 10).request().to(s / 5).request().to(3 * s / 5).receive()
		}, []time.Duration{0, s / 2}},
		{"nothing held back, nothing sent", s / 2, func(r *requester) { r.request().receive() }, []time.Duration{0}},
		{"held back while still pending", s / 2, func(r *requester) { r.request().request() }, []time.Duration{0, s}},
		{"force does not wait and starts a new delay", s / 2, func(r *requester) {
			r.request().to(s / 4).request().force().receive()
		}, []time.Duration{0, s / 4}},
		{"a delay longer than the wait", 3 * s, func(r *requester) { r.request().to(s / 2).receive().request() }, []time.Duration{0, 3 * s, 4 * s}},
		{"a stream that is gone", s / 2, func(r *requester) { r.request().request(); r.Forget(1) }, []time.Duration{0}},
		{"repeated soon when the sender ignores it after a key frame", 0, func(r *requester) {
			r.request().to(ms100).receive().to(2 * ms100).request().to(5 * ms100).receive()
		}, []time.Duration{0, 2 * ms100, ms100 + 350*time.Millisecond}},
		{"and then as ever", 0, func(r *requester) {
			r.receive().to(ms100).request()
		}, []time.Duration{ms100, 350 * time.Millisecond, 1350 * time.Millisecond}},
		{"not repeated soon when it is answered", 0, func(r *requester) {
			r.receive().to(ms100).request().to(2 * ms100).receive()
		}, []time.Duration{ms100}},
		{"a request some time after a key frame", 0, func(r *requester) {
			r.receive().to(3 * ms100).request()
		}, []time.Duration{3 * ms100, 3*ms100 + s}},
		{"forced soon after a key frame", 0, func(r *requester) {
			r.receive().to(ms100).force().to(s / 2).receive()
		}, []time.Duration{ms100, 350 * time.Millisecond}},
		{"a stream that is gone and comes back", 0, func(r *requester) {
			r.receive().Forget(1)
			r.to(ms100).request()
		}, []time.Duration{ms100, ms100 + s}},
		{"received without a request", 0, func(r *requester) { r.receive() }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRequester(c.delay)
			c.run(r)
			r.to(time.Hour)
			require.Equal(t, c.at, r.at)
			require.Equal(t, unit.Never, r.NextTimeout())
		})
	}
}

func TestKeyFrameRequestsKeepStreamsApart(t *testing.T) {
	k := rtpstream.NewKeyFrameRequests(ms(300))
	k.Request(start, 1)
	k.Request(start, 2)
	k.Request(start, 1)
	require.Equal(t, []unit.SSRC{1, 2}, slices.Clone(k.Needed()))
	require.Empty(t, k.Needed(), "taken")
	k.Received(start, 1)
	require.Equal(t, start.Add(ms(300)), k.NextTimeout())
	k.HandleTimeout(start.Add(ms(300)))
	require.Equal(t, []unit.SSRC{1}, slices.Clone(k.Needed()), "2 was not asked for meanwhile")
	k.HandleTimeout(start.Add(time.Second))
	require.Equal(t, []unit.SSRC{2}, slices.Clone(k.Needed()))
}
