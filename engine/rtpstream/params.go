package rtpstream

import (
	"strings"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Params describe a stream as it was negotiated.
type Params struct {
	// Encoding is the index of the encoding in the RTP parameters.
	Encoding    int
	SSRC        unit.SSRC
	PayloadType uint8
	// MimeType in mediasoup's spelling, for example "video/VP8".
	MimeType string
	// ClockRate of the RTP timestamp in Hz.
	ClockRate uint32
	RID       string
	CNAME     string
	// RTXSSRC is 0 when the stream has no RTX stream (RFC 4588). SetRTX of Recv and Send sets it.
	RTXSSRC        unit.SSRC
	RTXPayloadType uint8

	UseNACK, UsePLI, UseFIR, UseInBandFEC, UseDTX bool
	// SpatialLayers and TemporalLayers in this stream; 0 counts as 1.
	SpatialLayers, TemporalLayers uint8
}

// kind returns the type part of the MIME type.
func (p *Params) kind() api.MediaKind {
	if len(p.MimeType) >= 6 && strings.EqualFold(p.MimeType[:6], "audio/") {
		return api.MediaKindAudio
	}
	return api.MediaKindVideo
}

func (p *Params) normalize() {
	p.SpatialLayers, p.TemporalLayers = max(p.SpatialLayers, 1), max(p.TemporalLayers, 1)
}

// dump returns the parameters as the worker protocol shows them.
func (p *Params) dump() *api.RTPStreamParams {
	d := &api.RTPStreamParams{
		EncodingIdx:    uint32(p.Encoding),
		SSRC:           uint32(p.SSRC),
		PayloadType:    p.PayloadType,
		MimeType:       p.MimeType,
		ClockRate:      p.ClockRate,
		RID:            p.RID,
		CNAME:          p.CNAME,
		UseNACK:        p.UseNACK,
		UsePLI:         p.UsePLI,
		UseFIR:         p.UseFIR,
		UseInBandFEC:   p.UseInBandFEC,
		UseDTX:         p.UseDTX,
		SpatialLayers:  p.SpatialLayers,
		TemporalLayers: p.TemporalLayers,
	}
	if p.RTXSSRC != 0 {
		ssrc, pt := uint32(p.RTXSSRC), p.RTXPayloadType
		d.RTXSSRC, d.RTXPayloadType = &ssrc, &pt
	}
	return d
}

// rtxMimeType returns "audio/rtx" or "video/rtx".
func (p *Params) rtxMimeType() string {
	if p.kind() == api.MediaKindAudio {
		return "audio/rtx"
	}
	return "video/rtx"
}

func (p *Params) dumpRTX() *api.RTXStreamDump {
	return &api.RTXStreamDump{Params: &api.RTXStreamParams{
		SSRC:        uint32(p.RTXSSRC),
		PayloadType: p.RTXPayloadType,
		MimeType:    p.rtxMimeType(),
		ClockRate:   p.ClockRate,
		RRID:        p.RID,
		CNAME:       p.CNAME,
	}}
}
