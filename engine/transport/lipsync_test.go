package transport_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/packet"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// captureID is the header extension id of abs-capture-time.
const captureID = 5

// track is a stream of a speaker: what is captured every interval reaches us after delay and up to jitter.
type track struct {
	ssrc                    unit.SSRC
	rate                    int64
	base                    unit.Timestamp
	interval, delay, jitter time.Duration
	payload                 []byte
	seq                     unit.SeqNo
	implied                 []unit.Time // see listen
}

// speaker is a peer whose sound and picture travel differently, and its listener.
type speaker struct {
	*fixture
	in, out      *transport.Plain
	audio, video track
	rng          *rand.Rand
	begin        unit.Time
	ahead        time.Duration // the speaker's wall clock minus ours
	drift        float64       // how much faster it runs
	jitter       time.Duration // of its reports
	tells        bool          // by abs-capture-time, now and then
	videoReports int           // how many are sent of the video
	events       []event
}

type event struct {
	at     unit.Time
	happen func()
}

func newSpeaker(t *testing.T, cnames [2]string, tells bool) *speaker {
	r := newFixture(t)
	s := &speaker{
		fixture: r, in: r.connected(), out: r.connected(), rng: rand.New(rand.NewPCG(3, 4)), begin: r.now,
		ahead: -777 * time.Second, tells: tells, videoReports: 1 << 30,
		audio: track{
			ssrc: 10, rate: 48000, base: 1<<32 - 48000*3, interval: 20 * time.Millisecond,
			delay: 15 * time.Millisecond, jitter: 5 * time.Millisecond, payload: []byte{0x78, 1, 2, 3},
		},
		video: track{
			ssrc: 20, rate: 90000, base: 1<<31 - 90000*5, interval: 33 * time.Millisecond,
			delay: 180 * time.Millisecond, jitter: 60 * time.Millisecond, // more than between frames: they overtake
			payload: enginetest.VP8KeyFrame,
		},
	}
	for i, stream := range []enginetest.Stream{enginetest.Audio(s.audio.ssrc), enginetest.Video(s.video.ssrc)} {
		stream.CNAME = cnames[i]
		if tells {
			stream.Extensions = []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURIAbsCaptureTime, ID: captureID}}
		}
		p := s.produce(s.in.Transport, cnames[i]+stream.Kind().String(), stream)
		c := s.consume(s.out.Transport, p, stream.Kind().String(), stream.SSRC+100, &feedbackRecorder{})
		s.attach(s.out.Transport, p, c)
		p.AddSubscriber(&subscriber{then: func(now unit.Time, pkts []*packet.Packet) { c.Forward(now, pkts) }})
	}
	return s
}

// clock is the speaker's wall clock at an instant of ours.
func (s *speaker) clock(at unit.Time) uint64 {
	return s.begin.Add(s.ahead + time.Duration(float64(at.Sub(s.begin))*(1+s.drift))).NTP()
}

// ts is a track's timestamp at an instant of ours.
func (s *speaker) ts(k *track, at unit.Time) unit.Timestamp {
	return k.base + unit.Timestamp(int64(float64(at.Sub(s.begin))*(1+s.drift)*float64(k.rate)/1e9))
}

func (s *speaker) schedule(at unit.Time, happen func()) {
	s.events = append(s.events, event{at, happen})
}

