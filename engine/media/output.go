package media

import (
	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
)

// Result says what a producer did with a packet, which decides under which heading a transport counts it.
type Result uint8

// Results of Producer.HandlePacket.
const (
	// Discarded: no stream of this producer takes the packet.
	Discarded Result = iota
	// Media: a packet of a stream itself.
	Media
	// Retransmission: an RTX packet (RFC 4588) of a stream.
	Retransmission
)

// What a producer publishes about its streams is what the consumers' selectors read.
type (
	StreamInfo   = layer.Stream
	StreamUpdate = layer.StreamUpdate
)

// ProducerOutput is what a producer wants done after a call.
type ProducerOutput struct {
	// RTCP is feedback for the producer's peer: NACK, PLI, FIR.
	RTCP []rtcp.Packet
	// Notifications are for the application.
	Notifications []api.Notification
	// Streams are for the producer's consumers, on whatever shard.
	Streams []StreamUpdate
}

// Empty says whether there is nothing to do.
func (o *ProducerOutput) Empty() bool {
	return len(o.RTCP) == 0 && len(o.Notifications) == 0 && len(o.Streams) == 0
}

// Reset forgets everything; the caller has taken it.
func (o *ProducerOutput) Reset() { *o = ProducerOutput{} }

// ConsumerOutput is what a consumer wants done after a call.
type ConsumerOutput struct {
	// KeyFrameRequests holds mapped SSRCs whose streams should send a key frame: for Producer.RequestKeyFrame.
	KeyFrameRequests []unit.SSRC
	// Notifications are for the application.
	Notifications []api.Notification
	// FractionLostChanged says that Consumer.FractionLost has a new value, which Producer.SetFractionLost wants to know
	// if it is the worst among the producer's consumers.
	FractionLostChanged bool
	// BitrateChangeNeeded: the layers that the consumer could use changed; the transport should distribute its bandwidth
	// again. ZeroBitrateNeeded: the consumer stopped, so that its share is free. Both only with an externally managed
	// bitrate.
	BitrateChangeNeeded, ZeroBitrateNeeded bool
}

// Empty says whether there is nothing to do.
func (o *ConsumerOutput) Empty() bool {
	return len(o.KeyFrameRequests) == 0 && len(o.Notifications) == 0 && !o.FractionLostChanged &&
		!o.BitrateChangeNeeded && !o.ZeroBitrateNeeded
}

// Reset forgets everything; the caller has taken it.
func (o *ConsumerOutput) Reset() { *o = ConsumerOutput{} }

// MaxHeaderGrowth is by how many bytes a consumer's packet can be longer than the received one: a header extension block
// with every extension a consumer writes, in the two-byte form, the two bytes of RTX, and room to prepare values in.
// Ours, checked by a test.
const MaxHeaderGrowth = 512

// Outgoing describes a packet that a consumer wrote.
type Outgoing struct {
	// Len is the packet's length in bytes, 0 if there is none.
	Len int
	// HeaderLen is how many of them are the RTP header, which SRTP leaves in clear.
	HeaderLen int
	// TransportCC is where in the packet the transport-wide sequence number belongs, which the transport writes (2 bytes)
	// and, but for retransmissions, tells Consumer.SetTransportCC; 0 = nothing is to be written.
	TransportCC int
	// More says that packets held back until now go out behind this one: call Consumer.WriteHeldBack until Len is 0.
	More bool
}
