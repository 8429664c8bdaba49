package pipe

import (
	"slices"

	"gazpacho/engine/api"
)

// Importable returns the RTP parameters by which another application may produce a producer: those of p without the codecs that no
// consumer is sent, which the other one's Router need not know, and with the retransmissions of those that are left.
func Importable(p *api.TransportProduceRequest) *api.RTPParameters {
	kept := map[int32]bool{}
	for i := range p.RTPParameters.Codecs {
		if codec := &p.RTPParameters.Codecs[i]; carriesMedia(codec.MimeType) {
			kept[int32(codec.PayloadType)] = true
		}
	}
	for i := range p.RTPParameters.Encodings {
		if codec := codecOf(p, &p.RTPParameters.Encodings[i]); codec != nil {
			kept[int32(codec.PayloadType)] = true
		}
	}
	params := *p.RTPParameters
	params.Codecs = slices.DeleteFunc(slices.Clone(params.Codecs), func(c api.RTPCodecParameters) bool {
		return !kept[int32(c.PayloadType)] && !kept[repaired(c)]
	})
	return &params
}

// repaired returns the payload type of the codec whose packets a codec repeats (RFC 4588), -1 for none.
func repaired(c api.RTPCodecParameters) int32 {
	for _, p := range c.Parameters {
		if apt, ok := p.Value.(*api.ValueInteger32); ok && p.Name == "apt" {
			return apt.Value
		}
	}
	return -1
}
