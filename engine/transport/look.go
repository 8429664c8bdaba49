package transport

import (
	"fmt"
	"net/netip"
	"reflect"

	"gazpacho/engine/api"
	"gazpacho/engine/layer"
	"gazpacho/engine/look"
	"gazpacho/engine/unit"
)

// kindNames are what operators call kinds of transport.
var kindNames = [numKinds]string{look.WebRtc, look.Plain, look.Pipe, look.Direct, look.Relay}

// Read fills in what the transport is and did, and adds a part of what it holds: up to n producers and consumers behind the first from
// ones. It returns how many these were, and whether there are more. It allocates nothing but the addresses of relays.
func (t *Transport) Read(now unit.Time, from, n int, r *look.Reading) (visited int, more bool) {
	if t.isClosed {
		return 0, false
	}
	if from == 0 {
		t.read(now, r)
	}
	if t.isBroken { // what it holds cannot be trusted
		return 0, false
	}
	all := len(t.producers) + len(t.consumers)
	end := min(from+n, all)
	for i := from; i < end; i++ {
		if i < len(t.producers) {
			readProducer(t.producers[i], r)
		} else {
			t.readConsumer(t.consumers[i-len(t.producers)], r)
		}
	}
	return max(end-from, 0), end < all
}

func (t *Transport) read(now unit.Time, r *look.Reading) {
	r.Kind, r.Broken = kindNames[t.kind()], t.isBroken
	if t.isBroken {
		return
	}
	if w, ok := t.backend.(*webRtc); ok {
		r.HasICE, r.ICE, r.DTLS = true, w.ice.State(), w.dtlsState
		r.Counters.Disconnections = w.disconnections
	}
	if r.Kind == look.Relay {
		r.Local, r.Remote = t.ends()
	}
	c := &t.counters
	r.RecvBitrate, r.SendBitrate = uint64(c.recvRate.Rate(now)), uint64(c.sendRate.Rate(now))
	if t.bweIn != nil {
		r.EstimateIn, r.LossIn = uint64(t.bweIn.AvailableBitrate()), t.bweIn.PacketLoss()
	}
	if t.bweOut != nil {
		r.EstimateOut, r.LossOut = uint64(t.bweOut.AvailableBitrate()), t.bweOut.PacketLoss()
	}
	r.Producers, r.Consumers = len(t.producers), len(t.consumers)
	r.DataProducers, r.DataConsumers = len(t.dataProducers), len(t.dataConsumers)
	r.Counters.Dropped = t.drops.total()
	for _, n := range t.layerDrops {
		r.Counters.LayersDropped += n
	}
}

func readProducer(p *Producer, r *look.Reading) {
	counts := p.Counts()
	r.Counters.Missed += counts.Received.NACKedPackets
	r.Counters.KeyFramesWant += counts.Received.PLIs + counts.Received.FIRs
	r.LossIn = max(r.LossIn, float64(p.FractionLost())/256)
}

func (t *Transport) readConsumer(c *Consumer, r *look.Reading) {
	counts := c.Counts()
	r.Counters.NACKed += counts.Sent.NACKedPackets
	r.Counters.Retransmitted += counts.Sent.Retransmitted
	r.Counters.KeyFramesAsked += counts.Sent.PLIs + counts.Sent.FIRs
	if t.bweOut == nil { // else feedback for the whole transport says; a voice that is silent may have lost one packet of two
		r.LossOut = max(r.LossOut, float64(c.FractionLost())/256)
	}
	r.RTT = max(r.RTT, float64(c.RTT()))
	switch spatial, _ := c.CurrentLayers(); {
	case !c.Active():
		r.Layers.Stopped++
	case c.Type() != api.RTPTypeSimulcast && c.Type() != api.RTPTypeSVC:
	case spatial < 0:
		r.Layers.None++
	default:
		r.Layers.Spatial[min(spatial, MaxSpatial)]++
	}
}

// total adds up all reasons.
func (d *Drops) total() (sum uint64) {
	for i, v := 0, reflect.ValueOf(d).Elem(); i < v.NumField(); i++ {
		sum += v.Field(i).Uint()
	}
	return sum
}

