package transport

import (
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/ice"
	"gazpacho/engine/media"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

// Figures is what the transports of one shard did, closed ones included, for operators. All of it only grows. What transports,
// consumers and producers count for themselves is added when they close, and by Visit; the rest as it happens.
type Figures struct {
	Transports Counts
	Consumers  media.ConsumerCounts
	Producers  media.ProducerCounts
	Data       DataCounts
	Datagrams  Datagrams // counted as they come and go

	ICEStates  [api.ICEStateDisconnected + 1]uint64 // how often each was entered
	DTLSStates [api.DTLSStateClosed + 1]uint64      // likewise

	RTT      unit.Histogram // seconds, from each report of a consumer's peer
	Loss     unit.Histogram // fraction lost, likewise
	Outgoing unit.Histogram // the estimate of each connected transport in bytes per second, with its reports: about once a second
	Incoming unit.Histogram // likewise

	KeyFrameWait         unit.Histogram // seconds from the first packet to the key frame with which a picture began
	KeyFrameInterruption unit.Histogram // seconds that a picture stood still, from the first packet that had to wait to the key frame
}

// Bounds of the histograms. Chosen here.
var (
	RTTBounds      = &unit.Bounds{.005, .01, .025, .05, .075, .1, .15, .2, .3, .5, 1, 2}
	LossBounds     = &unit.Bounds{0, .005, .01, .02, .03, .05, .1, .15, .2, .3, .5, .9}
	EstimateBounds = &unit.Bounds{6250, 12500, 25e3, 37500, 62500, 125e3, 187500, 250e3, 375e3, 625e3, 1.25e6, 6.25e6} // 50 kbit/s to 50 Mbit/s
	WaitBounds     = &unit.Bounds{.025, .05, .1, .2, .3, .5, .75, 1, 1.5, 2, 5, 10}
)

// Counts is what transports did so far.
type Counts struct {
	Traffic Traffic
	Drops   Drops
	ICE     ice.Counters
	DTLS    dtls.Counters
	SCTP    sctp.Counters
	// LayerDrops is how often target layers of consumers became lower, by reason, as LayerDropReasons names them.
	LayerDrops layerDrops
}

// Datagrams counts datagrams of whatever protocol, and their bytes, without UDP's and IP's headers.
type Datagrams struct{ Received, Sent Packets }

// Traffic counts packets and bytes. Bytes are those of all datagrams, of whatever protocol, without UDP's and IP's headers.
type Traffic struct {
	BytesReceived, BytesSent          uint64
	Received, Sent, Probation         Packets // RTP of media, and padding that probes for bandwidth
	RetransmittedIn, RetransmittedOut Packets
}

// Packets counts packets and their bytes: of RTP, header included.
type Packets struct{ Packets, Bytes uint64 }

// DataCounts counts messages of data channels, those of DirectTransports left out.
type DataCounts struct{ Received, Sent, BytesReceived, BytesSent uint64 }

func (c *DataCounts) received(n int) {
	c.Received, c.BytesReceived = c.Received+1, c.BytesReceived+uint64(n)
}

func (c *DataCounts) sent(n int) { c.Sent, c.BytesSent = c.Sent+1, c.BytesSent+uint64(n) }

func (p *Packets) count(n int) { p.Packets, p.Bytes = p.Packets+1, p.Bytes+uint64(n) }

func packetsOf(c *unit.Counter) Packets { return Packets{c.Packets(), c.Bytes()} }

// collectCounts adds to the shard's figures what the transport did since the last call.
func (t *Transport) collectCounts() {
	if t.collected == nil {
		t.collected = new(Counts)
	}
	c := &t.counters
	now := Counts{
		Traffic: Traffic{
			BytesReceived: c.bytesReceived, BytesSent: c.bytesSent,
			Received: packetsOf(&c.rtpReceived), Sent: packetsOf(&c.rtpSent), Probation: packetsOf(&c.probationSent),
			RetransmittedIn: packetsOf(&c.rtxReceived), RetransmittedOut: packetsOf(&c.rtxSent),
		},
		Drops: t.drops, LayerDrops: t.layerDrops,
	}
	if w, ok := t.backend.(*webRtc); ok {
		now.ICE, now.DTLS = w.ice.Counters(), w.dtls.Counters()
	}
	if t.sctp != nil {
		now.SCTP = t.sctp.Counters()
	}
	unit.AddGrowth(&t.env.Figures.Transports, &now, t.collected)
}

// collectAll adds what the transport and all that it holds did since the last call.
func (t *Transport) collectAll() {
	t.collectCounts()
	for _, p := range t.producers {
		p.CollectCounts(&t.env.Figures.Producers)
	}
	for _, c := range t.consumers {
		c.CollectCounts(&t.env.Figures.Consumers)
	}
}

// reported takes note of what a consumer's peer reported.
func (f *Figures) reported(r *rtcp.ReceptionReport, milliseconds float32) {
	if milliseconds > 0 {
		f.RTT.Observe(RTTBounds, float64(milliseconds)/1000)
	}
	f.Loss.Observe(LossBounds, float64(r.FractionLost)/256)
}

// keyFrameWaited takes note that a picture began, or went on, with a key frame that had to be waited for.
func (f *Figures) keyFrameWaited(d time.Duration, interrupted bool) {
	h := &f.KeyFrameWait
	if interrupted {
		h = &f.KeyFrameInterruption
	}
	h.Observe(WaitBounds, d.Seconds())
}

// sampleEstimates takes note of the estimates.
func (t *Transport) sampleEstimates() {
	if t.bweOut != nil {
		t.env.Figures.Outgoing.Observe(EstimateBounds, float64(t.bweOut.AvailableBitrate())/8)
	}
	if t.bweIn != nil {
		t.env.Figures.Incoming.Observe(EstimateBounds, float64(t.bweIn.AvailableBitrate())/8)
	}
}

// Kind is a kind of transport.
type Kind uint8

// Kinds of transport. Relays are those between the workers of one application, for media (pipes) or for data (direct).
const (
	KindWebRtc Kind = iota
	KindPlain
	KindPipe
	KindDirect
	KindRelay
	numKinds
)

// The layers that Census tells apart; higher ones count as the highest.
const (
	MaxSpatial  = 3
	MaxTemporal = 3
)

// ConsumerCensus says in which state consumers of one kind of media are.
type ConsumerCensus struct {
	Active  int // forwarding, or ready to
	Still   int // active, but no layer is forwarded: video only
	Stopped int // paused by the application, at the producer, or because the transport is not connected
}

// Census is how many of what there are at present.
type Census struct {
	Kinds      [numKinds]int
	ICEStates  [api.ICEStateDisconnected + 1]int // of WebRtcTransports
	DTLSStates [api.DTLSStateClosed + 1]int      // likewise
	SCTPStates [api.SCTPStateClosed + 1]int      // of transports with SCTP
	Broken     int                               // transports that an internal error took out of service

	Audio, Video    ConsumerCensus
	Layers          [MaxSpatial + 1][MaxTemporal + 1]int // of active consumers that choose layers
	AudioProducers  int
	VideoProducers  int
	PausedProducers int // of both
	DataProducers   int
	DataConsumers   int
}

// Visit counts a part of what the transport holds into the census, and collects what it did: up to n producers and consumers behind the
// first from ones. It returns how many these were, and whether there are more.
func (t *Transport) Visit(from, n int, census *Census) (visited int, more bool) {
	if t.isClosed {
		return 0, false
	}
	if from == 0 {
		t.visitTransport(census)
	}
	if t.isBroken { // what it holds cannot be trusted
		return 0, false
	}
	all := len(t.producers) + len(t.consumers)
	end := min(from+n, all)
	for i := from; i < end; i++ {
		if i < len(t.producers) {
			t.visitProducer(t.producers[i], census)
		} else {
			t.visitConsumer(t.consumers[i-len(t.producers)], census)
		}
	}
	return max(end-from, 0), end < all
}

func (t *Transport) visitTransport(census *Census) {
	if t.isBroken {
		census.Broken++
		return
	}
	t.collectCounts()
	census.Kinds[t.kind()]++
	if w, ok := t.backend.(*webRtc); ok {
		census.ICEStates[w.ice.State()]++
		census.DTLSStates[w.dtlsState]++
	}
	if t.sctp != nil {
		census.SCTPStates[t.sctp.State()]++
	}
	census.DataProducers += len(t.dataProducers)
	census.DataConsumers += len(t.dataConsumers)
}

func (t *Transport) kind() Kind {
	if t.options.Internal {
		return KindRelay
	}
	switch t.backend.(type) {
	case *webRtc:
		return KindWebRtc
	case *direct:
		return KindDirect
	case *pipe:
		return KindPipe
	}
	return KindPlain
}

func (t *Transport) visitProducer(p *Producer, census *Census) {
	p.CollectCounts(&t.env.Figures.Producers)
	if p.Kind() == api.MediaKindVideo {
		census.VideoProducers++
	} else {
		census.AudioProducers++
	}
	if p.Paused() {
		census.PausedProducers++
	}
}

func (t *Transport) visitConsumer(c *Consumer, census *Census) {
	c.CollectCounts(&t.env.Figures.Consumers)
	group := &census.Audio
	if c.Kind() == api.MediaKindVideo {
		group = &census.Video
	}
	if !c.Active() {
		group.Stopped++
		return
	}
	group.Active++
	if c.Type() != api.RTPTypeSimulcast && c.Type() != api.RTPTypeSVC {
		return
	}
	spatial, temporal := c.CurrentLayers()
	if spatial < 0 {
		group.Still++
		return
	}
	census.Layers[min(spatial, MaxSpatial)][min(max(temporal, 0), MaxTemporal)]++
}
