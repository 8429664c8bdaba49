// Package answer describes a WebRtcTransport to pion/webrtc as an SDP answer, as mediasoup-client does to browsers.
package answer

import (
	"cmp"
	"fmt"
	"strings"

	"gazpacho/engine/api"
)

// Stream is a section for media: what the peer may send and receive.
type Stream struct {
	Codec api.RTPCodecParameters
	SSRC  uint32 // by which the worker sends a stream; 0 for none that is known yet
	// Attributes are further lines of the section, such as a=extmap.
	Attributes []string
}

// Answer is the worker's end of a peer connection.
type Answer struct {
	Fragment, Password string // of ICE
	Fingerprint        string // SHA-256, of the worker's certificate
	Candidate          api.ICECandidate
	PeerRole           api.DTLSRole // client, which begins the handshake, or server
	Streams            []Stream
	MaxMessageSize     uint32 // bytes of a message of data channels, for which there is a section after the streams
}

// SDP returns the description, with one section for each that pion offers.
func (a Answer) SDP() string {
	transport := a.transport()
	group := "a=group:BUNDLE"
	for mid := range len(a.Streams) + 1 {
		group += fmt.Sprint(" ", mid)
	}
	lines := []string{"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", group}
	for mid, s := range a.Streams {
		lines = append(append(lines, s.section(mid)...), transport...)
	}
	lines = append(lines, "m=application 7 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 127.0.0.1",
		fmt.Sprintf("a=mid:%d", len(a.Streams)), "a=sctp-port:5000", fmt.Sprintf("a=max-message-size:%d", a.MaxMessageSize))
	return strings.Join(append(lines, transport...), "\r\n") + "\r\n"
}

func (s Stream) section(mid int) []string {
	kind, encoding, _ := strings.Cut(s.Codec.MimeType, "/")
	encoding += fmt.Sprint("/", s.Codec.ClockRate)
	if s.Codec.Channels != nil {
		encoding += fmt.Sprint("/", *s.Codec.Channels)
	}
	lines := []string{
		fmt.Sprintf("m=%s 7 UDP/TLS/RTP/SAVPF %d", kind, s.Codec.PayloadType), "c=IN IP4 127.0.0.1",
		fmt.Sprintf("a=mid:%d", mid), "a=sendrecv", "a=rtcp-mux", fmt.Sprintf("a=rtpmap:%d %s", s.Codec.PayloadType, encoding),
	}
	if s.SSRC != 0 {
		lines = append(lines, fmt.Sprintf("a=ssrc:%d cname:worker", s.SSRC))
	}
	return append(lines, s.Attributes...)
}

// transport returns what each section says of ICE and DTLS.
func (a Answer) transport() []string {
	setup := "a=setup:passive" // the worker waits for the peer's ClientHello
	if a.PeerRole == api.DTLSRoleServer {
		setup = "a=setup:active"
	}
	protocol, suffix := "udp", ""
	if a.Candidate.Protocol == api.ProtocolTCP {
		protocol, suffix = "tcp", " tcptype passive"
	}
	c := a.Candidate
	return []string{
		"a=ice-ufrag:" + a.Fragment, "a=ice-pwd:" + a.Password, setup, "a=fingerprint:sha-256 " + a.Fingerprint,
		fmt.Sprintf("a=candidate:%s 1 %s %d %s %d typ host%s", cmp.Or(c.Foundation, "1"), protocol, c.Priority, c.Address, c.Port, suffix),
		"a=end-of-candidates",
	}
}