// tuple returns the selected tuple, or that of RTP; nil if there is none.
func (t *Transport) tuple() *api.TransportTuple {
	switch b := t.backend.(type) {
	case *webRtc:
		return b.selectedTuple()
	case *plain:
		return b.rtp.tuple()
	case *pipe:
		return b.rtp.tuple()
	}
	return nil
}

// ends returns the addresses of both ends, empty where they are not known.
func (t *Transport) ends() (local, remote string) {
	tuple := t.tuple()
	if tuple == nil {
		return "", ""
	}
	local = hostPort(tuple.LocalAddress, tuple.LocalPort)
	if tuple.RemotePort != 0 {
		remote = hostPort(tuple.RemoteIP, tuple.RemotePort)
	}
	return local, remote
}

// hostPort joins an address, which may be an announced name, and a port.
func hostPort(host string, port uint16) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(ip, port).String()
	}
	return fmt.Sprintf("%s:%d", look.Name(host), port)
}

// Look fills in all about the transport, and a part of what it holds, as Read does. What is above limit in all is left out.
func (t *Transport) Look(now unit.Time, from, n, limit int, l *look.Transport) (visited int, more bool) {
	if t.isClosed {
		return 0, false
	}
	if from == 0 {
		t.look(now, l)
	}
	if t.isBroken {
		return 0, false
	}
	all := len(t.producers) + len(t.consumers)
	l.Omitted = max(all-limit, 0)
	all = min(all, limit)
	end := min(from+n, all)
	for i := from; i < end; i++ {
		if i < len(t.producers) {
			l.Producers = append(l.Producers, lookAtProducer(now, t.producers[i]))
		} else {
			l.Consumers = append(l.Consumers, lookAtConsumer(now, t.consumers[i-len(t.producers)]))
		}
	}
	return max(end-from, 0), end < all
}

func (t *Transport) look(now unit.Time, l *look.Transport) {
	l.Kind, l.Broken = kindNames[t.kind()], t.isBroken
	if t.isBroken {
		return
	}
	if w, ok := t.backend.(*webRtc); ok {
		l.ICE, l.DTLS = look.StateName(w.ice.State()), look.StateName(w.dtlsState)
	}
	if t.sctp != nil {
		l.SCTP = look.StateName(t.sctp.State())
	}
	if tuple := t.tuple(); tuple != nil {
		l.TCP = tuple.Protocol == api.ProtocolTCP
		l.Local, l.Remote = t.ends()
	}
	l.Stats, l.Drops = statsOf(t.baseStats(now)), notZero(t.drops)
	if t.bweOut != nil {
		l.LayerDrops = look.Counts{}
		for reason, n := range t.layerDrops {
			if n > 0 {
				l.LayerDrops[layerDropNames[reason]] = n
			}
		}
	}
}

// statsOf turns statistics into those for operators.
func statsOf(s *api.TransportStats) look.Stats {
	return look.Stats{
		BytesReceived: s.BytesReceived, RecvBitrate: s.RecvBitrate, BytesSent: s.BytesSent, SendBitrate: s.SendBitrate,
		RTPBytesReceived: s.RTPBytesReceived, RTPRecvBitrate: s.RTPRecvBitrate, RTPBytesSent: s.RTPBytesSent, RTPSendBitrate: s.RTPSendBitrate,
		RTXBytesReceived: s.RTXBytesReceived, RTXRecvBitrate: s.RTXRecvBitrate, RTXBytesSent: s.RTXBytesSent, RTXSendBitrate: s.RTXSendBitrate,
		ProbationBytesSent: s.ProbationBytesSent, ProbationSendBitrate: s.ProbationSendBitrate,
		AvailableOutgoingBitrate: s.AvailableOutgoingBitrate, AvailableIncomingBitrate: s.AvailableIncomingBitrate,
		MaxIncomingBitrate: s.MaxIncomingBitrate, MaxOutgoingBitrate: s.MaxOutgoingBitrate, MinOutgoingBitrate: s.MinOutgoingBitrate,
		RTPPacketLossReceived: s.RTPPacketLossReceived, RTPPacketLossSent: s.RTPPacketLossSent,
	}
}

