package sctp_test

import (
	"bytes"
	be "encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/sctp"
	"gazpacho/engine/simnet"
	"gazpacho/internal/fuzzseed"
)

// FuzzStranger lets a connected peer send any chunks; a length of 0xffff is set right, and so are TSNs that begin with 0xff.
// Whatever comes, nothing panics, and the timers come to rest.
func FuzzStranger(tf *testing.F) {
	f := fuzzseed.New(tf, 600)
	f.Add([]byte{0, 3, 0, 17, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 51, 'x'}, false)
	f.Add(raw(0, rawReset(1000, 999, 5))[12:], false)
	f.Add(raw(0, rawReset(1000, 1002, 5), rawData(3, 0xff000002, 5, 0, "x"), rawData(3, 0xff000000, 5, 0, "x"))[12:], false)
	f.Add(raw(0, words(192, 0, 0xff000003, 1<<16|1), rawData(2, 0xff000001, 1, 2, "x"))[12:], false)
	f.Add(raw(0, words(194, 0, 0xff000003, 1<<16|1, 5), words(64, 2, 0xff000001, 1<<16, 5, 51, 7))[12:], true)
	f.Add(raw(0, words(3, 0, 0xff000001, 1000, 1<<16|1, 2<<16|2, 1))[12:], false)
	f.Add(raw(0, words(7, 0, 1), words(8, 0), words(14, 0))[12:], false)
	f.Add(raw(0, words(4, 0, 1<<16|8, 9), words(5, 0, 1<<16|8, 9), words(9, 0, 3<<16|8, 0))[12:], false)
	f.Add(initOf(5, 6, plainExtensions...)[12:], true)
	f.Fuzz(func(t *testing.T, chunks []byte, interleaved bool) {
		w := newWorld(t, 1)
		params := plainExtensions
		if interleaved {
			params = interleavedExtensions
		}
		s := w.stranger(sctp.Config{MaxReceiveMessageSize: 5000, MaxReceiverWindowBufferSize: 20000}, params)
		s.mustSay(binary(1, 5000), ordered)
		s.mustSay(binary(2, 5000), sctp.SendOptions{MaxRetransmits: ptr[uint16](0)})
		s.resetStreams(3)
		tsn := be.BigEndian.Uint32(s.packets[0][16:])
		for b := bytes.Clone(chunks); len(b) >= 8; {
			n := int(be.BigEndian.Uint16(b[2:]))
			if n < 8 || n > len(b) {
				break
			}
			if b[4] == 0xff {
				base := s.tsn
				if b[0] == 3 {
					base = tsn
				}
				be.BigEndian.PutUint32(b[4:], base+uint32(b[7]))
			}
			s.handle(raw(s.tag, bytes.Clone(b[:n])))
			if b[0] == 1 {
				s.handle(raw(0, bytes.Clone(b[:n])))
			}
			b = b[min((n+3)&^3, len(b)):]
			w.Advance(10 * time.Millisecond)
		}
		s.handle(seal(append(raw(s.tag), chunks...)))
		s.handle(chunks)
		w.Advance(time.Minute)
		s.close()
		w.Advance(time.Hour)
	})
}

// script is a conversation: each byte says what happens next.
type script struct {
	t       *testing.T
	w       *world
	ends    [2]*end
	links   [2]*simnet.Link
	sent    [2]map[uint16][]string // reliable ordered messages, by stream
	others  [2]int                 // unreliable messages
	counter int
}

