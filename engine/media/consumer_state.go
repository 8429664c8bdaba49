package media

import (
	"slices"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/unit"
)

// Active reports whether it forwards: transport connected, not paused, producer not paused or closed.
func (c *Consumer) Active() bool {
	return c.connected && !c.paused && !c.producerPaused && !c.producerClosed
}

// Attach sets the state of the producer, before anything else: paused or not, the score of each encoding, the streams that
// exist.
func (c *Consumer) Attach(now unit.Time, producerPaused bool, scores []uint8, streams []StreamInfo) {
	c.producerPaused, c.since = producerPaused, now
	c.scores = append(c.scores[:0], scores...)
	c.selector.Attach(streams)
}

// HandleStreamUpdate takes a change of the producer's streams. scores holds the score of each encoding; the consumer
// copies it.
func (c *Consumer) HandleStreamUpdate(now unit.Time, u StreamUpdate, scores []uint8) {
	c.scores = append(c.scores[:0], scores...)
	c.selector.Update(now, u)
	if u.Kind == layer.StreamNew || u.Kind == layer.StreamScore {
		c.notifyScore()
	}
	c.notifyChange()
}

// notifyChange notifies of layers that changed outside of packets.
func (c *Consumer) notifyChange() {
	if c.selector.TakeChange() {
		c.notifyLayers()
	}
}

// Pause stops forwarding on behalf of the application.
func (c *Consumer) Pause(unit.Time) { c.pause(&c.paused) }

// Resume forwards again; video begins with a key frame, which is asked for.
func (c *Consumer) Resume(now unit.Time) {
	if c.paused {
		c.resume(now, &c.paused)
	}
}

// ProducerPaused: the producer was paused.
func (c *Consumer) ProducerPaused(unit.Time) {
	if c.producerPaused {
		return
	}
	c.pause(&c.producerPaused)
	c.notify(api.EventConsumerProducerPause, nil)
}

// ProducerResumed: the producer was resumed.
func (c *Consumer) ProducerResumed(now unit.Time) {
	if !c.producerPaused {
		return
	}
	c.resume(now, &c.producerPaused)
	c.notify(api.EventConsumerProducerResume, nil)
}

// pause sets a reason for not forwarding. If it is the first one, the consumer stops and its bandwidth is free for others.
func (c *Consumer) pause(reason *bool) {
	wasActive := c.Active()
	*reason = true
	if !wasActive {
		return
	}
	c.stop()
	if c.external && c.isVideo() {
		c.out.ZeroBitrateNeeded = true
	}
}

// resume clears a reason for not forwarding. If it was the last one, the consumer starts.
func (c *Consumer) resume(now unit.Time, reason *bool) {
	*reason = false
	if !c.Active() {
		return
	}
	c.selector.Start(now)
	c.notifyChange()
	c.checkFractionLost()
}

// ProducerClosed: the producer was closed; nothing is forwarded any more. The caller closes the consumer after it has
// handled the output.
func (c *Consumer) ProducerClosed(unit.Time) {
	if c.producerClosed {
		return
	}
	c.producerClosed = true
	c.notify(api.EventConsumerProducerClose, nil)
}

// TransportConnected: packets can reach the receiver.
func (c *Consumer) TransportConnected(now unit.Time) {
	if c.connected {
		return
	}
	c.connected = true
	c.selector.Start(now)
	c.notifyChange()
}

// TransportDisconnected: packets cannot reach the receiver any more.
func (c *Consumer) TransportDisconnected(unit.Time) {
	if !c.connected {
		return
	}
	c.connected = false
	c.stop()
}

// stop gives up what was kept for retransmission and what was held: a key frame follows the interruption.
func (c *Consumer) stop() {
	for i := range c.streams {
		c.streams[i].send.Pause()
		c.releaseHeld(&c.streams[i])
	}
	c.last, c.keyFrameWaitedSince = lastSent{}, 0
	c.selector.Stop()
	c.notifyChange()
	c.checkFractionLost()
}

// RequestKeyFrame asks the producer for a key frame on behalf of the application.
func (c *Consumer) RequestKeyFrame(unit.Time) {
	if c.Active() {
		c.selector.RequestKeyFrame(layer.CurrentAndTarget)
	}
}

func (c *Consumer) requestKeyFrame(mapped unit.SSRC) {
	if c.kind != api.MediaKindVideo || slices.Contains(c.out.KeyFrameRequests, mapped) {
		return
	}
	c.out.KeyFrameRequests = append(c.out.KeyFrameRequests, mapped)
}

// dropKeyFrameRequest cancels a queued key frame request: the key frame has arrived. (A new stream is announced together with
// its first packet.)
func (c *Consumer) dropKeyFrameRequest(mapped unit.SSRC) {
	c.out.KeyFrameRequests = slices.DeleteFunc(c.out.KeyFrameRequests, func(have unit.SSRC) bool { return have == mapped })
}

// SetPriority sets the consumer's weight (1 to 255) in the distribution of bandwidth.
func (c *Consumer) SetPriority(req *api.ConsumerSetPriorityRequest) (*api.ConsumerSetPriorityResponse, error) {
	if req.Priority < 1 {
		return nil, api.TypeErrorf("wrong priority (must be higher than 0)")
	}
	c.priority = req.Priority
	return &api.ConsumerSetPriorityResponse{Priority: req.Priority}, nil
}

// FractionLost returns the fraction that the receiver loses, in 1/256, 0 while inactive.
func (c *Consumer) FractionLost() uint8 { return c.fractionLost }

// checkFractionLost updates FractionLost.
func (c *Consumer) checkFractionLost() {
	var lost uint8
	for i := range c.streams {
		if c.Active() {
			lost = max(lost, c.streams[i].send.FractionLost())
		}
	}
	if lost != c.fractionLost {
		c.fractionLost, c.out.FractionLostChanged = lost, true
	}
}

// RTT returns the round trip time to the receiver in milliseconds, 0 while unknown.
func (c *Consumer) RTT() float32 {
	var rtt time.Duration
	for i := range c.streams {
		rtt = max(rtt, c.streams[i].send.RTT())
	}
	return float32(rtt.Seconds() * 1000)
}

// Bitrate returns the rate of the sent streams, 0 while inactive.
func (c *Consumer) Bitrate(now unit.Time) (rate unit.Bitrate) {
	if !c.Active() {
		return 0
	}
	for i := range c.streams {
		rate += c.streams[i].send.Bitrate(now)
	}
	return rate
}
