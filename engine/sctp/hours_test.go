package sctp_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/sctp"
	"gazpacho/engine/simnet"
)

// interleaves is the bit of I-DATA (RFC 8260) in StatePeer.Capabilities.
const interleaves = 1 << 2

// age gives the direction from one end to another, which are idle, the numbers that they have after weeks: everything that wraps is about to.
func age(from, to *end, stream uint16, ordered uint32, interleaved bool) {
	const numbers = math.MaxUint32 - 20
	out, in := copied(from.Export(from.w.Now())), copied(to.Export(to.w.Now()))
	out.Send.Cumulative, in.Receive.Cumulative = numbers, numbers
	out.Send.ResetSeq, in.Receive.ResetSeq = math.MaxUint32, math.MaxUint32-1
	for i := range out.Send.Streams {
		if s := &out.Send.Streams[i]; s.ID == stream {
			s.Ordered, s.Unordered = ordered, ordered
			s.LastTSN = new(uint32(numbers))
		}
	}
	in.Receive.Next = []sctp.StateNext{{StreamID: stream, Seq: ordered}}
	if !interleaved {
		out.Peer.Capabilities &^= interleaves
		in.Peer.Capabilities &^= interleaves
	}
	from.become(out)
	to.become(in)
}

// become replaces an end's association by one with another state.
func (e *end) become(s *sctp.State) {
	e.w.t.Helper()
	restored, err := sctp.Restore(e.w.Now(), e.cfg, s)
	require.NoError(e.w.t, err)
	e.Association = restored
}

// Messages of an association that has lived for weeks arrive in order, each once, while the numbers of chunks, of messages and of resets
// wrap; packets are lost, messages are given up, and streams are reset on the way.
func TestNumbersThatWrap(t *testing.T) {
	for _, interleaved := range []bool{false, true} {
		for seed := range uint64(10) {
			t.Run(fmt.Sprint("interleaved ", interleaved, ", ", seed), func(t *testing.T) {
				w := newWorld(t, seed)
				a, b := w.joined(sctp.Config{}, simnet.Conditions{Delay: 5 * time.Millisecond})
				a.mustSay(text(1, "the stream is used"), ordered)
				w.Advance(2 * time.Second)
				require.Len(t, b.take(), 1)
				last := uint32(math.MaxUint16)
				if interleaved {
					last = math.MaxUint32
				}
				age(a, b, 1, last-20, interleaved)
				w.wire(a, b, simnet.Conditions{Delay: 5 * time.Millisecond, Loss: 0.2})

				for part := range 4 { // as many resets, of which all but the first come after the wrap
					for i := range 30 {
						a.mustSay(text(1, "%d", i), ordered)
						if i%3 == 0 {
							a.mustSay(text(1, "perhaps"), sctp.SendOptions{MaxRetransmits: new(uint16(0))})
						}
						w.Advance(3 * time.Millisecond)
					}
					w.Advance(20 * time.Second)
					requireInOrder(t, b.take(), 30)
					a.resetStreams(1)
					w.Advance(20 * time.Second)
					require.Equal(t, []uint16{1}, b.takeResets(), part)
				}
			})
		}
	}
}

// requireInOrder requires the messages from 0 to n - 1, in order, among others that need not be there.
func requireInOrder(t *testing.T, messages []sctp.Message, n int) {
	t.Helper()
	next := 0
	for _, m := range texts(messages) {
		if m != "perhaps" {
			require.Equal(t, fmt.Sprint(next), m)
			next++
		}
	}
	require.Equal(t, n, next)
}
