package front_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/scaling/federation"
	"gazpacho/scaling/front"
	"gazpacho/scaling/placement"
)

// town is nodes that several applications use.
type town struct {
	t     *testing.T
	nodes []*federation.Node
	late  bool // workers answer late, and from other goroutines
}

func newTown(t *testing.T, nodes int) *town {
	n := &town{t: t}
	for range nodes {
		n.nodes = append(n.nodes, &federation.Node{})
	}
	return n
}

// app returns an application with a Router, spread over all nodes, which may come back.
func (n *town) app(tenant string) *room { return n.appWith(tenant, func(*front.Options) {}) }

// appWith is app with a front that is changed.
func (n *town) appWith(tenant string, change func(*front.Options)) *room {
	o := front.Options{Own: engineNode("own"), Placement: placement.Spread{}}
	for i, node := range n.nodes {
		options := engineNode(fmt.Sprint("node", i+1))
		start := options.Worker
		options.Again = true
		options.Worker = func(emit api.Emitter) (api.Worker, error) {
			return node.Join(tenant, emit, func(emit api.Emitter) (api.Worker, error) {
				w, err := start(emit)
				if n.late && err == nil {
					w = apitest.NewLate(w, uint64(i))
				}
				return w, err
			})
		}
		o.Nodes = append(o.Nodes, options)
	}
	r := &room{clock: newClock(), nodes: tamper(&o)}
	o.Clock = r.clock
	change(&o)
	r.app = newFrontOf(n.t, o)
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	return r
}

// imported is an import as the application that has asked for it sees it.
type imported struct {
	*room
	front.Import
	err    *front.ImportError
	shape  string // the producer whose shape and mapped SSRCs it has
	events chan front.ImportEvent
	stop   func()
}

// tryImport imports a producer, to be like the one whose id is shape.
func (r *room) tryImport(producer, shape string) *imported {
	r.t.Helper()
	imp := &imported{room: r, shape: shape, events: make(chan front.ImportEvent, 100)}
	done := make(chan struct{})
	imp.stop = r.front().Import("r", producer, func(got front.Import, err *front.ImportError) {
		imp.Import, imp.err = got, err
		close(done)
	}, func(e front.ImportEvent) { imp.events <- e })
	select {
	case <-done:
	case <-time.After(patience):
		require.FailNow(r.t, "no answer")
	}
	return imp
}

// imports imports a producer and produces it, as the library does in a pipe on a loopback address.
func (r *room) imports(producer, shape string) *imported {
	r.t.Helper()
	imp := r.tryImport(producer, shape)
	require.Nil(r.t, imp.err)
	info := loopback()
	r.must(api.MethodRouterCreatePipeTransport, "r", &api.RouterCreatePipeTransportRequest{
		TransportID: "via-" + imp.ID, Options: &api.PipeTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info},
	})
	r.must(api.MethodTransportProduce, "via-"+imp.ID, imp.produceRequest())
	return imp
}

// ownPayloadType is that of the importer's Router, which another Router uses for something else.
const ownPayloadType = 102

// produceRequest is the request for the import. What it maps to is the importer's own business.
func (imp *imported) produceRequest() *api.TransportProduceRequest {
	own := produceRequest(imp.shape, false)
	r := &api.TransportProduceRequest{
		ProducerID: imp.ID, Kind: imp.Kind, RTPParameters: imp.RTPParameters, Paused: imp.Paused,
		RTPMapping: &api.RTPMapping{Codecs: []api.CodecMapping{
			{PayloadType: 111, MappedPayloadType: ownPayloadType}, {PayloadType: 112, MappedPayloadType: ownPayloadType + 1},
		}},
	}
	for i, e := range imp.RTPParameters.Encodings {
		r.RTPMapping.Encodings = append(r.RTPMapping.Encodings, api.EncodingMapping{
			SSRC: e.SSRC, RID: e.RID, MappedSSRC: own.RTPMapping.Encodings[i].MappedSSRC,
		})
	}
	return r
}

// consumer changes a request for a consumer of the producer that the import is like to one of the import.
func (imp *imported) consumer(r *api.TransportConsumeRequest) {
	r.ProducerID = imp.ID
	r.RTPParameters.Codecs = shapeOf(imp.shape).codecs(ownPayloadType)
}

// view subscribes to the import on the next node.
func (imp *imported) view(t *testing.T, consumer string) (*peer, uint32) {
	t.Helper()
	return imp.subscribe(t, consumer, imp.shape, imp.consumer)
}

