package bwe_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/simnet"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

const (
	start     = unit.Time(1_700_000_000_000_000_000)
	kbps      = unit.Bitrate(1000)
	packetLen = 1200
	frameTime = time.Second / 30
)

// path is a sender and a receiver with a link in each direction.
type path struct {
	t          *testing.T
	id         byte
	net        *simnet.Network
	link, back *simnet.Link
	sender     *bwe.Sender
	receiver   *bwe.Receiver
	layers     []unit.Bitrate // of the application; nil: it follows the estimate up to desired
	desired    unit.Bitrate
	unpacked   float64       // bits that did not make up a packet yet
	peerClock  time.Duration // by which the peer's clock is ahead of ours
	silent     bool          // the peer sends no feedback
	probes     int           // bytes
	media      int
	announced  int
	lowest     unit.Bitrate // estimate since mark
	highest    unit.Bitrate
	sum        float64
	samples    int
	keyFrames  int // every how many frames one has eight times the size
	frames     int
}

type options struct {
	bweType          api.BWEType
	initial, desired unit.Bitrate
	layers           []unit.Bitrate
	link, back       simnet.Conditions
	seed             uint64
	keyFrames        int
}

func newPath(t *testing.T, o options) *path {
	net := simnet.New(o.seed+1, start)
	p := joinPath(t, net, o)
	p.link = net.Link(o.link, p.arrive)
	return p
}

// newShared returns paths that share the link to their peers.
func newShared(t *testing.T, o options, n int) []*path {
	net := simnet.New(o.seed+1, start)
	paths := make([]*path, n)
	link := net.Link(o.link, func(now unit.Time, b []byte) { paths[b[5]].arrive(now, b) })
	for i := range paths {
		paths[i] = joinPath(t, net, o)
		paths[i].link, paths[i].id = link, byte(i)
		net.Advance(7 * time.Millisecond) // their frames do not coincide
	}
	return paths
}

func joinPath(t *testing.T, net *simnet.Network, o options) *path {
	if o.initial == 0 {
		o.initial = 600 * kbps
	}
	p := &path{
		t: t, net: net, desired: o.desired, layers: o.layers, keyFrames: o.keyFrames,
		sender:   bwe.NewSender(bwe.SenderConfig{Type: o.bweType, InitialBitrate: o.initial}),
		receiver: bwe.NewReceiver(o.bweType),
	}
	p.back = p.net.Link(o.back, p.feedback)
	p.net.Attach(p.sender, p.drainSender)
	p.net.Attach(peer{p}, p.drainReceiver)
	p.sender.TransportConnected(p.net.Now())
	p.receiver.TransportConnected(p.net.Now())
	p.sender.SetDesiredBitrate(p.net.Now(), o.desired, true)
	p.net.After(frameTime, p.frame)
	p.mark()
	return p
}

// peer is the receiver, which lives by a clock of its own.
type peer struct{ p *path }

func (r peer) HandleTimeout(now unit.Time) { r.p.receiver.HandleTimeout(now.Add(r.p.peerClock)) }
func (r peer) NextTimeout() unit.Time      { return r.p.receiver.NextTimeout().Add(-r.p.peerClock) }

// frame has the application send a frame of video.
func (p *path) frame(now unit.Time) {
	p.frames++
	p.unpacked += float64(p.bitrate()) * frameTime.Seconds()
	if p.keyFrames > 0 && p.frames%p.keyFrames == 0 {
		p.unpacked += 7 * float64(p.bitrate()) * frameTime.Seconds()
	}
	for p.unpacked >= packetLen*8 {
		p.unpacked -= packetLen * 8
		p.media += packetLen
		p.send(now, p.sender.HandlePacketSent(now, packetLen), packetLen)
	}
	available := p.sender.AvailableBitrate()
	p.lowest, p.highest = min(p.lowest, available), max(p.highest, available)
	p.sum += float64(available)
	p.samples++
	p.drainSender(now)
	p.net.After(frameTime, p.frame)
}

// bitrate returns what the application sends.
func (p *path) bitrate() unit.Bitrate {
	available := p.sender.AvailableBitrate()
	if p.layers == nil {
		return min(available, p.desired)
	}
	var best unit.Bitrate
	for _, l := range p.layers {
		if l <= available {
			best = l
		}
	}
	return best
}

func (p *path) send(now unit.Time, seq unit.SeqNo, size int) {
	b := make([]byte, size)
	binary.BigEndian.PutUint16(b, uint16(seq))
	rtp.PutAbsSendTime(b[2:], now)
	b[5] = p.id
	p.link.Send(b)
}

func (p *path) drainSender(now unit.Time) {
	if p.sender.Output().BitrateChanged {
		p.sender.Output().Reset()
		p.announced++
		p.sender.SetDesiredBitrate(now, p.desired, false)
	}
	for size := p.sender.NextProbe(now); size > 0; size = p.sender.NextProbe(now) {
		p.probes += size
		p.send(now, p.sender.HandleProbeSent(now, size), size)
	}
}

func (p *path) arrive(now unit.Time, b []byte) {
	abs, ok := rtp.ParseAbsSendTime(b[2:5])
	require.True(p.t, ok)
	p.receiver.HandlePacket(now.Add(p.peerClock), bwe.Arrival{
		SSRC: 1, Size: len(b), HasTransportCC: true, TransportCC: unit.SeqNo(binary.BigEndian.Uint16(b)),
		HasAbsSendTime: true, AbsSendTime: abs,
	})
	p.drainReceiver(now)
}

func (p *path) drainReceiver(unit.Time) {
	for _, pkt := range p.receiver.Output().RTCP {
		b, err := wirertcp.AppendCompound(nil, pkt)
		require.NoError(p.t, err)
		if !p.silent {
			p.back.Send(b)
		}
	}
	p.receiver.Output().Reset()
}

func (p *path) feedback(now unit.Time, b []byte) {
	pkts, err := wirertcp.Parse(b)
	require.NoError(p.t, err)
	for _, pkt := range pkts {
		switch pkt := pkt.(type) {
		case *rtcp.TransportLayerCC:
			p.sender.HandleTransportFeedback(now, pkt)
		case *rtcp.ReceiverEstimatedMaximumBitrate:
			p.sender.HandleREMB(now, unit.Bitrate(pkt.Bitrate))
		}
	}
	p.drainSender(now)
}

// mark begins a new span of time for lowest, highest and mean.
func (p *path) mark() {
	p.lowest, p.highest, p.sum, p.samples = 1<<62, 0, 0, 0
}

func (p *path) mean() unit.Bitrate { return unit.Bitrate(p.sum / float64(max(p.samples, 1))) }

func (p *path) String() string {
	return fmt.Sprintf("now %d, lowest %d, mean %d, highest %d kbit/s, loss %.3f",
		p.sender.AvailableBitrate()/kbps, p.lowest/kbps, p.mean()/kbps, p.highest/kbps, p.sender.PacketLoss())
}
