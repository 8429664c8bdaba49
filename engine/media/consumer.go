package media

import (
	"math/rand/v2"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// From mediasoup:
const (
	// Initial sequence numbers keep away from the wrap, where some SRTP receivers lose track of a stream that begins.
	minInitialSeq = 1000
	maxInitialSeq = 1<<15 - 1

	defaultPriority = 1
)

// Consumer sends the media of one producer to one peer. It is a pure machine; see the package comment.
type Consumer struct {
	id, producerID string
	kind           api.MediaKind
	typ            api.RTPType

	params     *rtpParameters
	consumable []api.RTPEncodingParameters
	ids        ExtensionIDs
	// payloadTypes are those that the receiver accepts, one bit each.
	payloadTypes [2]uint64
	mid          []byte
	// mapped are the router's SSRCs of what can be consumed, by encoding.
	mapped []unit.SSRC

	paused, producerPaused, producerClosed, connected bool
	priority                                          uint8
	fractionLost                                      uint8
	trace                                             traceSet[api.ConsumerTraceEventType]

	selector layer.Selector
	patience patience
	// streams are what the receiver gets: one stream, and for a pipe one for each encoding.
	streams  []sentStream
	late     *sentStream // its held packets follow now
	last     lastSent
	lastRTCP unit.Time // 0 = never
	since    unit.Time // when it was attached

	compat api.Compat
	// relay: see Relay.
	relay bool
	// external: the transport distributes its bandwidth among its consumers.
	external bool
	// scores are those of all the producer's encodings.
	scores []uint8

	drops ConsumerDrops
	// collected is what CollectCounts has seen; nil before its first call.
	collected *ConsumerCounts
	// keyFrameWaitedSince is when a packet had to wait for a key frame first, as nothing else is forwarded; 0 if none waits.
	keyFrameWaitedSince unit.Time
	out                 ConsumerOutput
}

// ConsumerDrops counts packets that were not forwarded, by reason.
type ConsumerDrops struct {
	// Inactive: paused, producer paused, or transport not connected.
	Inactive uint64
	// PayloadType: a codec that the receiver does not accept.
	PayloadType uint64
	// KeyFrame: came before the key frame with which the stream begins. Packets that turn out to follow it are sent late and
	// not counted.
	KeyFrame uint64
	// Empty: padding without payload.
	Empty uint64
	// DTX: silence, with ignoreDtx.
	DTX uint64
	// Sequence: too old to be forwarded, or forwarded already.
	Sequence uint64
	// Layer: of a layer that is not forwarded now, or of another simulcast stream than the current one.
	Layer uint64
	// Stream: of a stream that is not among the consumable encodings.
	Stream uint64
}

// NewConsumer checks the request as mediasoup does; if it is wrong, it returns an *api.Error (TypeError) with mediasoup's
// text. rng gives initial sequence numbers.
func NewConsumer(req *api.TransportConsumeRequest, compat api.Compat, rng *rand.Rand) (*Consumer, error) {
	params, err := parseRTPParameters(req.RTPParameters)
	if err != nil {
		return nil, err
	}
	if err := checkConsumerEncodings(params.shown.Encodings); err != nil {
		return nil, err
	}
	consumable, first, err := parseConsumable(req.ConsumableRTPEncodings)
	if err != nil {
		return nil, err
	}
	pipe := req.Type == api.RTPTypePipe
	if pipe && len(params.encodings) != len(consumable) {
		return nil, api.TypeErrorf("number of rtpParameters.encodings and consumableRtpEncodings do not match")
	}
	c := &Consumer{
		id: req.ConsumerID, producerID: req.ProducerID, kind: req.Kind, paused: req.Paused, compat: compat,
		typ:    consumerType(pipe, len(consumable), first),
		params: params, consumable: consumable,
		ids:      extensionIDs(params.shown.HeaderExtensions),
		mid:      sentMID(params.shown.MID),
		mapped:   make([]unit.SSRC, len(consumable)),
		priority: defaultPriority,
	}
	for i := range consumable {
		c.mapped[i] = unit.SSRC(*consumable[i].SSRC)
	}
	if c.selector, err = c.newSelector(req); err != nil {
		return nil, err
	}
	c.setPayloadTypes()
	c.createStreams(rng)
	return c, nil
}

// newSelector checks that layers and codec suit the type, as mediasoup does.
func (c *Consumer) newSelector(req *api.TransportConsumeRequest) (layer.Selector, error) {
	e := &c.params.encodings[0]
	cfg := layer.Config{
		Codec: codec.KindOf(e.codec.MimeType), Encodings: len(c.mapped), Mode: e.mode,
		Preferred: c.clampLayers(req.PreferredLayers), ClockRate: e.codec.ClockRate,
		TemporalLimitAtPreferredOnly: c.compat.TemporalLimitAtPreferredOnly, SharpFirst: c.compat.SharpFirst,
	}
	switch c.typ {
	case api.RTPTypeSimple:
		return layer.NewSimple(selecting{c}, cfg.Codec, req.IgnoreDTX), nil
	case api.RTPTypePipe:
		return layer.NewPipe(selecting{c}, cfg.Codec, cfg.Encodings), nil
	case api.RTPTypeSimulcast:
		if int(e.mode.Spatial) != len(c.consumable) {
			return nil, api.TypeErrorf("encoding.spatialLayers does not match number of consumableRtpEncodings")
		}
	case api.RTPTypeSVC:
		if e.mode.Spatial < 2 && e.mode.Temporal < 2 {
			return nil, api.TypeErrorf("invalid number of layers")
		}
	}
	if mime := e.codec.MimeType; !validTypeForCodec(c.typ, mime) {
		return nil, api.TypeErrorf("%s codec not supported for %s", mime, typeNames[c.typ])
	}
	if c.typ == api.RTPTypeSVC {
		return layer.NewSVC(selecting{c}, &cfg), nil
	}
	return layer.NewSimulcast(selecting{c}, &cfg), nil
}

func checkConsumerEncodings(encodings []api.RTPEncodingParameters) error {
	for i := range encodings {
		switch e := &encodings[i]; {
		case e.SSRC == nil:
			return api.TypeErrorf("invalid encoding in rtpParameters (missing ssrc)")
		case e.RTX != nil && e.RTX.SSRC == 0:
			return api.TypeErrorf("invalid encoding in rtpParameters (missing rtx.ssrc)")
		}
	}
	return nil
}

// parseConsumable returns the encodings as dumps show them and the scalability mode of the first.
func parseConsumable(in []api.RTPEncodingParameters) ([]api.RTPEncodingParameters, layer.ScalabilityMode, error) {
	if len(in) == 0 {
		return nil, layer.ScalabilityMode{}, api.TypeErrorf("empty consumableRtpEncodings")
	}
	out := make([]api.RTPEncodingParameters, len(in))
	var first layer.ScalabilityMode
	for i := range in {
		shown, e := parseEncoding(&in[i])
		if shown.SSRC == nil {
			return nil, layer.ScalabilityMode{}, api.TypeErrorf("wrong encoding in consumableRtpEncodings (missing ssrc)")
		}
		if i == 0 {
			first = e.mode
		}
		out[i] = shown
	}
	return out, first, nil
}

// consumerType follows mediasoup: the consumable encodings decide, except for pipes.
func consumerType(pipe bool, encodings int, first layer.ScalabilityMode) api.RTPType {
	switch {
	case pipe:
		return api.RTPTypePipe
	case encodings > 1:
		return api.RTPTypeSimulcast
	case first.Spatial > 1 || first.Temporal > 1:
		return api.RTPTypeSVC
	default:
		return api.RTPTypeSimple
	}
}

func (c *Consumer) setPayloadTypes() {
	for i := range c.params.shown.Codecs {
		codec := &c.params.shown.Codecs[i]
		// The names were checked with the parameters.
		if _, name, _ := parseMimeType(codec.MimeType); name.class == mediaCodec && codec.PayloadType < 128 {
			c.payloadTypes[codec.PayloadType/64] |= 1 << (codec.PayloadType % 64)
		}
	}
}

func (c *Consumer) takes(pt uint8) bool {
	return pt < 128 && c.payloadTypes[pt/64]&(1<<(pt%64)) != 0
}

func (c *Consumer) createStreams(rng *rand.Rand) {
	n := 1
	if c.typ == api.RTPTypePipe {
		n = len(c.params.encodings)
	}
	c.streams = make([]sentStream, n)
	for i := range c.streams {
		e := &c.params.encodings[i]
		ssrc := unit.SSRC(*c.params.shown.Encodings[i].SSRC)
		send := rtpstream.NewSend(0, c.params.streamParams(i, ssrc))
		if rtx := rtxSSRC(&c.params.shown.Encodings[i]); e.rtx != nil && rtx != 0 {
			send.SetRTX(e.rtx.PayloadType, rtx, unit.SeqNo(rng.Uint32()))
		}
		first := uint16(minInitialSeq + rng.IntN(maxInitialSeq-minInitialSeq+1))
		c.streams[i] = sentStream{ssrc: ssrc, send: send, seq: rtpstream.NewSeqRewriter(16, first)}
	}
}

// maxMIDLen is the longest MID that is sent, in bytes: what the one-byte form of header extensions takes. (mediasoup leaves
// out MIDs of more than 8 bytes.)
const maxMIDLen = 16

func sentMID(mid string) []byte {
	if len(mid) > maxMIDLen {
		return nil
	}
	return []byte(mid)
}

func (c *Consumer) isVideo() bool { return c.kind == api.MediaKindVideo }

// ID returns the consumer's id.
func (c *Consumer) ID() string { return c.id }

// ProducerID returns the id of the producer it consumes.
func (c *Consumer) ProducerID() string { return c.producerID }

// Kind returns audio or video.
func (c *Consumer) Kind() api.MediaKind { return c.kind }

// Type returns how it selects what to forward.
func (c *Consumer) Type() api.RTPType { return c.typ }

// RTPParameters returns the parameters of its peer with defaults filled in. Read only.
func (c *Consumer) RTPParameters() *api.RTPParameters { return c.params.shown }

// ExtensionIDs returns the header extension ids that its peer uses.
func (c *Consumer) ExtensionIDs() ExtensionIDs { return c.ids }

// Paused reports whether the application paused it.
func (c *Consumer) Paused() bool { return c.paused }

// ProducerIsPaused reports whether its producer is paused.
func (c *Consumer) ProducerIsPaused() bool { return c.producerPaused }

// Priority returns the weight in the distribution of bandwidth.
func (c *Consumer) Priority() uint8 { return c.priority }

// Drops returns how many packets were not forwarded.
func (c *Consumer) Drops() ConsumerDrops { return c.drops }

// MediaSSRCs returns the SSRCs of the sent streams.
func (c *Consumer) MediaSSRCs() []unit.SSRC {
	ssrcs := make([]unit.SSRC, 0, len(c.params.encodings))
	for i := range c.params.shown.Encodings {
		ssrcs = append(ssrcs, optionalSSRC(c.params.shown.Encodings[i].SSRC))
	}
	return ssrcs
}

// RTXSSRCs returns the SSRCs of the sent streams' retransmissions.
func (c *Consumer) RTXSSRCs() []unit.SSRC {
	var ssrcs []unit.SSRC
	for i := range c.params.shown.Encodings {
		if ssrc := rtxSSRC(&c.params.shown.Encodings[i]); ssrc != 0 {
			ssrcs = append(ssrcs, ssrc)
		}
	}
	return ssrcs
}

// ProducerStream returns the mapped SSRC of the producer's stream that is forwarded now; false if none is, or for a pipe,
// which forwards all. Producer.StreamStats with it gives the second entry of the consumer's statistics.
func (c *Consumer) ProducerStream() (mapped unit.SSRC, ok bool) {
	s, ok := c.selector.Stream()
	return s.MappedSSRC, ok
}

// MappedSSRCs returns the router's SSRCs of all streams that it may forward, by encoding. Read only.
func (c *Consumer) MappedSSRCs() []unit.SSRC { return c.mapped }

// Output returns what the last calls ask for; the caller handles and resets it.
func (c *Consumer) Output() *ConsumerOutput { return &c.out }

// Close releases all packets that the consumer holds. Nothing else may be called afterwards.
func (c *Consumer) Close() {
	for i := range c.streams {
		c.releaseHeld(&c.streams[i])
		c.streams[i].send.Close()
	}
}