// notZero returns the fields of a struct of counters that are not zero.
func notZero(counters any) look.Counts {
	counts := look.Counts{}
	for field, value := range reflect.ValueOf(counters).Fields() {
		if n := value.Uint(); n > 0 {
			counts[field.Name] = n
		}
	}
	return counts
}

func lookAtProducer(now unit.Time, p *Producer) look.Producer {
	l := look.Producer{
		ID: look.Name(p.ID()), Kind: look.StateName(p.Kind()), Type: look.StateName(p.Type()), MIMEType: mimeType(p.RTPParameters()),
		Paused: p.Paused(), Drops: notZero(p.Drops()), Streams: []look.Stream{},
	}
	for _, s := range p.Stats(now).Stats {
		l.Streams = append(l.Streams, streamOf(s.Data))
	}
	return l
}

func lookAtConsumer(now unit.Time, c *Consumer) look.Consumer {
	score, layers := c.Score(), c.Layers()
	l := look.Consumer{
		ID: look.Name(c.ID()), ProducerID: look.Name(c.ProducerID()), Kind: look.StateName(c.Kind()), Type: look.StateName(c.Type()),
		MIMEType: mimeType(c.RTPParameters()), Paused: c.Paused(), ProducerPaused: c.ProducerIsPaused(), Active: c.Active(), Priority: c.Priority(),
		Score: score.Score, ProducerScore: score.ProducerScore, KeyFrameWait: c.KeyFrameWait(now).Seconds(), Drops: notZero(c.Drops()),
		Streams: []look.Stream{},
	}
	if c.Type() == api.RTPTypeSimulcast || c.Type() == api.RTPTypeSVC {
		l.HasLayers = true
		l.Preferred, l.Target, l.Current = layerName(layers.Preferred), layerName(layers.Target), layerName(layers.Current)
	}
	for _, s := range c.Stats(now).Stats {
		l.Streams = append(l.Streams, streamOf(s.Data))
	}
	return l
}

// layerName returns a layer as statistics name it, empty for none.
func layerName(l layer.ID) look.Layer {
	if l.Spatial < 0 {
		return ""
	}
	return look.Layer(l.String())
}

// mimeType returns the one of the first codec.
func mimeType(p *api.RTPParameters) string {
	if len(p.Codecs) == 0 {
		return ""
	}
	return look.Name(p.Codecs[0].MimeType)
}

// streamOf turns a stream's statistics into a row.
func streamOf(data api.RTPStreamStatsData) (s look.Stream) {
	var base *api.RTPStreamStats
	switch d := data.(type) {
	case *api.RTPStreamRecvStats:
		s.PacketCount, s.ByteCount, s.Bitrate, base = d.PacketCount, d.ByteCount, d.Bitrate, d.Base
		s.BitrateByLayer = map[string]uint64{}
		for _, l := range d.BitrateByLayer {
			s.BitrateByLayer[l.Layer] = l.Bitrate
		}
	case *api.RTPStreamSendStats:
		s.PacketCount, s.ByteCount, s.Bitrate, base = d.PacketCount, d.ByteCount, d.Bitrate, d.Base
	}
	if base == nil {
		return s
	}
	if b, ok := base.Data.(*api.RTPStreamBaseStats); ok {
		s.SSRC, s.RID, s.Score, s.PacketsLost, s.FractionLost, s.Jitter = b.SSRC, b.RID, b.Score, b.PacketsLost, b.FractionLost, b.Jitter
		s.PacketsDiscarded, s.PacketsRetransmitted, s.PacketsRepaired = b.PacketsDiscarded, b.PacketsRetransmitted, b.PacketsRepaired
		s.NACKCount, s.NACKPacketCount, s.PLICount, s.FIRCount = b.NACKCount, b.NACKPacketCount, b.PLICount, b.FIRCount
		s.RoundTripTime = b.RoundTripTime
	}
	return s
}
