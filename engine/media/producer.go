package media

import (
	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// Producer receives the streams of one media source from one peer. It is a pure machine; see the package comment.
type Producer struct {
	id     string
	kind   api.MediaKind
	typ    api.RTPType
	paused bool
	out    ProducerOutput
}

// NewProducer checks the request as upstream does and returns a *api.Error (TypeError) with upstream's text if it is wrong.
func NewProducer(req *api.TransportProduceRequest) (*Producer, error) { return &Producer{}, nil }

// ID returns the producer's id.
func (p *Producer) ID() string { return p.id }

// Kind returns whether it is audio or video.
func (p *Producer) Kind() api.MediaKind { return p.kind }

// Type returns simple, simulcast or SVC, which follows from the RTP parameters.
func (p *Producer) Type() api.RTPType { return p.typ }

// Paused says whether the application paused it.
func (p *Producer) Paused() bool { return p.paused }

// RTPParameters returns the parameters of its peer with defaults filled in. Read only.
func (p *Producer) RTPParameters() *api.RTPParameters { return nil }

// ExtensionIDs returns the header extension ids that its peer uses.
func (p *Producer) ExtensionIDs() ExtensionIDs { return ExtensionIDs{} }

// HandlePacket takes a parsed packet of the peer that the transport's RTP listener attributes to this producer.
// With forward true pkt is described, mapped and immutable from now on, and every consumer must get it.
func (p *Producer) HandlePacket(now unit.Time, pkt *packet.Packet) (r Result, forward bool) {
	return Discarded, false
}

// HandleSenderReport takes a sender report whose SSRC is that of a stream or of its RTX stream.
func (p *Producer) HandleSenderReport(now unit.Time, sr *rtcp.SenderReport) {}

// HandleDLRR takes a DLRR report block (RFC 3611 section 4.5) about one of the streams.
func (p *Producer) HandleDLRR(now unit.Time, r rtcp.DLRRReport) {}

// RequestKeyFrame asks for a key frame of the stream with the given mapped SSRC, throttled as upstream.
func (p *Producer) RequestKeyFrame(now unit.Time, mapped unit.SSRC) {}

// SetFractionLost says how much (in 1/256) the worst off consumer loses of the stream with the given mapped SSRC.
func (p *Producer) SetFractionLost(mapped unit.SSRC, worst uint8) {}

// AppendRTCP appends receiver reports, and a receiver reference time, when they are due.
func (p *Producer) AppendRTCP(now unit.Time, pkts []rtcp.Packet) []rtcp.Packet { return pkts }

// Pause stops forwarding.
func (p *Producer) Pause(now unit.Time) {}

// Resume forwards again and asks for key frames.
func (p *Producer) Resume(now unit.Time) {}

// EnableTraceEvents sets which trace events are notified; all others are off.
func (p *Producer) EnableTraceEvents(types []api.ProducerTraceEventType) {}

// Dump returns the producer's state.
func (p *Producer) Dump() *api.ProducerDumpResponse { return nil }

// Stats returns statistics per stream.
func (p *Producer) Stats(now unit.Time) *api.ProducerGetStatsResponse { return nil }

// StreamStats returns the statistics of the stream with the given mapped SSRC, nil if there is none. Upstream's consumer
// statistics end with those of the producer's stream it forwards: see Consumer.ProducerStream.
func (p *Producer) StreamStats(now unit.Time, mapped unit.SSRC) *api.RTPStreamStats { return nil }

// HandleTimeout does what is due by now.
func (p *Producer) HandleTimeout(now unit.Time) {}

// NextTimeout returns when HandleTimeout is wanted, unit.Never if not at all.
func (p *Producer) NextTimeout() unit.Time { return unit.Never }

// Streams returns all streams, ordered by encoding, for a consumer that attaches.
func (p *Producer) Streams() []StreamInfo { return nil }

// Scores returns a new slice with the score of each encoding, 0 where no stream exists.
func (p *Producer) Scores() []uint8 { return nil }

// Output returns what the last calls want done; the caller resets it.
func (p *Producer) Output() *ProducerOutput { return &p.out }