func (imp *imported) close() {
	imp.t.Helper()
	imp.must(api.MethodTransportCloseProducer, "via-"+imp.ID, &api.TransportCloseProducerRequest{ProducerID: imp.ID})
}

func (imp *imported) next() front.ImportEvent {
	imp.t.Helper()
	return nextOf(imp.t, imp.events)
}

func nextOf(t testing.TB, events chan front.ImportEvent) front.ImportEvent {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(patience):
		require.FailNow(t, "no event")
		return ""
	}
}

// Media of an application's producer come to consumers of another one, on the same node and on others, under the payload types and SSRCs
// that the other one has for them.
func TestImport(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	pub := newPublisher(a.app, t, simulcast)
	imp := b.imports(simulcast, "p9")
	require.Equal(t, api.MediaKindVideo, imp.Kind)
	for i := range 2 {
		c := fmt.Sprint("c10", i)
		p, ssrc := imp.view(t, c)
		b.await("media", func() bool { return len(p.received(ssrc)) > 20 })
		require.EqualValues(t, ownPayloadType, p.received(ssrc)[0].PayloadType)
		require.True(t, isKeyFrame(p.received(ssrc)[0].Payload()))
		b.await("the highest layer", func() bool { return b.layerOf(c) == 2 })
	}
	require.NotEmpty(t, pub.keyFramesAsked())
	scores := b.awaitEvent("c101", api.EventConsumerScore).Body.(*api.ConsumerScoreNotification).Score
	require.Len(t, scores.ProducerScores, 3)
	require.NotEmpty(t, b.seen(imp.ID, api.EventProducerScore))

	b.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "another"})
	b.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "another"})
	require.Empty(t, imp.events)
	imp.close()
	require.Equal(t, front.ImportClosed, imp.next())
	b.awaitEvent("c100", api.EventConsumerProducerClose)
	b.awaitEvent("c101", api.EventConsumerProducerClose)
	n.nothingLeft(a, b)
}

// layerOf returns the spatial layer that the application was told last, -1 for none.
func (a *app) layerOf(consumer string) int {
	changes := a.seen(consumer, api.EventConsumerLayersChange)
	if len(changes) == 0 {
		return -1
	}
	if l := changes[len(changes)-1].Body.(*api.ConsumerLayersChangeNotification).Layers; l != nil {
		return int(l.SpatialLayer)
	}
	return -1
}

// nothingLeft waits until no application has anything in Routers of others.
func (n *town) nothingLeft(apps ...*room) {
	n.t.Helper()
	for _, a := range apps {
		a.await("nothing is left of imports", func() bool {
			return !slices.ContainsFunc(append(a.held("r"), a.front().Hidden()...), func(id string) bool {
				return strings.Contains(id, "gazpacho/export") || strings.Contains(id, "gazpacho/import")
			})
		})
	}
}

// What the owner does with its producer the importer hears, in order. When it closes it, consumers of the import are closed at once,
// whether the importer closes its own producer or not.
func TestOriginalIsPausedResumedAndClosed(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	a.must(api.MethodProducerPause, simple, nil)
	imp := b.imports(simple, "p8")
	require.True(t, imp.Paused)
	p, ssrc := imp.view(t, "c100")
	require.Empty(t, p.received(ssrc))
	a.must(api.MethodProducerResume, simple, nil)
	require.Equal(t, front.ImportResumed, imp.next())
	b.must(api.MethodProducerResume, imp.ID, nil)
	b.await("media", func() bool { return len(p.received(ssrc)) > 5 })
	require.True(t, isKeyFrame(p.received(ssrc)[0].Payload()))
	a.must(api.MethodProducerPause, simple, nil)
	a.must(api.MethodProducerPause, simple, nil)
	a.must(api.MethodProducerResume, simple, nil)
	require.Equal(t, front.ImportPaused, imp.next())
	require.Equal(t, front.ImportResumed, imp.next())

	a.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "in"})
	require.Equal(t, front.ImportClosed, imp.next())
	b.awaitEvent("c100", api.EventConsumerProducerClose)
	again := consumeRequest("c101", imp.shape, false)
	imp.consumer(again)
	b.refused("the producer is gone", api.MethodTransportConsume, "out-c100", again)
	b.must(api.MethodProducerDump, imp.ID, nil)
	imp.close()
	n.nothingLeft(a, b)
}

