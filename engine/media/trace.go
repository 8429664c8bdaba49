package media

import (
	"gazpacho/engine/api"
	"gazpacho/engine/packet"
	"gazpacho/engine/wire/rtp"
)

// traceSet is a set of trace event types, one bit each.
type traceSet uint8

func (s *traceSet) add(t uint8)     { *s |= 1 << t }
func (s traceSet) has(t uint8) bool { return s&(1<<t) != 0 }

// dumpReceived describes a packet of the peer, before payload type and SSRC are mapped.
func dumpReceived(pkt *packet.Packet, ids *ExtensionIDs) *api.RTPPacketDump {
	d := dumpPacket(pkt)
	d.PayloadType, d.SSRC, d.Marker = pkt.PayloadType, uint32(pkt.SSRC), pkt.Marker
	d.SequenceNumber, d.Timestamp = uint16(pkt.SequenceNumber), uint32(pkt.Timestamp)
	d.Size = uint64(len(pkt.Data))
	d.MID, d.RID, d.RRID = extensionString(pkt, ids.MID), extensionString(pkt, ids.RID), extensionString(pkt, ids.RRID)
	if ids.TransportCC != 0 {
		if seq, ok := rtp.ParseTransportCC(pkt.Extension(ids.TransportCC)); ok {
			d.WideSequenceNumber = new(uint16(seq))
		}
	}
	return d
}

// dumpPacket fills in what does not change from producer to consumer.
func dumpPacket(pkt *packet.Packet) *api.RTPPacketDump {
	return &api.RTPPacketDump{
		IsKeyFrame:    pkt.Codec.KeyFrame,
		PayloadSize:   uint64(len(pkt.Payload())),
		SpatialLayer:  pkt.Codec.SpatialLayer,
		TemporalLayer: pkt.Codec.TemporalLayer,
	}
}

func extensionString(pkt *packet.Packet, id uint8) string {
	if id == 0 {
		return ""
	}
	return string(pkt.Extension(id))
}
