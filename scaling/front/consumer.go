package front

import (
	"slices"

	"gazpacho/engine/api"
)

// consumer is a consumer of the application.
type consumer struct {
	entry
	transport *transport
	producer  *producer
	relay     *relay // that brings the producer to the consumer's node; nil at the producer's home
	request   *api.TransportConsumeRequest

	paused    bool
	preferred *api.ConsumerLayers // nil: all
	spatial   int                 // layer that is forwarded, -1 for none
	score     uint8               // of its own stream
	told      *api.ConsumerScore  // what the application knows, behind a relay
}

func consume(o *operation, t *transport) *gate {
	body, err := api.BodyOf[api.TransportConsumeRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	f := o.front
	wait, err := f.checkID(body.ConsumerID, func(obj object) bool { c, is := obj.(*consumer); return is && c.transport == t },
		"a Consumer with same consumerId", o.req.Method)
	if wait != nil || err != nil {
		return o.waitOrRefuse(wait, err)
	}
	p, _ := f.objects[body.ProducerID].(*producer)
	switch {
	case p == nil || p.router != t.router:
		return o.pass(t.node) // which refuses it, for this or for another reason
	case p.creating:
		return &p.made
	}
	c := &consumer{
		entry: entry{id: body.ConsumerID, router: t.router, node: t.node, creating: true}, transport: t, producer: p, request: body,
		paused: body.Paused, preferred: body.PreferredLayers, spatial: -1,
	}
	if p.node != t.node {
		if c.relay, wait, err = f.relay(p, t.node); wait != nil || err != nil {
			return o.waitOrRefuse(wait, err)
		}
	}
	c.enter(o)
	c.create(o)
	return nil
}

func (c *consumer) enter(o *operation) {
	o.enter(c)
	c.transport.consumers = append(c.transport.consumers, c)
	c.producer.consumers = append(c.producer.consumers, c)
	if c.relay != nil {
		c.relay.use()
		c.relay.adjust()
	}
}

// create asks the node for the consumer. The relay may still be under way: what it is made of was asked for before.
func (c *consumer) create(o *operation) {
	f := o.front
	var answer api.ResponseBody
	var refusal error
	closeAgain := func() {
		c.node.tell(api.MethodTransportCloseConsumer, c.transport.id, &api.TransportCloseConsumerRequest{ConsumerID: c.id})
	}
	part := join(2, func() {
		if c.relay != nil && c.relay.failure != nil {
			if refusal == nil {
				closeAgain()
				c.neverWas()
			}
			refusal = c.relay.failure
		}
		if refusal != nil {
			o.refuse(refusal)
			return
		}
		o.answer(c.accepted(answer), nil)
		f.settle(c)
	})
	call := c.node.ask(o.req.Method, c.transport.id, c.request, func(body api.ResponseBody, err error) {
		answer, refusal = body, err
		if err != nil { // now, though the relay may be under way for longer
			c.neverWas()
		}
		part()
	})
	call.late = closeAgain
	if c.relay == nil {
		part()
		return
	}
	c.relay.whenMade(part)
}

// accepted takes over what the node's answer tells, and returns what the application is answered.
func (c *consumer) accepted(body api.ResponseBody) api.ResponseBody {
	answer, ok := body.(*api.TransportConsumeResponse)
	if !ok || answer == nil {
		return body
	}
	c.preferred = answer.PreferredLayers
	if answer.Score != nil {
		c.score = answer.Score.Score
	}
	if c.relay == nil || c.isPipe() {
		return body
	}
	c.relay.adjust()
	told := *answer
	told.Score = c.mergedScore()
	c.told = told.Score
	return &told
}

func (c *consumer) isPipe() bool { return c.request.Type == api.RTPTypePipe }

func closeConsumer(o *operation, t *transport) *gate {
	body, err := api.BodyOf[api.TransportCloseConsumerRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	c, ok := o.front.objects[body.ConsumerID].(*consumer)
	if !ok || c.transport != t {
		return o.refuse(api.NotFoundErrorf("Consumer not found [method:transport.closeConsumer]"))
	}
	if c.creating {
		return &c.made
	}
	c.forget()
	return o.passClose(t.node)
}

// neverWas is forget for a request that was refused: the application hears nothing of what it asked for.
func (c *consumer) neverWas() {
	c.forget()
	c.transport.front().neverWas(c)
}

// forget takes the consumer out of the tables.
func (c *consumer) forget() {
	if c.closed {
		return
	}
	c.transport.front().remove(c)
	c.transport.consumers = without(c.transport.consumers, c)
	c.producer.consumers = without(c.producer.consumers, c)
	if c.relay != nil {
		c.relay.unuse()
	}
}

// closeForProducer tells the application that the consumer is closed since its producer is.
func (c *consumer) closeForProducer() {
	c.transport.front().orphan(c, api.EventConsumerProducerClose)
	c.forget()
}

func pauseConsumer(o *operation, c *consumer) *gate {
	return o.passThen(c.node, func(api.ResponseBody) { c.setPaused(true) })
}

// resumeConsumer has the relay carry what the consumer wants before the consumer wants it.
func resumeConsumer(o *operation, c *consumer) *gate {
	was := c.paused
	c.setPaused(false)
	c.node.ask(o.req.Method, c.id, nil, func(body api.ResponseBody, err error) {
		if err != nil {
			c.setPaused(was)
		}
		o.answer(body, err)
	})
	return nil
}

func (c *consumer) setPaused(paused bool) {
	c.paused = paused
	if c.relay != nil {
		c.relay.adjust()
	}
}

// setPreferredLayers has the relay carry the layers first, if they are higher ones. Those that are not wanted any more are carried
// until the consumer has left them.
func setPreferredLayers(o *operation, c *consumer) *gate {
	body, err := api.BodyOf[api.ConsumerSetPreferredLayersRequest](o.req)
	if err != nil {
		return o.refuse(err)
	}
	if c.relay != nil {
		c.relay.raise(body.PreferredLayers)
	}
	return o.passThen(c.node, func(answer api.ResponseBody) {
		if a, ok := answer.(*api.ConsumerSetPreferredLayersResponse); ok && a != nil {
			c.preferred = a.PreferredLayers
		}
		if c.relay != nil {
			c.relay.adjust()
		}
	})
}

// wants returns the highest encoding that the consumer may come to forward, -1 for none.
func (c *consumer) wants() int {
	last := c.encodings() - 1
	switch {
	case c.closed || c.paused:
		return -1
	case c.isPipe() || last <= 0 || c.preferred == nil:
		return max(last, 0)
	default:
		return min(max(int(c.preferred.SpatialLayer), c.spatial), last)
	}
}

// getConsumerStats adds what the producer's home tells of the stream that is forwarded.
func getConsumerStats(o *operation, c *consumer) *gate {
	if c.relay == nil || c.isPipe() {
		return o.pass(c.node)
	}
	var own, home api.ResponseBody
	var refusal error
	part := join(2, func() {
		if refusal != nil {
			o.refuse(refusal)
			return
		}
		o.answer(c.mergeStats(own, home), nil)
	})
	c.node.ask(o.req.Method, c.id, nil, func(body api.ResponseBody, err error) {
		own, refusal = body, err
		part()
	})
	c.producer.node.ask(api.MethodProducerGetStats, c.producer.id, nil, func(body api.ResponseBody, err error) {
		home = body // nil if the home cannot tell; the consumer's own figures are still true
		part()
	})
	return nil
}

// mergeStats puts the stream as it is at the producer's home in the place of the relay's.
func (c *consumer) mergeStats(own, home api.ResponseBody) api.ResponseBody {
	mine, ok := own.(*api.ConsumerGetStatsResponse)
	if !ok || mine == nil || len(mine.Stats) == 0 {
		return own
	}
	merged := &api.ConsumerGetStatsResponse{Stats: slices.Clone(mine.Stats[:1])}
	if theirs, ok := home.(*api.ProducerGetStatsResponse); ok && theirs != nil {
		if i := c.encoding(); i >= 0 && i < len(c.producer.request.RTPParameters.Encodings) {
			if s := c.producer.statsOf(i, theirs.Stats); s != nil {
				merged.Stats = append(merged.Stats, *s)
			}
		}
	}
	return merged
}

// encodings returns how many the producer has.
func (c *consumer) encodings() int { return len(c.request.ConsumableRTPEncodings) }

// encoding returns the producer's encoding that is forwarded, -1 for none.
func (c *consumer) encoding() int {
	switch {
	case c.encodings() > 1:
		return c.spatial
	case c.preferred != nil && c.spatial < 0: // SVC, and nothing is forwarded
		return -1
	default:
		return 0
	}
}
