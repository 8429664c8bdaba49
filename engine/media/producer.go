package media

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// Producer receives the streams of one media source from one peer. It is a pure machine; see the package comment.
type Producer struct {
	id     string
	kind   api.MediaKind
	typ    api.RTPType
	paused bool

	params  *rtpParameters
	mapping api.RTPMapping
	// payloadTypes maps the peer's payload types to the router's; unmapped where there is none.
	payloadTypes [128]uint8
	ids          ExtensionIDs

	// streams holds one stream per encoding, nil until its first packet.
	streams   []*recvStream
	keyFrames *rtpstream.KeyFrameRequests // nil for audio
	lastRTCP  unit.Time                   // 0 = never
	clock     *rtpstream.SenderClock      // the peer's, shared by its producers of one CNAME

	addPacketID  bool
	nextPacketID uint32

	orientation      rtp.VideoOrientation
	orientationKnown bool

	trace traceSet[api.ProducerTraceEventType]
	drops ProducerDrops
	// collected is what CollectCounts has seen; nil before its first call.
	collected *ProducerCounts
	out       ProducerOutput
}

// unmapped marks payload types without mapping; no RTP payload type is that large.
const unmapped = 0xff

// recvStream is one received stream.
type recvStream struct {
	*rtpstream.Recv
	encoding int
	mapped   unit.SSRC
	// announced: a StreamNew was published.
	announced bool
	// bitrates were measured last; they are measured again at measure, unit.Never while the stream is silent.
	bitrates *layer.Bitrates
	measure  unit.Time
	// The newest packet whose time of capture is known, and that time, 0 if there is none.
	capturedTS unit.Timestamp
	capturedAt unit.Time
	// fractionLost is the worst among the consumers, in 1/256.
	fractionLost uint8
	// renumbered is nil until another peer has taken the stream over.
	renumbered *renumbering
}

// ProducerDrops counts packets of the peer that were not forwarded, by reason. What a stream discards (sequence numbers out
// of range, duplicates) is in its statistics.
type ProducerDrops struct {
	// NoStream: SSRC and RID belong to no encoding, or RTX came before its stream.
	NoStream uint64
	// PayloadType: the payload type has no mapping.
	PayloadType uint64
	// Stream: the stream discarded it.
	Stream uint64
	// Paused: the producer is paused.
	Paused uint64
}

// NewProducer checks the request as mediasoup does; if it is wrong, it returns an *api.Error (TypeError) with mediasoup's
// text.
func NewProducer(req *api.TransportProduceRequest) (*Producer, error) {
	params, err := parseRTPParameters(req.RTPParameters)
	if err != nil {
		return nil, err
	}
	typ, ok := params.rtpType()
	if !ok {
		return nil, api.TypeErrorf("invalid RTP parameters")
	}
	if mime := params.encodings[0].codec.MimeType; !validTypeForCodec(typ, mime) {
		return nil, api.TypeErrorf("%s codec not supported for %s", mime, typeNames[typ])
	}
	if err := checkMapping(params.shown, req.RTPMapping); err != nil {
		return nil, err
	}
	p := &Producer{
		id: req.ProducerID, kind: req.Kind, typ: typ, paused: req.Paused,
		params:      params,
		ids:         extensionIDs(params.shown.HeaderExtensions),
		streams:     make([]*recvStream, len(params.encodings)),
		addPacketID: req.EnableMediasoupPacketIDHeaderExtension,
	}
	p.setClock(new(rtpstream.SenderClock))
	p.setMapping(req.RTPMapping)
	if p.kind == api.MediaKindVideo {
		p.keyFrames = rtpstream.NewKeyFrameRequests(time.Duration(req.KeyFrameRequestDelay) * time.Millisecond)
	}
	return p, nil
}

func checkMapping(params *api.RTPParameters, m *api.RTPMapping) error {
	if m == nil {
		return api.TypeErrorf("missing rtpMapping")
	}
	for _, e := range m.Encodings {
		anonymous := e.SSRC == nil && e.RID == ""
		if anonymous && len(m.Encodings) > 1 {
			return api.TypeErrorf("wrong entry in rtpMapping.encodings (missing ssrc or rid)")
		}
		if anonymous && params.MID == "" {
			return api.TypeErrorf("wrong entry in rtpMapping.encodings (missing ssrc or rid, or rtpParameters.mid)")
		}
		if e.MappedSSRC == 0 {
			return api.TypeErrorf("wrong entry in rtpMapping.encodings (missing mappedSsrc)")
		}
	}
	if len(params.Encodings) != len(m.Encodings) {
		return api.TypeErrorf("rtpParameters.encodings size does not match rtpMapping.encodings size")
	}
	return nil
}

