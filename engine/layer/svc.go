package layer

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

// svc forwards the layers of a single stream up to one.
type svc struct {
	chooser
	// source is the producer's stream, once there is one.
	source    Stream
	hasSource bool
	filter    filter
	keyOnly   bool
	// needSync: the stream resumes with its next key frame.
	needSync bool
	// starved: as needSync, but what comes before is dropped: see starve.
	starved bool
}

// NewSVC returns a selector of the layers of one stream. The codec is VP8, VP9, AV1 or H264.
func NewSVC(c Consumer, cfg *Config) Selector {
	s := &svc{chooser: newChooser(c, cfg), filter: newFilter(cfg), keyOnly: cfg.Mode.KeyOnly}
	s.layers = s
	return s
}

func (s *svc) Decide(_ unit.Time, pkt *packet.Packet, _ int) Decision {
	switch {
	case s.target == None:
		return Decision{Action: DropLayer}
	case s.needSync && !pkt.Codec.KeyFrame:
		return Decision{Action: Hold}
	case len(pkt.Payload()) == 0:
		return Decision{Action: DropEmpty}
	}
	if s.needSync {
		s.filter.sync()
	}
	if s.starve(pkt) {
		return Decision{Action: DropLayer}
	}
	d := s.filter.pass(pkt)
	if s.filter.aimed != s.target && s.filter.current.Spatial == s.target.Spatial {
		s.filter.aim(s.target)
	}
	if d.Action == Forward && s.needSync {
		d.Sync, s.needSync = Resync, false
	}
	return d
}

// starve reports whether a packet is left out because a lower spatial layer is to come with the next key frame, and the path is so
// congested that the current one would only delay that.
func (s *svc) starve(pkt *packet.Packet) bool {
	if s.keyOnly && s.filter.limit == 0 && s.filter.aimed.Spatial < s.filter.current.Spatial {
		s.starved = true
	}
	s.starved = s.starved && !pkt.Codec.KeyFrame
	return s.starved
}

func (s *svc) Forwards(int) bool { return true }

func (s *svc) Attach(streams []Stream) {
	for i := range streams {
		s.source, s.hasSource = streams[i], true
	}
}

// Update: all layers share one score and one sender report, so only changes of the layers and of their bitrates show that one
// of them began or ended. (mediasoup ignores bitrates: a consumer of a stream with one spatial layer that was silent when the
// consumer was resumed never goes on.)
func (s *svc) Update(now unit.Time, u StreamUpdate) {
	before := s.source.Bitrates
	s.source, s.hasSource = u.Stream, true
	switch u.Kind {
	case StreamNew, StreamLayers:
		if s.delivers() {
			s.Reconsider(now, false)
		}
	case StreamBitrates:
		if s.delivers() && !u.Stream.Bitrates.SameLayers(before) {
			s.Reconsider(now, false)
		}
	case StreamScore:
		if s.consumer.Active() && (!s.consumer.ExternalBitrate() || u.Stream.Score == 0 || u.PreviousScore == 0) {
			s.Reconsider(now, false)
		}
	case StreamSenderReport:
	}
}

// delivers reports whether anything could be forwarded.
func (s *svc) delivers() bool { return s.consumer.Active() && s.hasSource && s.source.delivers() }

func (s *svc) Start(now unit.Time) {
	s.needSync = true
	if s.delivers() {
		s.Reconsider(now, false)
	}
}

func (s *svc) Stop() {
	s.conservativeUntil = 0
	s.aim(None)
}

func (s *svc) RequestKeyFrame(KeyFrameScope) { s.consumer.RequestKeyFrame(0) }

func (s *svc) Stream() (Stream, bool) {
	if s.filter.current.Spatial < 0 || !s.hasSource {
		return Stream{}, false
	}
	return s.source, true
}

func (s *svc) alive() bool { return s.hasSource && s.source.Score > 0 }

// Desired is what all layers take together, and with K-SVC the largest of them.
func (s *svc) Desired() (rate unit.Bitrate) {
	if !s.alive() {
		return 0
	}
	if !s.keyOnly {
		return s.source.Bitrates.Total()
	}
	for spatial := range s.count() {
		rate = max(rate, s.source.Bitrates.Spatial(int(spatial)))
	}
	return rate
}

func (s *svc) LimitTemporal(highest int16) { s.filter.limitTemporal(highest) }

func (s *svc) count() int16 {
	n, _ := s.source.Bitrates.Layers()
	return int16(n)
}

func (s *svc) current() ID { return s.filter.current }

func (s *svc) usable(spatial int16) bool {
	return s.alive() && s.source.Bitrates.Spatial(int(spatial)) > 0
}

// settled: all layers are of one stream, which is as old as the current one.
func (s *svc) settled(unit.Time, int16) bool { return true }

func (s *svc) bitrates(spatial int16) (*Bitrates, int) { return s.source.Bitrates, int(spatial) }

// replaced: with K-SVC a higher spatial layer replaces the lower one; else it comes on top. (mediasoup counts all temporal layers as
// replaced, those too that the application does not want, and then takes more than there is.)
func (s *svc) replaced(l ID) unit.Bitrate {
	if !s.keyOnly {
		return 0
	}
	return s.source.Bitrates.SpatialUpTo(int(l.Spatial), int(l.Temporal))
}

// aim needs a key frame to go up, and with K-SVC to change at all.
func (s *svc) aim(l ID) {
	if l == None {
		s.target = None
		s.filter.reset()
		s.changedOutsideOfDecide = true
		return
	}
	s.target = l
	s.filter.aim(l)
	at := s.filter.current.Spatial
	if s.keyOnly && l.Spatial < at {
		s.filter.aim(ID{l.Spatial, 0}) // the key frame may take a while, and there is no room for all of the current layer
	}
	if l.Spatial > at || s.keyOnly && l.Spatial < at {
		s.RequestKeyFrame(CurrentAndTarget)
	}
}
