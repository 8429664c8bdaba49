package medialab

import (
	"fmt"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// feedbackInterval is libwebrtc's least between two transport-wide feedbacks, which it comes to with most bitrates.
const feedbackInterval = 50 * time.Millisecond

const probationSSRC unit.SSRC = 1234

// Subscriber is a browser that shows what publishers send.
type Subscriber struct {
	*peer
	Videos []*videoReceiver
	Audios []*audioReceiver

	byVideo    map[unit.SSRC]*videoReceiver
	byAudio    map[unit.SSRC]*audioReceiver
	arrivals   arrivals
	feedbackAt unit.Time
	reportAt   unit.Time
	consumers  []subscribed
	mark       mark

	// Feedback is how often transport-wide feedback is sent.
	Feedback time.Duration
	// Cross is other traffic over the link to the subscriber.
	Cross []*simnet.Flow
	// Bytes that arrived.
	Media, Repairs, Probes, Sound int
}

// Subscribe adds a subscriber, and how its links are: down to it, and back.
func (l *Lab) Subscribe(down, back simnet.Conditions, initial unit.Bitrate) *Subscriber {
	i := len(l.Subscribers)
	s := &Subscriber{Feedback: feedbackInterval, byVideo: map[unit.SSRC]*videoReceiver{}, byAudio: map[unit.SSRC]*audioReceiver{}}
	s.peer = l.connect(fmt.Sprint("out", i), back, down, initial, s.handle)
	s.feedbackAt, s.reportAt = l.Net.Now().Add(feedbackInterval), l.Net.Now().Add(time.Second)
	l.Net.Attach(s, nil)
	l.Subscribers = append(l.Subscribers, s)
	return s
}

// Share makes what is sent to the subscriber take another one's link.
func (s *Subscriber) Share(with *Subscriber) { s.down = with.down }

// Watch consumes what a publisher sends.
func (s *Subscriber) Watch(p *Publisher, priority uint8) {
	ssrc := unit.SSRC(1_000_000 + 100*len(s.consumers))
	video := p.video.stream
	video.SSRC, video.Encodings, video.Extensions = ssrc, 0, extensions
	video.Feedback = []api.RTCPFeedback{enginetest.TransportCC}
	if !p.Camera.SVC {
		video.Mode = fmt.Sprintf("L%dT3", len(p.Camera.Layers))
	}
	v := newVideoReceiver(ssrc)
	s.byVideo[v.ssrc], s.byVideo[v.rtx] = v, v
	s.Videos = append(s.Videos, v)
	s.consume(&p.video, video, priority)
	if p.audio == nil {
		return
	}
	audio := audioStream(ssrc + 50)
	audio.PT = 0 // as the router maps it
	a := newAudioReceiver(audio.SSRC)
	s.byAudio[a.ssrc] = a
	s.Audios = append(s.Audios, a)
	if len(s.Audios) == 1 {
		s.lab.Net.After(audioInterval, s.play)
	}
	s.consume(p.audio, audio, 1)
}

func (s *Subscriber) consume(p *published, as enginetest.Stream, priority uint8) {
	now := s.lab.Net.Now()
	request := as.Consume(fmt.Sprintf("c%d", as.SSRC), p.request)
	c, err := s.transport.Consume(now, request, p)
	if err != nil {
		panic(err)
	}
	if _, err := c.SetPriority(&api.ConsumerSetPriorityRequest{Priority: priority}); err != nil {
		panic(err)
	}
	s.transport.AttachConsumer(now, c, p.producer.Paused(), p.producer.Scores(), p.producer.Streams())
	sub := subscribed{c, s.peer}
	p.consumers, s.consumers = append(p.consumers, sub), append(s.consumers, sub)
	s.settle(now)
}

func (s *Subscriber) play(now unit.Time) {
	for _, a := range s.Audios {
		a.play()
	}
	s.lab.Net.At(now.Add(audioInterval), s.play)
}

// handle takes what the worker sends.
func (s *Subscriber) handle(now unit.Time, data []byte) {
	if wirertcp.LooksLikeRTCP(data) {
		pkts, _ := wirertcp.Parse(data)
		for _, pkt := range pkts {
			if sr, ok := pkt.(*rtcp.SenderReport); ok && s.byVideo[unit.SSRC(sr.SSRC)] != nil {
				v := s.byVideo[unit.SSRC(sr.SSRC)]
				v.lastSR, v.lastSRAt = unit.CompactNTP(sr.NTPTime), now
			}
		}
		return
	}
	var pkt rtp.Packet
	if pkt.Parse(data) != nil {
		panic("medialab: the worker sent what is not RTP")
	}
	if seq, ok := rtp.ParseTransportCC(pkt.Extension(transportCCID)); ok {
		s.arrivals.add(now, seq)
	}
	switch v, a := s.byVideo[pkt.SSRC], s.byAudio[pkt.SSRC]; {
	case v != nil:
		if pkt.SSRC == v.rtx {
			s.Repairs += len(data)
		} else {
			s.Media += len(data)
		}
		s.sendRTCP(v.packet(now, &pkt)...)
	case a != nil:
		s.Sound += len(data)
		a.packet(now, &pkt)
	case pkt.SSRC == probationSSRC:
		s.Probes += len(data)
	}
}

// HandleTimeout implements simnet.Machine.
func (s *Subscriber) HandleTimeout(now unit.Time) {
	for _, v := range s.Videos {
		s.sendRTCP(v.timeout(now)...)
	}
	if s.feedbackAt <= now {
		s.feedbackAt = now.Add(s.Feedback)
		if f := s.arrivals.build(1); f != nil {
			s.sendRTCP(f)
		}
	}
	if s.reportAt <= now {
		s.reportAt = now.Add(time.Second)
		r := &rtcp.ReceiverReport{SSRC: 1}
		for _, v := range s.Videos {
			if block, ok := v.report(now); ok {
				r.Reports = append(r.Reports, block)
			}
		}
		s.sendRTCP(r)
	}
}

// NextTimeout implements simnet.Machine.
func (s *Subscriber) NextTimeout() unit.Time {
	next := min(s.feedbackAt, s.reportAt)
	for _, v := range s.Videos {
		next = min(next, v.nextTimeout())
	}
	return next
}

// Estimate returns what the worker believes that the subscriber can take, in bits per second.
func (s *Subscriber) Estimate() unit.Bitrate {
	stats := s.transport.Stats(s.lab.Net.Now()).(*api.PlainTransportGetStatsResponse)
	if r := stats.Base.AvailableOutgoingBitrate; r != nil {
		return unit.Bitrate(*r)
	}
	return 0
}

// SentBytes returns how many bytes of RTP and RTCP the worker has sent to the subscriber.
func (s *Subscriber) SentBytes() int {
	return int(s.transport.Stats(s.lab.Net.Now()).(*api.PlainTransportGetStatsResponse).Base.BytesSent)
}
