package front_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
	"gazpacho/scaling/front"
)

// chain returns a front over so many nodes, each of which feeds one other, with simulcast and sound produced on the first one.
func chain(t *testing.T, nodes int) (r *room, video *publisher, sound *speaker) {
	return chainOf(t, nodes, 1)
}

// chainOf is chain with nodes that feed so many others, or 0 for as many as they do by default.
func chainOf(t *testing.T, nodes, fanOut int) (r *room, video *publisher, sound *speaker) {
	r = restartable(t, nodes, func(o *front.Options) { o.FanOut = fanOut })
	video = newPublisher(r.app, t, simulcast)
	r.await("scores of all encodings", func() bool {
		scores := r.seen(simulcast, api.EventProducerScore)
		return len(scores) > 0 && len(scores[len(scores)-1].Body.(*api.ProducerScoreNotification).Scores) == 3
	})
	r.must(api.MethodTransportProduce, "in", produceRequest(audioProducer, false))
	return r, video, &speaker{publisher: video, ssrc: mappedSSRC(audioProducer, 0) + 1000000, to: r.tupleOf("in")}
}

// speaker sends numbered packets of sound.
type speaker struct {
	*publisher
	ssrc uint32
	to   netip.AddrPort
	sent int
}

// say sends a packet and returns its number.
func (s *speaker) say() int {
	s.sent++
	b := rtp.AppendHeader(nil, rtp.Header{PayloadType: 111, SequenceNumber: unit.SeqNo(s.sent), Timestamp: unit.Timestamp(960 * s.sent), SSRC: unit.SSRC(s.ssrc)}, nil)
	_, err := s.conn.WriteToUDPAddrPort(append(b, byte(s.sent>>8), byte(s.sent), 0), s.to)
	require.NoError(s.t, err)
	return s.sent
}

// tupleOf returns where a PlainTransport listens.
func (r *room) tupleOf(id string) netip.AddrPort {
	r.t.Helper()
	tuple := r.must(api.MethodTransportDump, id, nil).(*api.PlainTransportDumpResponse).Tuple
	return netip.AddrPortFrom(netip.MustParseAddr(tuple.LocalAddress), tuple.LocalPort)
}

// listener is a subscriber to both on a node of its own.
type listener struct {
	*room
	*peer
	consumer    string // of simulcast
	video, talk uint32 // SSRCs
}

// listen makes a subscriber on the next node.
func (r *room) listen(t *testing.T, name string, preferred uint8) *listener {
	t.Helper()
	p, video := r.subscribe(t, name, simulcast, func(q *api.TransportConsumeRequest) {
		q.PreferredLayers = &api.ConsumerLayers{SpatialLayer: preferred}
	})
	audio := consumeRequest(name+"0", audioProducer, false)
	r.must(api.MethodTransportConsume, "out-"+name, audio)
	return &listener{r, p, name, video, *audio.RTPParameters.Encodings[0].SSRC}
}

// listeners makes so many, c100 and on.
func (r *room) listeners(t *testing.T, n int, preferred uint8) (all []*listener) {
	t.Helper()
	for i := range n {
		all = append(all, r.listen(t, fmt.Sprint("c10", i), preferred))
	}
	return all
}

// heard returns the numbers of the packets of sound that have arrived, and their sequence numbers.
func (l *listener) heard() (said []int, numbers []unit.SeqNo) {
	for _, p := range l.received(l.talk) {
		said = append(said, int(p.Payload()[0])<<8|int(p.Payload()[1]))
		numbers = append(numbers, p.SequenceNumber)
	}
	return said, numbers
}

// follows waits until both streams flow.
func (l *listener) follows(t *testing.T, s *speaker) {
	t.Helper()
	pictures, said := len(l.received(l.video)), len(l.received(l.talk))
	l.room.await(l.consumer+" sees and hears", func() bool {
		s.say()
		return len(l.received(l.video)) > pictures+5 && len(l.received(l.talk)) > said+5
	})
}

// layer returns the spatial layer that the application knows, -1 for none.
func (l *listener) layer() int {
	changes := l.seen(l.consumer, api.EventConsumerLayersChange)
	if len(changes) == 0 {
		return -1
	}
	now := changes[len(changes)-1].Body.(*api.ConsumerLayersChangeNotification).Layers
	if now == nil {
		return -1
	}
	return int(now.SpatialLayer)
}

