package sctp

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// ErrState says that Restore was given what no Export of this version and configuration returns.
var ErrState = errors.New("not the state of an SCTP association")

// Restore makes an association that goes on where another one was exported. NextTimeout is at once then. It takes the state's
// memory over.
//
// The configuration must have the MTU and limits of the exported one, or larger. Nothing in a state, whoever made it, makes the
// association panic or grow beyond the size of the state; what makes no sense is ErrState.
func Restore(now unit.Time, cfg Config, s *State) (*Association, error) {
	a := New(cfg)
	if s.Version != StateVersion || s.State > api.SCTPStateClosed {
		return nil, ErrState
	}
	a.state, a.counters = s.State, s.Counters
	a.key, a.localTag, a.localTSN = s.Key, s.Tag, tsn(s.FirstTSN)
	p := s.Peer
	a.setPeer(&initChunk{
		tag: p.Tag, window: p.Window, out: p.Out, in: p.In, tsn: tsn(p.FirstTSN), can: capabilities(p.Capabilities),
	})
	ok := true
	switch s.State {
	case api.SCTPStateNew:
		ok = a.restoreQueue(now, &s.Send)
	case api.SCTPStateConnecting:
		ok = a.restoreQueue(now, &s.Send) && a.restoreHandshake(now, s)
	case api.SCTPStateConnected:
		ok = a.restoreTransfer(now, s)
	default:
		a.release()
	}
	if !ok {
		return nil, ErrState
	}
	return a, nil
}

// restoreHandshake has the last chunk of the handshake sent again.
func (a *Association) restoreHandshake(now unit.Time, s *State) bool {
	a.phase = phaseCookieWait
	if len(s.Cookie) > 0 {
		a.phase, a.echo = phaseCookieEchoed, s.Cookie
	}
	a.timerAt, a.giveUpAt = now, now.Add(clamp(s.GiveUpIn, 0, initTimeout))
	fits := headerLen+chunkHeaderLen+padded(len(a.echo)) <= int(a.cfg.MTU)
	return fits && a.localTag != 0 && (a.phase == phaseCookieWait || a.peer.tag != 0)
}

// restoreTransfer restores an association that is connected, and has it acknowledge what came, which tells the peer that
// it is there.
func (a *Association) restoreTransfer(now unit.Time, s *State) bool {
	a.phase = phaseEstablished
	if s.ShuttingDown {
		a.phase = phaseShutdown
	}
	a.startHeartbeat(now)
	a.out.Negotiated = a.negotiated()
	a.restorePath(now, &s.Send)
	if !a.restoreReceive(&s.Receive) || !a.restoreQueue(now, &s.Send) {
		return false
	}
	a.got.soon, a.got.sackAt = true, now
	a.mustForward = true
	a.loss.lastSent, a.loss.progressAt = now, now
	return a.localTag != 0 && a.peer.tag != 0
}

func clamp(d, least, most time.Duration) time.Duration { return max(least, min(d, most)) }

func (a *Association) restoreReceive(s *StateReceive) bool {
	g := &a.got
	g.init(tsn(s.Cumulative) + 1)
	last := uint16(0)
	for _, b := range s.Blocks {
		if b.First <= last || b.Last < b.First {
			return false
		}
		last = b.Last
		g.seen.reserve(g.cumulative+1, int(b.Last))
		for i := uint32(b.First); i <= uint32(b.Last); i++ {
			g.seen.add(g.cumulative + tsn(i))
		}
	}
	g.highest = g.cumulative + tsn(last)
	g.advance()

	a.inbound.interleaved = a.interleaved()
	for _, n := range s.Next {
		a.inbound.setNext(n.StreamID, n.Seq)
	}
	if len(a.inbound.next) != len(s.Next) || !a.inbound.restore(s, g.highest) ||
		a.inbound.cost() > int(a.cfg.MaxReceiverWindowBufferSize)+a.inbound.maxSize+messageCost {
		return false
	}
	slices.Sort(s.ResetStreams)
	a.reset = incomingReset{
		last: s.ResetSeq, result: s.ResetResult, deferred: s.ResetDeferred, lastTSN: tsn(s.ResetTSN),
		streams: slices.Compact(s.ResetStreams),
	}
	return true
}

