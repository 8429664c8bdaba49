package rtpstream_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/rtpstream"
)

// op is one step of a rewriter's table test: Sync(in-1) first if sync; Drop(in) if drop; else Input(in) gives out, or is
// refused.
type op struct {
	in, out             uint16
	sync, drop, refused bool
}

func runOps(t *testing.T, bits uint8, initial uint16, ops []op) {
	t.Helper()
	s := rtpstream.NewSeqRewriter(bits, initial)
	mask := uint16(1<<bits - 1)
	for i, o := range ops {
		if o.sync {
			s.Sync(o.in - 1)
		}
		if o.drop {
			s.Drop(o.in)
			continue
		}
		out, ok := s.Input(o.in)
		require.Equal(t, !o.refused, ok, "step %d, in %d", i, o.in)
		if ok {
			require.Equal(t, (o.out+initial)&mask, out, "step %d, in %d", i, o.in)
		}
	}
}

func TestSeqRewriter(t *testing.T) {
	for _, c := range []struct {
		name string
		bits uint8
		ops  []op
	}{
		{"in order", 16, []op{{in: 0, out: 0}, {in: 1, out: 1}, {in: 2, out: 2}}},
		{"gaps by loss stay", 16, []op{{in: 0}, {in: 1, out: 1}, {in: 1000, out: 1000}, {in: 1001, out: 1001}}},
		{"wrap", 16, []op{{in: 65534, out: 65534}, {in: 65535, out: 65535}, {in: 0}, {in: 1, out: 1}}},
		{"late across the wrap", 16, []op{{in: 4, out: 4}, {in: 3, out: 3}, {in: 65535, out: 65535}}},
		{"sync continues the output", 16, []op{
			{in: 0},
			{in: 1, out: 1},
			{in: 2, out: 2},
			{in: 80, out: 3, sync: true},
			{in: 81, out: 4},
			{in: 79, refused: true},
		}},
		{"sync back and forth, lost after sync", 16, []op{
			{in: 11, out: 11},
			{in: 0, out: 12, sync: true},
			{in: 2, out: 14},
			{in: 1, out: 13},
			{in: 61, out: 15, sync: true},
			{in: 11, out: 16, sync: true},
			{in: 65533, out: 17, sync: true},
			{in: 65534, out: 18},
			{in: 0, out: 20},
			{in: 65535, out: 19},
		}},
		{"dropped, then late ones from before", 16, []op{
			{in: 0},
			{in: 2, drop: true},
			{in: 3, out: 2},
			{in: 4, out: 3},
			{in: 1, out: 1},
			{in: 2, refused: true},
		}},
		{"drop late, nothing forwarded since", 16, []op{
			{in: 0},
			{in: 5, drop: true},
			{in: 3, drop: true},
			{in: 4, drop: true},
			{in: 4, drop: true},
			{in: 6, out: 3},
			{in: 2, out: 2},
			{in: 4, refused: true},
		}},
		{"drop late, newer was forwarded", 16, []op{
			{in: 3, out: 3},
			{in: 7, out: 7},
			{in: 6, drop: true},
			{in: 8, out: 8},
			{in: 6, out: 6},
		}},
		{"drop is remembered between the forwarded", 16, []op{
			{in: 8, out: 8},
			{in: 9, drop: true},
			{in: 12, drop: true},
			{in: 11, out: 10},
			{in: 10, out: 9},
			{in: 13, out: 11},
		}},
		{"many dropped at the start", 16, []op{
			{in: 1, out: 1},
			{in: 2, drop: true},
			{in: 3, drop: true},
			{in: 4, drop: true},
			{in: 120, out: 117},
			{in: 121, out: 118},
		}},
		{"sync and drop at the wrap", 16, []op{
			{in: 65530, out: 1, sync: true},
			{in: 65531, out: 2},
			{in: 65533, drop: true},
			{in: 65534, drop: true},
			{in: 65535, out: 4},
			{in: 0, out: 5},
			{in: 65532, out: 3},
		}},
		{"picture ids have 15 bits", 15, []op{
			{in: 32765, out: 1, sync: true},
			{in: 32766, drop: true},
			{in: 32767, out: 2},
			{in: 0, out: 3},
		}},
		{"drops of the previous cycle are forgotten", 3, []op{
			{in: 1, out: 1},
			{in: 2, drop: true},
			{in: 3, out: 2},
			{in: 4, out: 3},
			{in: 5, out: 4},
			{in: 6, out: 5},
			{in: 7, out: 6},
			{in: 0, out: 7},
			{in: 1, out: 0},
			{in: 2, out: 1},
			{in: 3, out: 2},
		}},
		{"what a sync refused is let through half a cycle later", 16, []op{
			{in: 10, out: 1, sync: true},
			{in: 9, refused: true},
			{in: 32000, out: 31991},
			{in: 32780, out: 32771},
			{in: 9, out: 0},
		}},
		{"drops fall out of range", 16, []op{
			{in: 36964, out: 36964},
			{in: 65396, drop: true},
			{in: 25855, out: 25854},
		}},
		{"nothing dropped before the first counts", 16, []op{{in: 9, drop: true}, {in: 10, out: 10}}},
		{"after sync drops before it do not count", 16, []op{
			{in: 2, out: 2},
			{in: 80, out: 3, sync: true},
			{in: 85, drop: true},
			{in: 70, drop: true},
			{in: 86, out: 8},
		}},
		{"a sender that restarts far behind is let through", 16, []op{
			{in: 20000, out: 1, sync: true},
			{in: 100, out: 100 - 20000 + 65535 + 2},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, initial := range []uint16{0, 1000, 65000} {
				runOps(t, c.bits, initial, c.ops)
			}
		})
	}
}

