package sctp_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
)

const start = unit.Time(1_700_000_000 * time.Second)

// world is a network with two associations, or one and something else.
type world struct {
	t *testing.T
	*simnet.Network
	seeds *rand.Rand
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{t, simnet.New(seed, start), rand.New(rand.NewPCG(seed, 1))}
}

// end is an association with what came out of it so far.
type end struct {
	*sctp.Association
	w    *world
	out  sctp.Output
	send func(packet []byte)

	states   []api.SCTPState
	messages []sctp.Message
	at       []unit.Time // when each message came
	resets   []uint16
	low      []uint16
}

// chance is a reproducible source of random bytes.
type chance struct{ *rand.ChaCha8 }

func (w *world) end(cfg sctp.Config) *end {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(w.seeds.Uint32())
	}
	cfg.Random = chance{rand.NewChaCha8(seed)}
	e := &end{Association: sctp.New(cfg), w: w, send: func([]byte) {}}
	w.Attach(e, func(unit.Time) { e.drain() })
	return e
}

// drain takes all output.
func (e *end) drain() {
	for e.Poll(&e.out); !e.out.Empty(); e.Poll(&e.out) {
		e.states = append(e.states, e.out.States...)
		for _, p := range e.out.Packets {
			e.send(p)
		}
		e.messages = append(e.messages, e.out.Messages...)
		for range e.out.Messages {
			e.at = append(e.at, e.w.Now())
		}
		e.resets = append(e.resets, e.out.StreamsReset...)
		e.low = append(e.low, e.out.BufferedAmountLow...)
	}
}

// The verbs of an association, each with what follows from it.

func (e *end) handle(packet []byte) {
	e.HandlePacket(e.w.Now(), packet)
	e.drain()
}

func (e *end) connect() {
	e.MayConnect(e.w.Now())
	e.drain()
}

func (e *end) say(m sctp.Message, o sctp.SendOptions) error {
	err := e.Send(e.w.Now(), m, o)
	e.drain()
	return err
}

func (e *end) mustSay(m sctp.Message, o sctp.SendOptions) {
	e.w.t.Helper()
	require.NoError(e.w.t, e.say(m, o))
}

func (e *end) resetStreams(ids ...uint16) {
	e.ResetStreams(e.w.Now(), ids...)
	e.drain()
}

func (e *end) close() {
	e.Close()
	e.drain()
}

// take returns the messages so far and forgets them.
func (e *end) take() []sctp.Message {
	m := e.messages
	e.messages, e.at = nil, nil
	return m
}

func (e *end) takeResets() []uint16 {
	r := slices.Sorted(slices.Values(e.resets))
	e.resets = nil
	return r
}

// wire sends what one end sends over a link to the other.
func (w *world) wire(from, to *end, c simnet.Conditions) *simnet.Link {
	l := w.Link(c, func(_ unit.Time, b []byte) { to.handle(b) })
	from.send = l.Send
	return l
}

// pair makes two ends with the same conditions both ways.
func (w *world) pair(cfg sctp.Config, c simnet.Conditions) (a, b *end) {
	a, b = w.end(cfg), w.end(cfg)
	w.wire(a, b, c)
	w.wire(b, a, c)
	return a, b
}

// joined makes two ends that are connected over a perfect network, and gives it the conditions then.
func (w *world) joined(cfg sctp.Config, c simnet.Conditions) (a, b *end) {
	w.t.Helper()
	a, b = w.end(cfg), w.end(cfg)
	there, back := w.wire(a, b, simnet.Conditions{Delay: c.Delay}), w.wire(b, a, simnet.Conditions{Delay: c.Delay})
	w.join(a, b)
	there.SetConditions(c)
	back.SetConditions(c)
	return a, b
}

func (w *world) join(a, b *end) {
	w.t.Helper()
	a.connect()
	b.connect()
	w.Advance(2 * time.Second)
	require.Equal(w.t, []api.SCTPState{api.SCTPStateConnected, api.SCTPStateConnected}, []api.SCTPState{a.State(), b.State()})
}

// quiet is two connected ends on a perfect network.
func quiet(t *testing.T, cfg sctp.Config) (w *world, a, b *end) {
	t.Helper()
	w = newWorld(t, 1)
	a, b = w.joined(cfg, simnet.Conditions{Delay: time.Millisecond})
	return w, a, b
}
