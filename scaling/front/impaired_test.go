package front_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/simnet"
)

// scenes is how many seeds TestMediaOverImpairedPipes takes: go test ./scaling/front -run ImpairedPipes -scenes 100
var scenes = flag.Int("scenes", 1, "seeds of each scene over impaired pipes")

// Where the consumers of a scene are, over three nodes.
const atHome, behind, besides = "c100", "c101", "c102"

// relays is how many there are then.
const relays = 2

// scene is a publisher and three viewers who go through the same phases over one engine and over a front. Over a front the first
// viewer is on the publisher's node, and each of the others on another one.
type scene struct {
	*world
	producer string
	camera   *camera
	viewers  map[string]*viewer
	first    map[string]string // scores of the producer in the answer that made a consumer
	phases   []*phase
}

// phase is what there is to see in a phase of a scene.
type phase struct {
	name   string
	begins int                    // relays that begin to carry encodings which they did not carry before
	asked  []int                  // key frames, of each encoding
	told   map[string][]told      // of each object
	home   []rtpStats             // of the producer, at the end
	stats  map[string][2]rtpStats // of each consumer: its own, and that of the producer's stream
	came   map[string]int         // packets at each viewer since the beginning
	gone   map[string]int         // that never came to it
}

// told is a notification, and when it came.
type told struct {
	at time.Duration
	n  api.Notification
}

func newScene(w *world, producer string) *scene {
	s := &scene{world: w, producer: producer, camera: newCamera(producer), viewers: map[string]*viewer{}, first: map[string]string{}}
	w.app.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	in := w.connect("in")
	in.handle, in.send = s.camera.handle, s.camera.send
	for _, c := range []string{behind, besides, atHome} { // the fourth transport is on the first node again
		v := newViewer(*consumeRequest(c, producer, false).RTPParameters.Encodings[0].SSRC)
		out := w.connect("out-" + c)
		out.handle, out.send = v.handle, v.send
		s.viewers[c] = v
	}
	return s
}

// play goes through all phases.
func (s *scene) play() *scene {
	s.app.must(api.MethodTransportProduce, "in", produceRequest(s.producer, false))
	s.app.must(api.MethodProducerEnableTraceEvent, s.producer, &api.ProducerEnableTraceEventRequest{Events: []api.ProducerTraceEventType{
		api.ProducerTraceEventTypeKeyFrame, api.ProducerTraceEventTypePLI, api.ProducerTraceEventTypeNACK, api.ProducerTraceEventTypeSR,
	}})
	highest := s.camera.streams[len(s.camera.streams)-1]
	s.phase("publisher alone", 0, 2*time.Second, func() {})
	s.phase("consumers", relays, 3*time.Second, s.consume)
	s.phase("lower layers", 0, 3*time.Second, func() { s.prefer(behind, 0, 0) })
	s.phase("higher layers", 1, 3*time.Second, func() { s.prefer(behind, 2, 2) })
	s.phase("consumer paused", 0, 2*time.Second, func() { s.app.must(api.MethodConsumerPause, behind, nil) })
	s.phase("consumer resumed", 1, 2*time.Second, func() { s.app.must(api.MethodConsumerResume, behind, nil) })
	s.phase("producer paused", 0, 2*time.Second, func() { s.app.must(api.MethodProducerPause, s.producer, nil) })
	s.phase("producer resumed", 0, 2*time.Second, func() { s.app.must(api.MethodProducerResume, s.producer, nil) })
	s.phase("key frame requested", 0, 2*time.Second, func() { s.app.must(api.MethodConsumerRequestKeyFrame, behind, nil) })
	s.phase("viewer lost the picture", 0, 2*time.Second, func() { s.viewers[behind].wantsKey = true })
	s.phase("publisher loses packets", 0, 6*time.Second, func() { s.camera.loss = 10 })
	s.phase("publisher loses none", 0, 12*time.Second, func() { s.camera.loss = 0 })
	s.phase("highest encoding ends", 0, 6*time.Second, func() { highest.off = true })
	s.phase("highest encoding is back", 0, 6*time.Second, func() { highest.off = false })
	s.phase("producer closed", 0, time.Second, func() {
		s.app.must(api.MethodTransportCloseProducer, "in", &api.TransportCloseProducerRequest{ProducerID: s.producer})
	})
	s.app.worker.Close()
	return s
}

