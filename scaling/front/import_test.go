package front_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/federation"
	"gazpacho/scaling/front"
	"gazpacho/scaling/placement"
)

// town is nodes that several applications use.
type town struct {
	t     *testing.T
	nodes []*federation.Node
}

func newTown(t *testing.T, nodes int) *town {
	n := &town{t: t}
	for range nodes {
		n.nodes = append(n.nodes, &federation.Node{})
	}
	return n
}

// app returns an application with a Router, spread over all nodes, which may come back.
func (n *town) app(tenant string) *room {
	o := front.Options{Own: engineNode("own"), Placement: placement.Spread{}}
	for i, node := range n.nodes {
		options := engineNode(fmt.Sprint("node", i+1))
		start := options.Worker
		options.Again = true
		options.Worker = func(emit api.Emitter) (api.Worker, error) { return node.Join(tenant, emit, start) }
		o.Nodes = append(o.Nodes, options)
	}
	r := &room{clock: newClock(), nodes: tamper(&o)}
	o.Clock = r.clock
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
	select {
	case e := <-imp.events:
		return e
	case <-time.After(patience):
		require.FailNow(imp.t, "no event")
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
	}
	require.NotEmpty(t, pub.keyFramesAsked())
	require.NotEmpty(t, b.seen(imp.ID, api.EventProducerScore))

	imp.close()
	require.Equal(t, front.ImportClosed, imp.next())
	b.awaitEvent("c100", api.EventConsumerProducerClose)
	b.awaitEvent("c101", api.EventConsumerProducerClose)
}