// speak plans d of sound and picture, with sender reports every 800 ms in one compound packet.
func (s *speaker) speak(d time.Duration) {
	end := s.now.Add(d)
	for _, k := range []*track{&s.audio, &s.video} {
		for at := s.now; at < end; at = at.Add(k.interval) {
			k.seq++
			var exts []rtp.Extension
			if s.tells && k.seq%30 == 1 {
				exts = []rtp.Extension{{ID: captureID, Value: rtp.AppendAbsCaptureTime(nil, rtp.AbsCaptureTime{Timestamp: s.clock(at)})}}
			}
			b := enginetest.Packet{SSRC: k.ssrc, Seq: k.seq, Timestamp: s.ts(k, at), Extensions: exts, Payload: k.payload}.Bytes()
			s.schedule(at.Add(k.delay+time.Duration(s.rng.Int64N(int64(k.jitter)))), func() { s.receive(s.in, 0, peerAddr, b) })
		}
	}
	for at := s.now.Add(500 * time.Millisecond); at < end; at = at.Add(800 * time.Millisecond) {
		report := func(k *track) rtcp.Packet {
			return &rtcp.SenderReport{SSRC: uint32(k.ssrc), NTPTime: s.clock(at), RTPTime: uint32(s.ts(k, at))}
		}
		reports := []rtcp.Packet{report(&s.audio)}
		if s.videoReports--; s.videoReports >= 0 {
			reports = append(reports, report(&s.video))
		}
		delay := 30*time.Millisecond + time.Duration(s.rng.Int64N(int64(s.jitter)+1))
		s.schedule(at.Add(delay), func() { s.receiveRTCP(s.in, 0, peerAddr, reports...) })
	}
	slices.SortStableFunc(s.events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	for _, e := range s.events {
		s.until(e.at)
		e.happen()
		s.listen()
	}
	s.events = nil
}

func (s *speaker) until(at unit.Time) {
	for next := s.next(); next <= at; next = s.next() {
		s.now = max(s.now, next)
		for _, t := range []*transport.Plain{s.in, s.out} {
			t.HandleTimeout(s.now)
			t.Settle(s.now)
		}
		s.listen()
	}
	s.now = at
}

func (s *speaker) next() unit.Time { return min(s.in.NextTimeout(), s.out.NextTimeout()) }

// listen keeps what each sender report to the listener implies: when, by the router's clock, the speaker began.
func (s *speaker) listen() {
	for _, pkt := range enginetest.RTCPOf(s.t, s.sockets[1].Take()) {
		sr, ok := pkt.(*rtcp.SenderReport)
		if !ok {
			continue
		}
		require.Equal(s.t, s.now.NTP(), sr.NTPTime)
		k := &s.audio
		if sr.SSRC == uint32(s.video.ssrc+100) {
			k = &s.video
		}
		elapsed := int64(unit.Timestamp(sr.RTPTime) - k.base)
		k.implied = append(k.implied, s.now.Add(-time.Duration(elapsed*int64(time.Second)/k.rate)))
	}
}

// skew returns by how much sound and picture are apart for the listener, by the last reports.
func (s *speaker) skew() time.Duration {
	require.NotEmpty(s.t, s.audio.implied)
	require.NotEmpty(s.t, s.video.implied)
	return s.video.implied[len(s.video.implied)-1].Sub(s.audio.implied[len(s.audio.implied)-1])
}

const lipSync = time.Millisecond

func TestSoundAndPictureAreReportedInSync(t *testing.T) {
	for name, tells := range map[string]bool{"by sender reports": false, "by abs-capture-time": true} {
		t.Run(name, func(t *testing.T) {
			s := newSpeaker(t, [2]string{"me", "me"}, tells)
			s.speak(20 * time.Second)
			for range 5 {
				s.speak(6 * time.Second)
				require.InDelta(t, 0, s.skew(), float64(lipSync))
				require.Less(t, len(s.audio.implied), 100)
			}
			for _, k := range []*track{&s.audio, &s.video} {
				require.InDelta(t, float64(s.begin), float64(k.implied[len(k.implied)-1]), float64(40*time.Millisecond),
					"what is not known is the reports' delay")
			}
		})
	}
}

// TestStreamsOfDifferentMachinesHaveTheirOwnClock: what the audio's reports tell says nothing of the video's clock.
func TestStreamsOfDifferentMachinesHaveTheirOwnClock(t *testing.T) {
	for _, cname := range []string{"me", "you"} {
		s := newSpeaker(t, [2]string{"me", cname}, false)
		s.videoReports = 2
		s.speak(9 * time.Second)
		if cname == "me" {
			require.InDelta(t, 0, float64(s.skew()), float64(lipSync))
		} else {
			require.Greater(t, s.skew(), s.video.delay-s.audio.delay-30*time.Millisecond, "as they arrive")
		}
	}
}

func TestSyncFollowsDriftAndOutlastsClocksBeingSet(t *testing.T) {
	s := newSpeaker(t, [2]string{"me", "me"}, false)
	s.drift = 50e-6
	s.speak(60 * time.Second)
	require.InDelta(t, 0, s.skew(), float64(lipSync))
	s.ahead += time.Hour
	s.speak(20 * time.Second)
	require.InDelta(t, 0, s.skew(), float64(lipSync))
}

// TestJitterOfReportsIsSmoothed: the listener gets its reports about sound and picture at different times.
func TestJitterOfReportsIsSmoothed(t *testing.T) {
	s := newSpeaker(t, [2]string{"me", "me"}, false)
	s.jitter = 40 * time.Millisecond
	s.speak(20 * time.Second)
	for range 10 {
		s.speak(6 * time.Second)
		require.InDelta(t, 0, s.skew(), float64(s.jitter/2))
	}
}

// TestClosingProducersForgetsTheirClock: when the last one of a CNAME goes, the next one begins anew.
func TestClosingProducersForgetsTheirClock(t *testing.T) {
	r := newFixture(t)
	p := r.connected()
	learn := func(ssrc unit.SSRC, n int) {
		for range n {
			r.now = r.now.Add(time.Second)
			r.receiveRTCP(p, 0, peerAddr, &rtcp.SenderReport{SSRC: uint32(ssrc), NTPTime: r.now.NTP(), RTPTime: 3000})
		}
	}
	captured := func(ssrc unit.SSRC, to *subscriber) unit.Time {
		r.receive(p, 0, peerAddr, enginetest.KeyFrame(ssrc, 1))
		return to.pkts[len(to.pkts)-1].CapturedAt
	}
	produce := func(ssrc unit.SSRC) (*transport.Producer, *subscriber) {
		producer, to := r.produce(p.Transport, "p"+strconv.Itoa(int(ssrc)), enginetest.Video(ssrc)), &subscriber{}
		producer.AddSubscriber(to)
		return producer, to
	}
	first, to := produce(10)
	require.Zero(t, captured(10, to))
	learn(10, 3)
	second, to2 := produce(20)
	p.CloseProducer(first)
	require.Zero(t, captured(20, to2), "the stream itself has no report yet")
	learn(20, 1)
	third, to3 := produce(30)
	require.Zero(t, captured(30, to3))
	learn(30, 1)
	r.receive(p, 0, peerAddr, enginetest.RTP(30, 2, []byte{0x10, 1, 2, 3}))
	require.NotZero(t, to3.pkts[1].CapturedAt, "the clock is known since the first")
	p.CloseProducer(second)
	p.CloseProducer(third)
	_, to4 := produce(40)
	require.Zero(t, captured(40, to4))
	learn(40, 2)
	r.receive(p, 0, peerAddr, enginetest.RTP(40, 2, []byte{0x10, 1, 2, 3}))
	require.Zero(t, to4.pkts[1].CapturedAt)
	learn(40, 1)
	r.receive(p, 0, peerAddr, enginetest.RTP(40, 3, []byte{0x10, 1, 2, 3}))
	require.NotZero(t, to4.pkts[2].CapturedAt)
}