// What the importer does with its producer is its own business: the owner's producer and consumers go on as if nothing had happened.
func TestImportIsPausedAlone(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	q, others := a.subscribe(t, "c200", simple, nil)
	imp := b.imports(simple, "p8")
	p, ssrc := imp.view(t, "c100")
	b.await("media", func() bool { return len(p.received(ssrc)) > 5 })

	b.must(api.MethodProducerPause, imp.ID, nil)
	b.awaitEvent("c100", api.EventConsumerProducerPause)
	b.await("nothing is carried", func() bool {
		before := b.onPipes(t)[0][0]
		pause()
		pause()
		return b.onPipes(t)[0][0] == before
	})
	require.True(t, b.must(api.MethodProducerDump, imp.ID, nil).(*api.ProducerDumpResponse).Paused)
	require.False(t, a.must(api.MethodProducerDump, simple, nil).(*api.ProducerDumpResponse).Paused)
	b.must(api.MethodProducerEnableTraceEvent, imp.ID, &api.ProducerEnableTraceEventRequest{Events: []api.ProducerTraceEventType{api.ProducerTraceEventTypeRTP}})
	require.Empty(t, a.must(api.MethodProducerDump, simple, nil).(*api.ProducerDumpResponse).TraceEventTypes)

	seen := len(p.received(ssrc))
	heard := len(q.received(others))
	b.must(api.MethodProducerResume, imp.ID, nil)
	b.awaitEvent("c100", api.EventConsumerProducerResume)
	b.await("media", func() bool { return len(p.received(ssrc)) > seen+5 })
	a.await("media of the owner", func() bool { return len(q.received(others)) > heard+5 })
	for _, event := range []api.Event{api.EventConsumerProducerPause, api.EventConsumerProducerClose} {
		require.Empty(t, a.seen("c200", event))
	}
	require.Empty(t, imp.events, "the original did not change")
}

// Dumps of an import tell of the importer's producer; statistics and streams are those at its home.
func TestFiguresOfAnImport(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	pub := newPublisher(a.app, t, simulcast)
	imp := b.imports(simulcast, "p9")
	p, ssrc := imp.view(t, "c100")
	b.await("media", func() bool { return len(p.received(ssrc)) > 20 })
	b.await("the highest layer", func() bool { return b.layerOf("c100") == 2 })

	d := b.must(api.MethodProducerDump, imp.ID, nil).(*api.ProducerDumpResponse)
	want := imp.produceRequest()
	require.Equal(t, imp.ID, d.ID)
	require.Equal(t, api.RTPTypeSimulcast, d.Type)
	require.Equal(t, want.RTPMapping, d.RTPMapping)
	require.Equal(t, want.RTPParameters, d.RTPParameters)
	require.Len(t, d.RTPStreams, 3)
	stats := b.must(api.MethodProducerGetStats, imp.ID, nil).(*api.ProducerGetStatsResponse).Stats
	require.Len(t, stats, 3)
	both := b.must(api.MethodConsumerGetStats, "c100", nil).(*api.ConsumerGetStatsResponse).Stats
	require.Len(t, both, 2)
	require.Equal(t, pub.ssrcs[2], both[1].Data.(*api.RTPStreamRecvStats).Base.Data.(*api.RTPStreamBaseStats).SSRC)
}

// Nothing of what others use is to be seen by the owner, and it cannot touch it.
func TestOwnerSeesNothing(t *testing.T) {
	n := newTown(t, 1)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	look := func() string {
		return normal(t, []any{a.must(api.MethodWorkerDump, "", nil), a.must(api.MethodRouterDump, "r", nil), a.must(api.MethodTransportDump, "in", nil)})
	}
	before, load := look(), a.worker.Load()
	events := len(a.told())
	imp := b.imports(simple, "p8")
	p, ssrc := imp.view(t, "c100")
	b.await("media", func() bool { return len(p.received(ssrc)) > 5 })
	require.Equal(t, before, look())
	counts := a.worker.Load()
	counts.CPU = load.CPU
	require.Equal(t, load, counts)
	for _, line := range a.told()[events:] {
		require.Contains(t, line, simple+" ")
	}
}

