package pipe

import (
	"strings"

	"gazpacho/engine/api"
)

// Media is the two requests that relay a producer over a connected pair of transports.
type Media struct {
	Consume *api.TransportConsumeRequest // at home
	Produce *api.TransportProduceRequest // at the far end
}

// NewMedia derives a relay from the request that created the producer, which its home has accepted.
//
// consumerID is the id of the pipe consumer. sender tells apart who sends with one CNAME: producers of one transport share a
// sender's clock by it, and all relays of a pair come from one transport at the far end, whoever sent them.
func NewMedia(p *api.TransportProduceRequest, consumerID, sender string, paused bool, ssrcs *SSRCs) Media {
	codecs := newCodecs(p)
	encodings, consumable, mapped := codecs.encodings(p, ssrcs)
	params := &api.RTPParameters{
		Codecs:           codecs.list,
		HeaderExtensions: headerExtensions(p),
		Encodings:        encodings,
		RTCP:             &api.RTCPParameters{CNAME: sender + "/" + p.RTPParameters.RTCP.CNAME, ReducedSize: true},
		MSID:             p.RTPParameters.MSID,
	}
	return Media{
		Consume: &api.TransportConsumeRequest{
			ConsumerID: consumerID, ProducerID: p.ProducerID, Kind: p.Kind, Type: api.RTPTypePipe,
			RTPParameters: params, ConsumableRTPEncodings: consumable, Paused: paused,
		},
		Produce: &api.TransportProduceRequest{
			ProducerID: p.ProducerID, Kind: p.Kind, RTPParameters: params,
			RTPMapping: &api.RTPMapping{Codecs: codecs.mapping, Encodings: mapped}, Paused: paused,
		},
	}
}

// codecs are those of a relay. Payload types are the router's, as its consumers know them.
type codecs struct {
	kind    api.MediaKind
	mapped  map[uint8]uint8 // as the producer's rtpMapping has it
	list    []api.RTPCodecParameters
	mapping []api.CodecMapping
	taken   [256]bool      // payload types
	rtx     map[uint8]bool // payload types with retransmissions
}

// newCodecs takes over the codecs of the producer's encodings, then its other media codecs. Of several with one mapped type
// the first stands for all. A codec without a mapping never leaves the home, and is there only if an encoding names it.
func newCodecs(p *api.TransportProduceRequest) *codecs {
	c := &codecs{kind: p.Kind, mapped: map[uint8]uint8{}, rtx: map[uint8]bool{}}
	for _, m := range p.RTPMapping.Codecs {
		c.mapped[m.PayloadType] = m.MappedPayloadType // of several the last counts
	}
	for i := range p.RTPParameters.Encodings {
		if codec := codecOf(p, &p.RTPParameters.Encodings[i]); codec != nil {
			if _, ok := c.mapped[codec.PayloadType]; !ok {
				c.mapped[codec.PayloadType] = c.unused(codec.PayloadType)
			}
			c.add(codec)
		}
	}
	for i := range p.RTPParameters.Codecs {
		codec := &p.RTPParameters.Codecs[i]
		if _, ok := c.mapped[codec.PayloadType]; ok && carriesMedia(codec.MimeType) {
			c.add(codec)
		}
	}
	c.addRTX()
	return c
}

// codecOf returns the codec that an encoding names, by default the first media codec; nil if there is none.
func codecOf(p *api.TransportProduceRequest, e *api.RTPEncodingParameters) *api.RTPCodecParameters {
	for i := range p.RTPParameters.Codecs {
		codec := &p.RTPParameters.Codecs[i]
		if e.CodecPayloadType == nil && carriesMedia(codec.MimeType) ||
			e.CodecPayloadType != nil && *e.CodecPayloadType == codec.PayloadType {
			return codec
		}
	}
	return nil
}

// unused returns a payload type that no codec is mapped to: the wanted one if possible.
func (c *codecs) unused(wanted uint8) uint8 {
	var taken [256]bool
	for _, pt := range c.mapped {
		taken[pt] = true
	}
	for taken[wanted] { // a codec without a mapping is one of 256, so that the others leave one
		wanted++
	}
	return wanted
}

// carriesMedia tells media codecs from those that repair or signal, which no consumer is sent.
func carriesMedia(mimeType string) bool {
	_, name, _ := strings.Cut(strings.ToLower(mimeType), "/")
	switch name {
	case "rtx", "ulpfec", "flexfec", "x-ulpfecuc", "red", "cn", "telephone-event":
		return false
	}
	return true
}

