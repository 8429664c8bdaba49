package transport_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// run lets time pass, with the timeouts of the browser's transport.
func (b *browser) run(d time.Duration) {
	for end := b.now.Add(d); b.w.NextTimeout() <= end; {
		b.now = max(b.now, b.w.NextTimeout())
		b.w.HandleTimeout(b.now)
		b.w.Settle(b.now)
		if b.w.NextTimeout() <= b.now {
			b.now = b.now.Add(time.Millisecond)
		}
	}
}

// A peer that flips between two tuples with each check causes eleven notifications a second, and the last one is true.
func TestFlipsOfTheSelectedTupleAreFewNotifications(t *testing.T) {
	b := newBrowser(t, nil)
	b.check(b.password(), true)
	b.notifications.Reset()
	addrs := []netip.AddrPort{peerAddr, netip.MustParseAddrPort("192.0.2.9:9")}
	for i := range 43_000 {
		b.addr = addrs[(i+1)%2]
		b.check(b.password(), true)
		b.sent = nil
		b.now = b.now.Add(time.Second / 43_000)
	}
	b.addr = peerAddr
	b.check(b.password(), true)
	b.run(3 * time.Second)
	flips := b.notifications.Of(api.EventWebRtcTransportICESelectedTupleChange)
	t.Logf("%d notifications of 43,001 changes", len(flips))
	require.LessOrEqual(t, len(flips), 12)
	last := flips[len(flips)-1].Body.(*api.WebRtcTransportICESelectedTupleChangeNotification)
	require.Equal(t, b.dump().ICESelectedTuple, last.Tuple)
}

// Ten changes within a second are reported at once, as mediasoup does, and so is the next one later.
func TestAFewChangesAreReportedAtOnce(t *testing.T) {
	b := newBrowser(t, nil)
	b.check(b.password(), true)
	b.now = b.now.Add(2 * time.Second)
	addrs := []netip.AddrPort{peerAddr, netip.MustParseAddrPort("192.0.2.9:9")}
	for round := range 3 {
		b.notifications.Reset()
		for i := range 10 {
			b.addr = addrs[(i+1)%2]
			b.check(b.password(), true)
			require.Len(t, b.notifications.Of(api.EventWebRtcTransportICESelectedTupleChange), i+1, round)
		}
		b.now = b.now.Add(2 * time.Second)
	}
}

// Reports that change a consumer's score each time, as fast as they come.
func TestScoresThatChangeWithEachReport(t *testing.T) {
	k := newCall(t, enginetest.Video)
	lost := uint32(0)
	for i := range 2000 {
		k.now = k.now.Add(time.Millisecond)
		k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, unit.SeqNo(i)))
		if i%100 < 50 {
			lost++
		}
		k.receiveRTCP(k.out, 0, peerAddr, &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 20, TotalLost: lost}}})
	}
	for range 3 {
		k.now = k.now.Add(time.Second)
		k.out.HandleTimeout(k.now)
		k.out.Settle(k.now)
	}
	scores := k.notifications.Of(api.EventConsumerScore)
	t.Logf("%d notifications of 2,000 reports", len(scores))
	require.LessOrEqual(t, len(scores), 2*11+3)
	last := scores[len(scores)-1].Body.(*api.ConsumerScoreNotification).Score
	require.Equal(t, k.c.Score(), last)
}