// setMapping keeps the mapping; of several entries for one payload type the last counts, as in mediasoup.
func (p *Producer) setMapping(m *api.RTPMapping) {
	for i := range p.payloadTypes {
		p.payloadTypes[i] = unmapped
	}
	for _, c := range m.Codecs {
		if int(c.PayloadType) < len(p.payloadTypes) {
			p.payloadTypes[c.PayloadType] = c.MappedPayloadType
		}
	}
	p.mapping = *m
}

// ShareClock makes p use the sender's clock of another producer of the same transport, if they have the same CNAME: then
// their media comes from the same machine. It reports whether they have.
func (p *Producer) ShareClock(with *Producer) bool {
	if p.params.shown.RTCP.CNAME != with.params.shown.RTCP.CNAME {
		return false
	}
	p.setClock(with.clock)
	return true
}

func (p *Producer) setClock(c *rtpstream.SenderClock) {
	p.clock = c
	c.AddSource(p.ids.AbsCaptureTime != 0)
}

// ID returns the producer's id.
func (p *Producer) ID() string { return p.id }

// Kind returns audio or video.
func (p *Producer) Kind() api.MediaKind { return p.kind }

// Type returns simple, simulcast or SVC, which follows from the RTP parameters.
func (p *Producer) Type() api.RTPType { return p.typ }

// Paused reports whether the application paused it.
func (p *Producer) Paused() bool { return p.paused }

// RTPParameters returns the parameters of its peer with defaults filled in. Read only.
func (p *Producer) RTPParameters() *api.RTPParameters { return p.params.shown }

// ExtensionIDs returns the header extension ids that its peer uses.
func (p *Producer) ExtensionIDs() ExtensionIDs { return p.ids }

// Drops returns how many packets were not forwarded.
func (p *Producer) Drops() ProducerDrops { return p.drops }

// Output returns what the last calls ask for; the caller handles and resets it.
func (p *Producer) Output() *ProducerOutput { return &p.out }

// Pause stops forwarding. Streams are still received and reported on.
func (p *Producer) Pause(now unit.Time) {
	if p.paused {
		return
	}
	p.paused = true
	for s := range p.live() {
		s.Pause()
		p.drain(now, s)
	}
}

// Resume forwards again and asks for a key frame of every stream, without throttling.
func (p *Producer) Resume(now unit.Time) {
	if !p.paused {
		return
	}
	p.paused = false
	for s := range p.live() {
		s.Resume(now)
		p.drain(now, s)
	}
	if p.keyFrames == nil {
		return
	}
	for s := range p.live() {
		p.keyFrames.Force(now, s.Params().SSRC)
	}
	p.sendKeyFrameRequests(now)
}

// RequestKeyFrame asks for a key frame of the stream with the given mapped SSRC. Requests are throttled as in mediasoup.
func (p *Producer) RequestKeyFrame(now unit.Time, mapped unit.SSRC) {
	if p.keyFrames == nil || p.paused {
		return
	}
	s := p.byMapped(mapped)
	if s == nil {
		return
	}
	p.keyFrames.Request(now, s.Params().SSRC)
	p.sendKeyFrameRequests(now)
}

func (p *Producer) sendKeyFrameRequests(now unit.Time) {
	for _, ssrc := range p.keyFrames.Needed() {
		if s := p.byMediaSSRC(ssrc); s != nil {
			s.RequestKeyFrame()
			p.drain(now, s)
		}
	}
}

// HandleTimeout does what is due by now.
func (p *Producer) HandleTimeout(now unit.Time) {
	for s := range p.live() {
		s.HandleTimeout(now)
		p.drain(now, s)
		if now >= s.measure {
			p.measure(now, s)
		}
	}
	if p.keyFrames != nil {
		p.keyFrames.HandleTimeout(now)
		p.sendKeyFrameRequests(now)
	}
}

// measureInterval is how often the bitrates of a stream's layers are published. (Chosen here.)
const measureInterval = time.Second

// measure publishes the bitrates of the layers, every second until the stream is silent. Video only.
func (p *Producer) measure(now unit.Time, s *recvStream) {
	s.bitrates = measureBitrates(now, s.Recv)
	p.update(StreamUpdate{Kind: layer.StreamBitrates, Stream: p.info(s)})
	s.measure = unit.Never
	if s.bitrates.Total() > 0 {
		s.measure = now.Add(measureInterval)
	}
}

// NextTimeout returns when HandleTimeout is wanted, unit.Never if not at all.
func (p *Producer) NextTimeout() unit.Time {
	next := unit.Never
	for s := range p.live() {
		next = min(next, s.NextTimeout(), s.measure)
	}
	if p.keyFrames != nil {
		next = min(next, p.keyFrames.NextTimeout())
	}
	return next
}

func measureBitrates(now unit.Time, s *rtpstream.Recv) *layer.Bitrates {
	p := s.Params()
	return layer.NewBitrates(p.SpatialLayers, p.TemporalLayers, func(spatial, temporal uint8) (unit.Bitrate, float32) {
		return s.LayerBitrate(now, spatial, temporal), s.LayerFrameRate(now, spatial, temporal)
	})
}
