package imports

import (
	"strings"

	"gazpacho/engine/api"
)

// RTP parameters as mediasoup's library has them (RtpParameters, release 3.27.1).
type (
	rtpParameters struct {
		MID              string            `json:"mid,omitempty"`
		Codecs           []codec           `json:"codecs"`
		HeaderExtensions []headerExtension `json:"headerExtensions"`
		Encodings        []encoding        `json:"encodings"`
		RTCP             rtcp              `json:"rtcp"`
		MSID             string            `json:"msid,omitempty"`
	}
	codec struct {
		MimeType     string         `json:"mimeType"`
		PayloadType  uint8          `json:"payloadType"`
		ClockRate    uint32         `json:"clockRate"`
		Channels     *uint8         `json:"channels,omitempty"`
		Parameters   map[string]any `json:"parameters"`
		RTCPFeedback []feedback     `json:"rtcpFeedback"`
	}
	feedback struct {
		Type      string `json:"type"`
		Parameter string `json:"parameter"`
	}
	headerExtension struct {
		URI        string         `json:"uri"`
		ID         uint8          `json:"id"`
		Encrypt    bool           `json:"encrypt"`
		Parameters map[string]any `json:"parameters"`
	}
	encoding struct {
		SSRC             *uint32 `json:"ssrc,omitempty"`
		RID              string  `json:"rid,omitempty"`
		CodecPayloadType *uint8  `json:"codecPayloadType,omitempty"`
		RTX              *rtx    `json:"rtx,omitempty"`
		DTX              bool    `json:"dtx"`
		ScalabilityMode  string  `json:"scalabilityMode,omitempty"`
		MaxBitrate       *uint64 `json:"maxBitrate,omitempty"`
	}
	rtx struct {
		SSRC uint32 `json:"ssrc"`
	}
	rtcp struct {
		CNAME       string `json:"cname,omitempty"`
		ReducedSize bool   `json:"reducedSize"`
	}
)

// sctpStreamParameters are SctpStreamParameters of the same library.
type sctpStreamParameters struct {
	StreamID          uint16  `json:"streamId"`
	Ordered           *bool   `json:"ordered,omitempty"`
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime,omitempty"`
	MaxRetransmits    *uint16 `json:"maxRetransmits,omitempty"`
}

// uris are the header extensions by what they are called in SDP.
var uris = map[api.RTPHeaderExtensionURI]string{
	api.RTPHeaderExtensionURIMid:                    "urn:ietf:params:rtp-hdrext:sdes:mid",
	api.RTPHeaderExtensionURIRTPStreamId:            "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
	api.RTPHeaderExtensionURIRepairRTPStreamId:      "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
	api.RTPHeaderExtensionURIAbsSendTime:            "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
	api.RTPHeaderExtensionURITransportWideCcDraft01: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
	api.RTPHeaderExtensionURISsrcAudioLevel:         "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
	api.RTPHeaderExtensionURIDependencyDescriptor:   "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
	api.RTPHeaderExtensionURIVideoOrientation:       "urn:3gpp:video-orientation",
	api.RTPHeaderExtensionURITimeOffset:             "urn:ietf:params:rtp-hdrext:toffset",
	api.RTPHeaderExtensionURIAbsCaptureTime:         "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
	api.RTPHeaderExtensionURIPlayoutDelay:           "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
	api.RTPHeaderExtensionURIMediasoupPacketId:      "urn:mediasoup:params:rtp-hdrext:packet-id",
	api.RTPHeaderExtensionURIFrameMarkingDraft07:    "http://tools.ietf.org/html/draft-ietf-avtext-framemarking-07",
	api.RTPHeaderExtensionURIFrameMarking:           "urn:ietf:params:rtp-hdrext:framemarking",
}

// describe returns RTP parameters for the library. knows says which header extensions it has words for.
func describe(p *api.RTPParameters, knows func(api.RTPHeaderExtensionURI) bool) rtpParameters {
	d := rtpParameters{MID: p.MID, MSID: p.MSID, Codecs: []codec{}, HeaderExtensions: []headerExtension{}, Encodings: []encoding{}}
	for i := range p.Codecs {
		d.Codecs = append(d.Codecs, describeCodec(&p.Codecs[i]))
	}
	for _, e := range p.HeaderExtensions {
		if knows(e.URI) {
			d.HeaderExtensions = append(d.HeaderExtensions, headerExtension{uris[e.URI], e.ID, e.Encrypt, values(e.Parameters)})
		}
	}
	for i := range p.Encodings {
		d.Encodings = append(d.Encodings, describeEncoding(&p.Encodings[i]))
	}
	if p.RTCP != nil {
		d.RTCP = rtcp{p.RTCP.CNAME, p.RTCP.ReducedSize}
	}
	return d
}

func describeCodec(c *api.RTPCodecParameters) codec {
	d := codec{c.MimeType, c.PayloadType, c.ClockRate, c.Channels, values(c.Parameters), []feedback{}}
	if kind, _, _ := strings.Cut(strings.ToLower(c.MimeType), "/"); kind != "audio" {
		d.Channels = nil
	}
	for _, f := range c.RTCPFeedback {
		d.RTCPFeedback = append(d.RTCPFeedback, feedback(f))
	}
	return d
}

func describeEncoding(e *api.RTPEncodingParameters) encoding {
	d := encoding{
		SSRC: e.SSRC, RID: e.RID, CodecPayloadType: e.CodecPayloadType, DTX: e.DTX, ScalabilityMode: e.ScalabilityMode, MaxBitrate: e.MaxBitrate,
	}
	if e.RTX != nil {
		d.RTX = &rtx{e.RTX.SSRC}
	}
	return d
}

func values(parameters []api.Parameter) map[string]any {
	all := map[string]any{}
	for _, p := range parameters {
		switch v := p.Value.(type) {
		case *api.ValueBoolean:
			all[p.Name] = v.Value != 0
		case *api.ValueInteger32:
			all[p.Name] = v.Value
		case *api.ValueDouble:
			all[p.Name] = v.Value
		case *api.ValueString:
			all[p.Name] = v.Value
		case *api.ValueInteger32Array:
			all[p.Name] = v.Value
		}
	}
	return all
}
