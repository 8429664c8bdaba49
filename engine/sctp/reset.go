package sctp

import (
	"encoding/binary"
	"slices"

	"gazpacho/engine/unit"
)

// maxResetStreams is how many streams one request resets, so that it fits into any packet. Chosen here.
const maxResetStreams = 256

// outgoingResets closes streams on which we send (RFC 6525 section 5.1.2), one request after the other.
//
// A request leaves only once the peer has acknowledged all that was sent on its streams. It can then perform it at once, which
// spares both ends what the RFC calls deferred reset processing.
type outgoingResets struct {
	ready   []*outStream // all before their reset was sent
	asked   []*outStream // that the request under way is about
	request []byte       // the request under way: a chunk
	seq     uint32       // of the next request, or the one under way
	at      unit.Time    // when the request is sent (again)
	expired uint         // times in a row
}

// ResetStreams closes outgoing streams (RFC 6525), each after what was queued on it has been sent. Afterwards an id may be
// used anew. It does nothing unless connected to a peer that supports it, as in mediasoup.
func (a *Association) ResetStreams(now unit.Time, ids ...uint16) {
	if a.phase != phaseEstablished || !a.peerCan(canReconfig) {
		return
	}
	for _, id := range ids {
		s := a.outStream(id)
		if s.tail != nil && s.tail.reset || s.resetting && s.head == nil {
			continue // nothing came after the last one
		}
		s.push(&outMessage{stream: s, reset: true, expires: unit.Never})
		a.queue.enroll(s)
	}
	a.flush(now)
}

// mayRequestReset begins a request if there is none under way and streams are ready, in the order in which they became so. It
// tells whether there is a new one, for the next packet.
func (a *Association) mayRequestReset(now unit.Time) bool {
	r := &a.resets
	if r.request != nil || a.phase != phaseEstablished {
		return false
	}
	var ids []uint16
	for len(r.ready) > 0 && len(ids) < maxResetStreams {
		s := r.ready[0]
		if s.used && s.lastTSN.after(a.sent.cumulative) {
			break
		}
		ids, r.asked = append(ids, s.id), append(r.asked, s)
		r.ready = r.ready[1:]
	}
	if len(ids) == 0 {
		return false
	}
	r.request = appendOutgoingReset(nil, r.seq, a.sent.cumulative, ids)
	r.at, r.expired = now, 0
	return true
}

// handleResetTimer sends the request again.
func (a *Association) handleResetTimer(now unit.Time) {
	if r := &a.resets; r.request != nil && r.at <= now {
		r.expired++
	}
}

// takeRequest returns the request if it is due, and sets the timer for the next time.
func (a *Association) takeRequest(now unit.Time) []byte {
	r := &a.resets
	if r.request == nil || r.at > now {
		return nil
	}
	rto := a.round.timeout()
	r.at = now.Add(min(rto<<min(r.expired, 8), max(rto, maxBackoff)))
	return r.request
}

// handleResponse takes the peer's answer to a request (RFC 6525 section 5.2.7).
func (a *Association) handleResponse(now unit.Time, value []byte) {
	r := &a.resets
	if len(value) < responseLen || r.request == nil || binary.BigEndian.Uint32(value) != r.seq {
		return
	}
	result := binary.BigEndian.Uint32(value[4:])
	if result == resultInProgress || result == resultAlreadyInProgress {
		r.at, r.expired = now.Add(a.round.timeout()), 0 // ask again
		return
	}
	asked := r.asked
	r.request, r.asked, r.at = nil, nil, unit.Never
	r.seq++
	for _, s := range asked {
		if result == resultPerformed || result == resultNothingToDo {
			s.ordered, s.unordered, s.used = 0, 0, false
		}
		s.resetting = false
		a.queue.enroll(s)
	}
	a.mayRequestReset(now)
}