// restore enters what waits. highest is the highest number that came.
func (in *inbound) restore(s *StateReceive, highest tsn) bool {
	for i := range s.Waiting {
		w := &s.Waiting[i]
		if len(w.Parts) != 1 || w.Unordered || int32(w.Seq-in.next[w.StreamID]) <= 0 {
			return false
		}
		m := &message{seq: w.Seq, ppid: w.PPID, data: w.Parts[0].Data}
		if w.Dropped {
			m.data = nil
		} else if len(m.data) == 0 || len(m.data) > in.maxSize {
			return false
		}
		in.wait(streamKey{id: w.StreamID}, m, len(m.data)+messageCost)
	}
	var before *run
	for i := range s.Partial {
		w := &s.Partial[i]
		for _, p := range w.Parts {
			if p.N == 0 || !w.Dropped && int(p.N) > len(p.Data) { // each has user data
				return false
			}
		}
		if in.interleaved {
			if !in.restorePart(w) {
				return false
			}
			continue
		}
		r := in.restoreRun(w)
		if r == nil || r.last.after(highest) || before != nil && !r.first.after(before.last) {
			return false
		}
		before = r
	}
	return true
}

// restorePart enters a message of I-DATA that is not complete.
func (in *inbound) restorePart(w *StateInward) bool {
	key := partialKey{streamKey{w.StreamID, w.Unordered}, w.Seq}
	if in.partials[key] != nil || !w.Unordered && int32(w.Seq-in.next[w.StreamID]) < 0 {
		return false
	}
	p := &partial{ppid: w.PPID, count: w.Count, dropped: w.Dropped}
	cost := messageCost
	for _, q := range w.Parts {
		p.fragments += q.N
		if !w.Dropped {
			p.parts = append(p.parts, part{fsn: q.First, n: q.N, data: q.Data})
			p.size += len(q.Data)
			cost += p.parts[len(p.parts)-1].cost()
		}
	}
	if p.complete() || p.size > in.maxSize {
		return false
	}
	if in.partials == nil {
		in.partials = map[partialKey]*message{}
	}
	m := &message{seq: w.Seq, partial: p}
	in.partials[key] = m
	in.wait(key.streamKey, m, cost)
	return true
}

// restoreRun enters a run of fragments of DATA; nil if it is none.
func (in *inbound) restoreRun(w *StateInward) *run {
	if len(w.Parts) != 1 || w.Begin && w.End {
		return nil
	}
	p := w.Parts[0]
	r := &run{
		chunk: dataChunk{stream: w.StreamID, seq: w.Seq, ppid: w.PPID},
		first: tsn(p.First), last: tsn(p.First + p.N - 1), begin: w.Begin, end: w.End, cost: messageCost, dropped: w.Dropped,
	}
	if w.Unordered {
		r.chunk.flags = flagUnordered
	}
	if r.push(p.Data); r.size > in.maxSize {
		return nil
	}
	in.runs.enter(r)
	return r
}

// restorePath restores what is known of the way to the peer.
func (a *Association) restorePath(now unit.Time, s *StateSend) {
	a.congestion.init(int(a.cfg.MTU))
	a.congestion.window = max(a.congestion.mtu, min(s.Window, maxWindow))
	a.congestion.threshold = max(minPackets*a.congestion.mtu, min(s.Threshold, maxWindow))
	a.peerWindow = max(0, min(s.PeerWindow, maxPeerWindow))
	a.round = roundTrip{
		smoothed: clamp(s.RoundTrip, 0, maxRTO), variation: clamp(s.Variation, 0, maxRTO),
		shortest: clamp(s.ShortestRoundTrip, 0, maxRTO), windowEnd: now.Add(minRTTWindow),
	}
}

// restoreQueue restores what waits to be sent and, if the association is connected, what is under way.
func (a *Association) restoreQueue(now unit.Time, s *StateSend) bool {
	for _, e := range s.Streams {
		st := a.outStream(e.ID)
		st.ordered, st.unordered, st.threshold = e.Ordered, e.Unordered, e.BufferedAmountLow
	}
	messages, ok := a.restoreMessages(now, s.Messages)
	if !ok {
		return false
	}
	if a.connected() {
		a.sent.init(tsn(s.Cumulative) + 1)
		if !a.restoreChunks(now, s.Chunks, messages) || !a.restoreResets(now, s) {
			return false
		}
	}
	for _, e := range s.Streams {
		st := a.outStream(e.ID)
		if e.LastTSN != nil {
			st.lastTSN, st.used = tsn(*e.LastTSN), true
		}
		a.queue.enroll(st)
	}
	return len(a.queue.streams) == len(s.Streams) // each once, and no message of another
}

