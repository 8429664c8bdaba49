package media

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// rtpParameters are checked RTP parameters of a producer or consumer.
type rtpParameters struct {
	// shown is what dumps show: MIME types in mediasoup's spelling, mediasoup's defaults filled in.
	shown     *api.RTPParameters
	encodings []encodingParameters
}

// encodingParameters is what follows from one encoding together with the codecs.
type encodingParameters struct {
	mode  layer.ScalabilityMode
	codec *api.RTPCodecParameters
	// rtx is the codec that retransmits codec, nil if none does.
	rtx        *api.RTPCodecParameters
	maxBitrate uint64
}

// parseRTPParameters checks in mediasoup's order, so that parameters with several mistakes give the same error.
func parseRTPParameters(in *api.RTPParameters) (*rtpParameters, error) {
	if in == nil {
		return nil, api.TypeErrorf("missing rtpParameters")
	}
	p := &rtpParameters{shown: &api.RTPParameters{MID: in.MID, MSID: in.MSID, RTCP: in.RTCP}}
	if p.shown.RTCP == nil {
		p.shown.RTCP = &api.RTCPParameters{ReducedSize: true}
	}
	names, err := p.parseCodecs(in.Codecs)
	if err != nil {
		return nil, err
	}
	if err := p.parseEncodings(in.Encodings); err != nil {
		return nil, err
	}
	for _, e := range in.HeaderExtensions {
		if e.ID == 0 {
			return nil, api.TypeErrorf("invalid id 0")
		}
	}
	p.shown.HeaderExtensions = in.HeaderExtensions
	if err := p.checkCodecs(names); err != nil {
		return nil, err
	}
	if err := p.checkEncodings(names); err != nil {
		return nil, err
	}
	p.linkCodecs()
	return p, nil
}

func (p *rtpParameters) parseCodecs(in []api.RTPCodecParameters) ([]codecName, error) {
	names := make([]codecName, len(in))
	p.shown.Codecs = slices.Clone(in)
	for i := range p.shown.Codecs {
		c := &p.shown.Codecs[i]
		mime, name, err := parseMimeType(c.MimeType)
		if err != nil {
			return nil, err
		}
		c.MimeType, names[i] = mime, name
		if c.Channels != nil && *c.Channels <= 1 {
			c.Channels = nil
		}
		if apt, ok := integerParameter(c, "apt"); name.name == rtxName && (!ok || apt < 0) {
			return nil, api.TypeErrorf("missing apt parameter in RTX codec")
		}
	}
	if len(in) == 0 {
		return nil, api.TypeErrorf("empty codecs")
	}
	return names, nil
}

func (p *rtpParameters) parseEncodings(in []api.RTPEncodingParameters) error {
	if len(in) == 0 {
		return api.TypeErrorf("empty encodings")
	}
	p.shown.Encodings = make([]api.RTPEncodingParameters, len(in))
	p.encodings = make([]encodingParameters, len(in))
	for i := range in {
		p.shown.Encodings[i], p.encodings[i] = parseEncoding(&in[i])
	}
	return nil
}

// parseEncoding returns the encoding as dumps show it (mediasoup leaves maxBitrate out) and what follows from it.
func parseEncoding(in *api.RTPEncodingParameters) (api.RTPEncodingParameters, encodingParameters) {
	shown, e := *in, encodingParameters{mode: layer.ParseScalabilityMode(in.ScalabilityMode)}
	if shown.SSRC != nil && *shown.SSRC == 0 {
		shown.SSRC = nil
	}
	if in.MaxBitrate != nil {
		e.maxBitrate = *in.MaxBitrate
	}
	shown.ScalabilityMode, shown.MaxBitrate = e.mode.Name, nil
	return shown, e
}

func (p *rtpParameters) checkCodecs(names []codecName) error {
	var seen [256]bool
	for i := range p.shown.Codecs {
		c := &p.shown.Codecs[i]
		if seen[c.PayloadType] {
			return api.TypeErrorf("duplicated payloadType")
		}
		seen[c.PayloadType] = true
		if names[i].name != rtxName {
			continue
		}
		apt, _ := integerParameter(c, "apt")
		j := slices.IndexFunc(p.shown.Codecs, func(o api.RTPCodecParameters) bool { return int32(o.PayloadType) == apt })
		if j < 0 {
			return api.TypeErrorf("apt in RTX codec points to a non existing codec")
		}
		switch names[j].name {
		case rtxName:
			return api.TypeErrorf("apt in RTX codec points to a RTX codec")
		case ulpfecName:
			return api.TypeErrorf("apt in RTX codec points to a ULPFEC codec")
		case flexfecName:
			return api.TypeErrorf("apt in RTX codec points to a FLEXFEC codec")
		}
	}
	return nil
}

func (p *rtpParameters) checkEncodings(names []codecName) error {
	first := slices.IndexFunc(names, func(n codecName) bool { return n.class == mediaCodec })
	if first < 0 {
		return api.TypeErrorf("no media codecs found")
	}
	for i := range p.shown.Encodings {
		e := &p.shown.Encodings[i]
		if p.encodings[i].mode.Spatial > 1 && len(p.encodings) > 1 {
			return api.TypeErrorf("cannot use both simulcast and encodings with multiple SVC spatial layers")
		}
		if e.CodecPayloadType == nil {
			e.CodecPayloadType = &p.shown.Codecs[first].PayloadType
			continue
		}
		pt := *e.CodecPayloadType
		j := slices.IndexFunc(p.shown.Codecs, func(c api.RTPCodecParameters) bool { return c.PayloadType == pt })
		if j < 0 {
			return api.TypeErrorf("unknown codecPayloadType")
		}
		if names[j].class != mediaCodec {
			return api.TypeErrorf("invalid codecPayloadType")
		}
	}
	return nil
}

