package rtpstream_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// receiver drives a Recv on virtual time and collects what it asks for.
type receiver struct {
	t testing.TB
	*rtpstream.Recv
	now    unit.Time
	nacked []unit.SeqNo
	rtcp   []rtcp.Packet
	scores []uint8 // each change: previous, new
	layers int
	rtxSeq unit.SeqNo
}

func newReceiver(t testing.TB, p rtpstream.Params, o rtpstream.RecvOptions) *receiver {
	return &receiver{t: t, Recv: rtpstream.NewRecv(start, p, o), now: start, rtxSeq: 65533}
}

func (r *receiver) drain() {
	o := r.Output()
	for _, p := range o.RTCP {
		if n, ok := p.(*rtcp.TransportLayerNack); ok {
			require.Equal(r.t, uint32(mediaSSRC), n.MediaSSRC)
			for _, pair := range n.Nacks {
				for _, seq := range pair.PacketList() {
					r.nacked = append(r.nacked, unit.SeqNo(seq))
				}
			}
			continue
		}
		r.rtcp = append(r.rtcp, p)
	}
	if o.ScoreChanged {
		r.scores = append(r.scores, o.PreviousScore, r.Score())
	}
	if o.SpatialLayersChanged {
		r.layers++
	}
	o.Reset()
	require.Empty(r.t, o.RTCP)
	require.False(r.t, o.ScoreChanged)
}

// advance lets time pass and timers fire when due.
func (r *receiver) advance(d time.Duration) {
	end := r.now.Add(d)
	for r.NextTimeout() <= end {
		require.GreaterOrEqual(r.t, r.NextTimeout(), r.now, "a timer does not stay due")
		r.now = r.NextTimeout()
		r.HandleTimeout(r.now)
		r.drain()
	}
	r.now = end
}

func (r *receiver) takeNacked() []unit.SeqNo {
	n := r.nacked
	r.nacked = nil
	return n
}

func (r *receiver) takeRTCP() []rtcp.Packet {
	p := r.rtcp
	r.rtcp = nil
	return p
}

func (r *receiver) feed(pkt *packet.Packet, handle func(unit.Time, *packet.Packet) bool) bool {
	ok := handle(r.now, pkt)
	r.drain()
	pkt.Release()
	return ok
}

func (r *receiver) media(seq unit.SeqNo) bool {
	return r.feed(mediaPacket(r.t, r.now, seq, tsAt(r.now), interFrame), r.HandlePacket)
}

func (r *receiver) rtx(seq unit.SeqNo) bool {
	r.rtxSeq++
	return r.feed(rtxPacket(r.t, r.now, r.rtxSeq, seq, tsAt(r.now), interFrame), r.HandleRTXPacket)
}

func (r *receiver) base() *api.RTPStreamBaseStats {
	return r.Stats(r.now).Data.(*api.RTPStreamRecvStats).Base.Data.(*api.RTPStreamBaseStats)
}

func (r *receiver) senderReport() {
	r.HandleSenderReport(r.now, &rtcp.SenderReport{SSRC: uint32(mediaSSRC), NTPTime: r.now.NTP(), RTPTime: uint32(tsAt(r.now))})
	r.drain()
}

func rtxParams() rtpstream.Params {
	p := videoParams()
	p.RTXSSRC, p.RTXPayloadType = rtxSSRC, rtxPT
	return p
}
