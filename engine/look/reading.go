package look

import "gazpacho/engine/api"

// Kinds of transport.
const (
	WebRtc = "webrtc"
	Plain  = "plain"
	Pipe   = "pipe"
	Direct = "direct"
	Relay  = "relay" // between nodes, and the application has not asked for it
)

// State is what a transport is in.
type State struct {
	Kind   string `json:"kind"`
	Broken bool   `json:"broken,omitempty"` // an internal error took it out of service
	ICE    string `json:"ice,omitempty"`    // as mediasoup names states; empty if the transport has no ICE
	DTLS   string `json:"dtls,omitempty"`   // likewise
	SCTP   string `json:"sctp,omitempty"`   // likewise
}

// Reading is what a transport is and did, in a few numbers.
type Reading struct {
	ID            TransportID
	Kind          string
	Local, Remote string // of relays, to find both ends
	Broken        bool
	HasICE        bool // and so the states of ICE and DTLS
	ICE           api.ICEState
	DTLS          api.DTLSState

	RecvBitrate, SendBitrate     uint64
	EstimateIn, EstimateOut      uint64 // 0: there is none
	LossIn, LossOut              float64
	RTT                          float64
	Producers, Consumers         int
	DataProducers, DataConsumers int
	Layers                       Layers
	Counters                     Counters
}

// Layers counts video consumers that choose layers by the spatial one that they forward, and consumers that forward nothing.
type Layers struct {
	None    int    `json:"none"` // active, but there is no layer to forward
	Spatial [4]int `json:"spatial"`
	Stopped int    `json:"stopped"` // of all consumers: paused, paused at the producer, or not connected
}

// Counters only grow, but for what goes with a producer or consumer that closes.
type Counters struct {
	NACKed         uint64 // packets that the peer asked for again
	Retransmitted  uint64 // to the peer
	KeyFramesAsked uint64 // by the peer, with PLI or FIR
	Missed         uint64 // packets that the peer was asked for again
	KeyFramesWant  uint64 // asked of the peer
	Dropped        uint64 // packets, for whatever reason
	LayersDropped  uint64 // times that a consumer aimed at lower layers than before
	Disconnections uint64 // of ICE
}

// growth returns how much a counter has grown; one that is smaller than it was has lost what was closed.
func growth(now, before uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}

// since returns how much all have grown.
func (c Counters) since(b Counters) Counters {
	return Counters{
		growth(c.NACKed, b.NACKed), growth(c.Retransmitted, b.Retransmitted), growth(c.KeyFramesAsked, b.KeyFramesAsked),
		growth(c.Missed, b.Missed), growth(c.KeyFramesWant, b.KeyFramesWant), growth(c.Dropped, b.Dropped),
		growth(c.LayersDropped, b.LayersDropped), growth(c.Disconnections, b.Disconnections),
	}
}

// Troubled reports whether the transport is not what it should be: out of service, or without its peer.
func (r *Reading) Troubled() bool {
	return r.Broken || r.HasICE && (r.ICE == api.ICEStateDisconnected || r.DTLS == api.DTLSStateFailed || r.DTLS == api.DTLSStateClosed)
}
