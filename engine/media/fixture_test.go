package media_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// SSRCs and payload types: of the producer's peer, of the router, and of the consumer's peer.
const (
	peerSSRC, peerRTX     = unit.SSRC(1111), unit.SSRC(1112)
	outSSRC, outRTX       = unit.SSRC(3333), unit.SSRC(3334)
	peerPT, peerRTXPT     = 111, 112
	mappedPT, mappedRTXPT = enginetest.PayloadType, enginetest.RTXPayloadType
)

var mappedSSRC = enginetest.MappedSSRC(peerSSRC)

// Header extension ids of the producer's peer and of the consumer's.
const (
	inMID, inRID, inRRID, inAudioLevel, inOrientation, inCapture, inPlayout, inOffset, inDD, inPacketID = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

	outMID, outAbsSendTime, outTransportCC, outAudioLevel, outOrientation, outCapture, outPlayout, outOffset, outDD, outPacketID = 11, 12, 13, 14, 1, 2, 3, 4, 5, 6
)

var vp8Key, vp8Delta = enginetest.VP8KeyFrame, enginetest.VP8DeltaFrame

// peerStream is what the producer's peer sends, with all header extensions.
func peerStream(c enginetest.Codec) enginetest.Stream {
	return enginetest.Stream{
		Codec: c, SSRC: peerSSRC, PT: peerPT, RTX: true, MID: "0",
		Extensions: []api.RTPHeaderExtensionParameters{
			{URI: api.RTPHeaderExtensionURIMid, ID: inMID},
			{URI: api.RTPHeaderExtensionURIRTPStreamId, ID: inRID},
			{URI: api.RTPHeaderExtensionURIRepairRTPStreamId, ID: inRRID},
			{URI: api.RTPHeaderExtensionURISsrcAudioLevel, ID: inAudioLevel},
			{URI: api.RTPHeaderExtensionURIVideoOrientation, ID: inOrientation},
			{URI: api.RTPHeaderExtensionURIAbsCaptureTime, ID: inCapture},
			{URI: api.RTPHeaderExtensionURIPlayoutDelay, ID: inPlayout},
			{URI: api.RTPHeaderExtensionURITimeOffset, ID: inOffset},
			{URI: api.RTPHeaderExtensionURIDependencyDescriptor, ID: inDD},
			{URI: api.RTPHeaderExtensionURIMediasoupPacketId, ID: inPacketID},
		},
	}
}

// outStream is what the consumer's peer receives.
func outStream(c enginetest.Codec) enginetest.Stream {
	return enginetest.Stream{
		Codec: c, SSRC: outSSRC, RTX: true, MID: "7", CNAME: "router",
		Extensions: []api.RTPHeaderExtensionParameters{
			{URI: api.RTPHeaderExtensionURIMid, ID: outMID},
			{URI: api.RTPHeaderExtensionURIAbsSendTime, ID: outAbsSendTime},
			{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: outTransportCC},
			{URI: api.RTPHeaderExtensionURISsrcAudioLevel, ID: outAudioLevel},
			{URI: api.RTPHeaderExtensionURIVideoOrientation, ID: outOrientation},
			{URI: api.RTPHeaderExtensionURIAbsCaptureTime, ID: outCapture},
			{URI: api.RTPHeaderExtensionURIPlayoutDelay, ID: outPlayout},
			{URI: api.RTPHeaderExtensionURITimeOffset, ID: outOffset},
			{URI: api.RTPHeaderExtensionURIDependencyDescriptor, ID: outDD},
			{URI: api.RTPHeaderExtensionURIMediasoupPacketId, ID: outPacketID},
		},
	}
}

func produceRequest(c enginetest.Codec) *api.TransportProduceRequest {
	return peerStream(c).Produce("producer")
}

func consumeRequest(c enginetest.Codec) *api.TransportConsumeRequest {
	return outStream(c).Consume("consumer", produceRequest(c))
}

// fixture is a producer and a consumer back to back, as a router connects them.
type fixture struct {
	t   testing.TB
	now unit.Time
	p   *media.Producer
	c   *media.Consumer
	// pOut and cOut are the outputs since the last take, without what the router handles.
	pOut media.ProducerOutput
	cOut media.ConsumerOutput
	dst  [2048]byte
	seq  unit.SeqNo
}

func newFixture(t testing.TB, p *api.TransportProduceRequest, c *api.TransportConsumeRequest) *fixture {
	t.Helper()
	return newFixtureOf(t, api.Compat{}, p, c)
}

