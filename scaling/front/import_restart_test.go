package front_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// broadcast makes a simulcast producer on the first node whose transport may come back, and a viewer of its import on each node.
func broadcast(t *testing.T, a, b *room) (pub *publisher, imp *imported, viewers []*viewing) {
	t.Helper()
	a.address = own
	pub = newPublisher(a.app, t, simulcast)
	imp = b.imports(simulcast, "p9")
	for i := range b.nodes {
		p, ssrc := imp.view(t, fmt.Sprint("c10", i))
		viewers = append(viewers, &viewing{peer: p, ssrc: ssrc})
	}
	b.flows(viewers...)
	return pub, imp, viewers
}

// viewing is a consumer of an import as its peer sees it.
type viewing struct {
	*peer
	ssrc uint32
}

// flows waits until media come to all.
func (r *room) flows(viewers ...*viewing) {
	r.t.Helper()
	for _, v := range viewers {
		seen := len(v.received(v.ssrc))
		r.await("media", func() bool { return len(v.received(v.ssrc)) > seen+5 })
	}
}

// lookAgain lets time pass until the front has looked once more for producers that were lost.
func (r *room) lookAgain() {
	r.t.Helper()
	r.clock.advance(250 * time.Millisecond)
	r.await("the nodes have answered", func() bool { return r.front().Unanswered() == 0 })
}

// comesBack lets time pass until nothing is away any more.
func (r *room) comesBack() {
	r.t.Helper()
	r.await("all is restored", func() bool {
		r.lookAgain()
		return len(r.front().Away()) == 0
	})
}

// The node of an original restarts, for all applications or for its owner's worker alone. The owner's front brings the producer back, and
// consumers of the import go on: with their sequence numbers, after a key frame.
func TestNodeOfTheOriginalRestarts(t *testing.T) {
	for name, both := range map[string]bool{"node": true, "worker": false} {
		t.Run(name, func(t *testing.T) {
			n := newTown(t, 2)
			a, b := n.app(""), n.app("")
			_, imp, viewers := broadcast(t, a, b)
			stays := viewers[1] // on the other node
			a.kill(0)
			if both {
				b.kill(0)
			}
			b.lookAgain()
			b.refused("is gone", api.MethodProducerGetStats, imp.ID, nil)
			stays.mu.Lock()
			pictures := stays.pictures[stays.ssrc]
			stays.mu.Unlock()
			last := len(stays.received(stays.ssrc))
			a.revive()
			b.comesBack()
			b.lookAgain()
			b.flows(stays)
			require.Empty(t, imp.events)
			stays.mu.Lock()
			require.Greater(t, stays.pictures[stays.ssrc], pictures)
			stays.mu.Unlock()
			packets := stays.received(stays.ssrc)
			for i := last; i < len(packets); i++ {
				require.Less(t, uint16(packets[i].SequenceNumber-packets[i-1].SequenceNumber), uint16(1000))
			}
			if !both { // else its transport has another port
				b.flows(viewers[0])
			}
			require.Empty(t, b.seen("c101", api.EventConsumerProducerClose))
			imp.close()
			n.nothingLeft(a, b)
		})
	}
}

// An original that does not come back is closed after ten seconds, as it is for consumers of its own application.
func TestOriginalThatDoesNotComeBack(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	_, imp, _ := broadcast(t, a, b)
	unused := b.tryImport(simulcast, "p9")
	require.Nil(t, unused.err)
	a.nodes[0].never()
	a.kill(0)
	b.await("the loss is known", func() bool { return len(b.front().Homes()) == 0 })
	for range 39 {
		b.lookAgain()
		require.Empty(t, imp.events)
	}
	b.lookAgain()
	require.Equal(t, front.ImportClosed, unused.next())
	require.Equal(t, front.ImportClosed, imp.next())
	b.awaitEvent("c100", api.EventConsumerProducerClose)
	b.awaitEvent("c101", api.EventConsumerProducerClose)
	imp.close()
	n.nothingLeft(b)
}