func TestSeqRewriterExtremes(t *testing.T) {
	s := rtpstream.NewSeqRewriter(16, 100)
	s.Input(65534)
	s.Drop(65535)
	require.Equal(t, uint16(65535), s.MaxInput())
	require.Equal(t, uint16(98), s.MaxOutput())
	s.Input(0)
	require.Equal(t, uint16(0), s.MaxInput())
	require.Equal(t, uint16(99), s.MaxOutput())
	require.Panics(t, func() { rtpstream.NewSeqRewriter(2, 0) })
	require.Panics(t, func() { rtpstream.NewSeqRewriter(17, 0) })
}

// model remembers the fate of every number of an endless sequence: the output of one is how many before it went out or
// were lost.
type model struct {
	dropped      map[int]bool
	newest       int
	newestPassed int
	base         int // dropped numbers that were cleared
}

func (m *model) output(in int) int {
	out := in - m.base
	for d := range m.dropped {
		if d < in {
			out--
		}
	}
	return out
}

// TestSeqRewriterAgainstModel drives the rewriter with streams that lose, reorder and drop packets, over several wraps,
// and compares it with a model that uses plain integers.
func TestSeqRewriterAgainstModel(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			bits := []uint8{16, 15, 8}[seed%3]
			mask := 1<<bits - 1
			first := rng.IntN(mask)
			s := rtpstream.NewSeqRewriter(bits, 0)
			s.Input(uint16(first))
			m := &model{dropped: map[int]bool{}, newest: first, newestPassed: first}
			dropRate := rng.IntN(60)
			for range 6000 {
				in := m.newest + 1 + rng.IntN(3)*rng.IntN(2)
				if rng.IntN(10) == 0 {
					in = m.newest - rng.IntN(min(12, mask/8))
				}
				if in <= first {
					continue
				}
				if rng.IntN(100) < dropRate {
					s.Drop(uint16(in & mask))
					// A number counts as dropped when nothing newer was forwarded.
					if in > m.newestPassed && in >= 0 {
						m.dropped[in] = true
						m.newest = max(m.newest, in)
					}
					continue
				}
				out, ok := s.Input(uint16(in & mask))
				require.Equal(t, !m.dropped[in], ok, "in %d", in)
				if !ok {
					continue
				}
				if in > m.newest {
					m.newest, m.newestPassed = in, in
				}
				require.Equal(t, uint16(m.output(in)&mask), out, "in %d", in)
				for d := range m.dropped {
					if d < m.newest-64 {
						delete(m.dropped, d)
						m.base++
					}
				}
			}
		})
	}
}

func TestSeqRewriterForgetsTheOldestRuns(t *testing.T) {
	s := rtpstream.NewSeqRewriter(16, 0)
	s.Input(0)
	for i := uint16(1); i < 1000; i += 2 {
		s.Drop(i)
		out, ok := s.Input(i + 1)
		require.True(t, ok)
		require.Equal(t, (i+1)/2, out)
	}
	_, ok := s.Input(500)
	require.False(t, ok, "too old to know")
	out, ok := s.Input(900)
	require.True(t, ok, "among the remembered runs")
	require.Equal(t, uint16(450), out)
}

func TestSeqRewriterDoesNotAllocate(t *testing.T) {
	s := rtpstream.NewSeqRewriter(16, 0)
	seq := uint16(0)
	step := func() {
		seq++
		if seq%3 == 0 {
			s.Drop(seq)
			return
		}
		s.Input(seq)
	}
	for range 70000 {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(1000, step))
}
