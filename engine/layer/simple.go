package layer

import (
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/codec"
)

// simple forwards streams without layers whole, each from a key frame on: one stream, or for a pipe all of the producer's.
type simple struct {
	withoutLayers
	consumer Consumer
	pipe     bool
	// waitForKeyFrame: the codec's key frames can be recognised.
	waitForKeyFrame bool
	ignoreDTX       bool
	// needSync: a stream resumes with its next key frame. By encoding.
	needSync []bool
	// source is the producer's stream, once there is one; for a pipe the one that changed last.
	source    Stream
	hasSource bool
	// granted: Increase answered since the last Apply.
	granted bool
}

// NewSimple returns a selector of one stream without layers. ignoreDTX drops Opus packets that are silence.
func NewSimple(c Consumer, k codec.Kind, ignoreDTX bool) Selector {
	return &simple{
		consumer:        c,
		waitForKeyFrame: k.CanBeKeyFrame(),
		ignoreDTX:       ignoreDTX && (k == codec.Opus || k == codec.MultiOpus),
		needSync:        make([]bool, 1),
	}
}

// NewPipe returns a selector that forwards the streams of all encodings, each as one of its own.
func NewPipe(c Consumer, k codec.Kind, encodings int) Selector {
	return &simple{consumer: c, pipe: true, waitForKeyFrame: k.CanBeKeyFrame(), needSync: make([]bool, encodings)}
}

func (s *simple) Decide(_ unit.Time, pkt *packet.Packet, encoding int) Decision {
	needSync := &s.needSync[0]
	if len(s.needSync) > 1 {
		needSync = &s.needSync[encoding]
	}
	switch {
	case *needSync && s.waitForKeyFrame && !pkt.Codec.KeyFrame:
		return Decision{Action: Hold}
	case len(pkt.Payload()) == 0:
		return Decision{Action: DropEmpty}
	case s.ignoreDTX && pkt.Codec.DTX:
		return Decision{Action: DropDTX}
	}
	d := Decision{Marker: pkt.Marker}
	if *needSync {
		d.Sync, *needSync = Resync, false
	}
	return d
}

func (s *simple) Forwards(int) bool { return true }

func (s *simple) Attach(streams []Stream) {
	for i := range streams {
		s.source, s.hasSource = streams[i], true
	}
}

func (s *simple) Update(_ unit.Time, u StreamUpdate) { s.source, s.hasSource = u.Stream, true }

func (s *simple) Start(unit.Time) {
	for i := range s.needSync {
		s.needSync[i] = true
	}
	if s.consumer.Active() && (s.pipe || s.delivers()) {
		s.RequestKeyFrame(CurrentAndTarget)
	}
}

func (s *simple) Stop() {}

// delivers reports whether a key frame could come: a silent stream sends none.
func (s *simple) delivers() bool { return s.hasSource && s.source.delivers() }

func (s *simple) RequestKeyFrame(KeyFrameScope) {
	for encoding := range s.needSync {
		s.consumer.RequestKeyFrame(encoding)
	}
}

func (s *simple) Stream() (Stream, bool) {
	if s.pipe {
		return Stream{}, false
	}
	return s.source, s.hasSource
}

// Layers are mediasoup's: a simple consumer is always at layer 0, a pipe at none.
func (s *simple) Layers() Layers {
	if s.pipe {
		return Layers{None, None, None}
	}
	return Layers{None, None, ID{0, 0}}
}

// Increase does not choose anything: it returns what the stream uses, once per distribution.
func (s *simple) Increase(_ unit.Time, available unit.Bitrate, _ float32) unit.Bitrate {
	if s.pipe || s.granted {
		return 0
	}
	s.granted = true
	return min(s.Desired(), available)
}

func (s *simple) Apply(unit.Time) { s.granted = false }

func (s *simple) Desired() unit.Bitrate {
	if s.pipe || !s.delivers() {
		return 0
	}
	return s.source.Bitrates.Total()
}
