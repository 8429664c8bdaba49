package medialab

import (
	"fmt"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// Uplink is a publisher behind a link that limits it: it estimates what that takes from the worker's feedback, as a browser does, and
// encodes its pictures at that bitrate. Its estimation is that of package bwe, which resembles libwebrtc's.
type Uplink struct {
	*peer
	cameras   []*camera
	producers []published
	estimate  *bwe.Sender
	pacedAt   unit.Time
	newest    []byte // of the first camera, which probes repeat, by RTX
	rtxSeq    unit.SeqNo

	KeyFrames int // that the worker asked for
}

// uplinkVideo is one stream of a publisher with an uplink, at its best.
const uplinkVideo = 2500 * kbps

// startBitrate is where browsers begin.
const startBitrate = 300 * kbps

// PublishOver adds a publisher of several pictures that share a link.
func (l *Lab) PublishOver(up simnet.Conditions, kind api.BWEType, cameras int) *Uplink {
	u := &Uplink{}
	i := len(l.Publishers)
	u.peer = l.connect(fmt.Sprint("up", i), up, simnet.Conditions{Delay: 25 * time.Millisecond}, 0, u.handle)
	u.estimate = bwe.NewSender(bwe.SenderConfig{Type: kind, InitialBitrate: startBitrate})
	feedback, uri, extension := enginetest.TransportCC, api.RTPHeaderExtensionURITransportWideCcDraft01, rtp.Extension{ID: transportCCID, Value: make([]byte, rtp.TransportCCLen)}
	if kind == api.BWETypeREMB {
		feedback, uri, extension = enginetest.REMB, api.RTPHeaderExtensionURIAbsSendTime, rtp.Extension{ID: sendTimeID, Value: make([]byte, rtp.AbsSendTimeLen)}
	}
	for n := range cameras {
		ssrc := unit.SSRC(500_000 + 1000*n)
		c := newCamera(l.seed+uint64(n), Video{Layers: []unit.Bitrate{uplinkVideo / unit.Bitrate(cameras)}}, ssrc)
		c.mid, c.filledIn = fmt.Sprint("v", n), []rtp.Extension{extension}
		u.cameras = append(u.cameras, c)
		u.producers = append(u.producers, l.produce(u.peer, fmt.Sprint("up", n), enginetest.Stream{
			Codec: enginetest.VP8, SSRC: ssrc, RTX: true, MID: c.mid, Mode: "L1T3", Feedback: []api.RTCPFeedback{feedback},
			Extensions: []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURIMid, ID: midID}, {URI: uri, ID: extension.ID}},
		}))
		l.Net.After(time.Duration(7*n)*time.Millisecond, func(now unit.Time) { u.takePicture(now, c) })
	}
	u.estimate.TransportConnected(l.Net.Now())
	u.estimate.SetDesiredBitrate(l.Net.Now(), uplinkVideo, true)
	l.Net.Attach(u.estimate, u.drain)
	return u
}

// encoded is the share of the estimate that is encoded: headers and retransmissions take the rest.
const encoded = 0.93

func (u *Uplink) takePicture(now unit.Time, c *camera) {
	available := float64(u.estimate.AvailableBitrate())
	c.scale = min(encoded*available/float64(uplinkVideo), 1)
	for _, b := range c.encode(now) {
		u.pacedAt = max(u.pacedAt, now)
		u.lab.Net.At(u.pacedAt, func(now unit.Time) {
			if c == u.cameras[0] {
				u.newest = b
			}
			u.send(now, b, u.estimate.HandlePacketSent(now, len(b)))
		})
		u.pacedAt = u.pacedAt.Add(time.Duration(float64(8*len(b)) / pacing / available * float64(time.Second)))
	}
	u.lab.Net.At(now.Add(c.interval()), func(now unit.Time) { u.takePicture(now, c) })
}

// send fills in the header extensions of a packet and sends it.
func (u *Uplink) send(now unit.Time, b []byte, seq unit.SeqNo) {
	var pkt rtp.Packet
	if pkt.Parse(b) != nil {
		panic("medialab: not RTP")
	}
	if v := pkt.Extension(transportCCID); v != nil {
		rtp.PutTransportCC(v, seq)
	}
	if v := pkt.Extension(sendTimeID); v != nil {
		rtp.PutAbsSendTime(v, now)
	}
	u.up.Send(b)
}

// drain sends the probes that are due. They repeat a packet, as browsers' do.
func (u *Uplink) drain(now unit.Time) {
	u.estimate.Output().Reset()
	for size := u.estimate.NextProbe(now); size > 0; size = u.estimate.NextProbe(now) {
		seq := u.estimate.HandleProbeSent(now, size)
		if b := u.repeat(size); b != nil {
			u.send(now, b, seq)
		}
	}
}

// repeat returns a retransmission of about the given size, nil before the first packet.
func (u *Uplink) repeat(size int) []byte {
	var pkt rtp.Packet
	if u.newest == nil || pkt.Parse(u.newest) != nil {
		return nil
	}
	u.rtxSeq++
	payload := append([]byte{byte(pkt.SequenceNumber >> 8), byte(pkt.SequenceNumber)}, pkt.Payload()...)
	return enginetest.Packet{
		SSRC: enginetest.RTXSSRC(pkt.SSRC), PT: enginetest.RTXPayloadType, Seq: u.rtxSeq, Timestamp: pkt.Timestamp,
		Extensions: u.cameras[0].filledIn, Payload: payload[:min(size, len(payload))],
	}.Bytes()
}

// handle takes what the worker sends.
func (u *Uplink) handle(now unit.Time, data []byte) {
	pkts, _ := wirertcp.Parse(data)
	for _, pkt := range pkts {
		switch pkt := pkt.(type) {
		case *rtcp.TransportLayerCC:
			u.estimate.HandleTransportFeedback(now, pkt)
		case *rtcp.ReceiverEstimatedMaximumBitrate:
			u.estimate.HandleREMB(now, unit.Bitrate(pkt.Bitrate))
		case *rtcp.ReceiverReport:
			for i := range pkt.Reports {
				u.estimate.HandleReceptionReport(now, &pkt.Reports[i], 0)
			}
		case *rtcp.PictureLossIndication:
			u.KeyFrames++
			for _, c := range u.cameras {
				c.requestKeyFrame(now)
			}
		}
	}
	u.drain(now)
}

// SetRate changes the rate of the link.
func (u *Uplink) SetRate(rate unit.Bitrate) {
	c := u.up.Conditions()
	c.Rate = rate
	u.up.SetConditions(c)
}

// Span is what became of a link in a span of time.
type Span struct {
	Rate, Estimate unit.Bitrate // that passed the link, with what packets take beyond their own; the estimate at the end
	Dropped        float64
	Queue          time.Duration // on average
}

// Watch lets time pass, and returns what became of the link.
func (u *Uplink) Watch(d time.Duration) (s Span) {
	passed, before := u.up.Passed(), u.up.Stats()
	for range d / step {
		u.lab.Net.Advance(step)
		s.Queue += u.up.Waits() * step / d
	}
	after := u.up.Stats()
	s.Rate = unit.Bitrate(float64(u.up.Passed()-passed) * 8 / d.Seconds())
	s.Dropped = float64(after.QueueDropped-before.QueueDropped) / float64(max(after.Sent-before.Sent, 1))
	s.Estimate = u.estimate.AvailableBitrate()
	return s
}
