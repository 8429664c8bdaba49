package srtp

import (
	"encoding/binary"
	"errors"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
)

// MaxSSRCs is how many SSRCs a receiver keeps state for in each of RTP and RTCP, ours: far more than a peer's producers
// with all their encodings and retransmission streams use, few enough to be no burden.
const MaxSSRCs = 1024

// rtcpHeaderLen is the length of what SRTCP leaves in the clear, RFC 3711 section 3.4.
const rtcpHeaderLen = 8

// Receiver authenticates and decrypts the packets that a transport receives. State for an SSRC arises only when a packet
// of it passed authentication, so a stranger cannot make it grow; a peer with the keys can up to MaxSSRCs.
type Receiver struct {
	suite               Suite
	ctx                 *pion.Context
	rtpSSRCs, rtcpSSRCs int
	rtpHeader           rtp.Header
	rtcpHeader          rtcp.Header
}

// NewReceiver returns a receiver for the peer's master key and salt; see NewSender.
func NewReceiver(s Suite, keySalt []byte) (*Receiver, error) {
	ctx, err := newContext(s, keySalt, pion.SRTPReplayProtection(replayWindow), pion.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return nil, err
	}
	return &Receiver{suite: s, ctx: ctx}, nil
}

// UnprotectRTP authenticates and decrypts an SRTP packet in place and returns the plain packet, a prefix of b. Packets
// that were received before, or are older than the replay window (RFC 3711 section 3.3.2), are refused. When it returns
// an error (one of this package's values), the caller counts it and drops the packet; b may then hold garbage.
func (r *Receiver) UnprotectRTP(b []byte) ([]byte, error) {
	if len(b) < rtpFixedHeaderLen+r.suite.OverheadRTP() || b[0]>>6 != 2 {
		return nil, ErrMalformed
	}
	_, known := r.ctx.ROC(binary.BigEndian.Uint32(b[8:]))
	if !known && r.rtpSSRCs >= MaxSSRCs {
		return nil, ErrTooManySSRCs
	}
	plain, err := r.ctx.DecryptRTP(b, b, &r.rtpHeader)
	if err != nil {
		return nil, r.rtpRefusal(b, err)
	}
	if !known {
		r.rtpSSRCs++
	}
	return plain, nil
}

// rtpRefusal names the reason why pion refused b, because pion does not export all of its errors.
func (r *Receiver) rtpRefusal(b []byte, err error) error {
	if errors.Is(err, pion.ErrFailedToVerifyAuthTag) {
		return ErrAuthentication
	}
	const cryptexOneByte, cryptexTwoByte = 0xC0DE, 0xC2DE // RFC 9335 section 4, which mediasoup does not offer
	n, err := r.rtpHeader.Unmarshal(b)
	profile := r.rtpHeader.ExtensionProfile
	cryptex := r.rtpHeader.Extension && (profile == cryptexOneByte || profile == cryptexTwoByte)
	if err != nil || cryptex || len(b) < n+r.suite.OverheadRTP() {
		return ErrMalformed
	}
	return ErrReplayed
}

// UnprotectRTCP does for an SRTCP packet what UnprotectRTP does for SRTP.
func (r *Receiver) UnprotectRTCP(b []byte) ([]byte, error) {
	if len(b) < rtcpHeaderLen+r.suite.OverheadRTCP() || b[0]>>6 != 2 {
		return nil, ErrMalformed
	}
	_, known := r.ctx.Index(binary.BigEndian.Uint32(b[4:]))
	if !known && r.rtcpSSRCs >= MaxSSRCs {
		return nil, ErrTooManySSRCs
	}
	plain, err := r.ctx.DecryptRTCP(b, b, &r.rtcpHeader)
	switch {
	case errors.Is(err, pion.ErrFailedToVerifyAuthTag):
		return nil, ErrAuthentication
	case err != nil: // lengths and version were checked above, nothing else is left
		return nil, ErrReplayed
	case !known:
		r.rtcpSSRCs++
	}
	return plain, nil
}
