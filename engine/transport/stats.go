package transport

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/srtp"
	"gazpacho/engine/unit"
)

// Bounds of the bitrates that an application may set, in bits per second; mediasoup's values (RTC/Transport.cpp of 3.27.1): the
// highest means "no limit", and no peer gets less than the lowest.
const (
	maxBitrate         uint64 = 1<<63 - 2
	minOutgoingBitrate uint64 = 30000
)

// bitrates are the limits that the application set; 0 = none.
type bitrates struct {
	maxIncoming, maxOutgoing, minOutgoing uint64
}

// counters measure a transport's traffic for the application's statistics.
type counters struct {
	bytesReceived, bytesSent uint64
	recvRate, sendRate       unit.RateCounter
	rtpReceived, rtpSent     unit.Counter
	rtxReceived, rtxSent     unit.Counter
	probationSent            unit.Counter
}

// probationWindow is the time over which the bitrate of the probation stream, which comes in bursts, is averaged; mediasoup's
// value.
const probationWindow = 100 * time.Millisecond

func newCounters() counters {
	return counters{
		recvRate: unit.NewRateCounter(unit.DefaultRateWindow), sendRate: unit.NewRateCounter(unit.DefaultRateWindow),
		rtpReceived: unit.NewCounter(unit.DefaultCounterWindow), rtpSent: unit.NewCounter(unit.DefaultCounterWindow),
		rtxReceived: unit.NewCounter(unit.DefaultRateWindow), rtxSent: unit.NewCounter(unit.DefaultRateWindow),
		probationSent: unit.NewCounter(probationWindow),
	}
}

// Drops counts what was received or to be sent and dropped, by reason. It is logged when the transport closes, and
// added up for all transports (Figures).
type Drops struct {
	Unrecognized    uint64 // datagrams that are neither RTP nor RTCP
	NotConnected    uint64 // datagrams before the transport knows its peer or its keys
	ForeignSender   uint64 // datagrams from another address than the peer's
	Unauthenticated uint64 // SRTP and SRTCP packets with a wrong tag
	Replayed        uint64 // SRTP and SRTCP packets seen before
	RTPMalformed    uint64 // RTP packets that cannot be read
	RTPUnknown      uint64 // RTP packets of no producer
	RTPDiscarded    uint64 // RTP packets that their producer refused: no stream, duplicates, bad sequence
	RTCPMalformed   uint64 // compound packets with a part that cannot be read; the others count
	RTCPUnknown     uint64 // RTCP about streams that do not exist
	RTCPUnsupported uint64 // RTCP of types that are not used here
	RTCPUnsendable  uint64 // RTCP to send that could not be built
	SCTPUnexpected  uint64 // SCTP packets although SCTP is not enabled
	DataUnknown     uint64 // messages on streams without a data producer
	DataBufferFull  uint64 // messages for data consumers whose send buffer was full
	DataUnsendable  uint64 // messages for data consumers that could not be sent for another reason
	OverBudget      uint64 // NACKs that the budget of retransmissions did not suffice for
	NACKsUnsent     uint64 // NACKs for the peer that the budget of those did not suffice for
	TooLarge        uint64 // packets of more bytes than a datagram can carry, or than leave room for what consumers add
	SealFailed      uint64 // packets that could not be encrypted
	SendFailed      uint64 // datagrams that the kernel did not take
}

// countUnprotect counts a packet that SRTP refused.
func (d *Drops) countUnprotect(err error) {
	switch {
	case errors.Is(err, srtp.ErrReplayed):
		d.Replayed++
	case errors.Is(err, srtp.ErrMalformed):
		d.RTPMalformed++
	default:
		d.Unauthenticated++
	}
}