func (s *script) step(op byte) {
	from := int(op & 1)
	stream := uint16(op >> 1 & 3)
	switch op >> 3 {
	case 0, 1, 2, 3, 4, 5: // a reliable message
		size := []int{1, 30, 1100, 3000, 20000, 70000}[op>>3]
		s.counter++
		m := sctp.Message{StreamID: stream, PPID: 53, Data: fmt.Appendf(bytes.Repeat([]byte{'r'}, size), "%d", s.counter)}
		if s.ends[from].say(m, ordered) == nil {
			s.sent[from][stream] = append(s.sent[from][stream], string(m.Data))
		}
	case 6, 7: // unreliable ones, on other streams
		for _, o := range []sctp.SendOptions{
			{MaxRetransmits: ptr[uint16](0)}, {MaxPacketLifeTime: ptr[uint16](20)}, {Ordered: true, MaxRetransmits: ptr[uint16](1)},
		} {
			_ = s.ends[from].say(binary(4+stream, 100+int(op>>3&1)*5000), o)
			s.others[from]++
		}
	case 8:
		s.ends[from].resetStreams(stream)
	case 9:
		s.ends[from].resetStreams(0, 1, 2, 3, 4, 5, 6, 7)
	case 10, 11, 12, 13, 14:
		s.w.Advance(time.Duration(1+4*stream*stream) * 10 * time.Millisecond)
	case 15:
		s.conditions(simnet.Conditions{Delay: time.Millisecond * time.Duration(1+10*stream)})
	case 16, 17, 18:
		s.conditions(simnet.Conditions{
			Delay: 10 * time.Millisecond, Loss: float64(stream) / 10, Reorder: 0.1, ReorderBy: 25 * time.Millisecond, Duplicate: 0.1,
		})
	case 19:
		s.conditions(simnet.Conditions{Loss: 1})
	case 20:
		s.ends[from].move()
	case 21:
		s.ends[from].moveAsJSON()
	default:
		s.w.Advance(time.Duration(op) * time.Millisecond)
	}
}

func (s *script) conditions(c simnet.Conditions) {
	for _, l := range s.links {
		l.SetConditions(c)
	}
}

// FuzzConversation lets two associations talk over any network, now and then from another process, with I-DATA or, if the seed
// is odd, with DATA: everything that is reliable arrives once, in order, and in the end nothing is under way.
func FuzzConversation(tf *testing.F) {
	f := fuzzseed.New(tf, 30)
	f.Add(uint32(1), []byte{0, 9, 16, 32, 40, 50, 64, 70, 80, 132, 8, 3, 41, 66, 90, 152, 1, 2, 3, 88, 120})
	f.Add(uint32(2), bytes.Repeat([]byte{134, 40, 41, 42, 43, 52, 61, 64, 66, 80}, 5))
	f.Add(uint32(3), bytes.Repeat([]byte{152, 48, 49, 56, 57, 86, 86, 120, 72, 73, 80}, 5))
	f.Add(uint32(4), bytes.Repeat([]byte{134, 40, 160, 41, 64, 80, 161, 48, 57, 160, 120, 72, 168}, 5))
	f.Fuzz(func(t *testing.T, seed uint32, ops []byte) { converse(t, seed, ops[:min(len(ops), 100)]) })
}

func converse(t *testing.T, seed uint32, ops []byte) {
	s := &script{t: t, w: newWorld(t, uint64(seed))}
	for i := range s.ends {
		s.ends[i] = s.w.end(sctp.Config{})
		s.sent[i] = map[uint16][]string{}
	}
	for i, e := range s.ends {
		s.links[i] = s.w.wire(e, s.ends[1-i], simnet.Conditions{})
		if seed%2 == 1 {
			e.send = withoutInterleaving(e.send)
		}
	}
	s.w.join(s.ends[0], s.ends[1])
	for _, op := range ops {
		s.step(op)
	}
	s.conditions(simnet.Conditions{Delay: 5 * time.Millisecond})
	s.w.Advance(time.Minute)
	for i, e := range s.ends {
		got, others := map[uint16][]string{}, 0
		for _, m := range s.ends[1-i].take() {
			if m.StreamID < 4 {
				got[m.StreamID] = append(got[m.StreamID], string(m.Data))
			} else {
				others++
			}
		}
		require.Equal(t, s.sent[i], got)
		require.LessOrEqual(t, others, s.others[i])
		for id := range uint16(8) {
			require.Zero(t, e.BufferedAmount(id))
		}
	}
	packets := 0
	for _, e := range s.ends {
		e.send = func([]byte) { packets++ }
	}
	s.w.Advance(10 * time.Second)
	require.LessOrEqual(t, packets, 2, "nothing but heartbeats")
}

// withoutInterleaving makes packets those of an end that does not know RFC 8260.
func withoutInterleaving(send func([]byte)) func([]byte) {
	return func(p []byte) {
		if at := bytes.Index(p, []byte{0x80, 0x08, 0, 8}); at > 0 && (p[12] == 1 || p[12] == 2) {
			copy(p[at+6:], []byte{192, 192}) // instead of I-DATA and I-FORWARD-TSN
			seal(p)
		}
		send(p)
	}
}