// consume makes the consumers as applications do: paused, and resumed at once.
func (s *scene) consume() {
	for _, c := range []string{atHome, behind, besides} {
		r := consumeRequest(c, s.producer, false)
		r.Paused = true
		answer := s.app.must(api.MethodTransportConsume, "out-"+c, r).(*api.TransportConsumeResponse)
		s.first[c] = fmt.Sprint(answer.Score.ProducerScores)
		s.app.must(api.MethodConsumerEnableTraceEvent, c, &api.ConsumerEnableTraceEventRequest{Events: []api.ConsumerTraceEventType{
			api.ConsumerTraceEventTypeKeyFrame, api.ConsumerTraceEventTypePLI, api.ConsumerTraceEventTypeNACK,
		}})
		s.app.must(api.MethodConsumerResume, c, nil)
	}
}

func (s *scene) prefer(c string, spatial, temporal uint8) {
	s.app.must(api.MethodConsumerSetPreferredLayers, c, &api.ConsumerSetPreferredLayersRequest{
		PreferredLayers: &api.ConsumerLayers{SpatialLayer: spatial, TemporalLayer: &temporal},
	})
}

// phase lets something happen and time pass, and takes down what there is to see.
func (s *scene) phase(name string, begins int, d time.Duration, do func()) {
	p := &phase{
		name: name, begins: begins, told: map[string][]told{}, stats: map[string][2]rtpStats{}, came: map[string]int{}, gone: map[string]int{},
	}
	do()
	for ; d > 0; d -= tick {
		s.run(tick)
		s.app.mu.Lock()
		for id, all := range s.app.events {
			for _, n := range all {
				p.told[id] = append(p.told[id], told{s.Now().Sub(began), n})
			}
		}
		clear(s.app.events)
		s.app.mu.Unlock()
	}
	p.asked = s.camera.keyFramesAsked()
	if body, ok := s.app.try(api.MethodProducerGetStats, s.producer, nil).body.(*api.ProducerGetStatsResponse); ok {
		for i := range body.Stats {
			p.home = append(p.home, statsOf(&body.Stats[i]))
		}
	}
	for c, v := range s.viewers {
		if body, ok := s.app.try(api.MethodConsumerGetStats, c, nil).body.(*api.ConsumerGetStatsResponse); ok {
			var both [2]rtpStats
			for i := range body.Stats {
				both[i] = statsOf(&body.Stats[i])
			}
			p.stats[c] = both
		}
		p.came[c] = v.packets
		if v.first >= 0 {
			p.gone[c] = int(v.highest-v.first) + 1 - v.packets
		}
	}
	s.phases = append(s.phases, p)
}

// rtpStats is an entry of statistics.
type rtpStats struct {
	api.RTPStreamBaseStats
	Packets, Bytes, Bitrate uint64
}

func statsOf(s *api.RTPStreamStats) rtpStats {
	switch d := s.Data.(type) {
	case *api.RTPStreamRecvStats:
		return rtpStats{*d.Base.Data.(*api.RTPStreamBaseStats), d.PacketCount, d.ByteCount, d.Bitrate}
	case *api.RTPStreamSendStats:
		return rtpStats{*d.Base.Data.(*api.RTPStreamBaseStats), d.PacketCount, d.ByteCount, d.Bitrate}
	}
	panic("statistics of another kind")
}

// count returns how many of an object's trace events of a phase are of a kind.
func (p *phase) count(id, kind string) (n int) {
	for _, e := range p.told[id] {
		switch body := e.n.Body.(type) {
		case *api.ProducerTraceNotification:
			if body.Type.String() == kind {
				n++
			}
		case *api.ConsumerTraceNotification:
			if body.Type.String() == kind {
				n++
			}
		}
	}
	return n
}

// states returns what a phase told of an object besides traces, scores and layers.
func (p *phase) states(id string) (all []string) {
	for _, e := range p.told[id] {
		switch e.n.Body.(type) {
		case *api.ProducerTraceNotification, *api.ConsumerTraceNotification:
		case *api.ConsumerScoreNotification, *api.ConsumerLayersChangeNotification:
		default:
			all = append(all, fmt.Sprintf("%s %+v", e.n.Event, e.n.Body))
		}
	}
	return all
}

// layers returns the layers of a consumer one after the other; null when it has none.
func (p *phase) layers(c string) (all []string) {
	for _, e := range p.told[c] {
		if body, ok := e.n.Body.(*api.ConsumerLayersChangeNotification); ok {
			l := "null"
			if body.Layers != nil {
				l = fmt.Sprintf("%d/%d", body.Layers.SpatialLayer, *body.Layers.TemporalLayer)
			}
			all = append(all, l)
		}
	}
	return all
}