// The Router of the original is closed.
func TestRouterOfTheOriginalIsClosed(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	_, imp, _ := broadcast(t, a, b)
	a.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	require.Equal(t, front.ImportClosed, imp.next())
	b.awaitEvent("c100", api.EventConsumerProducerClose)
	imp.close()
	n.nothingLeft(b)
}

// The importer ends: nothing of it stays in the owner's Router.
func TestImporterEnds(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	broadcast(t, a, b)
	require.NotEqual(t, a.held("r"), n.app("").held("r"))
	b.worker.Close()
	n.nothingLeft(a)
}

// A node whose session the importer loses, while the owner's stays.
func TestImporterLosesANode(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	_, imp, viewers := broadcast(t, a, b)
	b.kill(0)
	b.comesBack()
	b.flows(viewers[1])
	require.Empty(t, imp.events)
	imp.close()
	n.nothingLeft(a, b)
}

// Imports go on from node to node when the home feeds enough, and what ends of it ends everywhere.
func TestImportOverSeveralHops(t *testing.T) {
	n := newTown(t, 4)
	a, b := n.app(""), n.appWith("", func(o *front.Options) { o.FanOut = 1 })
	_, imp, viewers := broadcast(t, a, b)
	require.Len(t, viewers, 4)
	fed := b.front().Sources()
	homes := 0
	for _, s := range fed {
		if s == fmt.Sprint("node1: ", imp.ID, " from node1") || s == fmt.Sprint("node2: ", imp.ID, " from node1") {
			homes++
		}
	}
	require.Less(t, homes, len(fed), "%v", fed)
	a.must(api.MethodTransportCloseProducer, "in", &api.TransportCloseProducerRequest{ProducerID: simulcast})
	for i := range viewers {
		b.awaitEvent(fmt.Sprint("c10", i), api.EventConsumerProducerClose)
	}
	imp.close()
	n.nothingLeft(a, b)
}

// Where to look is asked of a directory, if there is one. All nodes are asked where it finds none, since it may be late, or one that does
// not have it, since nodes may lie.
func TestFind(t *testing.T) {
	n := newTown(t, 3)
	a := n.app("")
	newPublisher(a.app, t, simple) // on the first node
	asked := 0
	try := func(producerID, name string, err error) *front.ImportError {
		return n.appWith("", func(o *front.Options) {
			o.Find = func(sought string, done func(string, error)) {
				require.Equal(t, producerID, sought)
				asked++
				go done(name, err)
			}
		}).tryImport(producerID, "p8").err
	}
	require.Nil(t, try(simple, "node1", nil))
	require.Nil(t, try(simple, "node2", nil), "a node that names another one hides nothing")
	require.Equal(t, front.ImportProducerNotFound, try("nothing", "node2", nil).Code)
	for _, name := range []string{"", "unknown"} {
		require.Nil(t, try(simple, name, nil))
		require.Equal(t, front.ImportProducerNotFound, try("nothing", name, nil).Code)
	}
	require.Nil(t, try(simple, "", errors.New("no bus")))
	require.Equal(t, 8, asked)

	var nodes []*tampered
	b := n.appWith("", func(o *front.Options) {
		o.Find = func(_ string, done func(string, error)) { go done("node1", nil) }
		nodes = tamper(o)
	})
	nodes[0].refuseIf(func(*api.Request) error { return api.Errorf("out of order") })
	err := b.tryImport(simple, "p8").err
	require.Equal(t, front.ImportFailed, err.Code, "it is there, and cannot be had")
	require.ErrorContains(t, err, "out of order")
	nodes[0].refuseIf(nil)
}

// Whatever applications do with each other's producers, in whatever order, nothing is left in the end, and what still lives flows.
func TestRandomImports(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playImports(t, rand.New(rand.NewPCG(seed, 9))) })
	}
}

// exchange is three applications that use each other's producers.
type exchange struct {
	*testing.T
	*rand.Rand
	town    *town
	apps    []*room
	made    [][]string // producers of each
	imports []*imported
	data    []*importedData
	// producers and consumers are how many were made.
	producers, consumers int
}