// Nodes feed others when the home feeds enough: in a chain, and at most three deep. What a consumer at its end wants is carried on the
// whole way, and no more; figures, key frames and pauses are as beside the producer.
func TestChainOfRelays(t *testing.T) {
	r, video, sound := chain(t, 5)
	all := r.listeners(t, 4, 0)
	require.Equal(t, []string{
		"node2: p0 from node1", "node2: p2 from node1", "node3: p0 from node2", "node3: p2 from node2", "node4: p0 from node3",
		"node4: p2 from node3", "node5: p0 from node1", "node5: p2 from node1",
	}, r.front().Sources())
	for _, l := range all {
		l.follows(t, sound)
	}
	last := all[2]
	video.keyFramesAsked()
	r.must(api.MethodConsumerSetPreferredLayers, last.consumer, &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: 2}})
	r.await("layer 2", func() bool { return last.layer() == 2 })
	asked := video.keyFramesAsked()
	require.Positive(t, asked[video.ssrcs[2]])
	require.Zero(t, asked[video.ssrcs[0]])
	require.Zero(t, all[0].layer())
	stats := r.must(api.MethodConsumerGetStats, last.consumer, nil).(*api.ConsumerGetStatsResponse).Stats
	require.Equal(t, video.ssrcs[2], stats[1].Data.(*api.RTPStreamRecvStats).Base.Data.(*api.RTPStreamBaseStats).SSRC, "the publisher's stream")
	carried := func() (highest []int) {
		for _, name := range []string{"node2", "node3", "node4", "node5"} {
			highest = append(highest, r.front().Carried(simulcast, name))
		}
		return highest
	}
	require.Equal(t, []int{2, 2, 2, 0}, carried())
	r.must(api.MethodConsumerSetPreferredLayers, last.consumer, &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: 0}})
	r.await("the lowest", func() bool { return last.layer() == 0 })
	r.await("no more than that is carried", func() bool { return fmt.Sprint(carried()) == "[0 0 0 0]" })
	for _, l := range all {
		r.must(api.MethodConsumerPause, l.consumer, nil)
	}
	require.Equal(t, []int{-1, -1, -1, -1}, carried())
	r.must(api.MethodConsumerResume, last.consumer, nil)
	require.Equal(t, []int{0, 0, 0, -1}, carried())
	last.follows(t, sound)

	r.must(api.MethodProducerPause, simulcast, nil)
	r.must(api.MethodProducerResume, simulcast, nil)
	for _, l := range all {
		require.Len(t, r.seen(l.consumer, api.EventConsumerProducerPause), 1)
		require.Len(t, r.seen(l.consumer, api.EventConsumerProducerResume), 1)
	}
	last.follows(t, sound)

	// A node in the middle feeds on, though nobody there listens any more.
	for _, l := range all[:2] {
		r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "out-" + l.consumer})
	}
	r.clock.advance(6 * time.Second)
	last.follows(t, sound)
	require.Len(t, r.front().Sources(), 8)
	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "out-" + last.consumer})
	for range 3 { // each ends after what it feeds
		r.clock.advance(5 * time.Second)
		r.front().Do(func() {})
	}
	require.Equal(t, []string{"node5: p0 from node1", "node5: p2 from node1"}, r.front().Sources())
	r.must(api.MethodTransportCloseProducer, "in", &api.TransportCloseProducerRequest{ProducerID: simulcast})
	r.awaitEvent(all[3].consumer, api.EventConsumerProducerClose)
}

// All consumers of a chain hear of its producer's end once, and nothing of it is left.
func TestEndOfAChain(t *testing.T) {
	r, _, _ := chain(t, 4)
	for i := range 3 {
		r.listen(t, fmt.Sprint("c10", i), 2)
	}
	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "in"})
	for i := range 3 {
		for _, id := range []string{fmt.Sprint("c10", i), fmt.Sprintf("c10%d0", i)} {
			r.awaitEvent(id, api.EventConsumerProducerClose)
			require.Len(t, r.seen(id, api.EventConsumerProducerClose), 1)
		}
	}
	require.Empty(t, r.front().Hidden())
	r.checkNodes()
}

