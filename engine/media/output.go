package media

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
)

// Result is what a producer did with a packet: the transport's statistics distinguish them.
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

// ProducerOutput is what a producer asks for after a call.
type ProducerOutput struct {
	// RTCP is feedback for the producer's peer: NACK, PLI, FIR.
	RTCP []rtcp.Packet
	// Notifications are for the application.
	Notifications []api.Notification
	// Streams are for the producer's consumers, on whatever shard.
	Streams []StreamUpdate
}

// Empty reports whether there is nothing to do.
func (o *ProducerOutput) Empty() bool {
	return len(o.RTCP) == 0 && len(o.Notifications) == 0 && len(o.Streams) == 0
}

// Reset empties the output after the caller has handled it.
func (o *ProducerOutput) Reset() { *o = ProducerOutput{} }

// ConsumerOutput is what a consumer asks for after a call.
type ConsumerOutput struct {
	// KeyFrameRequests holds mapped SSRCs whose streams should send a key frame: for Producer.RequestKeyFrame.
	KeyFrameRequests []unit.SSRC
	// Notifications are for the application.
	Notifications []api.Notification
	// FractionLostChanged: Consumer.FractionLost has a new value, for Producer.SetFractionLost if it is the worst among the
	// producer's consumers.
	FractionLostChanged bool
	// BitrateChangeNeeded: the layers that the consumer could use changed; the transport should distribute its bandwidth
	// again. ZeroBitrateNeeded: the consumer stopped, so that its share is free. Both only with an externally managed
	// bitrate.
	BitrateChangeNeeded, ZeroBitrateNeeded bool
	// KeyFrameWait is how long packets came of which nothing could be shown, until the key frame that was forwarded now; 0 = none
	// had to wait. Interrupted: the receiver had a picture before, which stood still.
	KeyFrameWait time.Duration
	Interrupted  bool
}

// Empty reports whether there is nothing to do.
func (o *ConsumerOutput) Empty() bool {
	return len(o.KeyFrameRequests) == 0 && len(o.Notifications) == 0 && !o.FractionLostChanged &&
		!o.BitrateChangeNeeded && !o.ZeroBitrateNeeded && o.KeyFrameWait == 0
}

// Reset empties the output after the caller has handled it.
func (o *ConsumerOutput) Reset() { *o = ConsumerOutput{} }

// MaxHeaderGrowth is by how many bytes a consumer's packet can be longer than the received one: a header extension block
// with every extension a consumer writes, in the two-byte form, the two bytes of RTX, and room to prepare values in.
// (Chosen here; a test checks it.)
const MaxHeaderGrowth = 512

// Outgoing describes a packet that a consumer wrote.
type Outgoing struct {
	// Len is the packet's length in bytes, 0 if there is none.
	Len int
	// HeaderLen is how many of them are the RTP header, which SRTP leaves in clear.
	HeaderLen int
	// TransportCC is the offset at which the transport writes the transport-wide sequence number (2 bytes), 0 = none. Except
	// for retransmissions, the transport also passes the number to Consumer.SetTransportCC.
	TransportCC int
	// More: packets that were held go out behind this one; call Consumer.WriteHeldBack until Len is 0.
	More bool
}
