package media

import (
	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// HandlePacket takes a parsed packet of the peer that the transport's RTP listener attributes to this producer.
// With forward true pkt is described, mapped and immutable from now on, and every consumer must get it, after the
// output (which may announce its stream).
func (p *Producer) HandlePacket(now unit.Time, pkt *packet.Packet) (r Result, forward bool) {
	s := p.stream(now, pkt)
	if s == nil {
		p.drops.NoStream++
		return Discarded, false
	}
	r, accepted := p.receive(now, s, pkt)
	p.announce(s)
	switch {
	case !accepted:
		p.drops.Stream++
		return r, false
	case p.paused:
		p.drops.Paused++
		return r, false
	}
	if p.trace != 0 {
		p.tracePacket(now, pkt, r == Retransmission)
	}
	if !p.mapPacket(s, pkt) {
		p.drops.PayloadType++
		return Discarded, false
	}
	if s.renumbered != nil && !s.renumbered.apply(pkt) {
		p.drops.Stream++
		return r, false
	}
	p.setCaptureTime(now, s, pkt)
	p.checkOrientation(pkt)
	return r, true
}

// receive accounts for a packet in its stream, which describes the payload and reports whether it takes the packet.
func (p *Producer) receive(now unit.Time, s *recvStream, pkt *packet.Packet) (r Result, accepted bool) {
	p.readExtensions(pkt)
	pkt.Encoding = s.encoding
	if pkt.SSRC == s.Params().SSRC {
		r, accepted = Media, s.HandlePacket(now, pkt)
	} else {
		r, accepted = Retransmission, s.HandleRTXPacket(now, pkt)
	}
	p.drain(now, s)
	if !accepted {
		return r, false
	}
	p.checkKeyFrame(now, s, pkt)
	if s.measure == unit.Never && p.kind == api.MediaKindVideo && len(pkt.Payload()) > 0 {
		p.breakSilence(now, s)
	}
	return r, true
}

// mapPacket gives a packet the router's payload type and SSRC; false if the payload type has no mapping.
func (p *Producer) mapPacket(s *recvStream, pkt *packet.Packet) bool {
	pt := p.payloadTypes[pkt.PayloadType&0x7f]
	if pt == unmapped {
		return false
	}
	pkt.PayloadType, pkt.SSRC = pt, s.mapped
	return true
}

// breakSilence publishes the bitrates of a stream at once when it is no longer silent: some consumers wait for that. A new
// stream is announced with them.
func (p *Producer) breakSilence(now unit.Time, s *recvStream) {
	s.bitrates = measureBitrates(now, s.Recv)
	s.measure = now.Add(measureInterval)
	if s.announced {
		p.update(StreamUpdate{Kind: layer.StreamBitrates, Stream: p.info(s)})
	}
}

// checkKeyFrame ends pending requests with a key frame, and asks for one when a stream begins without: its first packets
// may have been lost.
func (p *Producer) checkKeyFrame(now unit.Time, s *recvStream, pkt *packet.Packet) {
	if p.keyFrames == nil {
		return
	}
	switch {
	case pkt.Codec.KeyFrame:
		p.keyFrames.Received(now, pkt.SSRC)
	case !s.announced && !p.paused:
		p.keyFrames.Force(now, pkt.SSRC)
		p.sendKeyFrameRequests(now)
	}
}

func (p *Producer) announce(s *recvStream) {
	if s.announced {
		return
	}
	s.announced = true
	p.update(StreamUpdate{Kind: layer.StreamNew, Stream: p.info(s)})
}

// readExtensions finds the header extensions that consumers pass on. Those of the other kind of media are left out, as
// mediasoup does.
func (p *Producer) readExtensions(pkt *packet.Packet) {
	x, ids := &pkt.Extensions, &p.ids
	for it := pkt.Packet.Extensions(); it.Next(); {
		switch id, v := it.ID(), it.Value(); {
		case id == ids.AbsCaptureTime:
			x.CaptureTime, x.HasCaptureTime = rtp.ParseAbsCaptureTime(v)
		case id == ids.PlayoutDelay:
			x.PlayoutDelay = v
		case id == ids.PacketID:
			x.PacketID, x.HasPacketID = rtp.ParsePacketID(v)
		case p.kind == api.MediaKindAudio:
			if id == ids.AudioLevel {
				x.AudioLevel = v
			}
		case id == ids.DependencyDescriptor:
			x.DependencyDescriptor = v
		case id == ids.VideoOrientation:
			x.VideoOrientation = v
		case id == ids.TimeOffset:
			x.TimeOffset = v
		}
	}
	if p.addPacketID && !x.HasPacketID {
		x.PacketID, x.HasPacketID = p.nextPacketID, true
		p.nextPacketID++
	}
}

// setCaptureTime sets when a packet was captured, for our sender reports and for abs-capture-time. It is computed once for
// the packets of the stream's newest frame: sender reports are built on those.
func (p *Producer) setCaptureTime(now unit.Time, s *recvStream, pkt *packet.Packet) {
	if x := &pkt.Extensions; x.HasCaptureTime {
		x.CaptureTime, x.HasCaptureTime = p.clock.Forwarded(x.CaptureTime)
	}
	if s.capturedAt == 0 || pkt.Timestamp != s.capturedTS {
		if pkt.Timestamp != s.MaxTimestamp() {
			return
		}
		s.capturedTS, s.capturedAt = pkt.Timestamp, p.clock.CapturedAt(now, s.Recv, pkt.Timestamp)
	}
	pkt.CapturedAt = s.capturedAt
}

// checkOrientation notifies of the video's orientation when it is first known and when it changes.
func (p *Producer) checkOrientation(pkt *packet.Packet) {
	v := pkt.Extensions.VideoOrientation
	if v == nil {
		return
	}
	o, ok := rtp.ParseVideoOrientation(v)
	if !ok || p.orientationKnown && o == p.orientation {
		return
	}
	p.orientation, p.orientationKnown = o, true
	p.notify(api.EventProducerVideoOrientationChange, &api.ProducerVideoOrientationChangeNotification{
		Camera: o.Camera, Flip: o.Flip, Rotation: o.Rotation,
	})
}
