package transport_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// pacedPeer receives a video, and says when its packets arrived.
type pacedPeer struct {
	*fixture
	in, out  *transport.Plain
	p        *transport.Producer
	c        *transport.Consumer
	seq      unit.SeqNo
	delay    time.Duration // of the path
	number   uint16        // the first that no feedback was about
	arrivals []unit.Time   // of the packets from that on
	got      []unit.SeqNo  // all of the video
}

func newPacedPeer(t *testing.T) *pacedPeer {
	r := &pacedPeer{fixture: newFixture(t), delay: 20 * time.Millisecond, number: 1}
	r.in = r.connected()
	r.out = r.plain(func(o *api.PlainTransportOptions) { o.RTCPMux = true })
	_, err := r.out.Connect(r.now, enginetest.ConnectPlainRequest(peerAddr))
	require.NoError(t, err)
	r.p = r.produce(r.in.Transport, "p", enginetest.Video(10))
	r.c = r.wideConsumer(r.out.Transport, r.p, "c", 20, true)
	return r
}

// media sends n packets of the producer's at once, and returns how many the consumer's peer got at once.
func (r *pacedPeer) media(n int) int {
	for range n {
		r.seq++
		r.receive(r.in, 0, peerAddr, append(enginetest.KeyFrame(10, r.seq), make([]byte, 1100)...))
	}
	return r.take()
}

// take takes what was sent, and returns how many packets of the video those were.
func (r *pacedPeer) take() (n int) {
	for _, pkt := range enginetest.RTPOf(r.t, r.sockets[1].Take()) {
		if _, ok := rtp.ParseTransportCC(pkt.Extension(ccID)); ok {
			r.arrivals = append(r.arrivals, r.now.Add(r.delay))
		}
		if pkt.SSRC == 20 {
			r.got = append(r.got, pkt.SequenceNumber)
			n++
		}
	}
	return n
}

// pass lets time pass, and returns how many packets of the video the consumer's peer got. The peer reports every 50 ms.
func (r *pacedPeer) pass(d time.Duration) (n int) {
	for end := r.now.Add(d); r.now < end; {
		r.now = r.now.Add(time.Millisecond)
		if r.out.NextTimeout() <= r.now {
			r.out.HandleTimeout(r.now)
			r.out.Settle(r.now)
		}
		n += r.take()
		if r.now.Milliseconds()%50 == 0 && len(r.arrivals) > 0 {
			r.report()
		}
	}
	return n
}

func (r *pacedPeer) report() {
	const tick, reference = 250 * time.Microsecond, 64 * time.Millisecond
	clock := r.arrivals[0] / unit.Time(reference)
	f := &rtcp.TransportLayerCC{
		MediaSSRC: 20, BaseSequenceNumber: r.number, PacketStatusCount: uint16(len(r.arrivals)), ReferenceTime: uint32(clock) & 0xffffff,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketReceivedLargeDelta, RunLength: uint16(len(r.arrivals))}},
	}
	last := clock * unit.Time(reference)
	for _, at := range r.arrivals {
		delta := at.Sub(last).Truncate(tick)
		last = last.Add(delta)
		f.RecvDeltas = append(f.RecvDeltas, &rtcp.RecvDelta{Type: rtcp.TypeTCCPacketReceivedLargeDelta, Delta: delta.Microseconds()})
	}
	size := f.MarshalSize()
	f.Header = rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: uint16(size/4 - 1), Padding: (22+2*len(r.arrivals))%4 != 0}
	r.number += uint16(len(r.arrivals))
	r.arrivals = r.arrivals[:0]
	r.receiveRTCP(r.out, 0, peerAddr, f)
	r.take()
}

// stream sends a packet every 10 ms.
func (r *pacedPeer) stream(d time.Duration) {
	for range d / (10 * time.Millisecond) {
		r.media(1)
		r.pass(10 * time.Millisecond)
	}
}