// Report returns for the log the counters of the transport, its consumers' layers, ICE, DTLS and SCTP that are not zero, as in
// "drops:{RTPUnknown:3} ice:{Accepted:12 Unauthorized:1}". It may be called after Close.
func (t *Transport) Report() string {
	groups := []string{counted("drops", t.drops)}
	if t.bweOut != nil {
		groups = append(groups, t.layerDrops.String())
	}
	if c, ok := t.backend.(*webRtc); ok {
		groups = append(groups, counted("ice", c.ice.Counters()), counted("dtls", c.dtls.Counters()))
	}
	if t.sctp != nil {
		groups = append(groups, counted("sctp", t.sctp.Counters()))
	}
	return strings.Join(groups, " ")
}

// counted returns the fields of a struct of counters that are not zero.
func counted(name string, counters any) string {
	var fields []string
	for field, value := range reflect.ValueOf(counters).Fields() {
		if !value.IsZero() {
			fields = append(fields, fmt.Sprintf("%s:%d", field.Name, value.Uint()))
		}
	}
	return name + ":{" + strings.Join(fields, " ") + "}"
}

func (t *Transport) baseDump() *api.TransportDump {
	d := &api.TransportDump{
		ID: t.id, Direct: t.options.Direct,
		MapSSRCConsumerID:       consumerIDs(t.bySSRC),
		MapRTXSSRCConsumerID:    consumerIDs(t.byRTXSSRC),
		RecvRTPHeaderExtensions: t.dumpExtensionIDs(),
		RTPListener:             t.listener.dump(),
		MaxSendMessageSize:      t.options.MaxSendMessageSize,
		MaxReceiveMessageSize:   t.options.MaxReceiveMessageSize,
		TraceEventTypes:         t.trace,
	}
	for _, p := range t.producers {
		d.ProducerIDs = append(d.ProducerIDs, p.ID())
	}
	for _, c := range t.consumers {
		d.ConsumerIDs = append(d.ConsumerIDs, c.ID())
	}
	for _, p := range t.dataProducers {
		d.DataProducerIDs = append(d.DataProducerIDs, p.ID())
	}
	for _, c := range t.dataConsumers {
		d.DataConsumerIDs = append(d.DataConsumerIDs, c.ID())
	}
	t.dumpSCTP(d)
	return d
}

func consumerIDs(table map[unit.SSRC]*Consumer) []api.Uint32String {
	var rows []api.Uint32String
	for _, ssrc := range slices.Sorted(maps.Keys(table)) {
		rows = append(rows, api.Uint32String{Key: uint32(ssrc), Value: table[ssrc].ID()})
	}
	return rows
}

func (t *Transport) dumpExtensionIDs() *api.RecvRTPHeaderExtensions {
	return &api.RecvRTPHeaderExtensions{
		MID: nonZero(t.recvIDs.MID), RID: nonZero(t.recvIDs.RID), RRID: nonZero(t.recvIDs.RRID),
		AbsSendTime: nonZero(t.recvIDs.AbsSendTime), TransportWideCC01: nonZero(t.recvIDs.TransportCC),
	}
}

// nonZero returns v as an optional value that is absent when 0.
func nonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func (t *Transport) baseStats(now unit.Time) *api.TransportStats {
	c := &t.counters
	var sctpState *api.SCTPState
	if t.sctp != nil {
		sctpState = new(t.sctp.State())
	}
	stats := &api.TransportStats{
		SCTPState:   sctpState,
		TransportID: t.id, Timestamp: now.Milliseconds(),
		BytesReceived: c.bytesReceived, RecvBitrate: uint64(c.recvRate.Rate(now)),
		BytesSent: c.bytesSent, SendBitrate: uint64(c.sendRate.Rate(now)),
		RTPBytesReceived: c.rtpReceived.Bytes(), RTPRecvBitrate: uint64(c.rtpReceived.Rate(now)),
		RTPBytesSent: c.rtpSent.Bytes(), RTPSendBitrate: uint64(c.rtpSent.Rate(now)),
		RTXBytesReceived: c.rtxReceived.Bytes(), RTXRecvBitrate: uint64(c.rtxReceived.Rate(now)),
		RTXBytesSent: c.rtxSent.Bytes(), RTXSendBitrate: uint64(c.rtxSent.Rate(now)),
		MaxIncomingBitrate: nonZero(t.bitrates.maxIncoming),
		MaxOutgoingBitrate: nonZero(t.bitrates.maxOutgoing),
		MinOutgoingBitrate: nonZero(t.bitrates.minOutgoing),

		ProbationBytesSent: c.probationSent.Bytes(), ProbationSendBitrate: uint64(c.probationSent.Rate(now)),
	}
	if t.bweIn != nil {
		stats.AvailableIncomingBitrate = new(uint64(t.bweIn.AvailableBitrate()))
		stats.RTPPacketLossReceived = new(t.bweIn.PacketLoss())
	}
	if t.bweOut != nil {
		stats.AvailableOutgoingBitrate = new(uint64(t.bweOut.AvailableBitrate()))
		stats.RTPPacketLossSent = new(t.bweOut.PacketLoss())
	}
	return stats
}