// The node in the middle of a chain dies: those behind it get another source at once. Their consumers stay, no packet is lost but in
// between, sequence numbers go on, layers do not change, and a key frame of the one encoding is asked for. Then the node comes back,
// and gets a source, too.
func TestMiddleOfAChainDies(t *testing.T) {
	r, video, sound := chain(t, 4)
	all := r.listeners(t, 3, 2)
	r.must(api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
		RTPObserverID: "o", Options: &api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -60, Interval: 5000},
	}) // on the first node, beside the producers
	for _, l := range all {
		l.follows(t, sound)
		r.await("layer 2", func() bool { return l.layer() == 2 })
	}
	told := r.ends()
	behind := all[1:]
	settled := func() {
		for _, l := range behind {
			last := sound.say()
			r.await("what was said has arrived", func() bool { said, _ := l.heard(); return said[len(said)-1] == last })
		}
	}
	settled()
	before := sound.sent
	video.keyFramesAsked()
	r.kill(1)
	r.awaitSources("node3: p0 from node1", "node3: p2 from node1", "node4: p0 from node3", "node4: p2 from node3")
	for _, l := range behind {
		l.follows(t, sound)
		said, numbers := l.heard()
		gaps := 0
		for i := 1; i < len(said); i++ {
			lost := said[i] - said[i-1] - 1
			require.True(t, lost == 0 || said[i-1] == before, "%s: %d follows %d", l.consumer, said[i], said[i-1])
			if n := numbers[i] - numbers[i-1]; n != 1 {
				gaps++
				require.EqualValues(t, 2, n, "one number is left out")
			}
		}
		require.LessOrEqual(t, gaps, 1)
	}
	asked := video.keyFramesAsked()
	require.Positive(t, asked[video.ssrcs[2]])
	require.Zero(t, asked[video.ssrcs[0]]+asked[video.ssrcs[1]])
	require.Equal(t, told, r.ends())

	r.revive()
	for _, l := range all {
		l.follows(t, sound)
		require.Empty(t, r.seen(l.consumer, api.EventConsumerProducerClose))
	}
	require.Len(t, r.front().Sources(), 6)
}

// Home and middle of a chain die together: what is behind waits for the home, whichever of them comes back first.
func TestHomeAndMiddleOfAChainDie(t *testing.T) {
	for name, killed := range map[string][]int{"home first": {0, 1}, "middle first": {1, 0}} {
		t.Run(name, func(t *testing.T) {
			r, _, sound := chain(t, 4)
			all := r.listeners(t, 3, 2)
			for _, l := range all {
				l.follows(t, sound)
			}
			r.restart(killed...)
			for _, l := range all {
				l.follows(t, sound)
				require.Empty(t, r.seen(l.consumer, api.EventConsumerProducerClose))
			}
			r.checkNodes()

			r.kill(killed...)
			r.nodes[0].never()
			r.clock.advance(200 * time.Millisecond)
			r.clock.advance(10 * time.Second)
			r.awaitEvent(all[2].consumer, api.EventConsumerProducerClose)
		})
	}
}

// The new source of a chain dies before it has answered: the next one feeds.
func TestNewSourceDies(t *testing.T) {
	r, _, sound := chain(t, 5)
	all := r.listeners(t, 4, 2)
	for _, l := range all {
		l.follows(t, sound)
	}
	require.Contains(t, r.front().Sources(), "node4: p0 from node3")
	r.nodes[0].freeze()
	r.kill(1) // node3 is to be fed by the home, which does not answer
	require.NotContains(t, r.front().Sources(), "node3: p0 from node2")
	r.front().Do(r.nodes[0].thaw)
	all[1].follows(t, sound)
	all[2].follows(t, sound)
	for _, l := range all[1:] {
		require.Empty(t, r.seen(l.consumer, api.EventConsumerProducerClose))
	}
}