// newFixtureOf returns a fixture for an application of an older release.
func newFixtureOf(t testing.TB, compat api.Compat, p *api.TransportProduceRequest, c *api.TransportConsumeRequest) *fixture {
	t.Helper()
	r := &fixture{t: t, now: unit.Time(1_700_000_000 * time.Second)}
	var err error
	r.p, err = media.NewProducer(p)
	require.NoError(t, err)
	r.c, err = media.NewConsumer(c, compat, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	r.c.Attach(r.now, r.p.Paused(), r.p.Scores(), r.p.Streams())
	r.c.TransportConnected(r.now)
	r.route()
	t.Cleanup(r.c.Close)
	return r
}

func videoFixture(t testing.TB) *fixture {
	return newFixture(t, produceRequest(enginetest.VP8), consumeRequest(enginetest.VP8))
}

func audioFixture(t testing.TB) *fixture {
	return newFixture(t, produceRequest(enginetest.Opus), consumeRequest(enginetest.Opus))
}

// route does what a router does with the two outputs until nothing is left.
func (r *fixture) route() {
	for !r.p.Output().Empty() || !r.c.Output().Empty() {
		o := r.p.Output()
		streams := o.Streams
		r.pOut.RTCP = append(r.pOut.RTCP, o.RTCP...)
		r.pOut.Notifications = append(r.pOut.Notifications, o.Notifications...)
		r.pOut.Streams = append(r.pOut.Streams, streams...)
		o.Reset()
		for _, u := range streams {
			r.c.HandleStreamUpdate(r.now, u, r.p.Scores())
		}
		co := r.c.Output()
		requests := co.KeyFrameRequests
		r.cOut.KeyFrameRequests = append(r.cOut.KeyFrameRequests, requests...)
		r.cOut.Notifications = append(r.cOut.Notifications, co.Notifications...)
		r.cOut.BitrateChangeNeeded = r.cOut.BitrateChangeNeeded || co.BitrateChangeNeeded
		r.cOut.FractionLostChanged = r.cOut.FractionLostChanged || co.FractionLostChanged
		if co.KeyFrameWait > 0 {
			r.cOut.KeyFrameWait, r.cOut.Interrupted = co.KeyFrameWait, co.Interrupted
		}
		if co.FractionLostChanged {
			r.p.SetFractionLost(mappedSSRC, r.c.FractionLost())
		}
		co.Reset()
		for _, m := range requests {
			r.p.RequestKeyFrame(r.now, m)
		}
	}
}

// take returns and empties the outputs.
func (r *fixture) take() (media.ProducerOutput, media.ConsumerOutput) {
	r.route()
	p, c := r.pOut, r.cOut
	r.pOut, r.cOut = media.ProducerOutput{}, media.ConsumerOutput{}
	return p, c
}

// after advances the time and runs all timeouts on the way.
func (r *fixture) after(d time.Duration) {
	end := r.now.Add(d)
	for next := r.p.NextTimeout(); next <= end; next = r.p.NextTimeout() {
		r.now = max(r.now, next)
		r.p.HandleTimeout(r.now)
		r.route()
	}
	r.now = end
}

// ofPeer completes a packet of the producer's peer: its SSRC and payload type need not be given.
func ofPeer(p enginetest.Packet) enginetest.Packet {
	if p.PT == 0 {
		p.PT = peerPT
	}
	if p.SSRC == 0 {
		p.SSRC = peerSSRC
	}
	return p
}

// out is a packet as the consumer's peer receives it.
type out struct {
	media.Outgoing
	rtp.Packet
}

// receive passes a packet through the producer and the consumer, and returns what the consumer sends.
func (r *fixture) receive(i enginetest.Packet) (media.Result, []out) {
	r.t.Helper()
	pkt := ofPeer(i).Receive(r.t, r.now)
	defer pkt.Release()
	result, forward := r.p.HandlePacket(r.now, pkt)
	r.route()
	if !forward {
		return result, nil
	}
	var outs []out
	o := r.c.WritePacket(r.now, pkt, r.dst[:])
	for more := o.More; o.Len > 0; {
		outs = append(outs, r.parseOut(o))
		if !more {
			break
		}
		o = r.c.WriteHeldBack(r.now, r.dst[:])
	}
	r.route()
	return result, outs
}

func (r *fixture) parseOut(o media.Outgoing) out {
	r.t.Helper()
	res := out{Outgoing: o}
	require.NoError(r.t, res.Parse(append([]byte(nil), r.dst[:o.Len]...)))
	require.Equal(r.t, res.Packet.HeaderLen(), o.HeaderLen)
	return res
}

// one expects exactly one packet.
func (r *fixture) one(i enginetest.Packet) out {
	r.t.Helper()
	_, outs := r.receive(i)
	require.Len(r.t, outs, 1)
	return outs[0]
}

// none expects that nothing is sent.
func (r *fixture) none(i enginetest.Packet) media.Result {
	r.t.Helper()
	result, outs := r.receive(i)
	require.Empty(r.t, outs)
	return result
}

func (r *fixture) retransmissions() []out {
	r.t.Helper()
	var outs []out
	for {
		o := r.c.WriteRetransmission(r.now, r.dst[:])
		if o.Len == 0 {
			return outs
		}
		outs = append(outs, r.parseOut(o))
	}
}

// nextSeq counts sequence numbers for tests that do not care.
func (r *fixture) nextSeq() unit.SeqNo {
	r.seq++
	return r.seq
}
