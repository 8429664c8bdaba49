package media

import (
	"gazpacho/engine/api"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// streamParams describes the stream of the encoding with the given index. The RID is left to the caller: producers'
// streams have one, consumers' do not.
func (p *rtpParameters) streamParams(encoding int, ssrc unit.SSRC) rtpstream.Params {
	e := &p.encodings[encoding]
	inBandFEC, _ := integerParameter(e.codec, "useinbandfec")
	dtx, _ := integerParameter(e.codec, "usedtx")
	return rtpstream.Params{
		Encoding:       encoding,
		SSRC:           ssrc,
		PayloadType:    e.codec.PayloadType,
		MimeType:       e.codec.MimeType,
		ClockRate:      e.codec.ClockRate,
		CNAME:          p.shown.RTCP.CNAME,
		UseNACK:        hasFeedback(e.codec, "nack", ""),
		UsePLI:         hasFeedback(e.codec, "nack", "pli"),
		UseFIR:         hasFeedback(e.codec, "ccm", "fir"),
		UseInBandFEC:   inBandFEC == 1,
		UseDTX:         dtx == 1 || p.shown.Encodings[encoding].DTX,
		SpatialLayers:  e.mode.Spatial,
		TemporalLayers: e.mode.Temporal,
	}
}

// optionalSSRC returns an SSRC of the protocol, 0 when absent.
func optionalSSRC(v *uint32) unit.SSRC {
	if v == nil {
		return 0
	}
	return unit.SSRC(*v)
}

// rtxSSRC returns the RTX SSRC of an encoding, 0 when absent.
func rtxSSRC(e *api.RTPEncodingParameters) unit.SSRC {
	if e.RTX == nil {
		return 0
	}
	return unit.SSRC(e.RTX.SSRC)
}