// A node that lives and cannot feed, or cannot take over, ends what is behind it.
func TestTakeOverThatIsRefused(t *testing.T) {
	for name, refusing := range map[string]struct {
		node   int
		method api.Method
	}{
		"the new source has no pipe": {0, api.MethodRouterCreatePipeTransport},
		"nor a consumer":             {0, api.MethodTransportConsume},
		"the far end has no pipe":    {2, api.MethodRouterCreatePipeTransport},
		"nor a producer":             {2, api.MethodTransportProduce},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, sound := chain(t, 4)
			all := r.listeners(t, 3, 2)
			for _, l := range all {
				l.follows(t, sound)
			}
			r.nodes[refusing.node].refuseIf(func(req *api.Request) error {
				if req.Method == refusing.method {
					return api.Errorf("no more of these")
				}
				return nil
			})
			r.kill(1)
			r.awaitEvent(all[1].consumer, api.EventConsumerProducerClose)
			r.must(api.MethodRouterDump, "r", nil)
			r.nodes[refusing.node].refuseIf(nil)
			r.revive()
			r.must(api.MethodTransportConsume, "out-c101", consumeRequest("c9", simulcast, false))
			for i := range 3 {
				r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: fmt.Sprint("out-c10", i)})
			}
			r.checkNodes()
			r.checkEmpty()
		})
	}
}

// A new source that does not answer is asked again until it does, and so is the node that is to be fed.
func TestNewSourceIsSilent(t *testing.T) {
	for name, silent := range map[string]int{"source": 0, "fed": 2} {
		t.Run(name, func(t *testing.T) {
			r, _, sound := chain(t, 4)
			all := r.listeners(t, 3, 2)
			for _, l := range all {
				l.follows(t, sound)
			}
			r.nodes[silent].freeze()
			r.nodes[1].never()
			r.kill(1) // node3 is to be fed by the home
			for range 18 {
				r.clock.advance(time.Second)
				r.front().Do(func() {})
			}
			r.front().Do(r.nodes[silent].thaw)
			r.await("node3 is fed", func() bool {
				r.clock.advance(time.Second)
				return strings.Contains(fmt.Sprint(r.front().Sources()), "node3: p0 from node1 node3: p2 from node1")
			})
			for _, l := range all[1:] {
				l.follows(t, sound)
				require.Empty(t, r.seen(l.consumer, api.EventConsumerProducerClose))
			}
		})
	}
}

// A relay that nobody uses any more ends with its source.
func TestSourceOfAnUnusedRelayDies(t *testing.T) {
	r, _, _ := chain(t, 3)
	for i := range 2 {
		r.listen(t, fmt.Sprint("c10", i), 2)
	}
	r.nodes[1].never()
	r.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "out-c101"})
	require.Contains(t, r.front().Sources(), "node3: p0 from node2")
	r.kill(1)
	require.Empty(t, r.front().Sources())
	r.must(api.MethodRouterDump, "r", nil)
	require.Empty(t, r.front().Hidden())
}

// What a node has made for a relay when the relay has been refused already is closed again.
func TestRelayIsMadeTooLate(t *testing.T) {
	for name, late := range map[string]int{"home": 0, "far end": 1} {
		t.Run(name, func(t *testing.T) {
			r := restartable(t, 2, nil)
			r.plain(t, "first", newPeer(t))
			r.plain(t, "second", newPeer(t))
			r.must(api.MethodTransportProduce, "first", produceRequest(simulcast, false))
			r.must(api.MethodTransportProduce, "first", produceRequest(audioProducer, false))
			r.must(api.MethodTransportConsume, "second", consumeRequest("c1", audioProducer, false)) // makes the pair
			r.nodes[late].freeze()
			refused := r.send(api.MethodTransportConsume, "second", consumeRequest("c2", simulcast, false))
			for range 8 {
				r.front().Do(func() {})
				r.clock.advance(time.Second)
			}
			require.Error(t, receive(t, refused).err)
			r.front().Do(r.nodes[late].thaw)
			r.checkNodes()
			require.Equal(t, []string{"node2: p0 from node1"}, r.front().Sources())
			r.must(api.MethodTransportConsume, "second", consumeRequest("c2", simulcast, false))
			require.Len(t, r.front().Sources(), 2)
			r.checkNodes()
			r.checkEmpty()
		})
	}
}
