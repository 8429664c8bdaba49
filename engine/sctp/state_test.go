package sctp_test

import (
	be "encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
	"gazpacho/internal/fuzzseed"
)

// move exports an end and has another association go on in its place, as in another process.
func (e *end) move() {
	e.w.t.Helper()
	e.drain()
	e.goOn(copied(e.Export(e.w.Now())))
}

// moveAsJSON is move with the state written out and read again, which takes more time than anything else in these tests.
func (e *end) moveAsJSON() {
	e.w.t.Helper()
	e.drain()
	b, err := json.Marshal(e.Export(e.w.Now()))
	require.NoError(e.w.t, err)
	var s sctp.State
	require.NoError(e.w.t, json.Unmarshal(b, &s))
	e.goOn(&s)
}

// goOn replaces an end's association by one with a state, which must be its own.
func (e *end) goOn(s *sctp.State) {
	e.w.t.Helper()
	again, err := sctp.Restore(e.w.Now(), e.cfg, s)
	require.NoError(e.w.t, err)
	require.Equal(e.w.t, e.State(), again.State())
	for id := range uint16(8) {
		require.Equal(e.w.t, e.BufferedAmount(id), again.BufferedAmount(id))
	}
	require.Equal(e.w.t, e.Export(e.w.Now()), again.Export(e.w.Now()))
	e.Association = again
}

// copied returns a deep copy of a state.
func copied(s *sctp.State) *sctp.State { return deepCopy(reflect.ValueOf(s)).Interface().(*sctp.State) }

func deepCopy(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		c.Set(reflect.New(v.Type().Elem()))
		c.Elem().Set(deepCopy(v.Elem()))
	case v.Kind() == reflect.Slice && !v.IsNil():
		c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		reflect.Copy(c, v)
		for i := 0; i < v.Len() && !isNumber(v.Type().Elem()); i++ {
			c.Index(i).Set(deepCopy(v.Index(i)))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			c.Field(i).Set(deepCopy(v.Field(i)))
		}
	}
	return c
}

func isNumber(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 }

// Conversations that go on in another process at any moment lose and repeat nothing, with losses, resets, and messages that are
// given up.
func TestMovedConversations(t *testing.T) {
	for seed := range uint32(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 2))
			ops := []byte{134}
			for i := range 60 {
				move := byte(160)
				if i%20 == 19 {
					move = 168 // as JSON
				}
				ops = append(ops, byte(r.IntN(160)), move|byte(r.IntN(2)))
			}
			converse(t, seed, ops)
		})
	}
}

// At any moment of the handshake and of the end, too.
func TestMovedWhileConnecting(t *testing.T) {
	for moment := range 60 {
		w := newWorld(t, uint64(moment))
		a, b := w.pair(sctp.Config{}, simnet.Conditions{Delay: 5 * time.Millisecond, Loss: 0.2})
		require.NoError(t, a.say(text(1, "early"), ordered))
		a.move()
		a.connect()
		w.Advance(time.Duration(moment) * time.Millisecond)
		a.move()
		b.move()
		require.NoError(t, b.say(text(2, "late"), ordered))
		w.Advance(20 * time.Second)
		require.Equal(t, []sctp.Message{text(1, "early")}, b.take())
		require.Equal(t, []sctp.Message{text(2, "late")}, a.take())
		out, in := a.NegotiatedStreams()
		require.Equal(t, [2]uint16{65535, 65535}, [2]uint16{out, in})
		a.close()
		w.Advance(time.Second)
		a.move()
		b.move()
		require.Equal(t, api.SCTPStateClosed, a.State())
	}
}

