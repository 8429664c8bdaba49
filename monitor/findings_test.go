package monitor

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/look"
)

// healthy returns a transport about which nothing is found.
func healthy() look.Transport {
	t := transportIn("r", "t")
	t.Remote = "192.0.2.1:1"
	t.Producers = []look.Producer{{ID: "p", Streams: []look.Stream{{Score: 10, Bitrate: 100}, {}}}} // one of its encodings is off
	t.Consumers = []look.Consumer{{
		ID: "c", Type: "simulcast", Active: true, Score: 10, ProducerScore: 10, HasLayers: true, Preferred: "2.2", Target: "2.2", Current: "2.2",
		Streams: []look.Stream{{}},
	}}
	t.History = []look.Sample{{ICE: "completed", DTLS: "connected"}}
	return t
}

func TestNothingIsFoundWhereAllIsWell(t *testing.T) {
	one := healthy()
	require.Empty(t, findings(&one))
}

func TestFindings(t *testing.T) {
	for want, change := range map[string]func(*look.Transport){
		"bad : An internal error took":         func(t *look.Transport) { t.Broken = true },
		"bad : No peer has connected":          func(t *look.Transport) { t.ICE, t.DTLS = "new", "new" },
		"bad : ICE has lost the peer:":         func(t *look.Transport) { t.ICE = "disconnected" },
		"bad : ICE has lost the peer for 20s":  func(t *look.Transport) { t.ICE, t.History = "disconnected", disconnected(0, 2) },
		"bad : ICE has lost the peer for abou": func(t *look.Transport) { t.ICE, t.History = "disconnected", disconnected(1, 2) },
		"bad : DTLS has not begun":             func(t *look.Transport) { t.DTLS = "new" },
		"bad : The DTLS handshake is not over": func(t *look.Transport) { t.DTLS = "connecting" },
		"bad : The DTLS handshake failed":      func(t *look.Transport) { t.DTLS = "failed" },
		"bad : The peer has closed DTLS":       func(t *look.Transport) { t.DTLS = "closed" },
		"bad : The peer's address is not":      func(t *look.Transport) { t.Kind, t.ICE, t.Remote = look.Plain, "", "" },
		"warn : SCTP is failed":                func(t *look.Transport) { t.SCTP = "failed" },
		"note : ICE lost the peer once":        func(t *look.Transport) { t.History[0].Disconnections = 1 },
		"note : ICE lost the peer 2 times":     func(t *look.Transport) { t.History[0].Disconnections = 2 },
		"note : Media goes over TCP":           func(t *look.Transport) { t.TCP = true },
		"bad : 20 % of what is sent":           func(t *look.Transport) { t.Stats.RTPPacketLossSent = new(0.2) },
		"warn : 5 % of what is sent": func(t *look.Transport) {
			t.Consumers[0].Streams = []look.Stream{{FractionLost: 10, Bitrate: 1_000_000}, {FractionLost: 128, Bitrate: 25_000}}
		},
		"bad : 50 % of what the peer sends": func(t *look.Transport) { t.Stats.RTPPacketLossReceived = new(0.5) },
		"warn : 5 % of what the peer sends": func(t *look.Transport) { t.Stats.RTPPacketLossReceived = new(0.05) },
		"warn : The round trip to the peer": func(t *look.Transport) { t.Consumers[0].Streams[0].RoundTripTime = 500 },
		"note : The application allows at most 500 kbit/s": func(t *look.Transport) {
			t.Stats.MaxOutgoingBitrate = new(uint64(500_000))
		},
		"warn : 3 packets did not fit the keys":                func(t *look.Transport) { t.Drops = look.Counts{"Unauthenticated": 3} },
		"note p: The application has paused":                   func(t *look.Transport) { t.Producers[0].Paused = true },
		"bad p: Not one packet":                                func(t *look.Transport) { t.Producers[0].Streams = nil },
		"bad p: Nothing comes from the peer":                   func(t *look.Transport) { t.Producers[0].Streams = []look.Stream{{}} },
		"warn p: Packets are lost on the way here (score 4":    func(t *look.Transport) { t.Producers[0].Streams[0].Score = 4 },
		"note c: The application has paused":                   func(t *look.Transport) { t.Consumers[0].Paused = true },
		"note c: Its producer is paused":                       func(t *look.Transport) { t.Consumers[0].ProducerPaused = true },
		"bad c: It does not forward":                           func(t *look.Transport) { t.Consumers[0].Active = false },
		"bad c: Nothing comes from its producer's":             func(t *look.Transport) { t.Consumers[0].ProducerScore = 0 },
		"bad c: It has waited for a key frame for 3 s":         func(t *look.Transport) { t.Consumers[0].KeyFrameWait = 3.2 },
		"bad c: No layer fits into the bandwidth":              func(t *look.Transport) { t.Consumers[0].Current, t.Consumers[0].Target = "", "" },
		"warn c: It waits for a key frame of layer 2.2":        func(t *look.Transport) { t.Consumers[0].Current = "" },
		"note c: Layer 1.0 is forwarded until":                 func(t *look.Transport) { t.Consumers[0].Current = "1.0" },
		"warn c: Packets are lost on the way to the peer":      func(t *look.Transport) { t.Consumers[0].Score = 5 },
		"warn c: Layer 1.2 is forwarded in place of 2.2: more": func(t *look.Transport) { t.Consumers[0].Current, t.Consumers[0].Target = "1.2", "1.2" },
		"warn c: Layer 0.0 is forwarded in place of 2.2: more does not fit into the 1.2 Mbit/s": func(t *look.Transport) {
			t.Consumers[0].Current, t.Consumers[0].Target, t.Stats.AvailableOutgoingBitrate = "0.0", "0.0", new(uint64(1_200_000))
		},
		"bad c: No layer fits into the 12 Mbit/s": func(t *look.Transport) {
			t.Consumers[0].Current, t.Consumers[0].Target, t.Stats.AvailableOutgoingBitrate = "", "", new(uint64(12_000_000))
		},
	} {
		one := healthy()
		change(&one)
		list := findings(&one)
		require.NotEmpty(t, list, want)
		f := list[0]
		require.Contains(t, string(f.Level)+" "+f.About+": "+f.Text, want)
	}
}

// disconnected returns a history of some samples with a peer and some without.
func disconnected(with, without int) (history []look.Sample) {
	for range with {
		history = append(history, look.Sample{ICE: "completed"})
	}
	for range without {
		history = append(history, look.Sample{ICE: "disconnected"})
	}
	return history
}
