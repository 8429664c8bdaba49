package sctp

import (
	"crypto/rand"
	"errors"
	"io"
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

// Config configures an Association. Zero values become the defaults, which are mediasoup's unless told otherwise.
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

	// OverDTLS says that DTLS carries the packets and finds their errors, so that checksums can be left out (RFC 9653).
	OverDTLS bool
	// Random is where tags, first sequence numbers and the key of cookies come from; crypto/rand.
	Random io.Reader
}

// Defaults, of mediasoup's SctpOptions (release 3.27.1).
const (
	defaultPort    = 5000
	defaultMTU     = 1191
	defaultMessage = 256 << 10
	defaultSend    = 2000000
	defaultWindow  = 5 << 20

	maxStreams = 65535 // announced for both directions

	heartbeatInterval = 30 * time.Second
	maxUnheard        = 10                // intervals without a packet after which the peer counts as gone
	initTimeout       = 511 * time.Second // mediasoup's first INIT and eight more, each after twice the time of the last
)

// Chosen here: the handshake's timers. A peer may be started long after us and answer nothing but INITs, so they come
// regularly.
const (
	firstInitTimeout = 500 * time.Millisecond
	maxInitInterval  = 5 * time.Second
)

func (c Config) withDefaults() Config {
	if c.Port == 0 {
		c.Port = defaultPort
	}
	if c.Random == nil {
		c.Random = rand.Reader
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

// SendOptions says how reliable a message is (RFC 3758). The zero value means unordered and reliable. Limits hold if the peer
// supports them; in mediasoup they apply to unordered messages only, which is the caller's business.
type SendOptions struct {
	Ordered           bool
	MaxPacketLifeTime *uint16 // milliseconds after which the message is not sent any more; 0: at once or not at all
	MaxRetransmits    *uint16 // 0: sent once
}

// Output is what Poll drains. It is valid until the next Poll with it.
// Handle States first, then Messages, then StreamsReset, then BufferedAmountLow; send Packets in their order.
type Output struct {
	States            []api.SCTPState // new states in order. At Connected, Negotiated tells the capabilities
	Negotiated        api.SCTPNegotiatedCapabilities
	Packets           [][]byte  // to send to the peer
	Messages          []Message // received; their Data belongs to the caller
	StreamsReset      []uint16  // streams that the peer closed; their messages came before
	BufferedAmountLow []uint16  // streams whose buffered amount fell to their threshold

	packets *packets // memory of Packets
}

// Empty tells whether there is nothing to handle.
func (o *Output) Empty() bool {
	return len(o.States)+len(o.Packets)+len(o.Messages)+len(o.StreamsReset)+len(o.BufferedAmountLow) == 0
}

// Counters tells what one Association dropped.
type Counters struct {
	Malformed        uint64 // packets and chunks that are no SCTP, with a wrong port, or with lengths that lie
	Checksum         uint64 // packets with a wrong CRC32c
	VerificationTag  uint64 // packets of another association, or forged
	UnexpectedChunk  uint64 // chunks that do not belong into the state, and cookies that are not ours or too old
	WindowExceeded   uint64 // chunks for which there was no room; the peer sends them again
	MessageTooLarge  uint64 // messages larger than maxReceiveMessageSize
	MessagesExpired  uint64 // messages given up because of their lifetime or their number of transmissions
	PeerRestarts     uint64 // associations that the peer began anew
	ProtocolViolated uint64 // associations aborted for what the peer did
}