// What waits for the rest of it is moved, too large messages and a deferred reset included.
func TestMovedReassembly(t *testing.T) {
	for _, params := range [][]byte{plainExtensions, interleavedExtensions} {
		w := newWorld(t, 1)
		s := w.stranger(sctp.Config{MaxReceiveMessageSize: 2}, params)
		interleaved := string(params) == string(interleavedExtensions)
		part := func(flags byte, tsn uint32, stream uint16, mid, fsn uint32, data string) []byte {
			if !interleaved {
				return rawData(flags, tsn, stream, uint16(mid), data)
			}
			if flags&2 != 0 {
				fsn = 51
			}
			return append(words(64, flags, tsn, uint32(stream)<<16, mid, fsn), data...)
		}
		for _, c := range [][]byte{
			part(1, s.tsn+3, 1, 1, 2, "cc"), // the end of a message that is too large
			part(0, s.tsn+2, 1, 1, 1, "bb"),
			part(3, s.tsn+4, 1, 2, 0, "d"),
			part(5, s.tsn+6, 2, 0, 1, "h"), // the end of an unordered one
			rawReset(s.tsn, s.tsn+4, 1),    // waits for the next two
			part(2, s.tsn+1, 1, 1, 0, "a"),
			part(3, s.tsn, 1, 0, 0, "y"),
		} {
			s.chunks(c)
			s.move()
		}
		require.Equal(t, []string{"y", "d"}, texts(s.take()))
		require.Equal(t, []uint16{1}, s.takeResets())
		require.Equal(t, uint64(1), s.Counters().MessageTooLarge)
		s.chunks(part(6, s.tsn+5, 2, 0, 0, "g"))
		require.Equal(t, []string{"gh"}, texts(s.take()))
	}
}

// Moves cost nothing on a good network: what is sent once only arrives, and nothing is sent twice.
func TestMovedWithoutLoss(t *testing.T) {
	w, a, b := quiet(t, sctp.Config{})
	data := 0
	a.observed(func(_ unit.Time, p []byte) {
		eachChunk(p, func(typ byte, _ []byte) {
			if typ == 64 {
				data++
			}
		})
	})
	for i := range 200 {
		a.mustSay(text(uint16(i%2), "%d", i), sctp.SendOptions{Ordered: i%2 == 0, MaxRetransmits: ptr[uint16](0)})
		if i%2 == 0 {
			a.move()
		}
		if i%3 == 0 {
			b.move()
		}
		w.Advance(time.Duration(i%5) * time.Millisecond)
	}
	w.Advance(time.Second)
	require.Len(t, b.take(), 200)
	require.Equal(t, 200, data)
}

// What the peer's SHUTDOWN left to be done is done after a move.
func TestMovedWhileShuttingDown(t *testing.T) {
	s := newWorld(t, 1).stranger(sctp.Config{}, plainExtensions)
	s.mustSay(binary(1, 5000), ordered)
	s.chunks(words(7, 0, s.theirs-1))
	s.move()
	s.chunks(words(3, 0, s.theirs+4, 1<<20, 0))
	require.NotNil(t, s.find(8), "SHUTDOWN ACK")
	s.move()
	s.chunks(words(14, 0))
	require.Equal(t, api.SCTPStateClosed, s.State())
}