func playImports(t *testing.T, rng *rand.Rand) {
	x := &exchange{T: t, Rand: rng, town: newTown(t, 3)}
	x.town.late = rng.IntN(2) == 0
	for range 3 {
		r := x.town.app("")
		r.address = own
		x.apps, x.made = append(x.apps, r), append(x.made, nil)
		for i := range 3 {
			r.plain(t, fmt.Sprint("t", i), newPeer(t))
			r.returning(fmt.Sprint("s", i))
		}
		r.direct("d")
	}
	for range 90 {
		x.step()
	}
	x.settle()
}

func (x *exchange) step() {
	i := x.IntN(len(x.apps))
	r := x.apps[i]
	switch x.IntN(15) {
	case 0, 1:
		x.producers++
		id := fmt.Sprint("p", int(numberOf(simple))+len(shapes)*(100+x.producers)) // of the shape of simple
		require.Equal(x, shapeOf(simple), shapeOf(id))
		r.send(api.MethodTransportProduce, fmt.Sprint("t", x.IntN(3)), produceRequest(id, false))
		x.made[i] = append(x.made[i], id)
	case 2, 3:
		if id := x.any(); id != "" {
			x.importsOne(r, id)
		}
	case 4, 5, 6:
		if len(x.imports) > 0 {
			x.consume(x.imports[x.IntN(len(x.imports))])
		}
	case 7:
		if len(x.imports) > 0 {
			imp := x.imports[x.IntN(len(x.imports))]
			methods := []api.Method{api.MethodProducerPause, api.MethodProducerResume, api.MethodProducerGetStats, api.MethodProducerDump}
			imp.send(methods[x.IntN(len(methods))], imp.ID, nil)
		}
	case 8:
		if made := x.made[i]; len(made) > 0 {
			id := made[x.IntN(len(made))]
			r.send(api.MethodTransportCloseProducer, fmt.Sprint("t", x.IntN(3)), &api.TransportCloseProducerRequest{ProducerID: id})
			r.send(api.MethodTransportCloseDataProducer, fmt.Sprint("s", x.IntN(3)), &api.TransportCloseDataProducerRequest{DataProducerID: id})
		}
	case 10, 11:
		x.producers++
		request := chat(fmt.Sprint("dp", x.producers))
		request.SCTPStreamParameters.StreamID = uint16(x.producers)
		r.send(api.MethodTransportProduceData, fmt.Sprint("s", x.IntN(3)), request)
		x.made[i] = append(x.made[i], request.DataProducerID)
	case 12, 13:
		if len(x.data) > 0 {
			x.consumeData(x.data[x.IntN(len(x.data))])
		}
	case 14:
		if len(x.data) > 0 {
			imp := x.data[x.IntN(len(x.data))]
			methods := []api.Method{
				api.MethodDataProducerPause, api.MethodDataProducerResume, api.MethodDataProducerGetStats, api.MethodDataProducerDump,
			}
			imp.send(methods[x.IntN(len(methods))], imp.ID, nil)
		}
	case 9:
		node := x.IntN(3)
		r.kill(node)
		r.comesBack()
	}
}

// importsOne imports a producer or a data producer.
func (x *exchange) importsOne(r *room, id string) {
	if strings.Contains(id, "dp") {
		if imp := r.tryImportData(id); imp.err == nil {
			r.send(api.MethodTransportProduceData, "t0", imp.produceRequest())
			x.data = append(x.data, imp)
		}
		return
	}
	if imp := r.tryImport(id, simple); imp.err == nil {
		r.send(api.MethodTransportProduce, "t0", imp.produceRequest())
		x.imports = append(x.imports, imp)
	}
}