func (c *codecs) add(codec *api.RTPCodecParameters) {
	pt := c.mapped[codec.PayloadType]
	if c.taken[pt] {
		return
	}
	c.taken[pt] = true
	feedback := []api.RTCPFeedback{{Type: "nack"}} // audio too: a pipe may lose packets
	if c.kind == api.MediaKindVideo {
		feedback = append(feedback, api.RTCPFeedback{Type: "nack", Parameter: "pli"}, api.RTCPFeedback{Type: "ccm", Parameter: "fir"})
	}
	c.list = append(c.list, api.RTPCodecParameters{
		MimeType: codec.MimeType, PayloadType: pt, ClockRate: codec.ClockRate, Channels: codec.Channels,
		Parameters: codec.Parameters, RTCPFeedback: feedback,
	})
	c.mapping = append(c.mapping, api.CodecMapping{PayloadType: pt, MappedPayloadType: pt})
}

// addRTX gives each video codec retransmissions, whether the producer has them or not.
func (c *codecs) addRTX() {
	if c.kind != api.MediaKindVideo {
		return
	}
	for i := range c.list {
		pt, ok := freePayloadType(&c.taken)
		if !ok {
			return
		}
		c.taken[pt] = true
		c.rtx[c.list[i].PayloadType] = true
		c.list = append(c.list, api.RTPCodecParameters{
			MimeType: "video/rtx", PayloadType: pt, ClockRate: c.list[i].ClockRate,
			Parameters: []api.Parameter{{Name: "apt", Value: &api.ValueInteger32{Value: int32(c.list[i].PayloadType)}}},
		})
	}
}

// freePayloadType returns the highest one that is free. Those that RTCP packets could be mistaken for are left out (RFC 5761
// section 4).
func freePayloadType(taken *[256]bool) (pt uint8, ok bool) {
	for pt := 127; pt >= 0; pt-- {
		if !taken[pt] && (pt < 64 || pt >= 96) {
			return uint8(pt), true
		}
	}
	return 0, false
}

// encodings returns those of the relay, and how they are called at home and at the far end: the mapped SSRCs are those of the
// producer in both.
func (c *codecs) encodings(p *api.TransportProduceRequest, ssrcs *SSRCs) (
	encodings, consumable []api.RTPEncodingParameters, mapping []api.EncodingMapping,
) {
	for i := range min(len(p.RTPParameters.Encodings), len(p.RTPMapping.Encodings)) {
		from, mapped := &p.RTPParameters.Encodings[i], p.RTPMapping.Encodings[i].MappedSSRC
		ssrc := ssrcs.Next()
		e := api.RTPEncodingParameters{
			SSRC: &ssrc, DTX: from.DTX, ScalabilityMode: from.ScalabilityMode, MaxBitrate: from.MaxBitrate,
		}
		var pt uint8
		if codec := codecOf(p, from); codec != nil {
			pt = c.mapped[codec.PayloadType]
			e.CodecPayloadType = &pt
		}
		if c.rtx[pt] {
			e.RTX = &api.RTX{SSRC: ssrcs.Next()}
		}
		encodings = append(encodings, e)
		consumable = append(consumable, api.RTPEncodingParameters{
			SSRC: &mapped, CodecPayloadType: e.CodecPayloadType, DTX: e.DTX, ScalabilityMode: e.ScalabilityMode,
			MaxBitrate: e.MaxBitrate,
		})
		mapping = append(mapping, api.EncodingMapping{
			SSRC: &ssrc, MappedSSRC: mapped, ScalabilityMode: p.RTPMapping.Encodings[i].ScalabilityMode,
		})
	}
	return encodings, consumable, mapping
}

// extensionIDs are the ids of header extensions in relays. Those of bandwidth estimation, MID and RID belong to one hop only.
var extensionIDs = []struct {
	uri api.RTPHeaderExtensionURI
	id  uint8
}{
	{api.RTPHeaderExtensionURISsrcAudioLevel, 1},
	{api.RTPHeaderExtensionURIDependencyDescriptor, 2},
	{api.RTPHeaderExtensionURIVideoOrientation, 3},
	{api.RTPHeaderExtensionURITimeOffset, 4},
	{api.RTPHeaderExtensionURIAbsCaptureTime, 5},
	{api.RTPHeaderExtensionURIPlayoutDelay, 6},
	{api.RTPHeaderExtensionURIMediasoupPacketId, 7},
}

// headerExtensions are those that the producer announces and no others: a worker waits for a capture time that is promised.
func headerExtensions(p *api.TransportProduceRequest) (list []api.RTPHeaderExtensionParameters) {
	announced := map[api.RTPHeaderExtensionURI]bool{
		api.RTPHeaderExtensionURIMediasoupPacketId: p.EnableMediasoupPacketIDHeaderExtension,
	}
	for i := range p.RTPParameters.HeaderExtensions {
		announced[p.RTPParameters.HeaderExtensions[i].URI] = true
	}
	for _, e := range extensionIDs {
		if announced[e.uri] {
			list = append(list, api.RTPHeaderExtensionParameters{URI: e.uri, ID: e.id})
		}
	}
	return list
}
