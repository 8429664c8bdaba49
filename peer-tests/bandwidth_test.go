package peers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rtcpeer"
)

// publisher is a peer behind a link that it has to find out about from the worker's transport-wide feedback.
type publisher struct {
	*caller
	nat *rtcpeer.NAT
	// Of each stream.
	sequenceNumber uint16
	credit         int // bytes that may be sent, of all streams
}

// publish connects a peer with streams of VP8.
func publish(t *testing.T, streams, maxBitrate int) *publisher {
	r := start(t)
	transport := r.NewTransport(listenOn(r, false, api.ProtocolUDP))
	p := &publisher{nat: rtcpeer.NewNAT(t, transport.Candidate(api.ProtocolUDP).Port)}
	o := rtcpeer.Options{Protocol: api.ProtocolUDP, Role: api.DTLSRoleClient, Via: p.nat.Inside(), MaxBitrate: maxBitrate}
	for range streams {
		o.Streams = append(o.Streams, app.VP8)
	}
	p.caller = &caller{rtcpeer.New(t, o), transport}
	p.Peer.Connect(transport)
	for i := range streams {
		transport.ProduceMedia(app.Media{
			Kind: api.MediaKindVideo, Type: api.RTPTypeSimple, Codec: app.VP8, SSRCs: []uint32{p.SSRCOf(i)}, TransportCC: rtcpeer.TransportCCID,
		})
	}
	return p
}

// frameInterval is that of 20 pictures a second.
const frameInterval = 50 * time.Millisecond

// target returns the newest estimate, in bits per second.
func (p *publisher) target() int {
	all := p.Target.All()
	return all[len(all)-1]
}

// picture sends a picture of each stream, together as large as the estimate allows.
func (p *publisher) picture(t *testing.T, streams int) {
	const packet = 1100
	p.credit += p.target() / 8 * int(frameInterval/time.Millisecond) / 1000
	for stream := 0; p.credit > 0; stream = (stream + 1) % streams {
		p.sequenceNumber++
		require.NoError(t, p.TrySendOn(stream, rtp.Header{
			SequenceNumber: p.sequenceNumber, Timestamp: uint32(time.Now().UnixMilli() * 90),
		}, append(vp8KeyFrame(""), make([]byte, packet)...)))
		p.credit -= packet
	}
}

// streamUntil sends pictures until the estimate is as wanted, and logs what became of the link meanwhile.
func (p *publisher) streamUntil(t *testing.T, what string, streams int, wanted func(bitrate int) bool) {
	t.Helper()
	p.nat.Carried()
	began := time.Now()
	tick := time.NewTicker(frameInterval)
	defer tick.Stop()
	for !wanted(p.target()) {
		require.Less(t, time.Since(began), app.Patience, "%s; the estimate is %d", what, p.target())
		<-tick.C
		p.picture(t, streams)
	}
	c := p.nat.Carried()
	t.Logf("%s: after %v; %.0f kbit/s got through, and %d packets of %d were dropped", what, time.Since(began).Round(frameInterval),
		float64(c.Bytes)*8/1000/time.Since(began).Seconds(), c.Dropped, c.Packets+c.Dropped)
	require.LessOrEqual(t, c.Dropped, c.Packets)
}

// TestPublishersFindTheirLink: from our feedback, pion's congestion control comes to know what the link takes, and follows it when
// it becomes narrow. How long that takes is for reading; it depends on the machine.
func TestPublishersFindTheirLink(t *testing.T) {
	const rate, narrow, queue = 1_000_000, 400_000, 300 * time.Millisecond
	for _, streams := range []int{1, 8} {
		t.Run(fmt.Sprint(streams, " streams"), func(t *testing.T) {
			t.Parallel()
			p := publish(t, streams, 3*rate)
			p.nat.Shape(rate, queue)
			p.streamUntil(t, "60 % of the link are known", streams, func(bitrate int) bool { return bitrate > 6*rate/10 })
			p.nat.Shape(narrow, queue)
			p.streamUntil(t, "a narrow link is known", streams, func(bitrate int) bool { return bitrate < narrow })
			p.nat.Shape(rate, queue)
			p.streamUntil(t, "it is wide again", streams, func(bitrate int) bool { return bitrate > 3*narrow/2 })
		})
	}
}
