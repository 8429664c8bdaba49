package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pion/webrtc/v4"
)

// mediasoup's own objects, as far as guests need them: https://mediasoup.org/documentation/v3/mediasoup/rtp-parameters-and-capabilities

type feedback struct {
	Type      string `json:"type"`
	Parameter string `json:"parameter,omitempty"`
}

// codec is one of capabilities, which have PreferredPayloadType, or of parameters, which have PayloadType.
type codec struct {
	Kind                 string         `json:"kind,omitempty"`
	MimeType             string         `json:"mimeType"`
	PreferredPayloadType uint8          `json:"preferredPayloadType,omitempty"`
	PayloadType          uint8          `json:"payloadType,omitempty"`
	ClockRate            uint32         `json:"clockRate"`
	Channels             uint16         `json:"channels,omitempty"`
	Parameters           map[string]any `json:"parameters,omitempty"`
	RTCPFeedback         []feedback     `json:"rtcpFeedback"`
}

type headerExtension struct {
	Kind        string `json:"kind"`
	URI         string `json:"uri"`
	PreferredID int    `json:"preferredId"`
}

type capabilities struct {
	Codecs           []codec           `json:"codecs"`
	HeaderExtensions []headerExtension `json:"headerExtensions"`
}

type extension struct {
	URI string `json:"uri"`
	ID  int    `json:"id"`
}

type retransmission struct {
	SSRC uint32 `json:"ssrc"`
}

type encoding struct {
	RID  string          `json:"rid,omitempty"`
	SSRC uint32          `json:"ssrc"`
	RTX  *retransmission `json:"rtx,omitempty"`
}

type rtcpParameters struct {
	CNAME string `json:"cname"`
}

type rtpParameters struct {
	MID              string         `json:"mid,omitempty"`
	Codecs           []codec        `json:"codecs"`
	HeaderExtensions []extension    `json:"headerExtensions"`
	Encodings        []encoding     `json:"encodings"`
	RTCP             rtcpParameters `json:"rtcp"`
}

type fingerprint struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

type dtlsParameters struct {
	Role         string        `json:"role"`
	Fingerprints []fingerprint `json:"fingerprints"`
}

type iceCandidate struct {
	Foundation string `json:"foundation"`
	Priority   uint32 `json:"priority"`
	Address    string `json:"address"`
	Protocol   string `json:"protocol"`
	Port       uint16 `json:"port"`
}

// transport is what the server tells of a WebRtcTransport.
type transport struct {
	ICE struct {
		UsernameFragment string `json:"usernameFragment"`
		Password         string `json:"password"`
	} `json:"iceParameters"`
	Candidates []iceCandidate `json:"iceCandidates"`
	DTLS       dtlsParameters `json:"dtlsParameters"`
}

const (
	audioLevelURI  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	transportCCURI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

// understood returns which of a Router's capabilities a guest has: Opus, VP8 with retransmissions, and feedback for estimates by
// transport-wide numbers.
func understood(router capabilities) capabilities {
	vp8 := 0
	for _, c := range router.Codecs {
		if c.MimeType == webrtc.MimeTypeVP8 {
			vp8 = int(c.PreferredPayloadType)
		}
	}
	c := capabilities{
		Codecs: filter(router.Codecs, func(c codec) bool {
			return c.MimeType == webrtc.MimeTypeOpus || c.MimeType == webrtc.MimeTypeVP8 || c.repairs() == vp8
		}),
		HeaderExtensions: filter(router.HeaderExtensions, func(e headerExtension) bool { return e.URI == transportCCURI }),
	}
	for i := range c.Codecs {
		c.Codecs[i].RTCPFeedback = filter(c.Codecs[i].RTCPFeedback, func(f feedback) bool { return f.Type != "goog-remb" })
	}
	return c
}

// repairs returns the payload type that this one retransmits (RFC 4588), or -1.
func (c codec) repairs() int {
	if apt, ok := c.Parameters["apt"].(float64); ok {
		return int(apt)
	}
	return -1
}

// of returns the codecs of a kind of media as those of RTP parameters.
func (c capabilities) of(kind string) []codec {
	codecs := filter(c.Codecs, func(c codec) bool { return c.Kind == kind })
	for i := range codecs {
		codecs[i].PayloadType, codecs[i].PreferredPayloadType, codecs[i].Kind = codecs[i].PreferredPayloadType, 0, ""
	}
	return codecs
}

func filter[T any](all []T, keep func(T) bool) []T {
	kept := make([]T, 0, len(all))
	for _, one := range all {
		if keep(one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// formatParameters returns parameters of a codec as SDP has them (fmtp).
func (c codec) formatParameters() string {
	parts := make([]string, 0, len(c.Parameters))
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		parts = append(parts, fmt.Sprintf("%s=%v", name, c.Parameters[name]))
	}
	return strings.Join(parts, ";")
}

func (c codec) pion() webrtc.RTPCodecParameters {
	capability := webrtc.RTPCodecCapability{
		MimeType: c.MimeType, ClockRate: c.ClockRate, Channels: c.Channels, SDPFmtpLine: c.formatParameters(),
	}
	for _, f := range c.RTCPFeedback {
		capability.RTCPFeedback = append(capability.RTCPFeedback, webrtc.RTCPFeedback(f))
	}
	return webrtc.RTPCodecParameters{RTPCodecCapability: capability, PayloadType: webrtc.PayloadType(c.PreferredPayloadType)}
}