// any returns a producer or data producer of any application, or an import.
func (x *exchange) any() string {
	ids := slices.Concat(x.made...)
	for _, imp := range x.imports {
		ids = append(ids, imp.ID)
	}
	for _, imp := range x.data {
		ids = append(ids, imp.ID)
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[x.IntN(len(ids))]
}

func (x *exchange) consume(imp *imported) {
	x.consumers++
	request := consumeRequest(fmt.Sprint("c", 5000+x.consumers), simple, false)
	imp.consumer(request)
	imp.send(api.MethodTransportConsume, fmt.Sprint("t", x.IntN(3)), request)
}

// consumeData consumes on a node, or in the application's own process.
func (x *exchange) consumeData(imp *importedData) {
	x.consumers++
	request := dataConsumerRequest(fmt.Sprint("dc", x.consumers), imp.ID)
	request.SCTPStreamParameters.StreamID = uint16(x.consumers)
	transport := fmt.Sprint("s", x.IntN(3))
	if x.IntN(4) == 0 {
		transport, request.Type, request.SCTPStreamParameters = "d", api.DataConsumerTypeDirect, nil
	}
	imp.send(api.MethodTransportConsumeData, transport, request)
}

// settle closes everything, and demands that nothing is left.
func (x *exchange) settle() {
	for _, imp := range x.imports {
		imp.send(api.MethodTransportCloseProducer, "t0", &api.TransportCloseProducerRequest{ProducerID: imp.ID})
	}
	for _, imp := range x.data {
		imp.send(api.MethodTransportCloseDataProducer, "t0", &api.TransportCloseDataProducerRequest{DataProducerID: imp.ID})
	}
	for _, r := range x.apps {
		r.must(api.MethodRouterDump, "r", nil) // waits for what was asked
		r.clock.advance(11 * time.Second)
	}
	x.town.nothingLeft(x.apps...)
	for _, r := range x.apps {
		require.Empty(x, r.front().Homes())
	}
}

// An import that is not produced yet follows its original, too.
func TestUnusedImportFollows(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	a.address = own
	newPublisher(a.app, t, simulcast)
	imp := b.tryImport(simulcast, "p9")
	require.Nil(t, imp.err)
	a.kill(0)
	b.lookAgain()
	a.revive()
	b.await("the original is found again", func() bool {
		b.lookAgain()
		return len(b.front().Homes()) == 1
	})
	b.transport("t0")
	b.must(api.MethodTransportProduce, "t0", imp.produceRequest())
	b.await("the streams of the original", func() bool {
		return len(b.must(api.MethodProducerGetStats, imp.ID, nil).(*api.ProducerGetStatsResponse).Stats) == 3
	})
}

// What comes back under the id of an original, and is another producer, is not taken for it.
func TestAnotherProducerComesBack(t *testing.T) {
	n := newTown(t, 2)
	a, b, c := n.app(""), n.app(""), n.app("")
	_, imp, _ := broadcast(t, a, b)
	a.nodes[0].never()
	a.kill(0)
	b.lookAgain()
	c.transport("t0")
	other := produceRequest(simulcast, false)
	other.RTPParameters.Encodings, other.RTPMapping.Encodings = other.RTPParameters.Encodings[:1], other.RTPMapping.Encodings[:1]
	c.must(api.MethodTransportProduce, "t0", other)
	b.lookAgain()
	require.Equal(t, front.ImportClosed, imp.next())
	b.awaitEvent("c101", api.EventConsumerProducerClose)
	imp.close()
	n.nothingLeft(b, c)
}

// A directory that answers when nobody waits any more.
func TestFindTooLate(t *testing.T) {
	n := newTown(t, 1)
	a := n.app("")
	newPublisher(a.app, t, simple)
	asked := make(chan func(string, error), 1)
	b := n.appWith("", func(o *front.Options) { o.Find = func(_ string, done func(string, error)) { asked <- done } })
	stop := b.front().Import("r", simple, func(front.Import, *front.ImportError) { t.Error("an answer") }, func(front.ImportEvent) {})
	answer := <-asked
	stop()
	answer("node1", nil)
	b.front().Do(func() {})
	n.nothingLeft(a, b)
}