// fill makes the path full for a while.
func (r *pacedPeer) fill() {
	r.stream(2 * time.Second)
	r.delay = 100 * time.Millisecond
	r.stream(time.Second)
	r.delay = 20 * time.Millisecond
	r.stream(2 * time.Second)
}

const keyFrame = 200 // packets

// A key frame goes out at once, unless the path was full of late: then it takes as long as the path takes for it, in order.
func TestKeyFramesArePacedOnNarrowPaths(t *testing.T) {
	r := newPacedPeer(t)
	r.stream(2 * time.Second)
	require.Equal(t, keyFrame, r.media(keyFrame), "the path may be wide")
	r.pass(time.Second)

	r.fill()
	require.Less(t, r.media(keyFrame), keyFrame/4)
	require.Less(t, r.pass(20*time.Millisecond), keyFrame/4)
	require.Greater(t, r.pass(time.Second), keyFrame/2)
	require.Len(t, r.got, int(r.seq), "nothing is left out")
	for i := range r.got[1:] {
		require.Equal(t, 1, r.got[i+1].Sub(r.got[i]), "nothing is overtaken")
	}

	r.stream(31 * time.Second)
	require.Equal(t, keyFrame, r.media(keyFrame), "that it was full is long ago")
}

// Packets that come one after the other, microseconds apart, do not slow the pace down.
func TestShortStepsLoseNothingOfThePace(t *testing.T) {
	r := newPacedPeer(t)
	r.fill()
	r.media(keyFrame)
	sent := 0
	for range 20_000 {
		r.now = r.now.Add(500 * time.Nanosecond)
		sent += r.media(1)
	}
	require.Greater(t, sent, 4, "10 ms are enough for that")
}

// More than the pace, for a long time, waits for no longer than a packet may.
func TestNothingIsHeldBackForLong(t *testing.T) {
	r := newPacedPeer(t)
	r.fill()
	require.NoError(t, r.out.SetMaxOutgoingBitrate(r.now, 100_000))
	for range 200 {
		r.media(10)
		r.pass(10 * time.Millisecond)
		require.Less(t, int(r.seq)-len(r.got), 220, "packets of 200 ms")
	}
	r.pass(250 * time.Millisecond)
	require.Len(t, r.got, int(r.seq))
}

// What one consumer's packets wait for is no matter of sound, and does not outlive the consumer.
func TestWhatIsHeldBack(t *testing.T) {
	t.Run("lets sound pass", func(t *testing.T) {
		r := newPacedPeer(t)
		p := r.produce(r.in.Transport, "sound", enginetest.Audio(50))
		c := r.consume(r.out.Transport, p, "heard", 60, &feedbackRecorder{})
		r.attach(r.out.Transport, p, c)
		p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
		r.fill()
		r.media(keyFrame)
		r.receive(r.in, 0, peerAddr, enginetest.Packet{SSRC: 50, Payload: []byte{1}}.Bytes())
		sent := enginetest.RTPOf(t, r.sockets[1].Take())
		require.Len(t, sent, 1)
		require.EqualValues(t, 60, sent[0].SSRC)
	})
	t.Run("goes with its consumer", func(t *testing.T) {
		r := newPacedPeer(t)
		other := r.wideConsumer(r.out.Transport, r.p, "other", 30, true)
		r.fill()
		r.media(keyFrame)
		r.out.CloseConsumer(r.now, other)
		r.pass(time.Second)
		require.Len(t, r.got, int(r.seq), "the first one's is still sent")
	})
	t.Run("goes with its transport", func(t *testing.T) {
		r := newPacedPeer(t)
		r.fill()
		r.media(keyFrame)
		r.out.Close()
		require.Equal(t, unit.Never, r.out.NextTimeout())
	})
	t.Run("is not sent when the consumer pauses", func(t *testing.T) {
		r := newPacedPeer(t)
		r.fill()
		r.media(keyFrame)
		r.out.Update(r.now, r.c, func(c *media.Consumer) { c.Pause(r.now) })
		require.Zero(t, r.pass(time.Second))
	})
}
