package srtp

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"

	"gazpacho/engine/unit"
)

// MaxSSRCs, chosen here, is the number of SSRCs per generation of a receiver's state, for RTP and for RTCP. It is far more
// than the producers of one peer use at a time, with all their encodings and retransmission streams, and costs little.
const MaxSSRCs = 1024

// rtcpHeaderLen is the length of the header that SRTCP leaves unencrypted, RFC 3711 section 3.4.
const rtcpHeaderLen = 8

// Receiver authenticates and decrypts the packets that a transport receives. It creates state for an SSRC only after a
// packet of that SSRC was authenticated, so a stranger cannot make it grow.
//
// Over the life of a transport its peer may use any number of SSRCs, some for each producer. pion cannot drop the state of
// one, and the roll-over counter of one in use must not be lost. So state comes in generations of MaxSSRCs: when the newest
// is full, Renew adds one and drops those without an SSRC in use. There is at most one generation more than SSRCs in use.
type Receiver struct {
	suite   Suite
	keySalt []byte
	// The newest generation is the last one. RTCP packets carry their full index, so RTCP needs at most two.
	rtp        []generation
	rtcp       []generation
	rtpHeader  rtp.Header
	rtcpHeader rtcp.Header
}

// generation is the state of up to MaxSSRCs SSRCs.
type generation struct {
	ctx   *pion.Context
	ssrcs int
}

// NewReceiver returns a receiver for the peer's master key and salt; see NewSender.
func NewReceiver(s Suite, keySalt []byte) (*Receiver, error) {
	r := &Receiver{suite: s, keySalt: slices.Clone(keySalt)}
	ctx, err := r.newContext()
	if err != nil {
		return nil, err
	}
	r.rtp, r.rtcp = []generation{{ctx: ctx}}, []generation{{ctx: ctx}}
	return r, nil
}

func (r *Receiver) newContext() (*pion.Context, error) {
	return newContext(r.suite, r.keySalt, pion.SRTPReplayProtection(replayWindow), pion.SRTCPReplayProtection(rtcpReplayWindow))
}

// nextGeneration returns an empty generation.
func (r *Receiver) nextGeneration() generation {
	ctx, err := r.newContext()
	if err != nil {
		panic("srtp: keys that were accepted are refused: " + err.Error())
	}
	return generation{ctx: ctx}
}

// Renew makes room for more SSRCs after ErrTooManySSRCs. inUse lists the SSRCs whose state is still needed. If a dropped
// SSRC is used again, its old packets are no longer recognized as replays.
func (r *Receiver) Renew(inUse []unit.SSRC) {
	r.rtp = slices.DeleteFunc(r.rtp, func(g generation) bool {
		return !slices.ContainsFunc(inUse, func(ssrc unit.SSRC) bool {
			_, known := g.ctx.ROC(uint32(ssrc))
			return known
		})
	})
	r.rtp = append(r.rtp, r.nextGeneration())
}

// rtpGeneration returns the generation with the state of an SSRC, or else the newest.
func (r *Receiver) rtpGeneration(ssrc uint32) (g *generation, known bool) {
	for i := len(r.rtp) - 1; i >= 0; i-- {
		if _, known := r.rtp[i].ctx.ROC(ssrc); known {
			return &r.rtp[i], true
		}
	}
	return &r.rtp[len(r.rtp)-1], false
}

// rtcpGeneration is rtpGeneration for RTCP. It starts a new generation when the newest is full.
func (r *Receiver) rtcpGeneration(ssrc uint32) (g *generation, known bool) {
	for i := len(r.rtcp) - 1; i >= 0; i-- {
		if _, known := r.rtcp[i].ctx.Index(ssrc); known {
			return &r.rtcp[i], true
		}
	}
	if last := r.rtcp[len(r.rtcp)-1]; last.ssrcs >= MaxSSRCs {
		r.rtcp = []generation{last, r.nextGeneration()}
	}
	return &r.rtcp[len(r.rtcp)-1], false
}

// UnprotectRTP authenticates and decrypts an SRTP packet in place and returns the plain packet, a prefix of b. It refuses
// packets that were received before or are older than the replay window (RFC 3711 section 3.3.2). On an error (one of this
// package's values) the caller counts it and drops the packet; b may then hold garbage. Only ErrTooManySSRCs leaves b
// unchanged: the caller may call Renew and try again.
func (r *Receiver) UnprotectRTP(b []byte) ([]byte, error) {
	if len(b) < rtpFixedHeaderLen+r.suite.OverheadRTP() || b[0]>>6 != 2 {
		return nil, ErrMalformed
	}
	g, known := r.rtpGeneration(binary.BigEndian.Uint32(b[8:]))
	if !known && g.ssrcs >= MaxSSRCs {
		return nil, ErrTooManySSRCs
	}
	// pion parses the header itself, whatever is in the one that it is given, keeps no offsets, and takes extension blocks that
	// RFC 8285 forbids. So packet.Packet parses the plain packet again: 55 ns, where decryption takes ten times that.
	plain, err := g.ctx.DecryptRTP(b, b, &r.rtpHeader)
	if err != nil {
		return nil, r.rtpRefusal(b, err)
	}
	if !known {
		g.ssrcs++
	}
	return plain, nil
}

// rtpRefusal returns why pion refused b; pion does not export all of its errors.
func (r *Receiver) rtpRefusal(b []byte, err error) error {
	if errors.Is(err, pion.ErrFailedToVerifyAuthTag) {
		return ErrAuthentication
	}
	const cryptexOneByte, cryptexTwoByte = 0xC0DE, 0xC2DE // RFC 9335 section 4; mediasoup does not support it
	n, err := r.rtpHeader.Unmarshal(b)
	profile := r.rtpHeader.ExtensionProfile
	cryptex := r.rtpHeader.Extension && (profile == cryptexOneByte || profile == cryptexTwoByte)
	if err != nil || cryptex || len(b) < n+r.suite.OverheadRTP() {
		return ErrMalformed
	}
	return ErrReplayed
}

// UnprotectRTCP is UnprotectRTP for an SRTCP packet. It never returns ErrTooManySSRCs.
func (r *Receiver) UnprotectRTCP(b []byte) ([]byte, error) {
	if len(b) < rtcpHeaderLen+r.suite.OverheadRTCP() || b[0]>>6 != 2 {
		return nil, ErrMalformed
	}
	g, known := r.rtcpGeneration(binary.BigEndian.Uint32(b[4:]))
	plain, err := g.ctx.DecryptRTCP(b, b, &r.rtcpHeader)
	switch {
	case errors.Is(err, pion.ErrFailedToVerifyAuthTag):
		return nil, ErrAuthentication
	case err != nil: // length and version were checked above, so no other reason is left
		return nil, ErrReplayed
	case !known:
		g.ssrcs++
	}
	return plain, nil
}