func TestRestoreRefusesNonsense(t *testing.T) {
	all := states(t)
	connecting, mixed, plain := all[0], all[4], all[13]
	part := func(tsn uint32, n uint32, data string) sctp.StateInward {
		return sctp.StateInward{StreamID: 900, Parts: []sctp.StatePart{{First: tsn, N: n, Data: []byte(data)}}}
	}
	for name, c := range map[string]struct {
		base   *sctp.State
		change func(s *sctp.State)
	}{
		"another version":         {mixed, func(s *sctp.State) { s.Version++ }},
		"no such state":           {mixed, func(s *sctp.State) { s.State = 5 }},
		"no peer":                 {mixed, func(s *sctp.State) { s.Peer.Tag = 0 }},
		"no tag":                  {connecting, func(s *sctp.State) { s.Tag = 0 }},
		"a cookie for no peer":    {connecting, func(s *sctp.State) { s.Cookie, s.Peer.Tag = []byte{1}, 0 }},
		"a cookie that is large":  {connecting, func(s *sctp.State) { s.Cookie, s.Peer.Tag = make([]byte, 1300), 1 }},
		"blocks that descend":     {mixed, func(s *sctp.State) { s.Receive.Blocks = []sctp.StateBlock{{9, 9}, {7, 8}} }},
		"a stream received twice": {mixed, func(s *sctp.State) { s.Receive.Next = []sctp.StateNext{{1, 1}, {1, 2}} }},
		"one that waits for nothing": {mixed, func(s *sctp.State) {
			s.Receive.Waiting = append(s.Receive.Waiting, part(0, 1, "x"))
		}},
		"one that waits and is empty": {mixed, func(s *sctp.State) {
			m := part(0, 1, "")
			m.Seq = 3
			s.Receive.Waiting = append(s.Receive.Waiting, m)
		}},
		"more fragments than bytes": {mixed, func(s *sctp.State) { s.Receive.Partial = append(s.Receive.Partial, part(0, 3, "x")) }},
		"a partial message twice": {mixed, func(s *sctp.State) {
			s.Receive.Partial = append(s.Receive.Partial, part(0, 1, "x"), part(0, 1, "x"))
		}},
		"a partial message that is complete": {mixed, func(s *sctp.State) {
			m := part(0, 1, "x")
			m.Count = 1
			s.Receive.Partial = append(s.Receive.Partial, m)
		}},
		"a run that is complete": {plain, func(s *sctp.State) {
			m := part(s.Receive.Cumulative, 1, "x")
			m.Begin, m.End = true, true
			s.Receive.Partial = []sctp.StateInward{m}
		}},
		"a run that is large": {plain, func(s *sctp.State) {
			s.Receive.Partial = []sctp.StateInward{part(s.Receive.Cumulative, 1, strings.Repeat("x", 300_000))}
		}},
		"a run of what did not come": {plain, func(s *sctp.State) {
			s.Receive.Partial = []sctp.StateInward{part(s.Receive.Cumulative+2000, 1, "x")}
		}},
		"runs that overlap": {plain, func(s *sctp.State) {
			m := part(s.Receive.Cumulative, 1, "x")
			s.Receive.Partial = []sctp.StateInward{m, m}
		}},
		"more than the window": {mixed, func(s *sctp.State) {
			for i := range uint16(30) {
				m := part(0, 1, strings.Repeat("x", 250_000))
				m.StreamID = 1000 + i
				s.Receive.Partial = append(s.Receive.Partial, m)
			}
		}},
		"a stream twice": {mixed, func(s *sctp.State) { s.Send.Streams = append(s.Send.Streams, s.Send.Streams[0]) }},
		"a message of no stream": {mixed, func(s *sctp.State) {
			s.Send.Messages = append(s.Send.Messages, sctp.StateOutward{StreamID: 999, Data: []byte("x")})
		}},
		"more sent than there is": {mixed, func(s *sctp.State) {
			s.Send.Messages = append(s.Send.Messages, sctp.StateOutward{StreamID: 1, Data: []byte("x"), Sent: 2})
		}},
		"less than nothing sent": {mixed, func(s *sctp.State) {
			s.Send.Messages = append(s.Send.Messages, sctp.StateOutward{StreamID: 1, Data: []byte("x"), Sent: -1})
		}},
		"a reset with data": {mixed, func(s *sctp.State) {
			s.Send.Messages = append(s.Send.Messages, sctp.StateOutward{StreamID: 1, Reset: true, Data: []byte("x")})
		}},
		"the second one begun": {mixed, func(s *sctp.State) {
			m := sctp.StateOutward{StreamID: 1, Data: []byte("xy"), Sent: 1}
			s.Send.Messages = append(s.Send.Messages, m, m)
		}},
		"too much under way":    {mixed, func(s *sctp.State) { s.Send.Chunks = make([]sctp.StateChunk, 1<<16) }},
		"a chunk of no message": {mixed, func(s *sctp.State) { s.Send.Chunks = []sctp.StateChunk{{Message: 1000, State: 2}} }},
		"a chunk without data":  {mixed, func(s *sctp.State) { s.Send.Chunks = []sctp.StateChunk{{Transmissions: 1}} }},
		"a chunk that is large": {mixed, func(s *sctp.State) { s.Send.Chunks = []sctp.StateChunk{{Transmissions: 1, Data: make([]byte, 1200)}} }},
		"a chunk never sent":    {mixed, func(s *sctp.State) { s.Send.Chunks = []sctp.StateChunk{{Data: []byte("x")}} }},
		"a chunk of one that was not begun": {mixed, func(s *sctp.State) {
			s.Send.Messages = append(s.Send.Messages, sctp.StateOutward{StreamID: 1, Data: []byte("x")})
			s.Send.Chunks = []sctp.StateChunk{{Message: len(s.Send.Messages) - 1, State: 2}}
		}},
		"a stream reset twice": {mixed, func(s *sctp.State) { s.Send.ResetReady = []uint16{1, 1} }},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sctp.Restore(start, sctp.Config{}, copied(c.base))
			require.NoError(t, err, "before the change")
			s := copied(c.base)
			c.change(s)
			_, err = sctp.Restore(start, sctp.Config{}, s)
			require.ErrorIs(t, err, sctp.ErrState)
		})
	}
}