// SetMaxIncomingBitrate answers TRANSPORT_SET_MAX_INCOMING_BITRATE.
func (t *Transport) SetMaxIncomingBitrate(now unit.Time, rate uint64) error {
	if rate > maxBitrate {
		return api.TypeErrorf("bitrate must be <= %d or 0 (unlimited)", maxBitrate)
	}
	t.bitrates.maxIncoming = rate
	if t.bweIn != nil {
		t.bweIn.SetMaxIncomingBitrate(now, unit.Bitrate(rate))
		t.drainIncoming(now)
	}
	return nil
}

// SetMaxOutgoingBitrate answers TRANSPORT_SET_MAX_OUTGOING_BITRATE.
func (t *Transport) SetMaxOutgoingBitrate(now unit.Time, rate uint64) error {
	if err := checkOutgoing(rate); err != nil {
		return err
	}
	if rate > 0 && rate < t.bitrates.minOutgoing {
		return api.TypeErrorf("bitrate must be >= current min outgoing bitrate (%d) or 0 (unlimited)", t.bitrates.minOutgoing)
	}
	t.bitrates.maxOutgoing = rate
	if t.bweOut != nil {
		t.bweOut.SetMaxBitrate(now, unit.Bitrate(rate))
		t.redistribute(now, false)
	}
	return nil
}

// SetMinOutgoingBitrate answers TRANSPORT_SET_MIN_OUTGOING_BITRATE.
func (t *Transport) SetMinOutgoingBitrate(now unit.Time, rate uint64) error {
	if err := checkOutgoing(rate); err != nil {
		return err
	}
	if rate > 0 && t.bitrates.maxOutgoing > 0 && rate > t.bitrates.maxOutgoing {
		return api.TypeErrorf("bitrate must be <= current max outgoing bitrate (%d) or 0 (unlimited)", t.bitrates.maxOutgoing)
	}
	t.bitrates.minOutgoing = rate
	if t.bweOut != nil {
		t.bweOut.SetMinBitrate(now, unit.Bitrate(rate))
		t.redistribute(now, false)
	}
	return nil
}

func checkOutgoing(rate uint64) error {
	if rate > maxBitrate {
		return api.TypeErrorf("bitrate must be <= %d or 0 (unlimited)", maxBitrate)
	}
	if rate > 0 && rate < minOutgoingBitrate {
		return api.TypeErrorf("bitrate must be >= %d or 0 (unlimited)", minOutgoingBitrate)
	}
	return nil
}

// EnableTraceEvents answers TRANSPORT_ENABLE_TRACE_EVENT: the given types are on, all others off.
func (t *Transport) EnableTraceEvents(types []api.TransportTraceEventType) {
	t.trace = nil
	for _, known := range []api.TransportTraceEventType{api.TransportTraceEventTypeProbation, api.TransportTraceEventTypeBWE} {
		if slices.Contains(types, known) {
			t.trace = append(t.trace, known)
		}
	}
}
