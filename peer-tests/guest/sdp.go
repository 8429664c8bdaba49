package main

import (
	"fmt"
	"net"
	"strings"
)

// A WebRtcTransport knows no SDP, and a peer connection nothing else. So what the server would say in SDP is made up here: the answer to
// what is sent, which it takes as offered, and an offer of what is received.

// lines is SDP in the making.
type lines []string

func (l *lines) add(format string, a ...any) { *l = append(*l, fmt.Sprintf(format, a...)) }

func (l lines) String() string { return strings.Join(l, "\r\n") + "\r\n" }

// describe adds how a transport is reached. It waits for the guest to start DTLS (RFC 5763 section 5).
func (l *lines) describe(t transport) {
	l.add("a=ice-ufrag:%s", t.ICE.UsernameFragment)
	l.add("a=ice-pwd:%s", t.ICE.Password)
	l.add("a=setup:passive")
	for _, f := range t.DTLS.Fingerprints {
		if f.Algorithm == "sha-256" {
			l.add("a=fingerprint:sha-256 %s", f.Value)
		}
	}
	for _, c := range t.Candidates {
		if c.Protocol == "udp" {
			l.add("a=candidate:%s 1 udp %d %s %d typ host", c.Foundation, c.Priority, resolved(c.Address), c.Port)
		}
	}
	l.add("a=end-of-candidates")
}

// resolved returns an address for a name, which pion does not take: the server may announce either.
func resolved(address string) string {
	if net.ParseIP(address) == nil {
		if found, err := net.LookupHost(address); err == nil {
			return found[0]
		}
	}
	return address
}

// ownLines of an offer are about the one who makes it, so they are not repeated in the answer. The server has no encrypted header extensions
// (RFC 9335).
var ownLines = []string{"a=ice-", "a=candidate:", "a=end-of-candidates", "a=fingerprint:", "a=setup:", "a=ssrc", "a=msid", "a=cryptex"}

// answerTo returns the answer of a transport to an offer to send.
func answerTo(offer string, t transport) string {
	direction := strings.NewReplacer("a=sendonly", "a=recvonly", "a=simulcast:send ", "a=simulcast:recv ")
	var answer lines
	for line := range strings.Lines(offer) {
		line = direction.Replace(strings.TrimSpace(line))
		if strings.HasPrefix(line, "a=rid:") {
			line = strings.TrimSuffix(line, " send") + " recv"
		}
		if !hasAnyPrefix(line, ownLines) {
			answer.add("%s", line)
		}
		switch {
		case line == "t=0 0":
			answer.add("a=ice-lite")
		case strings.HasPrefix(line, "a=mid:"):
			answer.describe(t)
		}
	}
	return answer.String()
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// section is the media description of a consumer, or of one that has ended: then another one of that kind may take it. The first one is for
// data channels.
type section struct {
	kind   string
	id     string // the consumer's, or none
	params rtpParameters
}

// offerOf returns the offer of a transport that sends consumers. version grows with each.
func offerOf(sections []*section, t transport, version int) string {
	var offer lines
	offer = append(offer, "v=0", fmt.Sprintf("o=- 1 %d IN IP4 0.0.0.0", version), "s=-", "t=0 0", "a=ice-lite")
	group := "a=group:BUNDLE"
	for mid := range sections {
		group += fmt.Sprint(" ", mid)
	}
	offer.add("%s", group)
	for mid, s := range sections {
		if s.kind == dataKind {
			offer.data(mid)
		} else {
			offer.media(s, mid)
		}
		offer.describe(t)
	}
	return offer.String()
}

// data adds the section for data channels (RFC 8841).
func (l *lines) data(mid int) {
	l.add("m=application 7 UDP/DTLS/SCTP webrtc-datachannel")
	l.add("c=IN IP4 0.0.0.0")
	l.add("a=mid:%d", mid)
	l.add("a=sctp-port:5000")
}

func (l *lines) media(s *section, mid int) {
	types := ""
	for _, c := range s.params.Codecs {
		types += fmt.Sprint(" ", c.PayloadType)
	}
	l.add("m=%s 7 UDP/TLS/RTP/SAVPF%s", s.kind, types)
	l.add("c=IN IP4 0.0.0.0")
	l.add("a=mid:%d", mid)
	l.add("a=rtcp-mux")
	for _, c := range s.params.Codecs {
		l.codec(c)
	}
	for _, e := range s.params.HeaderExtensions {
		l.add("a=extmap:%d %s", e.ID, e.URI)
	}
	if s.id == "" {
		l.add("a=inactive")
		return
	}
	l.add("a=sendonly")
	for _, e := range s.params.Encodings {
		l.encoding(e, s.params.RTCP.CNAME)
	}
}

func (l *lines) codec(c codec) {
	_, name, _ := strings.Cut(c.MimeType, "/")
	name += fmt.Sprint("/", c.ClockRate)
	if c.Channels > 1 {
		name += fmt.Sprint("/", c.Channels)
	}
	l.add("a=rtpmap:%d %s", c.PayloadType, name)
	if parameters := c.formatParameters(); parameters != "" {
		l.add("a=fmtp:%d %s", c.PayloadType, parameters)
	}
	for _, f := range c.RTCPFeedback {
		l.add("a=rtcp-fb:%d %s", c.PayloadType, strings.TrimSpace(f.Type+" "+f.Parameter))
	}
}

func (l *lines) encoding(e encoding, cname string) {
	if e.RTX != nil {
		l.add("a=ssrc-group:FID %d %d", e.SSRC, e.RTX.SSRC)
	}
	l.add("a=ssrc:%d cname:%s", e.SSRC, cname)
	if e.RTX != nil {
		l.add("a=ssrc:%d cname:%s", e.RTX.SSRC, cname)
	}
}
