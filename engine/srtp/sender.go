package srtp

import (
	"slices"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
)

// rtpFixedHeaderLen is the length of an RTP header without CSRCs and extension, RFC 3550 section 5.1.
const rtpFixedHeaderLen = 12

// Sender protects the packets that a transport sends. It keeps the roll-over counter of every SSRC it ever saw: starting
// one again under the same key would use a keystream twice.
//
// The same packet may be protected twice (a retransmission without RTX, RFC 4585), as upstream allows it. The same
// sequence number with another content must never be protected: with AES-GCM that gives the key's secrets away (RFC 7714
// section 8). A retransmission must therefore repeat its header extensions too.
type Sender struct {
	suite      Suite
	ctx        *pion.Context
	cm         *counterModeSender // RTP of the AES-CM suites; nil for the others
	rtpHeader  rtp.Header
	rtcpHeader rtcp.Header
}

// NewSender returns a sender for master key and salt, which follow each other in keySalt as RFC 4568 section 6.1 and
// mediasoup's keyBase64 have it. It returns ErrKeyLength for another length than KeyLen + SaltLen.
func NewSender(s Suite, keySalt []byte) (*Sender, error) {
	ctx, err := newContext(s, keySalt)
	if err != nil {
		return nil, err
	}
	sender := &Sender{suite: s, ctx: ctx}
	if !s.isAEAD() {
		sender.cm, err = newCounterModeSender(keySalt[:s.KeyLen()], keySalt[s.KeyLen():], s.OverheadRTP())
	}
	return sender, err
}

// ProtectRTP encrypts and authenticates the RTP packet b[:n] in place, whose header (with CSRCs and extension) takes
// headerLen bytes, and returns the length with the tag. The capacity of b must leave room for the tag behind n (see
// MaxOverheadRTP), else ErrNoSpace. It returns ErrMalformed when n, headerLen or the header make no sense.
//
// AES-GCM does this without garbage. The AES-CM suites leave 512 bytes for each packet, which is the price of the
// standard library's fast counter mode and cheaper than going without.
func (s *Sender) ProtectRTP(b []byte, n, headerLen int) (int, error) {
	if headerLen < rtpFixedHeaderLen || headerLen > n || n > cap(b) {
		return 0, ErrMalformed
	}
	if cap(b)-n < s.suite.OverheadRTP() {
		return 0, ErrNoSpace
	}
	if s.cm != nil {
		return s.cm.protect(b[:cap(b)], n, headerLen)
	}
	out, err := s.ctx.EncryptRTP(b[:n], b[:n], &s.rtpHeader)
	if err != nil {
		return 0, s.refusal()
	}
	return len(out), nil
}

// refusal says why pion refused the RTP packet whose header it just parsed.
func (s *Sender) refusal() error {
	const lastROC = 1<<32 - 1
	if roc, ok := s.ctx.ROC(s.rtpHeader.SSRC); ok && roc == lastROC {
		return ErrKeyExhausted
	}
	return ErrMalformed
}

// ProtectRTCP appends the protected form of the compound packet plain to dst and returns the extended slice. The room
// behind dst may be that of plain when both begin at the same byte (dst = plain[:0]); else they must not overlap. It
// returns ErrMalformed for what is no RTCP packet and ErrKeyExhausted after 2^31 packets (RFC 3711 section 9.2).
func (s *Sender) ProtectRTCP(dst, plain []byte) ([]byte, error) {
	if len(plain) < rtcpHeaderLen || plain[0]>>6 != 2 {
		return dst, ErrMalformed
	}
	start := len(dst)
	dst = slices.Grow(dst, len(plain)+s.suite.OverheadRTCP())
	out, err := s.ctx.EncryptRTCP(dst[start:start], plain, &s.rtcpHeader)
	if err != nil {
		return dst[:start], ErrKeyExhausted
	}
	return dst[:start+len(out)], nil
}
