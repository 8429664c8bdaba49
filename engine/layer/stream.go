package layer

import "gazpacho/engine/unit"

// Stream is what consumers know of one stream of their producer. It is plain data.
type Stream struct {
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
	// InactivityCheck: silence lowers the score to 0 (as in mediasoup, for simulcast streams only).
	InactivityCheck bool
	// ActiveSince is when the score last left 0, or when the stream began.
	ActiveSince unit.Time
	// Bitrates are those measured last, and the frame rates; nil before the first.
	Bitrates *Bitrates
	// SenderReport is the stream's last sender report, the zero value before the first.
	SenderReport SenderReport
}

// SenderReport is the mapping between a stream's RTP timestamps and its sender's clock, from a sender report.
type SenderReport struct {
	NTP        uint64
	Timestamp  unit.Timestamp
	ReceivedAt unit.Time
}

// delivers reports whether packets can be expected, by the score.
func (s *Stream) delivers() bool { return s.Score > 0 || !s.InactivityCheck }

func (s *Stream) hasReport() bool { return s.SenderReport.NTP != 0 }

// StreamUpdateKind says what happened to a stream.
type StreamUpdateKind uint8

// Kinds of stream updates.
const (
	// StreamNew: the first packet of the stream has come.
	StreamNew StreamUpdateKind = iota
	// StreamScore: the score changed.
	StreamScore
	// StreamSenderReport: a sender report has come.
	StreamSenderReport
	// StreamBitrates: the bitrates were measured; about once a second while packets come (video only).
	StreamBitrates
	// StreamLayers: a spatial layer of the stream began or ended (SVC only).
	StreamLayers
)

// StreamUpdate is a change in one stream of a producer.
type StreamUpdate struct {
	Kind   StreamUpdateKind
	Stream Stream
	// PreviousScore is the score before the change; for StreamScore only.
	PreviousScore uint8
}
