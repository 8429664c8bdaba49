package metrics

import (
	"strconv"

	"gazpacho/engine/api"
	"gazpacho/engine/shard"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

var (
	iceStates      = stateNames(api.ICEState(0).EnumNames())
	dtlsStates     = stateNames(api.DTLSState(0).EnumNames())
	sctpStates     = stateNames(api.SCTPState(0).EnumNames())
	transportKinds = []string{"webrtc", "plain", "pipe", "direct", "relay"} // by transport.Kind
)

// Labels of several families.
var (
	byShard   = []label{{name: "shard", values: "the shard's number, from 0 on: as many as the worker may use cores"}}
	byFeed    = []label{{name: "type", values: "pli, fir"}}
	byICE     = []label{{name: "state", values: oneOf(iceStates...)}}
	byDTLS    = []label{{name: "state", values: oneOf(dtlsStates...)}}
	bySCTP    = []label{{name: "state", values: oneOf(sctpStates...)}}
	byPackets = []label{{name: "type", values: "media, retransmission"}}
	bySent    = []label{{name: "type", values: "media, retransmission, probation (padding that probes for bandwidth)"}}
)

// counterOf is a family without labels that shows one count.
func counterOf(name, help string, value func(*transport.Figures) uint64) family {
	return family{name: name, kind: counter, help: help, read: func(f *figures, to *samples) {
		to.count(value(&f.engine.Transports))
	}}
}

// fieldsOf is a family with a sample for each field of a struct of counters.
func fieldsOf(name, by, help string, counters func(*transport.Figures) any) family {
	return family{
		name: name, kind: counter, help: help,
		labels: []label{fieldLabel(by, counters(&transport.Figures{}))},
		read:   func(f *figures, to *samples) { to.fields(counters(&f.engine.Transports)) },
	}
}

// histogramOf is a family without labels.
func histogramOf(name, help string, bounds *unit.Bounds, value func(*transport.Figures) *unit.Histogram) family {
	return family{name: name, kind: histogram, help: help, read: func(f *figures, to *samples) {
		to.histogram(value(&f.engine.Transports), bounds)
	}}
}

// gaugeOf is a family without labels that shows how many of something there are.
func gaugeOf(name, help string, value func(*transport.Census) int) family {
	return family{name: name, kind: gauge, help: help, read: func(f *figures, to *samples) {
		to.add(float64(value(&f.engine.Census)))
	}}
}

// statesOf is a family with a sample for each state.
func statesOf(name, help string, labels []label, names []string, value func(*transport.Census) []int) family {
	return family{name: name, kind: gauge, help: help, labels: labels, read: func(f *figures, to *samples) {
		for i, n := range value(&f.engine.Census) {
			to.add(float64(n), names[i])
		}
	}}
}

// shardFamilies say how busy the engine is.
var shardFamilies = []family{
	{
		name: "cpu_usage_ratio", kind: gauge,
		help: "Fraction of the CPU time open to the process that is used, by whatever process: at 1 it can forward no more.",
		read: func(f *figures, to *samples) { to.add(ratio(f.engine.CPU)) },
	},
	{
		name: "shard_busy_seconds_total", kind: counter, labels: byShard,
		help: "Time that shards spent in their turns: with media, requests and timers. A shard is full at one second per second.",
		read: func(f *figures, to *samples) {
			for i, s := range f.engine.Shards {
				to.add(s.Busy.Seconds(), strconv.Itoa(i))
			}
		},
	},
	{
		name: "shard_turns_total", kind: counter, labels: byShard,
		help: "Turns of shards. Each handles a batch of datagrams, a request, or what has become due.",
		read: func(f *figures, to *samples) {
			for i, s := range f.engine.Shards {
				to.count(s.Turns, strconv.Itoa(i))
			}
		},
	},
	{
		name: "shard_transports", kind: gauge, labels: byShard,
		help: "Transports on each shard.",
		read: func(f *figures, to *samples) {
			for i, s := range f.engine.Shards {
				to.add(float64(s.Transports), strconv.Itoa(i))
			}
		},
	},
	{
		name: "shard_dropped_messages_total", kind: counter, labels: byShard,
		help: "Batches of media and data that were dropped because the shard was too far behind.",
		read: func(f *figures, to *samples) {
			for i, s := range f.engine.Shards {
				to.count(s.Dropped, strconv.Itoa(i))
			}
		},
	},
	{
		name: "shard_queueing_delay_seconds", kind: histogram,
		help: "How long batches waited for their shard, of all shards: the oldest one, each time that the shard had its turn.",
		read: func(f *figures, to *samples) {
			var all unit.Histogram
			for i := range f.engine.Shards {
				unit.Add(&all, &f.engine.Shards[i].Delay)
			}
			to.histogram(&all, shard.DelayBounds)
		},
	},
	{
		name: "internal_errors_total", kind: counter,
		help: "Panics that were contained: each took one transport out of service. The log has the stacks.",
		read: func(f *figures, to *samples) { to.count(f.engine.Faults) },
	},
}

// objectFamilies say how many objects there are and in which state.
var objectFamilies = []family{
	{
		name: "routers", kind: gauge, help: "Routers.",
		read: func(f *figures, to *samples) { to.add(float64(f.routers)) },
	},
	statesOf("transports", "Transports in service.",
		[]label{{name: "kind", values: "webrtc, plain, pipe, direct, relay (between the nodes of one application)"}}, transportKinds,
		func(c *transport.Census) []int { return c.Kinds[:] }),
	gaugeOf("transports_out_of_service", "Transports that an internal error took out of service and that the application has not closed yet.",
		func(c *transport.Census) int { return c.Broken }),
	statesOf("ice_transports", "WebRtcTransports by the state of ICE.", byICE, iceStates,
		func(c *transport.Census) []int { return c.ICEStates[:] }),
	statesOf("dtls_transports", "WebRtcTransports by the state of DTLS.", byDTLS, dtlsStates,
		func(c *transport.Census) []int { return c.DTLSStates[:] }),
	statesOf("sctp_associations", "SCTP associations by their state.", bySCTP, sctpStates,
		func(c *transport.Census) []int { return c.SCTPStates[:] }),
	{
		name: "producers", kind: gauge, labels: []label{{name: "kind", values: "audio, video"}}, help: "Producers.",
		read: func(f *figures, to *samples) {
			to.add(float64(f.engine.Census.AudioProducers), "audio")
			to.add(float64(f.engine.Census.VideoProducers), "video")
		},
	},
	gaugeOf("producers_paused", "Producers that the application has paused.",
		func(c *transport.Census) int { return c.PausedProducers }),
	{
		name: "consumers", kind: gauge,
		labels: []label{
			{name: "kind", values: "audio, video"},
			{name: "state", values: "active; still (video of which no layer is forwarded: too little bandwidth, or a silent producer); stopped (paused, or its transport is not connected)"},
		},
		help: "Consumers.",
		read: func(f *figures, to *samples) {
			for kind, c := range map[string]*transport.ConsumerCensus{"audio": &f.engine.Census.Audio, "video": &f.engine.Census.Video} {
				to.add(float64(c.Active), kind, "active")
				to.add(float64(c.Stopped), kind, "stopped")
			}
			to.add(float64(f.engine.Census.Video.Still), "video", "still")
		},
	},
	{
		name: "consumer_layers", kind: gauge,
		labels: []label{{name: "spatial", values: "0, 1, 2, 3+"}, {name: "temporal", values: "0, 1, 2, 3+"}},
		help:   "Consumers of simulcast and SVC by the layers that are forwarded to them now.",
		read: func(f *figures, to *samples) {
			for spatial, row := range f.engine.Census.Layers {
				for temporal, n := range row {
					to.add(float64(n), layerName(spatial, transport.MaxSpatial), layerName(temporal, transport.MaxTemporal))
				}
			}
		},
	},
	gaugeOf("data_producers", "DataProducers.", func(c *transport.Census) int { return c.DataProducers }),
	gaugeOf("data_consumers", "DataConsumers.", func(c *transport.Census) int { return c.DataConsumers }),
}

// trafficFamilies count packets and bytes.
var trafficFamilies = []family{
	counterOf("received_datagrams_total", "Datagrams of whatever protocol received by transports.",
		func(f *transport.Figures) uint64 { return f.Datagrams.Received.Packets }),
	counterOf("sent_datagrams_total", "Datagrams of whatever protocol sent by transports.",
		func(f *transport.Figures) uint64 { return f.Datagrams.Sent.Packets }),
	counterOf("received_bytes_total", "Bytes of all datagrams received by transports, without UDP and IP headers.",
		func(f *transport.Figures) uint64 { return f.Transports.Traffic.BytesReceived }),
	counterOf("sent_bytes_total", "Bytes of all datagrams sent by transports, without UDP and IP headers.",
		func(f *transport.Figures) uint64 { return f.Transports.Traffic.BytesSent }),
	packetsOf("rtp_received_packets_total", "RTP packets received for a producer.", byPackets, false, received),
	packetsOf("rtp_received_bytes_total", "Bytes of RTP packets received for a producer, headers included.", byPackets, true, received),
	packetsOf("rtp_sent_packets_total", "RTP packets sent to consumers.", bySent, false, sent),
	packetsOf("rtp_sent_bytes_total", "Bytes of RTP packets sent to consumers, headers included.", bySent, true, sent),
	{
		name: "dropped_total", kind: counter,
		help:   "What transports received or had to send and dropped: packets, datagrams, messages or requests, as the reason says.",
		labels: []label{fieldLabel("reason", transport.Drops{})},
		read: func(f *figures, to *samples) {
			to.fields(f.engine.Transports.Transports.Drops)
		},
	},
	{
		name: "unroutable_datagrams_total", kind: counter,
		help: "Datagrams at the ports of WebRtcServers that were for no transport.",
		read: func(f *figures, to *samples) { to.count(f.engine.Unroutable) },
	},
	fieldsOf("producer_dropped_packets_total", "reason", "RTP packets that producers did not take.",
		func(f *transport.Figures) any { return f.Producers.Drops }),
	fieldsOf("consumer_dropped_packets_total", "reason", "RTP packets of producers that consumers did not forward. Most of it is meant: layers, pauses.",
		func(f *transport.Figures) any { return f.Consumers.Drops }),
	fieldsOf("ice_events_total", "event", "What came of STUN messages, and of the paths to peers.",
		func(f *transport.Figures) any { return f.Transports.ICE }),
	fieldsOf("dtls_dropped_total", "reason", "What DTLS dropped or refused.",
		func(f *transport.Figures) any { return f.Transports.DTLS }),
	fieldsOf("sctp_events_total", "event", "What SCTP associations dropped, refused or gave up.",
		func(f *transport.Figures) any { return f.Transports.SCTP }),
	{
		name: "ice_state_changes_total", kind: counter, labels: byICE, help: "How often ICE entered each state.",
		read: func(f *figures, to *samples) {
			for i, n := range f.engine.Transports.ICEStates {
				to.count(n, iceStates[i])
			}
		},
	},
	{
		name: "dtls_state_changes_total", kind: counter, labels: byDTLS, help: "How often DTLS entered each state. Connecting minus failed and connected handshakes run now, or ended with their transports.",
		read: func(f *figures, to *samples) {
			for i, n := range f.engine.Transports.DTLSStates {
				to.count(n, dtlsStates[i])
			}
		},
	},
	counterOf("data_received_messages_total", "Messages of data channels received over SCTP.",
		func(f *transport.Figures) uint64 { return f.Data.Received }),
	counterOf("data_received_bytes_total", "Bytes of messages of data channels received over SCTP.",
		func(f *transport.Figures) uint64 { return f.Data.BytesReceived }),
	counterOf("data_sent_messages_total", "Messages given to SCTP for data consumers.",
		func(f *transport.Figures) uint64 { return f.Data.Sent }),
	counterOf("data_sent_bytes_total", "Bytes of messages given to SCTP for data consumers.",
		func(f *transport.Figures) uint64 { return f.Data.BytesSent }),
}

func received(t *transport.Traffic) map[string]transport.Packets {
	return map[string]transport.Packets{"media": t.Received, "retransmission": t.RetransmittedIn}
}

func sent(t *transport.Traffic) map[string]transport.Packets {
	return map[string]transport.Packets{"media": t.Sent, "retransmission": t.RetransmittedOut, "probation": t.Probation}
}

// packetsOf is a family of packets, or their bytes, by type.
func packetsOf(name, help string, labels []label, bytes bool, of func(*transport.Traffic) map[string]transport.Packets) family {
	return family{name: name, kind: counter, help: help, labels: labels, read: func(f *figures, to *samples) {
		for typ, p := range of(&f.engine.Transports.Transports.Traffic) {
			if bytes {
				to.count(p.Bytes, typ)
			} else {
				to.count(p.Packets, typ)
			}
		}
	}}
}

// keyFrameRequests is a family of PLIs and FIRs.
func keyFrameRequests(name, help string, of func(*transport.Figures) (pli, fir uint64)) family {
	return family{name: name, kind: counter, help: help, labels: byFeed, read: func(f *figures, to *samples) {
		pli, fir := of(&f.engine.Transports)
		to.count(pli, "pli")
		to.count(fir, "fir")
	}}
}

// qualityFamilies say how well media arrives.
var qualityFamilies = []family{
	{
		name: "layer_drops_total", kind: counter,
		help: "How often the layers that a consumer's transport aims at became lower.",
		labels: []label{{name: "reason", values: "not_preferred (by the application), not_sent (by the producer's peer), " +
			"shared (others take more, or the layers became larger), and of a lower estimate: overuse (packets wait on the path), loss, silence (no feedback), " +
			"remb (the peer's own estimate), limit (maxOutgoingBitrate)"}},
		read: func(f *figures, to *samples) {
			for i, name := range transport.LayerDropReasons() {
				to.count(f.engine.Transports.Transports.LayerDrops[i], snakeCase(name))
			}
		},
	},
	counterOf("producer_nacks_sent_total", "NACK messages to the peers of producers.",
		func(f *transport.Figures) uint64 { return f.Producers.Received.NACKs }),
	counterOf("producer_nacked_packets_total", "Packets that the peers of producers were asked for again.",
		func(f *transport.Figures) uint64 { return f.Producers.Received.NACKedPackets }),
	counterOf("producer_repaired_packets_total", "Packets of producers that had been missing and came again.",
		func(f *transport.Figures) uint64 { return f.Producers.Received.Repaired }),
	counterOf("producer_discarded_packets_total", "Packets of producers that came twice or far out of order.",
		func(f *transport.Figures) uint64 { return f.Producers.Received.Discarded }),
	counterOf("producer_payload_errors_total", "Packets of producers whose payload its format forbids.",
		func(f *transport.Figures) uint64 { return f.Producers.Received.PayloadErrors }),
	keyFrameRequests("producer_key_frame_requests_total", "Requests for key frames to the peers of producers.",
		func(f *transport.Figures) (pli, fir uint64) {
			return f.Producers.Received.PLIs, f.Producers.Received.FIRs
		}),
	counterOf("consumer_nacks_received_total", "NACK messages of the peers of consumers.",
		func(f *transport.Figures) uint64 { return f.Consumers.Sent.NACKs }),
	counterOf("consumer_nacked_packets_total", "Packets that the peers of consumers asked for again.",
		func(f *transport.Figures) uint64 { return f.Consumers.Sent.NACKedPackets }),
	counterOf("consumer_retransmitted_packets_total", "Packets that were sent to the peers of consumers again.",
		func(f *transport.Figures) uint64 { return f.Consumers.Sent.Retransmitted }),
	counterOf("consumer_repaired_packets_total", "Packets that were sent to the peers of consumers again for the first time.",
		func(f *transport.Figures) uint64 { return f.Consumers.Sent.Repaired }),
	keyFrameRequests("consumer_key_frame_requests_total", "Requests for key frames of the peers of consumers.",
		func(f *transport.Figures) (pli, fir uint64) { return f.Consumers.Sent.PLIs, f.Consumers.Sent.FIRs }),
	histogramOf("consumer_round_trip_time_seconds", "Round-trip times to the peers of consumers, one for each of their reports.",
		transport.RTTBounds, func(f *transport.Figures) *unit.Histogram { return &f.RTT }),
	histogramOf("consumer_loss_ratio", "Fraction of packets that the peers of consumers lost since their last report, one for each report.",
		transport.LossBounds, func(f *transport.Figures) *unit.Histogram { return &f.Loss }),
	histogramOf("outgoing_estimate_bytes_per_second", "What the network to a peer is estimated to take, once a second or so for each transport that estimates it.",
		transport.EstimateBounds, func(f *transport.Figures) *unit.Histogram { return &f.Outgoing }),
	histogramOf("incoming_estimate_bytes_per_second", "What the network from a peer is estimated to take, once a second or so for each transport that estimates it.",
		transport.EstimateBounds, func(f *transport.Figures) *unit.Histogram { return &f.Incoming }),
	{
		name: "key_frame_wait_seconds", kind: histogram,
		labels: []label{{name: "cause", values: "start (the receiver had no picture yet), interruption (its picture stood still)"}},
		help:   "How long video came of which a consumer could forward nothing, until a key frame.",
		read: func(f *figures, to *samples) {
			to.histogram(&f.engine.Transports.KeyFrameWait, transport.WaitBounds, "start")
			to.histogram(&f.engine.Transports.KeyFrameInterruption, transport.WaitBounds, "interruption")
		},
	},
}
