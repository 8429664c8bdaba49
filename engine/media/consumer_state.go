package media

import (
	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// Active says whether it forwards: transport connected, not paused, producer not paused or closed.
func (c *Consumer) Active() bool {
	return c.connected && !c.paused && !c.producerPaused && !c.producerClosed
}

// Attach tells the consumer, before anything else, of its producer's state: paused or not, the score of each encoding,
// the streams that exist.
func (c *Consumer) Attach(_ unit.Time, producerPaused bool, scores []uint8, streams []StreamInfo) {
	c.producerPaused = producerPaused
	c.scores = append(c.scores[:0], scores...)
	for _, s := range streams {
		c.stream, c.hasStream = s, true
	}
}

// HandleStreamUpdate takes a change of the producer's streams. scores holds the score of each encoding; the consumer
// copies it.
func (c *Consumer) HandleStreamUpdate(_ unit.Time, u StreamUpdate, scores []uint8) {
	c.scores = append(c.scores[:0], scores...)
	c.stream, c.hasStream = u.Stream, true
	switch u.Kind {
	case StreamNew, StreamScore:
		c.notifyScore()
	case StreamSenderReport:
	}
}

// Pause stops forwarding by the application's wish.
func (c *Consumer) Pause(unit.Time) {
	wasActive := c.Active()
	c.paused = true
	if wasActive {
		c.stop()
	}
}

// Resume forwards again; video begins with a key frame, which is asked for.
func (c *Consumer) Resume(unit.Time) {
	if !c.paused {
		return
	}
	c.paused = false
	c.start()
}

// ProducerPaused tells that the producer was paused.
func (c *Consumer) ProducerPaused(unit.Time) {
	if c.producerPaused {
		return
	}
	wasActive := c.Active()
	c.producerPaused = true
	if wasActive {
		c.stop()
	}
	c.notify(api.EventConsumerProducerPause, nil)
}

// ProducerResumed tells that the producer was resumed.
func (c *Consumer) ProducerResumed(unit.Time) {
	if !c.producerPaused {
		return
	}
	c.producerPaused = false
	c.start()
	c.notify(api.EventConsumerProducerResume, nil)
}

// ProducerClosed tells that the producer is gone; nothing is forwarded any more. The caller closes the consumer after it
// took the output.
func (c *Consumer) ProducerClosed(unit.Time) {
	if c.producerClosed {
		return
	}
	c.producerClosed = true
	c.notify(api.EventConsumerProducerClose, nil)
}

// TransportConnected tells that packets can reach the receiver.
func (c *Consumer) TransportConnected(unit.Time) {
	if c.connected {
		return
	}
	c.connected = true
	c.selector.requireSync()
	if c.wantsStream() {
		c.requestKeyFrame()
	}
}

// TransportDisconnected tells that packets cannot reach the receiver any more.
func (c *Consumer) TransportDisconnected(unit.Time) {
	if !c.connected {
		return
	}
	c.connected = false
	c.stop()
}

// stop forgets what was sent and what was held back: after an interruption a key frame begins anew.
func (c *Consumer) stop() {
	c.send.Pause()
	c.releaseHeld()
	c.checkFractionLost()
}

// start goes on after a pause if nothing else is in the way.
func (c *Consumer) start() {
	if !c.Active() {
		return
	}
	c.selector.requireSync()
	c.checkFractionLost()
	if c.wantsStream() {
		c.requestKeyFrame()
	}
}

// wantsStream says whether a key frame could come and would be forwarded: a stream that is silent sends none.
func (c *Consumer) wantsStream() bool {
	return c.Active() && c.hasStream && (c.stream.Score > 0 || !c.stream.InactivityCheck)
}

// RequestKeyFrame asks the producer for a key frame by the application's wish.
func (c *Consumer) RequestKeyFrame(unit.Time) {
	if c.Active() {
		c.requestKeyFrame()
	}
}

func (c *Consumer) requestKeyFrame() {
	if c.kind != api.MediaKindVideo {
		return
	}
	mapped := optionalSSRC(c.consumable[0].SSRC)
	for _, m := range c.out.KeyFrameRequests {
		if m == mapped {
			return
		}
	}
	c.out.KeyFrameRequests = append(c.out.KeyFrameRequests, mapped)
}

// SetPreferredLayers sets the layers that are forwarded when bandwidth allows, and answers with those in force: none for
// a simple consumer, which takes all there is.
func (c *Consumer) SetPreferredLayers(
	_ unit.Time, _ *api.ConsumerSetPreferredLayersRequest,
) *api.ConsumerSetPreferredLayersResponse {
	return &api.ConsumerSetPreferredLayersResponse{}
}

// SetPriority sets the consumer's weight (1 to 255) in the distribution of bandwidth.
func (c *Consumer) SetPriority(req *api.ConsumerSetPriorityRequest) (*api.ConsumerSetPriorityResponse, error) {
	if req.Priority < 1 {
		return nil, api.TypeErrorf("wrong priority (must be higher than 0)")
	}
	c.priority = req.Priority
	return &api.ConsumerSetPriorityResponse{Priority: req.Priority}, nil
}

// FractionLost returns how much (in 1/256) the receiver loses, 0 while inactive.
func (c *Consumer) FractionLost() uint8 { return c.fractionLost }

// checkFractionLost finds out whether FractionLost has a new value.
func (c *Consumer) checkFractionLost() {
	var lost uint8
	if c.Active() {
		lost = c.send.FractionLost()
	}
	if lost != c.fractionLost {
		c.fractionLost, c.out.FractionLostChanged = lost, true
	}
}

// RTT returns the round trip time to the receiver in milliseconds, 0 while unknown.
func (c *Consumer) RTT() float32 { return float32(c.send.RTT().Seconds() * 1000) }

// Bitrate returns the rate of the sent stream, 0 while inactive.
func (c *Consumer) Bitrate(now unit.Time) unit.Bitrate {
	if !c.Active() {
		return 0
	}
	return c.send.Bitrate(now)
}
