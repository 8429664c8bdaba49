package bwe

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/unit"
)

// From draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.
const (
	deltaTick     = 250 * time.Microsecond
	referenceTick = 64 * time.Millisecond
	referenceMask = 1<<24 - 1
	maxDelta      = 1<<15 - 1
	maxSmallDelta = 1<<8 - 1
	maxRunLength  = 1<<13 - 1
	oneBitSymbols = 14
	twoBitSymbols = 7
	feedbackFixed = 20 // bytes before the status chunks
)

// maxFeedback bounds a feedback packet in bytes, as in mediasoup: an Ethernet frame less room for IP and UDP headers,
// and for what SRTCP and a relay may add.
const maxFeedback = 1500 - 40 - 20 - 148

// feedbackBuilder builds one feedback packet. Times are multiples of deltaTick since the reference; they advance by the
// rounded differences, so that errors do not add up along the packet.
type feedbackBuilder struct {
	packet *rtcp.TransportLayerCC
	clock  unit.Time // what the receiver of the packet computes for the last arrival
	chunks chunkEncoder
	deltas int // bytes
	count  int // statuses
	lost   int
}

// buildFeedback reports arrivals from a.report on, as many as fit in a packet, and advances a.report.
func buildFeedback(a *arrivals) (packet *rtcp.TransportLayerCC, lost, count int) {
	b := feedbackBuilder{packet: &rtcp.TransportLayerCC{BaseSequenceNumber: uint16(a.report)}}
	for ; a.report < a.end; a.report++ {
		if !b.add(*a.slot(a.report)) {
			break
		}
	}
	a.fresh = max(a.fresh, a.report)
	b.finish()
	return b.packet, b.lost, b.count
}

// add appends a status and returns false when the packet cannot take it.
func (b *feedbackBuilder) add(arrived unit.Time) bool {
	if b.full() {
		return false
	}
	symbol := rtcp.TypeTCCPacketNotReceived
	if arrived != 0 {
		delta, ok := b.delta(arrived)
		if !ok {
			return false
		}
		symbol = rtcp.TypeTCCPacketReceivedLargeDelta
		if delta >= 0 && delta <= maxSmallDelta {
			symbol = rtcp.TypeTCCPacketReceivedSmallDelta
		}
		b.deltas += int(symbol) // a small one has one byte, a large one two
		b.packet.RecvDeltas = append(b.packet.RecvDeltas,
			&rtcp.RecvDelta{Type: symbol, Delta: delta * deltaTick.Microseconds()})
		b.clock = b.clock.Add(time.Duration(delta) * deltaTick)
	} else {
		b.lost++
	}
	b.chunks.add(symbol)
	b.count++
	return true
}

// delta returns the ticks since the last arrival. The first one sets the reference.
func (b *feedbackBuilder) delta(arrived unit.Time) (ticks int64, ok bool) {
	if len(b.packet.RecvDeltas) == 0 {
		reference := arrived / unit.Time(referenceTick)
		b.packet.ReferenceTime = uint32(reference & referenceMask)
		b.clock = reference * unit.Time(referenceTick)
	}
	ticks = int64(arrived.Sub(b.clock).Round(deltaTick) / deltaTick)
	return ticks, ticks <= maxDelta && ticks >= -maxDelta
}

// full reports whether another status might not fit: statuses that wait take at most two chunks with it, it has at most two
// bytes of delta, and there may be three bytes of padding.
func (b *feedbackBuilder) full() bool {
	return feedbackFixed+2*(len(b.chunks.done)+2)+b.deltas+2+3 > maxFeedback
}

func (b *feedbackBuilder) finish() {
	p := b.packet
	p.PacketChunks = b.chunks.finish()
	p.PacketStatusCount = uint16(b.count)
	size := p.MarshalSize()
	p.Header = rtcp.Header{
		Padding: (feedbackFixed+2*len(p.PacketChunks)+b.deltas)%4 != 0,
		Count:   rtcp.FormatTCC,
		Type:    rtcp.TypeTransportSpecificFeedback,
		Length:  uint16(size/4 - 1),
	}
}

// chunkEncoder packs statuses into chunks: a run where all are the same, fourteen in a chunk where none has a large
// delta, otherwise seven.
type chunkEncoder struct {
	done    []rtcp.PacketStatusChunk
	symbols [oneBitSymbols]uint16 // the first of n
	n       int                   // statuses not in done; more than fit in symbols only while they are all the same
	same    bool
	large   bool // one of them has a large delta
}

func (e *chunkEncoder) add(symbol uint16) {
	if !e.fits(symbol) {
		e.emit()
	}
	e.push(symbol)
}

func (e *chunkEncoder) push(symbol uint16) {
	e.same = e.n == 0 || e.same && symbol == e.symbols[0]
	e.large = e.n > 0 && e.large || symbol == rtcp.TypeTCCPacketReceivedLargeDelta
	if e.n < oneBitSymbols {
		e.symbols[e.n] = symbol
	}
	e.n++
}

// fits reports whether one chunk can still hold everything.
func (e *chunkEncoder) fits(symbol uint16) bool {
	switch {
	case e.n < twoBitSymbols:
		return true
	case e.same && symbol == e.symbols[0]:
		return e.n < maxRunLength
	case e.large || symbol == rtcp.TypeTCCPacketReceivedLargeDelta:
		return false
	default:
		return e.n < oneBitSymbols
	}
}

// emit moves statuses to a chunk; some may stay.
func (e *chunkEncoder) emit() {
	switch {
	case e.same:
		e.done = append(e.done, &rtcp.RunLengthChunk{PacketStatusSymbol: e.symbols[0], RunLength: uint16(e.n)})
		e.n = 0
	case e.n == oneBitSymbols:
		e.vector(rtcp.TypeTCCSymbolSizeOneBit, oneBitSymbols)
	default:
		e.vector(rtcp.TypeTCCSymbolSizeTwoBit, min(e.n, twoBitSymbols))
	}
}

// vector moves the first n statuses to a vector chunk.
func (e *chunkEncoder) vector(size uint16, n int) {
	e.done = append(e.done, &rtcp.StatusVectorChunk{
		Type: rtcp.TypeTCCStatusVectorChunk, SymbolSize: size, SymbolList: append([]uint16(nil), e.symbols[:n]...),
	})
	rest := e.symbols
	left := e.n - n
	e.n = 0
	for _, symbol := range rest[n : n+left] {
		e.push(symbol)
	}
}

// finish returns all chunks. The last one may be longer than what is left: the packet's status count says where it ends.
func (e *chunkEncoder) finish() []rtcp.PacketStatusChunk {
	for e.n > 0 {
		e.emit()
	}
	return e.done
}
