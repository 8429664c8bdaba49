package ice_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/ice"
	"gazpacho/engine/unit"
)

// 10,000 requests with bad integrity in one second, from as many addresses, between the checks of the real peer.
func TestFloodOfBadIntegrity(t *testing.T) {
	r := bringTo(t, ice.Completed)
	bad, bare := request(fragment, "guess"), build(0, 0x55)
	for n := range 10_000 {
		r.now = r.now.Add(100 * time.Microsecond)
		r.wantRefused(401, r.sends(tuple(100+n), bad))
		r.wantNothing()
		if n%10 == 0 {
			r.wantRefused(400, r.sends(tuple(100+n), bare))
		}
	}
	require.Equal(t, []ice.Tuple{tuple(1)}, r.Tuples())
	require.Equal(t, start.Add(30*time.Second), r.NextTimeout(), "strangers do not refresh consent")
	require.Equal(t, ice.Counters{Accepted: 1, Unauthorized: 10_000, BadRequests: 1000}, r.Counters())
	r.checks(tuple(1))
	r.wantNothing()
}

// A peer sends good checks from a thousand addresses: the selected tuple stays, and the limit holds.
func TestFloodOfGoodRequests(t *testing.T) {
	r := bringTo(t, ice.Completed)
	for n := 2; n < 1000; n++ {
		r.checks(tuple(n))
		r.wantSelected(tuple(1))
	}
	require.Equal(t, append(tuplesFromTo(999, 993), tuple(1)), r.Tuples())
}

// Answers to forged addresses must not amplify: on the wire, none is more than twice as long as its request.
func TestAnswersDoNotAmplify(t *testing.T) {
	const headers = 28 // IPv4 and UDP
	r := newFixture(t, 0)
	for _, msg := range [][]byte{
		build(0, 0x55), build(0, 1), build(0, 1, fingerprint), build(0, 1, priority, fingerprint),
		request("a", "b"), request(fragment, "wrong"),
	} {
		response := r.HandleSTUN(r.now, tuple(1), msg, nil)
		require.LessOrEqual(t, len(response)+headers, 2*(len(msg)+headers))
	}
}

func TestNoAllocations(t *testing.T) {
	s := ice.New(fragment, password, 30*time.Second)
	now, dst := start, make([]byte, 0, 1500)
	for name, msg := range map[string][]byte{
		"valid":          request(fragment, password, useCandidate),
		"bad integrity":  request(fragment, "wrong"),
		"wrong fragment": request("wrongfragment", password),
		"conflict":       request(fragment, password, controlled),
		"malformed":      request(fragment, password)[:40],
		"bad":            build(0, 0x55),
	} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			now = now.Add(time.Millisecond)
			s.HandleSTUN(now, tuple(1), msg, dst)
			s.Output().Reset()
			s.IsValidTuple(tuple(2))
		}), name)
	}
	// Nor does a peer allocate that changes its address with each request.
	n, msg := 0, request(fragment, password, useCandidate)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		n++
		s.HandleSTUN(now, tuple(n%1000), msg, dst)
		s.Output().Reset()
	}))
}

func benchmark(b *testing.B, msg []byte) {
	s := ice.New(fragment, password, 30*time.Second)
	from, now, dst := tuple(1), unit.Time(start), make([]byte, 0, 1500)
	b.ReportAllocs()
	for b.Loop() {
		s.HandleSTUN(now, from, msg, dst)
		s.Output().Reset()
	}
}

func BenchmarkValidRequest(b *testing.B)  { benchmark(b, request(fragment, password, useCandidate)) }
func BenchmarkBadIntegrity(b *testing.B)  { benchmark(b, request(fragment, "wrong")) }
func BenchmarkWrongFragment(b *testing.B) { benchmark(b, request("wrongfragment", password)) }

func BenchmarkIsValidTuple(b *testing.B) {
	s := ice.New(fragment, password, 30*time.Second)
	msg := request(fragment, password)
	for n := range ice.MaxTuples {
		s.HandleSTUN(start, tuple(n), msg, nil)
	}
	for name, n := range map[string]int{"Selected": 0, "Other": 5, "Stranger": 99} {
		b.Run(name, func(b *testing.B) {
			from := tuple(n)
			for b.Loop() {
				s.IsValidTuple(from)
			}
		})
	}
}

// BenchmarkMemory measures the memory of a Server that has answered one check.
func BenchmarkMemory(b *testing.B) {
	msg, dst := request(fragment, password), make([]byte, 0, 1500)
	b.ReportAllocs()
	for b.Loop() {
		s := ice.New(fragment, password, 30*time.Second)
		s.HandleSTUN(start, tuple(1), msg, dst)
	}
}
