package srtp

import (
	"slices"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
)

// rtpFixedHeaderLen is the length of an RTP header without CSRCs and extension, RFC 3550 section 5.1.
const rtpFixedHeaderLen = 12

// Sender protects the packets that a transport sends. It keeps the roll-over counter of every SSRC it ever saw: restarting
// one under the same key would reuse keystream.
//
// The same packet may be protected twice, as in mediasoup (retransmission without RTX, RFC 4585). The same sequence number
// must never be protected with different contents: with AES-GCM that reveals the authentication key (RFC 7714 section 8).
// So a retransmission must repeat the header extensions too.
type Sender struct {
	suite      Suite
	ctx        *pion.Context
	cm         *counterModeSender // for RTP with the AES-CM suites; nil with the others
	rtpHeader  rtp.Header
	rtcpHeader rtcp.Header
}

// NewSender returns a sender. keySalt is the master key followed by the master salt, as in RFC 4568 section 6.1 and
// mediasoup's keyBase64. It returns ErrKeyLength if keySalt is not KeyLen + SaltLen bytes long.
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

// ProtectRTP encrypts and authenticates the RTP packet b[:n] in place and returns its length including the tag. headerLen
// is the length of the header with CSRCs and extension. The capacity of b must leave room for the tag after n (see
// MaxOverheadRTP), else ErrNoSpace. It returns ErrMalformed if n, headerLen and the header do not fit together.
//
// AES-GCM does not allocate. AES-CM allocates 512 bytes per packet (cipher.NewCTR), which costs less than a slower counter
// mode would.
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

// refusal returns why pion refused the RTP packet whose header it has just parsed.
func (s *Sender) refusal() error {
	const lastROC = 1<<32 - 1
	if roc, ok := s.ctx.ROC(s.rtpHeader.SSRC); ok && roc == lastROC {
		return ErrKeyExhausted
	}
	return ErrMalformed
}

// ProtectRTCP appends the protected form of the compound packet plain to dst and returns the extended slice. dst may be
// plain[:0] to work in place; otherwise the two must not overlap. It returns ErrMalformed if plain is not an RTCP packet,
// and ErrKeyExhausted after 2^31 packets (RFC 3711 section 9.2).
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