// incomingReset resets streams on which the peer sends (RFC 6525 section 5.2.2). There is one request at a time, whatever the
// peer asks for.
type incomingReset struct {
	last   uint32 // the request answered last
	result uint32 // the answer

	// A request whose streams still have data under way is performed once that is here.
	deferred bool
	lastTSN  tsn
	streams  []uint16 // sorted; none: all
}

// holds tells whether a chunk is of a stream after its reset, while that is deferred.
func (r *incomingReset) holds(d *dataChunk) bool {
	if !r.deferred || !d.tsn.after(r.lastTSN) {
		return false
	}
	_, found := slices.BinarySearch(r.streams, d.stream)
	return found || len(r.streams) == 0
}

// is tells whether a request is the one that is, or was, deferred last.
func (r *incomingReset) is(request *outgoingReset, streams []uint16) bool {
	return r.lastTSN == request.lastTSN && slices.Equal(r.streams, streams)
}

// handleReconfig takes a RE-CONFIG: one request and one response at most (RFC 6525 section 3.1). Another one in the same packet
// is not looked at.
func (a *Association) handleReconfig(now unit.Time, p *packetState, c chunk) {
	if p.reconfigured || !a.peerCan(canReconfig) {
		a.counters.UnexpectedChunk++
		return
	}
	p.reconfigured = true
	n := 0
	for typ, value := range params(c.value) {
		if n++; n > 2 {
			break
		}
		switch typ {
		case paramOutgoingReset:
			if request, ok := parseOutgoingReset(value); ok {
				a.handleOutgoingReset(&request)
			} else {
				a.counters.Malformed++
			}
		case paramResponse:
			a.handleResponse(now, value)
		case paramIncomingReset, paramSSNTSNReset, paramAddOutgoing, paramAddIncoming:
			a.deny(value)
		}
	}
}

// deny refuses a request of a kind that data channels do not use.
func (a *Association) deny(value []byte) {
	if len(value) < requestLen {
		a.counters.Malformed++
		return
	}
	seq, result := binary.BigEndian.Uint32(value), uint32(resultDenied)
	switch seq - a.reset.last {
	case 0:
	case 1:
		a.reset.last, a.reset.result, a.reset.deferred = seq, resultDenied, false
	default:
		result = resultBadSequence
	}
	a.replies = appendResponse(a.replies, seq, result)
}

// handleOutgoingReset performs the peer's request, or defers it, and answers it.
func (a *Association) handleOutgoingReset(request *outgoingReset) {
	r := &a.reset
	switch ahead := request.seq - r.last; {
	case ahead > 1:
		a.replies = appendResponse(a.replies, request.seq, resultBadSequence)
		return
	case ahead == 0:
		a.replies = appendResponse(a.replies, request.seq, r.result)
		return
	}
	streams := make([]uint16, request.streams.len())
	for i := range streams {
		streams[i] = request.streams.at(i)
	}
	slices.Sort(streams)
	streams = slices.Compact(streams)
	// Some peers ask again with a new number after they were told to wait. What was performed meanwhile is not done twice.
	again := r.result == resultPerformed && r.streams != nil && r.is(request, streams)
	r.last = request.seq
	if !again {
		r.streams, r.lastTSN = streams, request.lastTSN
		r.deferred, r.result = true, resultInProgress
		a.finishIncomingReset()
		if r.result == resultPerformed {
			r.streams = nil // it was told at once
		}
	}
	a.replies = appendResponse(a.replies, request.seq, r.result)
}

// finishIncomingReset performs a deferred reset whose streams have come to their end.
func (a *Association) finishIncomingReset() {
	r := &a.reset
	if !r.deferred || r.lastTSN.after(a.got.cumulative) {
		return
	}
	r.deferred, r.result = false, resultPerformed
	streams := r.streams
	if len(streams) == 0 {
		streams = a.inbound.streams()
	}
	for _, id := range streams {
		a.inbound.reset(id)
		a.out.StreamsReset = append(a.out.StreamsReset, id)
	}
}
