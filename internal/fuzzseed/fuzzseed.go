// Package fuzzseed gives fuzz targets breadth in ordinary test runs: besides its seeds, a target runs on inputs mutated from
// them by a generator with a fixed seed, so that each run of the tests sees the same inputs. For tests only.
package fuzzseed

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
)

// F is a fuzz target's testing.F whose corpus grows by mutated seeds. Add and Fuzz are called as testing.F's.
type F struct {
	*testing.F
	mutants int
	seeds   [][]any
}

// New returns an F that adds as many mutants to the corpus. They are named seed#N after the seeds themselves, so
// go test -run 'FuzzX/seed#N' runs a failing one again.
func New(f *testing.F, mutants int) *F { return &F{F: f, mutants: mutants} }

// Add adds a seed.
func (f *F) Add(args ...any) {
	f.F.Add(args...)
	f.seeds = append(f.seeds, args)
}

// Fuzz runs the target. Under -fuzz it gets the seeds alone: Go's fuzzer mutates them itself.
func (f *F) Fuzz(target any) {
	f.Helper()
	if flag.Lookup("test.fuzz").Value.String() == "" {
		for _, args := range Mutants(f.seeds, f.mutants) {
			f.F.Add(args...)
		}
	}
	f.F.Fuzz(target)
}

// Mutants returns n mutants of the seeds, the same ones each time. The arguments of a seed have the types that testing.F.Add
// takes.
func Mutants(seeds [][]any, n int) [][]any {
	m := mutator{rand.New(rand.NewPCG(1, 1))}
	all := make([][]any, n)
	for i := range all {
		args := slices.Clone(seeds[i%len(seeds)])
		other := seeds[m.IntN(len(seeds))]
		for range 1 + m.IntN(4) {
			at := m.IntN(len(args))
			args[at] = m.mutate(args[at], other[at])
		}
		all[i] = args
	}
	return all
}

type mutator struct{ *rand.Rand }

// mutate returns a value of v's type: v changed, or a part of other put into it. It changes neither.
func (m mutator) mutate(v, other any) any {
	switch v := v.(type) {
	case []byte:
		return m.bytes(v, other.([]byte))
	case string:
		return string(m.bytes([]byte(v), []byte(other.(string))))
	case bool:
		return !v
	case uint8:
		return uint8(m.number(uint64(v)))
	case uint16:
		return uint16(m.number(uint64(v)))
	case uint32:
		return uint32(m.number(uint64(v)))
	}
	panic("fuzzseed: add the type of this argument")
}

// extremes are numbers at which arithmetic goes wrong, cut to the width of their place.
var extremes = []uint64{0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff}

func (m mutator) number(v uint64) uint64 {
	switch m.IntN(3) {
	case 0:
		return extremes[m.IntN(len(extremes))]
	case 1:
		return v ^ 1<<m.IntN(32)
	default:
		return v + uint64(m.IntN(9)) - 4
	}
}

func (m mutator) bytes(b, other []byte) []byte {
	from, to := m.span(len(b))
	switch m.IntN(7) {
	case 0: // cut off the end
		return slices.Clone(b[:from])
	case 1: // take a part out
		return slices.Concat(b[:from], b[to:])
	case 2: // repeat a part
		return slices.Concat(b[:to], b[from:])
	case 3: // insert noise
		noise := make([]byte, 1+m.IntN(16))
		for i := range noise {
			noise[i] = byte(m.Uint32())
		}
		return slices.Concat(b[:from], noise, b[from:])
	case 4: // put a part of another seed in the place of a part
		x, y := m.span(len(other))
		return slices.Concat(b[:from], other[x:y], b[to:])
	}
	return m.field(slices.Clone(b))
}

// field changes a number in big or little endian order, one to four bytes wide: that is what lengths and types are.
func (m mutator) field(b []byte) []byte {
	width := min(1<<m.IntN(3), len(b))
	if width == 0 {
		return b
	}
	field := b[m.IntN(len(b)-width+1):][:width]
	little := m.IntN(2) == 0
	if little {
		slices.Reverse(field)
	}
	v := uint64(0)
	for _, x := range field {
		v = v<<8 | uint64(x)
	}
	v = m.number(v)
	for i := range field {
		field[len(field)-1-i] = byte(v >> (8 * i))
	}
	if little {
		slices.Reverse(field)
	}
	return b
}

// span returns a range of n bytes, mostly a short one.
func (m mutator) span(n int) (from, to int) {
	from = m.IntN(n + 1)
	longest := n - from
	if m.IntN(4) > 0 {
		longest = min(longest, 16)
	}
	return from, from + m.IntN(longest+1)
}
