package srtp

// Sender protects the packets that a transport sends.
type Sender struct {
	suite Suite
}

// NewSender returns a sender for master key and salt, which follow each other in keySalt as RFC 4568 section 6.1 and
// mediasoup's keyBase64 have it. It returns ErrKeyLength for another length than KeyLen + SaltLen.
func NewSender(s Suite, keySalt []byte) (*Sender, error) { return &Sender{suite: s}, nil }

// ProtectRTP encrypts and authenticates the RTP packet b[:n] in place, whose header (with CSRCs and extension) takes
// headerLen bytes, and returns the length with the tag. The capacity of b must leave room for the tag behind n (see
// MaxOverheadRTP), else ErrNoSpace.
func (s *Sender) ProtectRTP(b []byte, n, headerLen int) (int, error) { return n, nil }

// ProtectRTCP appends the protected form of the compound packet plain to dst and returns the extended slice. plain and
// the free capacity of dst must not overlap.
func (s *Sender) ProtectRTCP(dst, plain []byte) ([]byte, error) { return append(dst, plain...), nil }