// Why an import is refused.
func TestImportsThatAreRefused(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	refused := func(r *room, producer string, code front.ImportCode, text string) {
		t.Helper()
		imp := r.tryImport(producer, simple)
		require.NotNil(t, imp.err)
		require.Equal(t, code, imp.err.Code)
		require.ErrorContains(t, imp.err, text)
		imp.stop()
	}
	refused(b, "nobody's", front.ImportProducerNotFound, "nobody's")
	refused(b, "in", front.ImportProducerNotFound, "in")
	refused(n.app("other tenant"), simple, front.ImportProducerNotFound, simple)
	refused(restartable(t, 1, nil), simple, front.ImportUnsupported, "cluster")
	refused(restartable(t, 0, nil), simple, front.ImportUnsupported, "cluster")
	b.nodes[0].refuseIf(func(*api.Request) error { return api.Errorf("no room") })
	b.nodes[1].refuseIf(func(*api.Request) error { return api.Errorf("no room") })
	refused(b, simple, front.ImportFailed, "no room")
	b.nodes[0].refuseIf(nil)
	refused(b, "nobody's", front.ImportFailed, "no room")
	b.nodes[1].refuseIf(nil)
	b.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	refused(b, simple, front.ImportRouterNotFound, "no Router with ID r")
	b.worker.Close()
	refused(b, simple, front.ImportFailed, "closed")
}

// A producer of an import is what was imported, where it was imported to.
func TestProducingWhatWasNotImported(t *testing.T) {
	n := newTown(t, 1)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	b.transport("t0")
	b.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r2"})
	info := loopback()
	b.must(api.MethodRouterCreatePlainTransport, "r2", &api.RouterCreatePlainTransportRequest{
		TransportID: "elsewhere", Options: &api.PlainTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info, RTCPMux: true},
	})
	imp := b.tryImport(simple, "p8")
	require.Nil(t, imp.err)
	b.refused("in this Router", api.MethodTransportProduce, "elsewhere", imp.produceRequest())
	for _, change := range []func(*api.TransportProduceRequest){
		func(r *api.TransportProduceRequest) { r.Kind = api.MediaKindAudio },
		func(r *api.TransportProduceRequest) { r.RTPMapping = &api.RTPMapping{} },
		func(r *api.TransportProduceRequest) { r.RTPMapping.Codecs = nil },
	} {
		r := imp.produceRequest()
		change(r)
		b.refused("rtpParameters that it has told", api.MethodTransportProduce, "t0", r)
	}
	b.must(api.MethodTransportProduce, "t0", imp.produceRequest())
	b.refused("already exists", api.MethodTransportProduce, "t0", imp.produceRequest())

	late := b.tryImport(simple, "p8")
	b.clock.advance(10 * time.Second)
	require.Equal(t, front.ImportClosed, late.next())
	b.refused("it has ended", api.MethodTransportProduce, "t0", late.produceRequest())
	stopped := b.tryImport(simple, "p8")
	stopped.stop()
	b.refused("it has ended", api.MethodTransportProduce, "t0", stopped.produceRequest())
	require.Empty(t, stopped.events)
	with := b.tryImport(simple, "p8")
	b.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	require.Equal(t, front.ImportClosed, with.next())
	require.Equal(t, front.ImportClosed, imp.next(), "one that was produced, too")
	n.nothingLeft(a)
}

// An import that is not produced yet ends with its original.
func TestUnusedImportEnds(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	imp := b.tryImport(simple, "p8")
	require.Nil(t, imp.err)
	a.must(api.MethodTransportCloseProducer, "in", &api.TransportCloseProducerRequest{ProducerID: simple})
	require.Equal(t, front.ImportClosed, imp.next())
	b.transport("t0")
	b.refused("it has ended", api.MethodTransportProduce, "t0", imp.produceRequest())
	n.nothingLeft(a, b)
	require.Empty(t, b.front().Homes())
}

// An import of an import leads to the original, and so does an import by the owner itself.
func TestImportOfAnImport(t *testing.T) {
	n := newTown(t, 2)
	a, b, c := n.app(""), n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	first := b.imports(simple, "p8")
	second := c.imports(first.ID, "p15")
	own := a.imports(second.ID, "p22")
	b.worker.Close()
	for i, imp := range []*imported{second, own} {
		p, ssrc := imp.view(t, fmt.Sprint("c30", i))
		imp.await("media", func() bool { return len(p.received(ssrc)) > 5 })
	}
	a.must(api.MethodTransportCloseProducer, "in", &api.TransportCloseProducerRequest{ProducerID: simple})
	require.Equal(t, front.ImportClosed, second.next())
	require.Equal(t, front.ImportClosed, own.next())
	second.close()
	own.close()
	n.nothingLeft(a, c)
}

