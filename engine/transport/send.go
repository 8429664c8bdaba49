package transport

import (
	"fmt"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/media"
	"gazpacho/engine/netio"
	"gazpacho/engine/srtp"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
)

// sealOverhead is the room in bytes behind a packet for what SRTP appends: the longest authentication tag, 16 bytes of GCM
// (RFC 7714 section 13), with a margin. Chosen here.
const sealOverhead = 32

// maxRTPLen is the longest RTP packet that is taken from a peer or the application, in bytes: what any consumer makes of it fits into
// one datagram. Longer ones are dropped where they arrive.
const maxRTPLen = netio.MaxPacketLen - media.MaxHeaderGrowth - sealOverhead

// Intervals of RTCP reports, mediasoup's values: the first reports come half an interval after connecting, the others after one to
// one and a half times the interval (RFC 3550 section 6.2 asks for such a variation).
const (
	reportInterval   = wirertcp.MaxVideoInterval
	firstReportDelay = reportInterval / 2
)

// space returns room in the batch for what a consumer makes of a packet of n bytes, at most maxRTPLen. It sends the batch if that is
// full.
func (t *Transport) space(n int) []byte {
	need := n + media.MaxHeaderGrowth + sealOverhead
	if b := t.env.Batch.Space(need); b != nil {
		return b
	}
	t.backend.flush()
	b := t.env.Batch.Space(need)
	if b == nil {
		panic("transport: an empty batch has no room for one packet")
	}
	return b
}

// commit adds the first n bytes of the batch's space as a packet, which counts as sent. It drops and counts one that no datagram
// can carry.
func (t *Transport) commit(now unit.Time, n int) {
	if !t.env.Batch.Commit(n) {
		t.drops.TooLarge++
		return
	}
	t.sent(now, n)
}

// put adds a packet that needs no SRTP to the batch, which is empty.
func (t *Transport) put(now unit.Time, packet []byte) {
	t.commit(now, copy(t.env.Batch.Space(len(packet)), packet))
}

// putRTCP adds a compound packet to the batch, which is empty: sealed if there is a sender, else in clear.
func (t *Transport) putRTCP(now unit.Time, sender *srtp.Sender, compound []byte) {
	b := t.env.Batch.Space(len(compound) + sealOverhead)
	if sender == nil {
		t.commit(now, copy(b, compound))
		return
	}
	sealed, err := sender.ProtectRTCP(b[:0], compound)
	if err != nil {
		t.drops.SealFailed++
		return
	}
	t.commit(now, copy(b, sealed))
}

// mustBeEmpty panics if the shard's batch holds packets, which would go to the destination of what is sent next. Each function
// that begins to send calls it first.
func (t *Transport) mustBeEmpty(next string) {
	if n := t.env.Batch.Len(); n > 0 {
		panic(fmt.Sprintf("transport: %d packets of another operation are in the batch when %s is to be sent", n, next))
	}
}

// sent counts a sent datagram of n bytes.
func (t *Transport) sent(now unit.Time, n int) {
	t.counters.bytesSent += uint64(n)
	t.counters.sendRate.Update(now, n)
	t.env.Figures.Datagrams.Sent.count(n)
}

// received counts a received datagram of n bytes.
func (t *Transport) received(now unit.Time, n int) {
	t.counters.bytesReceived += uint64(n)
	t.counters.recvRate.Update(now, n)
	t.env.Figures.Datagrams.Received.count(n)
}

// nextReportDelay returns the time until the next reports.
func (t *Transport) nextReportDelay() time.Duration {
	return reportInterval * time.Duration(10+t.env.Rand.IntN(6)) / 10
}

// sendReports sends the sender and receiver reports that are due, in as few compound packets as they fit in. Each of these
// begins with a report (RFC 3550 section 6.1).
func (t *Transport) sendReports(now unit.Time) {
	t.news.sweep(now)
	var w compoundWriter
	for _, c := range t.consumers {
		w.add(t, now, c.AppendRTCP(now, nil))
	}
	var received []rtcp.Packet
	for _, p := range t.producers {
		received = p.appendRTCP(now, received)
	}
	// The second one is the reference time, the others are reports.
	first := min(2, len(received))
	w.add(t, now, received[:first])
	for i := range received[first:] {
		w.add(t, now, received[first+i:first+i+1])
	}
	w.flush(t, now)
	t.sampleEstimates()
}

// sendFeedback sends feedback messages at once, as reduced-size RTCP (RFC 5506).
func (t *Transport) sendFeedback(now unit.Time, pkts []rtcp.Packet) {
	var w compoundWriter
	for i := range pkts {
		w.add(t, now, pkts[i:i+1])
	}
	w.flush(t, now)
}

// compoundWriter collects RTCP packets until a compound packet is full.
type compoundWriter struct {
	buffer []byte
}

// add appends packets that belong together: they go into one compound packet.
func (w *compoundWriter) add(t *Transport, now unit.Time, pkts []rtcp.Packet) {
	if len(pkts) == 0 {
		return
	}
	before := len(w.buffer)
	b, err := wirertcp.AppendCompound(w.buffer, pkts...)
	switch {
	case err != nil && len(pkts) > 1:
		// One of them must not silence the others. Each alone is reduced-size RTCP (RFC 5506) unless it begins with a report.
		for i := range pkts {
			w.add(t, now, pkts[i:i+1])
		}
		return
	case err != nil:
		t.drops.RTCPUnsendable++
		return
	}
	if before > 0 && len(b) > wirertcp.MaxCompoundLen {
		added := append([]byte(nil), b[before:]...)
		w.buffer = b[:before]
		w.flush(t, now)
		b = append(w.buffer, added...)
	}
	w.buffer = b
}

func (w *compoundWriter) flush(t *Transport, now unit.Time) {
	if len(w.buffer) == 0 {
		return
	}
	if t.backend.connected() {
		t.backend.sendRTCP(now, w.buffer)
	}
	w.buffer = w.buffer[:0]
}
