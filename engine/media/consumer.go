package media

import (
	"math/rand/v2"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// KeyFrameRequestKind is which of RTCP's two messages asked for a key frame.
type KeyFrameRequestKind uint8

// The messages of RFC 4585 section 6.3.1 and RFC 5104 section 3.5.1.
const (
	PLI KeyFrameRequestKind = iota
	FIR
)

// Consumer sends the media of one producer to one peer. It is a pure machine; see the package comment.
type Consumer struct {
	id  string
	out ConsumerOutput
}

// NewConsumer checks the request as upstream does and returns a *api.Error (TypeError) with upstream's text if it is
// wrong. Simulcast, SVC and pipe consumers are refused with an Error that names the type. rng gives initial sequence
// numbers.
func NewConsumer(req *api.TransportConsumeRequest, rng *rand.Rand) (*Consumer, error) {
	return &Consumer{}, nil
}

// ID returns the consumer's id.
func (c *Consumer) ID() string { return c.id }

// ProducerID returns the id of the producer it consumes.
func (c *Consumer) ProducerID() string { return "" }

// Kind returns whether it is audio or video.
func (c *Consumer) Kind() api.MediaKind { return 0 }

// Type returns how it selects what to forward.
func (c *Consumer) Type() api.RTPType { return 0 }

// RTPParameters returns the parameters of its peer with defaults filled in. Read only.
func (c *Consumer) RTPParameters() *api.RTPParameters { return nil }

// ExtensionIDs returns the header extension ids that its peer uses.
func (c *Consumer) ExtensionIDs() ExtensionIDs { return ExtensionIDs{} }

// Paused says whether the application paused it.
func (c *Consumer) Paused() bool { return false }

// ProducerIsPaused says whether its producer is paused.
func (c *Consumer) ProducerIsPaused() bool { return false }

// Attach tells the consumer, before anything else, of its producer's state: paused or not, the score of each encoding,
// the streams that exist.
func (c *Consumer) Attach(now unit.Time, producerPaused bool, scores []uint8, streams []StreamInfo) {}

// HandleStreamUpdate takes a change of the producer's streams. scores holds the score of each encoding; the consumer
// copies it.
func (c *Consumer) HandleStreamUpdate(now unit.Time, u StreamUpdate, scores []uint8) {}

// Active says whether it forwards: transport connected, not paused, producer not paused or closed.
func (c *Consumer) Active() bool { return false }

// WritePacket writes pkt for this consumer's receiver into dst, which has room for len(pkt.Data)+MaxHeaderGrowth bytes:
// a new header and the payload. It keeps a reference of pkt if it may have to retransmit it. Len 0 = nothing is sent.
func (c *Consumer) WritePacket(now unit.Time, pkt *packet.Packet, dst []byte) Outgoing {
	return Outgoing{}
}

// WriteHeldBack writes the next packet that was held back until the packet just written; call it until Len is 0 after a
// WritePacket with More.
func (c *Consumer) WriteHeldBack(now unit.Time, dst []byte) Outgoing { return Outgoing{} }

// HandleNACK queues the packets that the receiver misses and that are still there for retransmission.
func (c *Consumer) HandleNACK(now unit.Time, n *rtcp.TransportLayerNack) {}

// WriteRetransmission writes the next queued packet into dst (room as for WritePacket, for the largest packet); call it
// until Len is 0.
func (c *Consumer) WriteRetransmission(now unit.Time, dst []byte) Outgoing { return Outgoing{} }

// HandleReceptionReport takes a report block of an RR or SR about one of the consumer's SSRCs.
func (c *Consumer) HandleReceptionReport(now unit.Time, r *rtcp.ReceptionReport) {}

// HandleRRTR takes a receiver reference time (RFC 3611 section 4.4) of the receiver, as NTP timestamp.
func (c *Consumer) HandleRRTR(now unit.Time, ntp uint64) {}

// HandleKeyFrameRequest takes a PLI or FIR about ssrc, one of MediaSSRCs.
func (c *Consumer) HandleKeyFrameRequest(now unit.Time, kind KeyFrameRequestKind, ssrc unit.SSRC) {}

// AppendRTCP appends sender report, source description and DLRR when they are due.
func (c *Consumer) AppendRTCP(now unit.Time, pkts []rtcp.Packet) []rtcp.Packet { return pkts }

// Pause stops forwarding by the application's wish.
func (c *Consumer) Pause(now unit.Time) {}

// Resume forwards again; video begins with a key frame, which is asked for.
func (c *Consumer) Resume(now unit.Time) {}

// ProducerPaused tells that the producer was paused.
func (c *Consumer) ProducerPaused(now unit.Time) {}

// ProducerResumed tells that the producer was resumed.
func (c *Consumer) ProducerResumed(now unit.Time) {}

// ProducerClosed tells that the producer is gone; nothing is forwarded any more. The caller closes the consumer
// after it took the output.
func (c *Consumer) ProducerClosed(now unit.Time) {}

// TransportConnected tells that packets can reach the receiver.
func (c *Consumer) TransportConnected(now unit.Time) {}

// TransportDisconnected tells that packets cannot reach the receiver any more.
func (c *Consumer) TransportDisconnected(now unit.Time) {}

// SetPreferredLayers sets the layers that are forwarded when bandwidth allows, and answers with those in force: none for
// a simple consumer.
func (c *Consumer) SetPreferredLayers(now unit.Time, req *api.ConsumerSetPreferredLayersRequest) *api.ConsumerSetPreferredLayersResponse {
	return nil
}

// SetPriority sets the consumer's weight (1 to 255) in the distribution of bandwidth.
func (c *Consumer) SetPriority(req *api.ConsumerSetPriorityRequest) (*api.ConsumerSetPriorityResponse, error) {
	return nil, nil
}

// Priority returns the weight in the distribution of bandwidth.
func (c *Consumer) Priority() uint8 { return 0 }

// RequestKeyFrame asks the producer for a key frame by the application's wish.
func (c *Consumer) RequestKeyFrame(now unit.Time) {}

// EnableTraceEvents sets which trace events are notified; all others are off.
func (c *Consumer) EnableTraceEvents(types []api.ConsumerTraceEventType) {}

// Dump returns the consumer's state.
func (c *Consumer) Dump() *api.ConsumerDumpResponse { return nil }

// Stats returns the statistics of the sent stream. Upstream adds those of the producer's stream: see ProducerStream.
func (c *Consumer) Stats(now unit.Time) *api.ConsumerGetStatsResponse { return nil }

// ProducerStream returns the mapped SSRC of the producer's stream that is forwarded now; false if none is.
// Producer.StreamStats with it gives the second entry of the consumer's statistics.
func (c *Consumer) ProducerStream() (mapped unit.SSRC, ok bool) { return 0, false }

// Score returns the consumer's and its producer's scores.
func (c *Consumer) Score() *api.ConsumerScore { return nil }

// Response returns the answer to the request that created the consumer; valid after Attach.
func (c *Consumer) Response() *api.TransportConsumeResponse { return nil }

// MediaSSRCs returns the SSRCs of the sent streams.
func (c *Consumer) MediaSSRCs() []unit.SSRC { return nil }

// RTXSSRCs returns the SSRCs of the sent streams' retransmissions.
func (c *Consumer) RTXSSRCs() []unit.SSRC { return nil }

// FractionLost returns how much (in 1/256) the receiver loses, 0 while inactive.
func (c *Consumer) FractionLost() uint8 { return 0 }

// RTT returns the round trip time to the receiver in milliseconds, 0 while unknown.
func (c *Consumer) RTT() float32 { return 0 }

// Bitrate returns the rate of the sent stream, 0 while inactive.
func (c *Consumer) Bitrate(now unit.Time) unit.Bitrate { return 0 }

// Close releases all packets that the consumer holds. Nothing else may be called afterwards.
func (c *Consumer) Close() {}

// Output returns what the last calls want done; the caller resets it.
func (c *Consumer) Output() *ConsumerOutput { return &c.out }
