package medialab

import (
	"slices"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/unit"
)

// arrivals makes transport-wide feedback as libwebrtc does: about all that arrived since the last one, with what is missing between.
type arrivals struct {
	packets []arrival
	started bool
	newest  int64
	next    int64 // what the next feedback begins with
	count   uint8
}

type arrival struct {
	number int64
	at     unit.Time
}

func (a *arrivals) add(now unit.Time, seq unit.SeqNo) {
	if !a.started {
		a.started, a.newest, a.next = true, int64(seq), int64(seq)
	}
	number := a.newest + int64(seq.Sub(unit.SeqNo(a.newest)))
	a.newest = max(a.newest, number)
	a.packets = append(a.packets, arrival{number, now})
}

const (
	feedbackTick      = 250 * time.Microsecond
	feedbackReference = 64 * time.Millisecond
	vectorLen         = 7
)

// build returns the feedback, nil if nothing arrived.
func (a *arrivals) build(ssrc uint32) *rtcp.TransportLayerCC {
	if len(a.packets) == 0 {
		return nil
	}
	slices.SortFunc(a.packets, func(x, y arrival) int { return int(x.number - y.number) })
	base := min(a.next, a.packets[0].number)
	end := a.packets[len(a.packets)-1].number + 1
	f := &rtcp.TransportLayerCC{MediaSSRC: ssrc, BaseSequenceNumber: uint16(base), PacketStatusCount: uint16(end - base), FbPktCount: a.count}
	a.count++
	clock := a.packets[0].at / unit.Time(feedbackReference) * unit.Time(feedbackReference)
	f.ReferenceTime = uint32(int64(clock)/int64(feedbackReference)) & 0xffffff
	var symbols []uint16
	bytes := 0 // of deltas
	i := 0
	for n := base; n < end; n++ {
		if i == len(a.packets) || a.packets[i].number != n {
			symbols = append(symbols, rtcp.TypeTCCPacketNotReceived)
			continue
		}
		ticks := int64(a.packets[i].at.Sub(clock).Round(feedbackTick) / feedbackTick)
		clock = clock.Add(time.Duration(ticks) * feedbackTick)
		kind := rtcp.TypeTCCPacketReceivedSmallDelta
		if ticks < 0 || ticks > 255 {
			kind = rtcp.TypeTCCPacketReceivedLargeDelta
		}
		bytes += int(kind)
		symbols = append(symbols, kind)
		f.RecvDeltas = append(f.RecvDeltas, &rtcp.RecvDelta{Type: kind, Delta: ticks * feedbackTick.Microseconds()})
		for i++; i < len(a.packets) && a.packets[i].number == n; i++ { // arrived twice
		}
	}
	for chunk := range slices.Chunk(symbols, vectorLen) {
		list := make([]uint16, vectorLen)
		copy(list, chunk)
		f.PacketChunks = append(f.PacketChunks, &rtcp.StatusVectorChunk{
			Type: rtcp.TypeTCCStatusVectorChunk, SymbolSize: rtcp.TypeTCCSymbolSizeTwoBit, SymbolList: list,
		})
	}
	size := f.MarshalSize()
	f.Header = rtcp.Header{
		Padding: (20+2*len(f.PacketChunks)+bytes)%4 != 0, Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: uint16(size/4 - 1),
	}
	a.packets, a.next = a.packets[:0], end
	return f
}