// Whoever stops before the answer gets none, and nothing is left of what a node has done meanwhile; nor of what a node does that was
// given up.
func TestImportThatIsStopped(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	for _, node := range b.nodes {
		node.freeze()
	}
	never := func(front.Import, *front.ImportError) { t.Error("an answer") }
	stop := b.front().Import("r", simple, never, func(front.ImportEvent) { t.Error("an event") })
	stop()
	stop()
	b.front().Do(func() {})
	thaw := func() {
		for _, node := range b.nodes {
			b.front().Do(node.thaw)
		}
		n.nothingLeft(a, b)
	}
	thaw()

	b.nodes[0].freeze()
	answers := make(chan *front.ImportError, 1)
	b.front().Import("r", simple, func(_ front.Import, err *front.ImportError) { answers <- err }, func(front.ImportEvent) {})
	b.front().Do(func() {})
	b.clock.advance(8 * time.Second)
	err := <-answers
	require.Equal(t, front.ImportFailed, err.Code)
	require.ErrorContains(t, err, "node1 does not answer")
	thaw()

	b.nodes[0].freeze()
	b.front().Import("r", simple, func(_ front.Import, err *front.ImportError) { answers <- err }, func(front.ImportEvent) {})
	b.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	require.Equal(t, front.ImportRouterNotFound, (<-answers).Code)
	thaw()
}

// Two nodes that both have a producer of that id: one of them is taken.
func TestTwoProducersOfOneID(t *testing.T) {
	n := newTown(t, 2)
	a, b, c := n.app(""), n.app(""), n.app("")
	newPublisher(a.app, t, simple) // on the first node
	c.transport("t0")              // likewise
	newPublisher(c.app, t, simple) // on the second one
	imp := b.imports(simple, "p8")
	p, ssrc := imp.view(t, "c100")
	b.await("media", func() bool { return len(p.received(ssrc)) > 5 })
	imp.close()
	n.nothingLeft(a, b, c)
}

// What the node tells of the original's camera the application hears of its own producer. It sends nothing into it.
func TestOrientationOfAnImport(t *testing.T) {
	n := newTown(t, 1)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple)
	turned := func() {
		for _, id := range b.front().Hidden() {
			b.front().Tell(0, &api.Notification{
				HandlerID: id, Event: api.EventProducerVideoOrientationChange, Body: &api.ProducerVideoOrientationChangeNotification{Rotation: 90},
			})
		}
		b.front().Do(func() {})
	}
	unused := b.tryImport(simple, "p8")
	turned()
	unused.stop()
	imp := b.imports(simple, "p8")
	turned()
	require.Len(t, b.seen(imp.ID, api.EventProducerVideoOrientationChange), 1)
	require.NoError(t, b.worker.HandleNotification(&api.Notification{
		HandlerID: imp.ID, Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: []byte{1}},
	}))
	b.must(api.MethodProducerDump, imp.ID, nil)
}

// An observer watches an import like any producer, on whatever node.
func TestObserverOfAnImport(t *testing.T) {
	n := newTown(t, 1)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, audioProducer)
	imp := b.imports(audioProducer, "p7")
	b.must(api.MethodRouterCreateAudioLevelObserver, "r", &api.RouterCreateAudioLevelObserverRequest{
		RTPObserverID: "o", Options: &api.AudioLevelObserverOptions{MaxEntries: 1, Threshold: -60, Interval: 5000},
	})
	b.must(api.MethodRTPObserverAddProducer, "o", &api.RTPObserverAddProducerRequest{ProducerID: imp.ID})
	require.Len(t, b.front().PipeStats(), 1)
	b.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "via-" + imp.ID})
	require.Equal(t, front.ImportClosed, imp.next())
	n.nothingLeft(a, b)
}

// An original that is closed while a pipe to it is being made: whoever waits for the pipe is refused, and it goes with the import.
func TestOriginalIsClosedBeforeThePipeIsMade(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	newPublisher(a.app, t, simple) // on the first node
	imp := b.imports(simple, "p8")
	b.transport("t0")
	b.transport("t1") // on the second one
	b.nodes[1].freeze()
	request := consumeRequest("c100", imp.shape, false)
	imp.consumer(request)
	consumed := b.send(api.MethodTransportConsume, "t1", request)
	b.front().Do(func() {})
	a.must(api.MethodTransportCloseProducer, "in", &api.TransportCloseProducerRequest{ProducerID: simple})
	require.Equal(t, front.ImportClosed, imp.next())
	b.front().Do(b.nodes[1].thaw)
	require.ErrorContains(t, receive(t, consumed).err, "the producer is gone")
	imp.close()
	n.nothingLeft(a, b)
}