// linkCodecs finds the media and RTX codec of each encoding.
func (p *rtpParameters) linkCodecs() {
	for i := range p.encodings {
		pt := *p.shown.Encodings[i].CodecPayloadType
		for j := range p.shown.Codecs {
			c := &p.shown.Codecs[j]
			if c.PayloadType == pt {
				p.encodings[i].codec = c
			}
			apt, ok := integerParameter(c, "apt")
			if ok && apt == int32(pt) && isRTX(c) && p.encodings[i].rtx == nil {
				p.encodings[i].rtx = c
			}
		}
	}
}

// rtpType returns the type of a producer: one encoding without layers is simple, with layers SVC, several encodings are
// simulcast. False = layers of a codec for which a router cannot distinguish them.
func (p *rtpParameters) rtpType() (api.RTPType, bool) {
	if len(p.encodings) > 1 {
		return api.RTPTypeSimulcast, true
	}
	e := &p.encodings[0]
	if e.mode.Spatial <= 1 && e.mode.Temporal <= 1 {
		return api.RTPTypeSimple, true
	}
	switch k := codec.KindOf(e.codec.MimeType); {
	case k.ValidForSVC():
		return api.RTPTypeSVC, true
	case k.ValidForSimulcast():
		return api.RTPTypeSimulcast, true
	default:
		return 0, false
	}
}

// validTypeForCodec reports whether consumers of a type can forward a codec (mediasoup's IsValidTypeForCodec).
func validTypeForCodec(t api.RTPType, mimeType string) bool {
	switch k := codec.KindOf(mimeType); t {
	case api.RTPTypeSimulcast:
		return k.ValidForSimulcast()
	case api.RTPTypeSVC:
		return k.ValidForSVC()
	default:
		return true
	}
}

// typeNames are the types as mediasoup's messages spell them.
var typeNames = map[api.RTPType]string{
	api.RTPTypeSimple:    "simple",
	api.RTPTypeSimulcast: "simulcast",
	api.RTPTypeSVC:       "svc",
	api.RTPTypePipe:      "pipe",
}

func isRTX(c *api.RTPCodecParameters) bool {
	return c.MimeType == "audio/"+rtxName || c.MimeType == "video/"+rtxName
}

// integerParameter returns a codec parameter, false if there is none with that name that is an integer.
func integerParameter(c *api.RTPCodecParameters, name string) (int32, bool) {
	for _, p := range c.Parameters {
		if p.Name == name {
			v, ok := p.Value.(*api.ValueInteger32)
			if !ok {
				return 0, false
			}
			return v.Value, true
		}
	}
	return 0, false
}

func hasFeedback(c *api.RTPCodecParameters, typ, parameter string) bool {
	return slices.Contains(c.RTCPFeedback, api.RTCPFeedback{Type: typ, Parameter: parameter})
}

// streamParams describes the stream of an encoding. The RID is left to the caller: producers' streams have one, consumers'
// do not.
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

// ExtensionIDs are the ids that one peer uses for the RTP header extensions a router knows (RFC 8285 section 4), 0 for those
// that it does not use.
type ExtensionIDs struct {
	MID, RID, RRID       uint8
	AbsSendTime          uint8
	TransportCC          uint8
	AudioLevel           uint8
	DependencyDescriptor uint8
	VideoOrientation     uint8
	TimeOffset           uint8
	AbsCaptureTime       uint8
	PlayoutDelay         uint8
	PacketID             uint8
}

// extensionIDs collects the ids of the extensions; the first of several entries with one URI counts, as in mediasoup.
func extensionIDs(params []api.RTPHeaderExtensionParameters) ExtensionIDs {
	var ids ExtensionIDs
	for _, p := range params {
		if field := ids.field(p.URI); field != nil && *field == 0 {
			*field = p.ID
		}
	}
	return ids
}

func (ids *ExtensionIDs) field(uri api.RTPHeaderExtensionURI) *uint8 {
	switch uri {
	case api.RTPHeaderExtensionURIMid:
		return &ids.MID
	case api.RTPHeaderExtensionURIRTPStreamId:
		return &ids.RID
	case api.RTPHeaderExtensionURIRepairRTPStreamId:
		return &ids.RRID
	case api.RTPHeaderExtensionURIAbsSendTime:
		return &ids.AbsSendTime
	case api.RTPHeaderExtensionURITransportWideCcDraft01:
		return &ids.TransportCC
	case api.RTPHeaderExtensionURISsrcAudioLevel:
		return &ids.AudioLevel
	case api.RTPHeaderExtensionURIDependencyDescriptor:
		return &ids.DependencyDescriptor
	case api.RTPHeaderExtensionURIVideoOrientation:
		return &ids.VideoOrientation
	case api.RTPHeaderExtensionURITimeOffset:
		return &ids.TimeOffset
	case api.RTPHeaderExtensionURIAbsCaptureTime:
		return &ids.AbsCaptureTime
	case api.RTPHeaderExtensionURIPlayoutDelay:
		return &ids.PlayoutDelay
	case api.RTPHeaderExtensionURIMediasoupPacketId:
		return &ids.PacketID
	default:
		return nil
	}
}
