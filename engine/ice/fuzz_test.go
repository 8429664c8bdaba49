package ice_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/ice"
	"gazpacho/engine/wire/stun"
	"gazpacho/internal/fuzzseed"
)

// FuzzHandleSTUN: no message causes a panic, and a message that is not authentic changes nothing but counters.
func FuzzHandleSTUN(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add(request(fragment, password, useCandidate))
	f.Add(request(fragment, "wrong", nomination(3)))
	f.Add(request(fragment, password, controlled))
	f.Add(build(stun.Request, 3))
	f.Add(build(stun.Request, stun.Binding, priority, fingerprint))
	f.Add(build(stun.Indication, stun.Binding, fingerprint))
	f.Add([]byte{0, 0x24, 0, 4, 1, 2, 3, 4, 0x80, 0x29, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bringTo(t, ice.Completed)
		r.sendsAny(b)
		r = bringTo(t, ice.Completed)
		r.sendsAny(authentic(b))
	})
}

// sendsAny delivers any message on a new tuple and compares the answer with the counters.
func (r *fixture) sendsAny(msg []byte) {
	before := r.Counters()
	given := string(msg)
	answer := r.sends(tuple(2), msg)
	require.Equal(r.t, given, string(msg), "the message is only read")
	after := r.Counters()
	accepted := after.Accepted - before.Accepted
	if accepted == 0 {
		r.wantNothing()
	}
	dropped := after.Malformed + after.Ignored
	require.Equal(r.t, answer == nil, dropped > 0)
	refused := after.BadRequests + after.Unauthorized + after.RoleConflicts
	require.Equal(r.t, uint64(1), accepted+dropped+refused)
}

// authentic builds a request of any attributes, with valid credentials and fingerprint, which a fuzzer cannot guess.
func authentic(attributes []byte) []byte {
	w := stun.Build(nil, stun.Request, stun.Binding, stun.TransactionID{})
	username(&w)
	// One attribute as long as all of them reserves the space; they then overwrite it, its header included.
	if n := len(attributes); n >= 4 {
		w.Bytes(stun.Attribute(binary.BigEndian.Uint16(attributes)), attributes[4:])
		msg := w.Message()
		copy(msg[len(msg)-(n+3)&^3:], attributes)
	}
	integrity(&w)
	fingerprint(&w)
	return w.Message()
}

// FuzzScript plays a script of good and bad events; the fixture checks the invariants after each. Two bytes are one event.
func FuzzScript(tf *testing.F) {
	f := fuzzseed.New(tf, 200)
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, 200)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		r := newFixture(t, 30*time.Second)
		for len(script) >= 2 {
			r.play(script[0], script[1])
			script = script[2:]
		}
		require.LessOrEqual(t, cap(r.Output().AddedTuples), 16, "the output does not grow")
		require.LessOrEqual(t, cap(r.Output().RemovedTuples), 16)
	})
}

func (r *fixture) play(event, x byte) {
	from := tuple(int(x % 12))
	switch event % 10 {
	case 0:
		r.checks(from)
	case 1:
		r.checks(from, useCandidate)
	case 2:
		r.checks(from, nomination(uint32(x>>4)))
	case 3:
		r.checks(from, useCandidate, oldNomination(uint32(x>>4)))
	case 4:
		r.RemoveTuple(r.now, from)
		r.drain()
	case 5:
		r.advance(time.Duration(x) * 200 * time.Millisecond)
	case 6:
		r.MayForceSelectedTuple(from)
		r.drain()
	case 8:
		r.Prove(from)
		r.drain()
		selected, active := r.Selected()
		require.Equal(r.t, active && r.IsValidTuple(from), r.Proven() && selected == from)
	case 9:
		r.GiveUpSelected(r.now)
		r.drain()
		_, active := r.Selected()
		require.Equal(r.t, active, r.Proven())
	case 7:
		fragment := fmt.Sprintf("fragment%d", r.Counters().Accepted)
		if !r.fragments[fragment] {
			r.restarts(fragment, "another password")
		}
	}
}