// scores returns the last scores of each instant at which a consumer was told some.
func (p *phase) scores(c string) (all []api.ConsumerScore) {
	last := time.Duration(-1)
	for _, e := range p.told[c] {
		body, ok := e.n.Body.(*api.ConsumerScoreNotification)
		if !ok {
			continue
		}
		if e.at == last {
			all = all[:len(all)-1]
		}
		all, last = append(all, *body.Score), e.at
	}
	return all
}

// TestMediaOverImpairedPipes plays the same scenes over one engine and over a front of three whose pipes delay and lose packets, and
// compares what the application sees. What may differ, and how far, is in docs/front.md.
func TestMediaOverImpairedPipes(t *testing.T) {
	for _, kind := range []struct{ name, producer string }{
		{"audio", audioProducer}, {"video", simple}, {"simulcast", simulcast}, {"SVC", "p3"},
	} {
		one := newScene(newWorld(t, 1, simnet.Conditions{}).alone(), kind.producer).play()
		for _, c := range []simnet.Conditions{
			{}, {Delay: 30 * time.Millisecond}, {Loss: 0.05}, {Delay: 30 * time.Millisecond, Loss: 0.05},
		} {
			for seed := range uint64(*scenes) {
				t.Run(fmt.Sprintf("%s, %v, %v %%, seed %d", kind.name, c.Delay, 100*c.Loss, seed), func(t *testing.T) {
					many := newScene(newWorld(t, seed, c).spread(3), kind.producer).play()
					require.Equal(t, relays, many.many.Counters().Relays)
					require.Equal(t, c.Loss > 0, many.lost() > 0)
					(&difference{t, c, kind.producer, 0}).check(one, many)
				})
			}
		}
	}
}

// difference compares a scene over a front with the same over one engine.
type difference struct {
	*testing.T
	pipes    simnet.Conditions
	producer string
	below    int // how often a consumer did not reach its layers in a phase
}

func (d *difference) isSVC() bool     { return shapeOf(d.producer).codec == "video/VP9" }
func (d *difference) hasLayers() bool { return d.producer == simulcast || d.isSVC() }

func (d *difference) check(one, many *scene) {
	for i, a := range one.phases {
		b := many.phases[i]
		d.keyFrames(a, b)
		d.statistics(a, b)
		require.Equal(d, a.states(d.producer), b.states(d.producer), a.name)
		for _, c := range []string{atHome, behind, besides} {
			require.Equal(d, a.states(c), b.states(c), "%s: %s", a.name, c)
			d.layersOf(c, a, b)
			d.traces(c, a, b)
			if c == atHome || d.pipes.Loss == 0 {
				require.Equal(d, distinct(a.scores(c)), distinct(b.scores(c)), "%s: %s", a.name, c)
			}
		}
	}
	for _, c := range []string{behind, besides} {
		require.Equal(d, one.producerScores(c), many.producerScores(c), c)
		d.packets(c, one.phases, many.phases)
	}
	require.LessOrEqual(d, d.below, 4, "layers are not reached")
}

// keyFrames: a relay that begins to carry encodings learns of them one by one, and its consumers ask for each that is the best so far.
// With delay they ask later than those at home, who may have theirs already. What is lost is asked for again.
func (d *difference) keyFrames(one, many *phase) {
	for i, asked := range one.asked {
		more := many.asked[i] - asked
		most := one.begins
		if d.pipes.Delay > 0 {
			most += asked
		}
		if d.pipes.Loss > 0 {
			most += 2
		}
		if d.producer == audioProducer {
			most = 0
		}
		require.GreaterOrEqual(d, more, 0, "%s: encoding %d", one.name, i)
		require.LessOrEqual(d, more, most, "%s: encoding %d, %d instead of %d", one.name, i, many.asked[i], asked)
	}
}

// layersOf: when a relay begins, a consumer may pass through lower layers first. Of SVC, a key picture that lost a packet on the pipe
// is no way up: the consumer stays below until the next one.
func (d *difference) layersOf(c string, one, many *phase) {
	want, have := one.layers(c), many.layers(c)
	switch {
	case c != atHome && d.isSVC() && d.pipes.Loss > 0:
		require.Equal(d, slices.Contains(want, "null"), slices.Contains(have, "null"), "%s: %s", one.name, c)
		require.Equal(d, len(want) > 0, len(have) > 0, "%s: %s", one.name, c)
		if len(want) > 0 && want[len(want)-1] != have[len(have)-1] {
			d.below++
		}
	case c != atHome && one.begins > 0:
		require.True(d, within(want, have), "%s: %s: %v instead of %v", one.name, c, have, want)
		require.NotContains(d, have, "null", "%s: %s", one.name, c)
		if len(want) > 0 {
			require.Equal(d, want[len(want)-1], have[len(have)-1], "%s: %s", one.name, c)
		}
	default:
		require.Equal(d, want, have, "%s: %s", one.name, c)
	}
}

