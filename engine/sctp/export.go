package sctp

import (
	"cmp"
	"maps"
	"slices"

	"gazpacho/engine/unit"
)

// Export returns the association as a value that Restore takes. What Poll has not returned yet is not in it: drain first.
// The value shares memory with the association: encode it before anything else is done with that, and drop the association
// once another goes on in its place, without Close, which would tell the peer.
func (a *Association) Export(now unit.Time) *State {
	if a.phase == phaseClosed {
		return &State{Version: StateVersion, State: a.state, Counters: a.counters}
	}
	s := &State{
		Version: StateVersion, State: a.state, Counters: a.counters,
		Key: a.key, Tag: a.localTag, FirstTSN: uint32(a.localTSN),
		Peer:   StatePeer{a.peer.tag, a.peer.window, a.peer.out, a.peer.in, uint32(a.peer.tsn), uint8(a.peer.can)},
		Cookie: a.echo, ShuttingDown: a.phase == phaseShutdown,
	}
	if a.phase == phaseCookieWait || a.phase == phaseCookieEchoed {
		s.GiveUpIn = a.giveUpAt.Sub(now)
	}
	a.exportReceive(&s.Receive)
	a.exportSend(now, &s.Send)
	return s
}

func (a *Association) exportReceive(s *StateReceive) {
	g, r := &a.got, &a.reset
	s.Cumulative = uint32(g.cumulative)
	for from, end := g.cumulative+1, g.highest+1; ; {
		first := g.seen.next(from, end, true)
		if first == end {
			break
		}
		from = g.seen.next(first, end, false)
		s.Blocks = append(s.Blocks, StateBlock{uint16(first - g.cumulative), uint16(from - 1 - g.cumulative)})
	}
	for _, id := range slices.Sorted(maps.Keys(a.inbound.next)) {
		s.Next = append(s.Next, StateNext{id, a.inbound.next[id]})
	}
	a.inbound.export(s)
	s.ResetSeq, s.ResetResult, s.ResetDeferred = r.last, r.result, r.deferred
	s.ResetTSN, s.ResetStreams = uint32(r.lastTSN), r.streams
}

// export lists what waits, in an order that does not depend on that of maps.
func (in *inbound) export(s *StateReceive) {
	for key, queue := range in.waiting {
		for _, m := range *queue {
			w := StateInward{StreamID: key.id, Unordered: key.unordered, Seq: m.seq, PPID: m.ppid}
			if p := m.partial; p != nil {
				w.PPID, w.Count, w.Dropped = p.ppid, p.count, p.dropped
				for _, part := range p.parts {
					w.Parts = append(w.Parts, StatePart{part.fsn, part.n, part.data})
				}
				if p.dropped {
					w.Parts = []StatePart{{N: p.fragments}}
				}
				s.Partial = append(s.Partial, w)
				continue
			}
			w.Dropped, w.Parts = m.data == nil, []StatePart{{Data: m.data}}
			s.Waiting = append(s.Waiting, w)
		}
	}
	for _, r := range in.runs.byFirst {
		s.Partial = append(s.Partial, StateInward{
			StreamID: r.chunk.stream, Unordered: r.chunk.unordered(), Seq: r.chunk.seq, PPID: r.chunk.ppid,
			Dropped: r.dropped, Begin: r.begin, End: r.end,
			Parts: []StatePart{{uint32(r.first), uint32(r.last-r.first) + 1, r.data()}},
		})
	}
	byStream := func(a, b StateInward) int {
		if a.StreamID == b.StreamID && a.Unordered != b.Unordered {
			return map[bool]int{true: 1, false: -1}[a.Unordered]
		}
		return cmp.Or(cmp.Compare(a.StreamID, b.StreamID), int(int32(a.Seq-b.Seq)))
	}
	slices.SortFunc(s.Waiting, byStream)
	if in.interleaved {
		slices.SortFunc(s.Partial, byStream)
	} else {
		slices.SortFunc(s.Partial, func(a, b StateInward) int { return int(int32(a.Parts[0].First - b.Parts[0].First)) })
	}
}

func (a *Association) exportSend(now unit.Time, s *StateSend) {
	var inTurn, others []*outStream
	for st := a.queue.head; st != nil; st = st.nextTurn {
		if st.head != nil {
			inTurn = append(inTurn, st)
		}
	}
	for _, st := range a.queue.streams {
		if !st.inTurn || st.head == nil {
			others = append(others, st)
		}
	}
	slices.SortFunc(others, func(a, b *outStream) int { return cmp.Compare(a.id, b.id) })
	index := map[*outMessage]int{}
	a.exportChunks(now, s, index)
	for _, st := range append(inTurn, others...) {
		e := StateStream{ID: st.id, Ordered: st.ordered, Unordered: st.unordered, BufferedAmountLow: st.threshold}
		if last := uint32(st.lastTSN); st.used {
			e.LastTSN = &last
		}
		s.Streams = append(s.Streams, e)
		for m := st.head; m != nil; m = m.next {
			s.addMessage(now, m, index)
		}
	}
	s.PeerWindow = a.peerWindow
	r := &a.resets
	s.ResetSeq, s.ResetReady, s.ResetAsked = r.seq, ids(r.ready), ids(r.asked)
	if r.request != nil {
		request, _ := parseOutgoingReset(r.request[chunkHeaderLen+paramHeaderLen:])
		s.ResetTSN = uint32(request.lastTSN)
	}
	s.RoundTrip, s.Variation, s.ShortestRoundTrip = a.round.smoothed, a.round.variation, a.round.min()
	s.Window, s.Threshold = a.congestion.window, a.congestion.threshold
}

func (a *Association) exportChunks(now unit.Time, s *StateSend, index map[*outMessage]int) {
	o := &a.sent
	s.Cumulative = uint32(o.cumulative)
	for t := o.cumulative + 1; t != o.next; t++ {
		c := o.at(t)
		s.Chunks = append(s.Chunks, StateChunk{
			Message: s.addMessage(now, c.message, index), FSN: c.fsn, Flags: c.flags, State: uint8(c.state),
			Transmissions: c.transmissions, Age: min(now.Sub(c.sentAt), maxRTO), Data: c.payload,
		})
	}
}

// addMessage adds a message, unless it is there, and returns its index. One of which all was sent lives in its chunks.
func (s *StateSend) addMessage(now unit.Time, m *outMessage, index map[*outMessage]int) int {
	if i, have := index[m]; have {
		return i
	}
	e := StateOutward{
		StreamID: m.stream.id, PPID: m.ppid, Unordered: m.unordered, Reset: m.reset,
		Seq: m.seq, NextFSN: m.fsn, Limit: m.limit, Waited: m.waited,
	}
	if m.offset < len(m.data) {
		e.Data, e.Sent = m.data, m.offset
	}
	if m.expires != unit.Never {
		left := max(m.expires.Sub(now), -1)
		e.ExpiresIn = &left
	}
	index[m] = len(s.Messages)
	s.Messages = append(s.Messages, e)
	return index[m]
}

func ids(streams []*outStream) (ids []uint16) {
	for _, s := range streams {
		ids = append(ids, s.id)
	}
	return ids
}
