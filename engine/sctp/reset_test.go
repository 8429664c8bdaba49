package sctp_test

import (
	be "encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/sctp"
)

// results returns the answers to reset requests so far.
func (s *stranger) results() (results []uint32) {
	for _, p := range s.packets {
		eachChunk(p, func(typ byte, c []byte) {
			if typ == 130 && be.BigEndian.Uint16(c[4:]) == 16 {
				results = append(results, be.BigEndian.Uint32(c[12:]))
			}
		})
	}
	s.packets = nil
	return results
}

const (
	performed   = 1
	denied      = 2
	badSequence = 5
	inProgress  = 6
)

// A reset waits for the data before it (RFC 6525 section 5.2.2); the data behind it waits for the reset.
func TestDeferredReset(t *testing.T) {
	for name, retry := range map[string]uint32{"the same number": 0, "a new number": 1} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			s := w.stranger(sctp.Config{}, plainExtensions)
			first, seq := s.tsn, s.tsn
			s.chunks(rawReset(seq, first+1, 6, 5, 5))
			require.Equal(t, []uint32{inProgress}, s.results())
			s.chunks(rawData(3, first+2, 5, 0, "after"))
			s.chunks(rawData(3, first+1, 5, 1, "second"))
			s.chunks(rawData(3, first+2, 5, 0, "after"))
			require.Empty(t, s.take())
			require.EqualValues(t, 2, s.Counters().WindowExceeded)
			s.chunks(rawData(3, first, 5, 0, "first"))
			require.Equal(t, []string{"first", "second"}, texts(s.take()))
			require.Equal(t, []uint16{5, 6}, s.takeResets())
			s.chunks(rawData(3, first+2, 5, 0, "after"))
			require.Equal(t, []string{"after"}, texts(s.take()))
			s.packets = nil
			s.chunks(rawReset(seq+retry, first+1, 6, 5, 5))
			require.Equal(t, []uint32{performed}, s.results())
			require.Empty(t, s.takeResets())
			s.chunks(rawData(3, first+3, 5, 1, "goes on"))
			require.Equal(t, []string{"goes on"}, texts(s.take()), "nothing was reset twice")
		})
	}
}

func TestAnswersToRequests(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	seq := s.tsn
	s.chunks(rawReset(seq+1, s.tsn-1, 5))
	s.chunks(rawReset(seq-7, s.tsn-1, 5))
	require.Equal(t, []uint32{badSequence, badSequence}, s.results())
	require.Empty(t, s.takeResets())
	s.chunks(rawReset(seq, s.tsn-1, 5))
	s.chunks(rawReset(seq, s.tsn-1, 5))
	require.Equal(t, []uint32{performed, performed}, s.results())
	require.Equal(t, []uint16{5}, s.takeResets(), "once")
	for i, param := range []uint32{14, 15, 17, 18} { // requests that data channels do not use
		s.chunks(words(130, 0, param<<16|12, seq+1+uint32(i), 1))
		s.chunks(words(130, 0, param<<16|12, seq+1+uint32(i), 1))
		s.chunks(words(130, 0, param<<16|12, seq+9, 1))
	}
	require.Equal(t, []uint32{
		denied, denied, badSequence, denied, denied, badSequence, denied, denied, badSequence, denied, denied, badSequence,
	}, s.results())
	s.chunks(rawReset(seq+5, s.tsn-1, 7), rawReset(seq+6, s.tsn-1, 8)) // one in a packet
	require.Equal(t, []uint32{performed}, s.results())
	require.Equal(t, []uint16{7}, s.takeResets())
	response := []byte{0, 16, 0, 12, 9, 9, 9, 9, 0, 0, 0, 1}
	third := rawReset(seq+6, s.tsn-1, 8)[4:]
	s.chunks(append(append(append([]byte{130, 0, 0, 0}, response...), response...), third...)) // two parameters in a chunk
	require.Empty(t, s.results())
	require.Empty(t, s.takeResets())
}

// A request without streams means all (RFC 6525 section 4.1): those that were used.
func TestResetOfAllStreams(t *testing.T) {
	w := newWorld(t, 1)
	s := w.stranger(sctp.Config{}, plainExtensions)
	s.data(3, 7, 0, "x")
	s.data(3, 3, 0, "x")
	s.data(3, 4, 1, "waits for 0")
	s.chunks(rawReset(1000, s.tsn-1))
	require.Equal(t, []uint16{3, 4, 7}, s.takeResets())
	s.take()
	s.data(3, 7, 0, "anew")
	s.data(3, 4, 0, "anew")
	require.Equal(t, []string{"anew", "anew"}, texts(s.take()))
}

// Our own request is sent again until it is answered, and what the answer says is done.
func TestAnswersToOurRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		result uint32
		ssn    uint16
	}{
		"performed": {1, 0}, "nothing to do": {0, 0}, "denied": {2, 1}, "wrong SSN": {3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			s := w.stranger(sctp.Config{}, plainExtensions)
			s.mustSay(text(5, "before"), ordered)
			s.resetStreams(5)
			s.mustSay(text(5, "after"), ordered)
			require.Nil(t, s.find(130), "the data before is not acknowledged")
			tsn := be.BigEndian.Uint32(s.find(0)[16:])
			s.packets = nil
			s.chunks(words(3, 0, tsn, 1<<20, 0))
			request := s.find(130)
			require.NotNil(t, request)
			require.Equal(t, tsn, be.BigEndian.Uint32(request[28:]))
			seq := be.BigEndian.Uint32(request[20:])
			s.packets = nil
			w.Advance(10 * time.Second)
			require.InDelta(t, 11, len(s.packets), 3, "sent again")
			answer := func(seq, result uint32) { s.chunks(words(130, 0, 16<<16|12, seq, result)) }
			s.packets = nil
			answer(seq, 6) // in progress
			answer(seq+1, 1)
			answer(seq-1, 1)
			require.Empty(t, s.packets)
			answer(seq, tt.result)
			answer(seq, tt.result)
			require.Len(t, s.packets, 1)
			require.Equal(t, tt.ssn, be.BigEndian.Uint16(s.find(0)[22:]))
		})
	}
}