// A producer whose camera turns with each packet.
func TestOrientationsThatChangeWithEachPacket(t *testing.T) {
	k := newCall(t, func(ssrc unit.SSRC) enginetest.Stream {
		s := enginetest.Video(ssrc)
		s.Extensions = []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURIVideoOrientation, ID: 9}}
		return s
	})
	const turns = 49_000
	for i := range turns {
		k.now = k.now.Add(time.Second / turns)
		k.receive(k.in, 0, peerAddr, enginetest.Packet{
			SSRC: 10, Seq: unit.SeqNo(i), Payload: enginetest.VP8KeyFrame, Extensions: []rtp.Extension{{ID: 9, Value: []byte{byte(i & 3)}}},
		}.Bytes())
		k.inSocket().Take()
		k.outSocket().Take()
	}
	k.now = k.now.Add(time.Second)
	k.in.HandleTimeout(k.now)
	k.in.Settle(k.now)
	orientations := k.notifications.Of(api.EventProducerVideoOrientationChange)
	t.Logf("%d notifications of %d turns", len(orientations), turns)
	require.LessOrEqual(t, len(orientations), 11)
	last := orientations[len(orientations)-1].Body.(*api.ProducerVideoOrientationChangeNotification)
	require.EqualValues(t, (turns-1)%4*90, last.Rotation)
}

// A peer that acknowledges nothing, so that each further message finds the send buffer full.
func TestAFullSendBufferIsToldAFewTimes(t *testing.T) {
	k := newComediaTarget(t)
	const messages = 26_800
	for range messages {
		k.now = k.now.Add(time.Second / messages)
		k.data.HandleMessage(k.now, &data.Message{PPID: 53, Data: make([]byte, 1200)})
	}
	k.now = k.now.Add(time.Second)
	k.t.HandleTimeout(k.now)
	full := k.notifications.Of(api.EventDataConsumerSCTPSendBufferFull)
	t.Logf("%d notifications, %d messages did not fit", len(full), k.t.Drops().DataBufferFull)
	require.Greater(t, k.t.Drops().DataBufferFull, uint64(messages/2))
	require.LessOrEqual(t, len(full), 11)
	require.NotEmpty(t, full)
}

// Requests of a receiver, as fast as key frames come, reach the producer about once a second.
func TestOneReceiverAsksForOneKeyFrameASecond(t *testing.T) {
	k := newCall(t, enginetest.Video)
	var asked []unit.Time
	for i := range 1000 {
		k.now = k.now.Add(10 * time.Millisecond)
		before := len(k.src.keyFrames)
		b := enginetest.RTP(10, unit.SeqNo(i), []byte{0x10, 0x01, 0x00, 0x00})
		if i%30 == 0 {
			b = enginetest.KeyFrame(10, unit.SeqNo(i))
		}
		k.receive(k.in, 0, peerAddr, b)
		k.receiveRTCP(k.out, 0, peerAddr, &rtcp.PictureLossIndication{MediaSSRC: 20}, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 20}}})
		if len(k.src.keyFrames) > before {
			asked = append(asked, k.now)
		}
	}
	t.Logf("%d requests in 10 s", len(asked))
	require.InDelta(t, 10, len(asked), 2)
}

// A request that comes too soon is not lost: it is passed on when the second is over, unless a key frame answers it before.
func TestAnEarlyKeyFrameRequestIsKept(t *testing.T) {
	for name, answered := range map[string]bool{"unanswered": false, "answered": true} {
		t.Run(name, func(t *testing.T) {
			k := newCall(t, enginetest.Video)
			k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 0))
			pli := &rtcp.PictureLossIndication{MediaSSRC: 20}
			k.src.keyFrames = nil
			k.receiveRTCP(k.out, 0, peerAddr, pli)
			require.Len(t, k.src.keyFrames, 1, "the first one at once")
			k.now = k.now.Add(100 * time.Millisecond)
			k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
			k.receiveRTCP(k.out, 0, peerAddr, pli)
			require.Len(t, k.src.keyFrames, 1)
			if answered {
				k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 2))
			}
			k.now = k.now.Add(time.Second)
			k.receive(k.in, 0, peerAddr, enginetest.RTP(10, 3, []byte{0x10, 0x01, 0x00, 0x00}))
			if answered {
				require.Len(t, k.src.keyFrames, 1)
			} else {
				require.Len(t, k.src.keyFrames, 2)
			}
		})
	}
}
