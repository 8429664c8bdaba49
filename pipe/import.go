package pipe

import (
	"slices"

	"gazpacho/engine/api"
)

// NewImport is NewMedia for a producer of another application. original is the request that created it there, which says how its packets
// leave its home. as is the one by which this application knows it: of the same RTP parameters, with payload types and SSRCs of its
// own in the mapping, which the far end maps to. The pipe consumer's ProducerID is that of as.
func NewImport(original, as *api.TransportProduceRequest, consumerID, sender string, paused bool, ssrcs *SSRCs) Media {
	m := NewMedia(original, consumerID, sender, paused, ssrcs)
	m.Consume.ProducerID, m.Produce.ProducerID = as.ProducerID, as.ProducerID
	var mapping []api.CodecMapping
	for _, c := range m.Produce.RTPMapping.Codecs {
		if pt, ok := remapped(original, as, c.PayloadType); ok { // else this application has no such codec
			mapping = append(mapping, api.CodecMapping{PayloadType: c.PayloadType, MappedPayloadType: pt})
		}
	}
	m.Produce.RTPMapping.Codecs = mapping
	for i := range m.Produce.RTPMapping.Encodings {
		e := &m.Produce.RTPMapping.Encodings[i]
		e.MappedSSRC, e.ScalabilityMode = as.RTPMapping.Encodings[i].MappedSSRC, as.RTPMapping.Encodings[i].ScalabilityMode
	}
	return m
}

// remapped returns the payload type that as maps a codec to which leaves its home with the given one.
func remapped(original, as *api.TransportProduceRequest, mapped uint8) (pt uint8, ok bool) {
	for _, theirs := range original.RTPMapping.Codecs {
		if theirs.MappedPayloadType != mapped {
			continue
		}
		i := slices.IndexFunc(as.RTPMapping.Codecs, func(ours api.CodecMapping) bool { return ours.PayloadType == theirs.PayloadType })
		if i >= 0 {
			return as.RTPMapping.Codecs[i].MappedPayloadType, true
		}
	}
	return 0, false
}

// CanImport reports whether NewImport can be called: as has a mapping for each encoding and each codec of the encodings of original.
func CanImport(original, as *api.TransportProduceRequest) bool {
	if as.Kind != original.Kind || len(as.RTPMapping.Encodings) != len(original.RTPMapping.Encodings) ||
		len(as.RTPParameters.Encodings) != len(original.RTPParameters.Encodings) {
		return false
	}
	for i := range original.RTPParameters.Encodings {
		codec := codecOf(original, &original.RTPParameters.Encodings[i])
		if codec == nil {
			continue // the home has refused it, or never names the codec
		}
		ours := func(m api.CodecMapping) bool { return m.PayloadType == codec.PayloadType }
		if !slices.ContainsFunc(as.RTPMapping.Codecs, ours) && slices.ContainsFunc(original.RTPMapping.Codecs, ours) {
			return false
		}
	}
	return true
}
