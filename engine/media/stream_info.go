package media

import "gazpacho/engine/unit"

// StreamInfo says what a consumer has to know about one stream of its producer. It is plain data.
type StreamInfo struct {
	// MappedSSRC is the router's SSRC for the stream: the one its packets carry between producer and consumers.
	MappedSSRC unit.SSRC
	// SSRC is the one the producer's peer uses.
	SSRC unit.SSRC
	// Encoding is the index of the producer's encoding that the stream belongs to.
	Encoding int
	// ClockRate of the stream's codec in Hz.
	ClockRate uint32
	// Score is the stream's health from 0 (silent) to 10.
	Score uint8
	// InactivityCheck says whether silence lowers the score to 0 (simulcast streams only, as upstream).
	InactivityCheck bool
	// ActiveSince is when the score last left 0, or when the stream began.
	ActiveSince unit.Time
	// Bitrates are what the stream's layers carry, as measured last.
	Bitrates *LayerBitrates
	// SenderReport is the stream's last sender report, the zero value before the first.
	SenderReport SenderReportInfo
}

// SenderReportInfo is the mapping between a stream's RTP timestamps and its sender's clock, from a sender report.
type SenderReportInfo struct {
	NTP        uint64
	Timestamp  unit.Timestamp
	ReceivedAt unit.Time
}

// StreamUpdateKind says what happened to a stream.
type StreamUpdateKind uint8

// Kinds of stream updates.
const (
	// StreamNew announces a stream: its first packet has come.
	StreamNew StreamUpdateKind = iota
	// StreamScore tells of a changed score.
	StreamScore
	// StreamSenderReport tells of a sender report.
	StreamSenderReport
	// StreamBitrates tells what the stream's layers carry; about once a second while packets come (video only).
	StreamBitrates
	// StreamLayers tells that a spatial layer of the stream began or ended (SVC only).
	StreamLayers
)

// StreamUpdate tells consumers of a change in one stream of their producer.
type StreamUpdate struct {
	Kind   StreamUpdateKind
	Stream StreamInfo
	// PreviousScore is the score before the change; for StreamScore only.
	PreviousScore uint8
}