// restoreMessages queues what waits, and makes the messages that chunks belong to.
func (a *Association) restoreMessages(now unit.Time, all []StateOutward) (messages []*outMessage, ok bool) {
	for i := range all {
		e := &all[i]
		st := a.outStream(e.StreamID)
		m := &outMessage{
			stream: st, data: e.Data, ppid: e.PPID, seq: e.Seq, fsn: e.NextFSN, offset: e.Sent, limit: e.Limit, waited: e.Waited,
			expires: unit.Never, unordered: e.Unordered, reset: e.Reset,
		}
		if e.ExpiresIn != nil {
			m.expires = now.Add(clamp(*e.ExpiresIn, -1, maxLifeTime))
		}
		messages = append(messages, m)
		rest := len(e.Data) - e.Sent
		switch {
		case len(e.Data) == 0 && e.Sent == 0 && !e.Reset: // it lives in its chunks
			continue
		case e.Reset && (len(e.Data) > 0 || e.Sent != 0), !e.Reset && rest <= 0:
			return nil, false
		case e.Sent < 0 || len(e.Data) > int(a.cfg.MaxSendMessageSize) || rest > math.MaxInt32-int(a.queue.bytes):
			return nil, false
		case e.Sent > 0 && st.head != nil:
			return nil, false // only the first one can be begun
		}
		st.push(m)
		st.buffered += uint32(rest)
		a.queue.bytes += uint32(rest)
	}
	return messages, true
}

// maxLifeTime is the longest maxPacketLifeTime.
const maxLifeTime = 65535 * time.Millisecond

// restoreChunks enters what is under way.
func (a *Association) restoreChunks(now unit.Time, chunks []StateChunk, messages []*outMessage) bool {
	if len(chunks) >= maxTSNs {
		return false
	}
	most := int(a.cfg.MTU)&^3 - headerLen - a.dataHeader()
	var inFlight []tsn
	for i := range chunks {
		e := &chunks[i]
		under := e.State == uint8(stateInFlight) || e.State == uint8(stateLost)
		if e.State > uint8(stateAbandoned) || e.Message < 0 || e.Message >= len(messages) ||
			under && (len(e.Data) == 0 || len(e.Data) > most || e.Transmissions == 0) {
			return false
		}
		m := messages[e.Message]
		if m.reset || len(m.data) > 0 && !m.begun() {
			return false // nothing of it was sent
		}
		t, c := a.sent.add()
		*c = sentChunk{
			message: m, fsn: e.FSN, flags: e.Flags, state: chunkState(e.State), transmissions: e.Transmissions,
			sentAt: now.Add(-clamp(e.Age, 0, maxRTO)),
		}
		a.enlist(m, t)
		if under {
			c.payload = e.Data
		}
		switch c.state {
		case stateInFlight:
			inFlight = append(inFlight, t)
		case stateLost:
			a.sent.push(&a.sent.lost, t)
		case stateAcked:
			a.sent.open.remove(t)
			a.sent.acked++
		case stateAbandoned:
			a.sent.abandoned++
		}
	}
	// The list of what is in flight has the order of the transmissions.
	slices.SortStableFunc(inFlight, func(t, u tsn) int { return cmp.Compare(a.sent.at(t).sentAt, a.sent.at(u).sentAt) })
	for _, t := range inFlight {
		c := a.sent.at(t)
		c.transmissions--
		a.launch(c.sentAt, t)
	}
	return true
}

// restoreResets has the request under way sent again.
func (a *Association) restoreResets(now unit.Time, s *StateSend) bool {
	r := &a.resets
	r.seq = s.ResetSeq
	for i, id := range slices.Concat(s.ResetAsked, s.ResetReady) {
		st := a.outStream(id)
		if st.resetting {
			return false
		}
		st.resetting = true
		if i < len(s.ResetAsked) {
			r.asked = append(r.asked, st)
		} else {
			r.ready = append(r.ready, st)
		}
	}
	if len(r.asked) > 0 {
		r.request, r.at = appendOutgoingReset(nil, r.seq, tsn(s.ResetTSN), s.ResetAsked), now
	}
	return len(r.asked) <= maxResetStreams
}