// within reports whether all of a list are in another one, in the same order.
func within(list, in []string) bool {
	for _, s := range in {
		if len(list) > 0 && list[0] == s {
			list = list[1:]
		}
	}
	return len(list) == 0
}

// traces: each key frame that is asked for is traced. Peers miss more behind pipes that lose packets, and only there.
func (d *difference) traces(c string, one, many *phase) {
	keyFrames := many.count(c, "KEYFRAME") - one.count(c, "KEYFRAME")
	more := 0
	for i := range one.asked {
		more += many.asked[i] - one.asked[i]
	}
	require.LessOrEqual(d, keyFrames, more, "%s: %s", one.name, c)
	require.Equal(d, one.count(c, "PLI"), many.count(c, "PLI"), "%s: %s", one.name, c)
	if c == atHome || d.pipes.Loss == 0 {
		require.Equal(d, one.count(c, "NACK"), many.count(c, "NACK"), "%s: %s", one.name, c)
	}
}

// statistics: the producer's are those of its home, also in the consumers' statistics.
func (d *difference) statistics(one, many *phase) {
	same := func(a, b rtpStats, what string) {
		require.GreaterOrEqual(d, b.PLICount, a.PLICount, what)
		require.InEpsilon(d, float64(a.Bitrate)+1, float64(b.Bitrate)+1, 0.01, what)
		a.Timestamp, a.PLICount, a.Bitrate = b.Timestamp, b.PLICount, b.Bitrate
		if one.name == "publisher loses packets" { // as of the last report, and these are not sent at the same time
			a.PacketsLost, a.FractionLost = b.PacketsLost, b.FractionLost
		}
		require.Equal(d, a, b, what)
	}
	require.Len(d, many.home, len(one.home), one.name)
	for i := range one.home {
		same(one.home[i], many.home[i], one.name)
	}
	for c, a := range one.stats {
		b := many.stats[c]
		same(a[1], b[1], one.name+": home of "+c)
		if d.isSVC() || c != atHome && (d.hasLayers() || d.pipes != simnet.Conditions{}) { // key pictures and layers take others
			a[0].Packets, a[0].Bytes, a[0].Bitrate = b[0].Packets, b[0].Bytes, b[0].Bitrate
		}
		if c != atHome && d.pipes.Loss > 0 {
			a[0].PacketsLost, a[0].FractionLost, a[0].Score = b[0].PacketsLost, b[0].FractionLost, b[0].Score
			a[0].PacketsRetransmitted, a[0].PacketsRepaired = b[0].PacketsRetransmitted, b[0].PacketsRepaired
			a[0].NACKCount, a[0].NACKPacketCount = b[0].NACKCount, b[0].NACKPacketCount
		}
		a[0].Timestamp = b[0].Timestamp
		require.Equal(d, a[0], b[0], one.name+": "+c)
	}
}

// packets: what is sent before a pipe carries anything does not arrive, a second more of it if the first key frame is lost. What is lost
// on the way does arrive, late, but for what is lost again and again. Where layers are left out, numbers are missing too that were never
// sent: those of packets that came late, and were left out only then.
func (d *difference) packets(c string, one, many []*phase) {
	last := len(one) - 1
	came, gone := many[last].came[c], many[last].gone[c]
	fewer, missing := 2, 0
	if d.pipes.Delay > 0 {
		fewer += 10
	}
	if d.pipes.Loss > 0 {
		fewer, missing = fewer+int(2*time.Second/frameInterval)+10, came/200
		switch {
		case d.isSVC():
			missing = came / 7
		case d.hasLayers():
			missing = came / 100
		}
	}
	require.GreaterOrEqual(d, came, one[last].came[c]-fewer, c)
	require.LessOrEqual(d, came, one[last].came[c]+fewer, c)
	require.GreaterOrEqual(d, gone, one[last].gone[c], c)
	require.LessOrEqual(d, gone, one[last].gone[c]+missing, c)
}

// producerScores returns the scores of the producer's streams that a consumer was told in a scene, each time that they are others.
func (s *scene) producerScores(c string) (lists []string) {
	lists = append(lists, s.first[c])
	for _, p := range s.phases {
		for _, score := range p.scores(c) {
			lists = append(lists, fmt.Sprint(score.ProducerScores))
		}
	}
	return slices.Compact(lists)
}

// distinct leaves out scores that are told again.
func distinct(all []api.ConsumerScore) []api.ConsumerScore {
	return slices.CompactFunc(all, func(a, b api.ConsumerScore) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
}
