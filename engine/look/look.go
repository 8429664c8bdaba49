// Package look is what operators see of an engine's Routers and transports: rows to be shown, and the history of each transport. It is
// data and arithmetic only: engine/transport fills the rows, monitor/watched asks for them, monitor shows them.
//
// There are two ways to look. A [Survey] goes over all transports and keeps a [Reading] of each, which costs little: sums of Routers and
// applications come of it, and samples for the [History]. A [Transport] has all about one, with its producers and consumers.
//
// Rates are in bits per second, losses are shares from 0 to 1, round-trip times are in milliseconds, times in seconds since 1970.
package look

import (
	"cmp"
	"unicode/utf8"
)

// Owner is whose a Router is. Both are empty in a worker without a cluster.
type Owner struct {
	Application string `json:"application,omitempty"`
	Tenant      string `json:"tenant,omitempty"`
}

// RoomID names a Router. Several nodes may have a part of it each.
type RoomID struct {
	Owner
	Router string `json:"router"`
}

// Compare orders Routers.
func (r RoomID) Compare(o RoomID) int {
	return cmp.Or(cmp.Compare(r.Application, o.Application), cmp.Compare(r.Tenant, o.Tenant), cmp.Compare(r.Router, o.Router))
}

// TransportID names a transport.
type TransportID struct {
	RoomID
	Transport string `json:"transport"`
}

// MaxName is the length in bytes above which ids and names are cut off. Those of mediasoup's library have 36.
const MaxName = 128

// Name cuts off what is too long to be shown.
func Name(s string) string {
	if len(s) <= MaxName {
		return s
	}
	cut := MaxName
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// Layer is a choice of layers, such as "2.0"; empty for none.
type Layer string

// Transport is all about one transport.
type Transport struct {
	TransportID
	State
	Node       string     `json:"node,omitempty"`
	Shard      int        `json:"shard"`
	Local      string     `json:"local,omitempty"`  // of the selected tuple, or of RTP
	Remote     string     `json:"remote,omitempty"` // likewise, once known
	TCP        bool       `json:"tcp,omitempty"`
	Stats      Stats      `json:"stats"`
	Drops      Counts     `json:"drops,omitempty"`
	LayerDrops Counts     `json:"layerDrops,omitempty"`
	Producers  []Producer `json:"producers,omitempty"`
	Consumers  []Consumer `json:"consumers,omitempty"`
	Omitted    int        `json:"omitted,omitempty"` // producers and consumers for which there was no room
	History    []Sample   `json:"history,omitempty"`
}

// Stats are a transport's statistics, by the names that getStats() has. What is nil is not known.
type Stats struct {
	BytesReceived            uint64   `json:"bytesReceived"`
	RecvBitrate              uint64   `json:"recvBitrate"`
	BytesSent                uint64   `json:"bytesSent"`
	SendBitrate              uint64   `json:"sendBitrate"`
	RTPBytesReceived         uint64   `json:"rtpBytesReceived"`
	RTPRecvBitrate           uint64   `json:"rtpRecvBitrate"`
	RTPBytesSent             uint64   `json:"rtpBytesSent"`
	RTPSendBitrate           uint64   `json:"rtpSendBitrate"`
	RTXBytesReceived         uint64   `json:"rtxBytesReceived"`
	RTXRecvBitrate           uint64   `json:"rtxRecvBitrate"`
	RTXBytesSent             uint64   `json:"rtxBytesSent"`
	RTXSendBitrate           uint64   `json:"rtxSendBitrate"`
	ProbationBytesSent       uint64   `json:"probationBytesSent"`
	ProbationSendBitrate     uint64   `json:"probationSendBitrate"`
	AvailableOutgoingBitrate *uint64  `json:"availableOutgoingBitrate,omitempty"`
	AvailableIncomingBitrate *uint64  `json:"availableIncomingBitrate,omitempty"`
	MaxIncomingBitrate       *uint64  `json:"maxIncomingBitrate,omitempty"`
	MaxOutgoingBitrate       *uint64  `json:"maxOutgoingBitrate,omitempty"`
	MinOutgoingBitrate       *uint64  `json:"minOutgoingBitrate,omitempty"`
	RTPPacketLossReceived    *float64 `json:"rtpPacketLossReceived,omitempty"`
	RTPPacketLossSent        *float64 `json:"rtpPacketLossSent,omitempty"`
}

// Counts are counters that are not zero, by reason.
type Counts map[string]uint64

// Producer is what a peer sends.
type Producer struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"` // audio or video
	Type     string   `json:"type"` // simple, simulcast or svc
	MIMEType string   `json:"mimeType"`
	Paused   bool     `json:"paused"`
	Streams  []Stream `json:"streams"`
	Drops    Counts   `json:"drops,omitempty"`
}

// Consumer is what is sent to a peer.
type Consumer struct {
	ID             string   `json:"id"`
	ProducerID     string   `json:"producerId"`
	Kind           string   `json:"kind"` // audio or video
	Type           string   `json:"type"` // simple, simulcast, svc or pipe
	MIMEType       string   `json:"mimeType"`
	Paused         bool     `json:"paused"`
	ProducerPaused bool     `json:"producerPaused"`
	Active         bool     `json:"active"` // forwards, or would
	Priority       uint8    `json:"priority"`
	Score          uint8    `json:"score"`
	ProducerScore  uint8    `json:"producerScore"`
	HasLayers      bool     `json:"hasLayers"`
	Preferred      Layer    `json:"preferred,omitempty"`
	Target         Layer    `json:"target,omitempty"`
	Current        Layer    `json:"current,omitempty"`
	KeyFrameWait   float64  `json:"keyFrameWait,omitempty"` // seconds for which packets have had to wait for a key frame
	Streams        []Stream `json:"streams"`
	Drops          Counts   `json:"drops,omitempty"`
}

// Stream is a stream's statistics, by the names that getStats() has.
type Stream struct {
	SSRC                 uint32            `json:"ssrc"`
	RID                  string            `json:"rid,omitempty"`
	Score                uint8             `json:"score"`
	PacketCount          uint64            `json:"packetCount"`
	ByteCount            uint64            `json:"byteCount"`
	Bitrate              uint64            `json:"bitrate"`
	BitrateByLayer       map[string]uint64 `json:"bitrateByLayer,omitempty"`
	PacketsLost          int32             `json:"packetsLost"`
	FractionLost         uint8             `json:"fractionLost"` // in 1/256
	Jitter               uint32            `json:"jitter"`       // in units of the codec's clock
	PacketsDiscarded     uint64            `json:"packetsDiscarded"`
	PacketsRetransmitted uint64            `json:"packetsRetransmitted"`
	PacketsRepaired      uint64            `json:"packetsRepaired"`
	NACKCount            uint64            `json:"nackCount"`
	NACKPacketCount      uint64            `json:"nackPacketCount"`
	PLICount             uint64            `json:"pliCount"`
	FIRCount             uint64            `json:"firCount"`
	RoundTripTime        float32           `json:"roundTripTime"`
}