// FuzzRestore changes what is in a state: it is refused, or the association works on without a panic, whatever it makes of it.
func FuzzRestore(tf *testing.F) {
	all := states(tf)
	f := fuzzseed.New(tf, 1000)
	for i := range all {
		f.Add(byte(i), []byte{}, []byte{3, 3, 0, 0})
		f.Add(byte(i), []byte{0, byte(i * 7), 9}, []byte{6, 0, 0, 4})
	}
	f.Fuzz(func(t *testing.T, base byte, edits, chunks []byte) {
		s := copied(all[int(base)%len(all)])
		for ; len(edits) >= 3; edits = edits[3:] {
			places := places(reflect.ValueOf(s).Elem())
			edit(places[int(be.BigEndian.Uint16(edits))%len(places)], edits[2])
		}
		w := newWorld(t, 1)
		e := w.end(sctp.Config{})
		a, err := sctp.Restore(w.Now(), e.cfg, s)
		if err != nil {
			require.ErrorIs(t, err, sctp.ErrState)
			return
		}
		e.Association = a
		_ = e.say(binary(1, 5000), ordered)
		_ = e.say(binary(2, 100), sctp.SendOptions{MaxRetransmits: ptr[uint16](0)})
		e.resetStreams(1, 2, 3)
		w.Advance(time.Second)
		e.handle(seal(append(raw(s.Tag), chunks...)))
		e.handle(raw(s.Tag, words(3, 0, s.Send.Cumulative+uint32(len(s.Send.Chunks)), 1<<20, 0)))
		w.Advance(time.Minute)
		e.close()
	})
}

// places returns all numbers, flags and lists of a value, but for the bytes of messages and keys.
func places(v reflect.Value) (all []reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			all = append(all, places(v.Field(i))...)
		}
	case reflect.Slice:
		all = append(all, v)
		for i := 0; i < v.Len() && v.Type().Elem().Kind() != reflect.Uint8; i++ {
			all = append(all, places(v.Index(i))...)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return places(v.Elem())
		}
	case reflect.Array:
	default:
		return []reflect.Value{v}
	}
	return all
}

// edit changes a number or flag, or doubles the elements of a list or takes some away.
func edit(v reflect.Value, how byte) {
	extremes := []int64{0, 1, -1, 0x7fff, 0xffff, 0x7fffffff, -0x80000000, math.MaxInt64, math.MinInt64}
	extreme := extremes[int(how)%len(extremes)]
	switch {
	case v.Kind() == reflect.Slice && how%2 == 0 && v.Len() < 1<<17:
		v.Set(reflect.AppendSlice(v, v))
	case v.Kind() == reflect.Slice:
		v.Set(v.Slice(0, v.Len()/2))
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.CanInt() && how < 128:
		v.SetInt(extreme)
	case v.CanInt():
		v.SetInt(v.Int() + int64(int8(how<<1)))
	case how < 128:
		v.SetUint(uint64(extreme))
	default:
		v.SetUint(v.Uint() + uint64(int8(how<<1)))
	}
}

// states returns states in the middle of conversations, which went through JSON.
func states(tb testing.TB) (all []*sctp.State) {
	for seed := range uint64(2) {
		w := &world{seeds: rand.New(rand.NewPCG(seed, 1)), Network: simnet.New(seed, start)}
		a, b := w.pair(sctp.Config{}, simnet.Conditions{Delay: 10 * time.Millisecond, Loss: 0.3})
		if seed == 1 {
			a.send, b.send = withoutInterleaving(a.send), withoutInterleaving(b.send)
		}
		a.connect()
		add := func(e *end) {
			text, err := json.Marshal(e.Export(w.Now()))
			require.NoError(tb, err)
			s := new(sctp.State)
			require.NoError(tb, json.Unmarshal(text, s))
			all = append(all, s)
		}
		add(a)
		w.Advance(5 * time.Second)
		for i := range 40 {
			_ = a.say(binary(uint16(i%3), 100+i%4*1500), sctp.SendOptions{Ordered: i%2 == 0, MaxRetransmits: ptr(uint16(i % 3))})
			_ = b.say(binary(1, 2000), ordered)
			a.resetStreams(2)
			w.Advance(7 * time.Millisecond)
			if i%10 == 9 {
				add(a)
				add(b)
			}
		}
	}
	return all
}
