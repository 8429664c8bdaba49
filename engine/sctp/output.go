package sctp

import (
	"errors"
	"time"

	"gazpacho/engine/api"
)

// Errors of Send.
var (
	ErrSendBufferFull = errors.New("the SCTP send buffer is full")
	ErrTooLarge       = errors.New("the message is larger than maxSendMessageSize")
	ErrEmpty          = errors.New("an SCTP message cannot be empty; see the identifiers 56 and 57 of RFC 8831")
	ErrNotConnected   = errors.New("the SCTP association is closed")
)

// Config configures an Association. Zero values become upstream's defaults.
type Config struct {
	Port                                    uint16 // of both ends; 5000
	MTU                                     uint32 // bytes of an SCTP packet; 1191
	MaxSendMessageSize                      uint32 // bytes; 262144
	MaxReceiveMessageSize                   uint32 // bytes; 262144. Larger messages are dropped and counted
	SendBufferSize                          uint32 // bytes that may wait to be sent, all streams; 2000000
	PerStreamSendQueueLimit                 uint32 // bytes that may wait to be sent, each stream; 2000000
	MaxReceiverWindowBufferSize             uint32 // bytes; 5 MiB
	DefaultStreamBufferedAmountLowThreshold uint32 // bytes
	IsDataChannel                           bool   // told in Parameters, changes nothing here

	MaxRTO            time.Duration // the longest wait for an acknowledgement; 5 s
	InitTimeout       time.Duration // a peer that has not answered until then never will; 511 s
	HeartbeatInterval time.Duration // of a peer that is silent; 30 s
}

// Upstream's values (its SctpOptions of release 3.27.1).
const (
	defaultPort    = 5000
	defaultMTU     = 1191
	defaultMessage = 256 << 10
	defaultSend    = 2000000
	defaultWindow  = 5 << 20

	defaultInitTimeout       = 511 * time.Second // the first INIT and eight more, each after twice the time of the last
	defaultHeartbeatInterval = 30 * time.Second
)

// defaultMaxRTO is ours; RFC 9260 section 16 and upstream say 60 s, which is too long for real-time data to go on after the
// network was away for a while. Browsers wait three seconds at most.
const defaultMaxRTO = 5 * time.Second

func (c Config) withDefaults() Config {
	if c.Port == 0 {
		c.Port = defaultPort
	}
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.MaxRTO, defaultMaxRTO},
		{&c.InitTimeout, defaultInitTimeout},
		{&c.HeartbeatInterval, defaultHeartbeatInterval},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	for _, f := range []struct {
		field *uint32
		value uint32
	}{
		{&c.MTU, defaultMTU},
		{&c.MaxSendMessageSize, defaultMessage},
		{&c.MaxReceiveMessageSize, defaultMessage},
		{&c.SendBufferSize, defaultSend},
		{&c.PerStreamSendQueueLimit, defaultSend},
		{&c.MaxReceiverWindowBufferSize, defaultWindow},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return c
}

// Message is one user message. PPID is the payload protocol identifier (RFC 8831 section 8); an empty string or empty binary
// is one byte with the identifier 56 or 57, which the sender of the message provides.
type Message struct {
	StreamID uint16
	PPID     uint32
	Data     []byte
}

// SendOptions says how reliable a message is (RFC 3758). The zero value means unordered and reliable. At most one limit may be
// given; limits apply to unordered messages only, as in upstream.
type SendOptions struct {
	Ordered           bool
	MaxPacketLifeTime *uint16 // milliseconds
	MaxRetransmits    *uint16
}

// Output is what Poll drains. The contents belong to the caller; Poll overwrites the slices themselves.
// Handle States first, then Messages, then StreamsReset, then BufferedAmountLow; send Packets in their order.
type Output struct {
	States            []api.SCTPState // new states in order. At Connected, Negotiated tells the capabilities
	Negotiated        api.SCTPNegotiatedCapabilities
	Packets           [][]byte  // to send to the peer
	Messages          []Message // received
	StreamsReset      []uint16  // streams that the peer closed; their messages came before
	BufferedAmountLow []uint16  // streams whose buffered amount fell to their threshold
}

// Counters tells what one Association dropped.
type Counters struct {
	Malformed        uint64 // packets that are no SCTP, with a wrong port, or with lengths that lie
	Checksum         uint64 // packets with a wrong CRC32c
	VerificationTag  uint64 // packets of another association, or forged
	UnexpectedInit   uint64 // INITs that come late, and those that come too fast for a peer that restarts
	InputFull        uint64 // packets that did not fit the input queue
	TooManyStreams   uint64 // messages on more incoming streams than are accepted
	BeyondGap        uint64 // packets too far ahead of a missing one
	MessageTooLarge  uint64 // messages larger than maxReceiveMessageSize
	MessagesExpired  uint64 // messages to send whose lifetime ended in the queue
	ProtocolViolated uint64 // associations aborted for what the peer did
}

// Ours: bounds.
const (
	maxInPackets     = 1024
	maxInBytes       = 2 << 20
	maxOutPackets    = 256
	maxMessages      = 4096
	maxMessageBytes  = 2 << 20 // received and not drained yet, before reading pauses
	maxInStreams     = 4096    // pion's cost for each packet grows with them
	maxTinyFragments = 4096
	tinyFragment     = 64   // bytes
	maxEntries       = 8192 // queued chunks of one stream: more than a gap and a message of the whole receive window have
	keptCapacity     = 8    // elements of an empty queue
)
