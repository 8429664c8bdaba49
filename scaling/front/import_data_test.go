package front_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// importedData is imported for a data producer.
type importedData struct {
	*room
	front.ImportedData
	err    *front.ImportError
	events chan front.ImportEvent
	stop   func()
}

// tryImportData imports a data producer.
func (r *room) tryImportData(producer string) *importedData {
	r.t.Helper()
	imp := &importedData{room: r, events: make(chan front.ImportEvent, 100)}
	done := make(chan struct{})
	imp.stop = r.front().ImportData("r", producer, func(got front.ImportedData, err *front.ImportError) {
		imp.ImportedData, imp.err = got, err
		close(done)
	}, func(e front.ImportEvent) { imp.events <- e })
	select {
	case <-done:
	case <-time.After(patience):
		require.FailNow(r.t, "no answer")
	}
	return imp
}

// importsData imports a data producer and produces it, as the library does in a pipe on a loopback address, without SCTP.
func (r *room) importsData(producer string) *importedData {
	r.t.Helper()
	imp := r.tryImportData(producer)
	require.Nil(r.t, imp.err)
	info := loopback()
	r.must(api.MethodRouterCreatePipeTransport, "r", &api.RouterCreatePipeTransportRequest{
		TransportID: "via-" + imp.ID, Options: &api.PipeTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info},
	})
	require.Equal(r.t, imp.dump(), r.must(api.MethodTransportProduceData, "via-"+imp.ID, imp.produceRequest()))
	return imp
}

func (imp *importedData) produceRequest() *api.TransportProduceDataRequest {
	return &api.TransportProduceDataRequest{
		DataProducerID: imp.ID, SCTPStreamParameters: imp.SCTPStreamParameters, Label: imp.Label, Protocol: imp.Protocol, Paused: imp.Paused,
	}
}

// dump is what the application is told of its data producer.
func (imp *importedData) dump() *api.DataProducerDumpResponse {
	return &api.DataProducerDumpResponse{
		ID: imp.ID, SCTPStreamParameters: imp.SCTPStreamParameters, Label: imp.Label, Protocol: imp.Protocol, Paused: imp.Paused,
	}
}

// listen consumes the import on a DirectTransport.
func (imp *importedData) listen(transport, consumer string, subchannels ...uint16) {
	imp.t.Helper()
	imp.must(api.MethodTransportConsumeData, transport, &api.TransportConsumeDataRequest{
		DataConsumerID: consumer, DataProducerID: imp.ID, Type: api.DataConsumerTypeDirect, Subchannels: subchannels,
	})
}

func (imp *importedData) close() {
	imp.t.Helper()
	imp.must(api.MethodTransportCloseDataProducer, "via-"+imp.ID, &api.TransportCloseDataProducerRequest{DataProducerID: imp.ID})
}

func (imp *importedData) next() front.ImportEvent {
	imp.t.Helper()
	return nextOf(imp.t, imp.events)
}

// chat is a data producer over SCTP with all that there is to tell of one.
func chat(id string) *api.TransportProduceDataRequest {
	return &api.TransportProduceDataRequest{
		DataProducerID: id, Label: "chat", Protocol: "json",
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 1, Ordered: new(false), MaxRetransmits: new(uint16(3))},
	}
}

// talks makes a data producer on the next node, by a transport that may come back.
func (r *room) talks() {
	r.t.Helper()
	r.returning("talk")
	r.must(api.MethodTransportProduceData, "talk", chat("dp"))
}

// returning makes a PlainTransport with SCTP whose port nobody takes while its node is away.
func (r *room) returning(id string) {
	r.t.Helper()
	request := plainRequest(id)
	*request.Options.ListenInfo = own()
	r.must(api.MethodRouterCreatePlainTransport, "r", request)
}

// says sends a message by the data producer.
func (r *room) says(text string, subchannels ...uint16) {
	r.t.Helper()
	r.sendMessage("dp", &api.DataProducerSendNotification{PPID: 51, Data: []byte(text), Subchannels: subchannels})
}

// heard returns the messages that the application has got from a data consumer.
func (r *room) heard(consumer string) (all []string) {
	for _, e := range r.seen(consumer, api.EventDataConsumerMessage) {
		all = append(all, string(e.Body.(*api.DataConsumerMessageNotification).Data))
	}
	return all
}

func (r *room) hears(consumer string, want ...string) {
	r.t.Helper()
	r.await(fmt.Sprint(consumer, want), func() bool { return len(r.heard(consumer)) >= len(want) })
	require.Equal(r.t, want, r.heard(consumer))
}

// Messages of an application's data producer come to data consumers of another one: of the application, and over SCTP on each node, with
// their subchannels. What there is to tell of the data producer is told.
func TestImportOfData(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	a.talks()
	imp := b.importsData("dp")
	require.Equal(t, "chat", imp.Label)
	require.Equal(t, "json", imp.Protocol)
	require.Equal(t, chat("dp").SCTPStreamParameters, imp.SCTPStreamParameters)
	b.direct("d")
	imp.listen("d", "all")
	imp.listen("d", "seven", 7)
	b.sctpPair("x", "y") // one on each node
	b.sctpPair("y2", "x2")
	for i, pair := range [][2]string{{"x", "y"}, {"x2", "y2"}} {
		stream := dataConsumerRequest(fmt.Sprint("out", i), imp.ID)
		b.must(api.MethodTransportConsumeData, pair[0], stream)
		b.must(api.MethodTransportProduceData, pair[1], dataProducerRequest(fmt.Sprint("in", i)))
		b.must(api.MethodTransportConsumeData, "d", &api.TransportConsumeDataRequest{
			DataConsumerID: fmt.Sprint("back", i), DataProducerID: fmt.Sprint("in", i), Type: api.DataConsumerTypeDirect,
		})
		b.await("SCTP", func() bool {
			for _, e := range b.seen(pair[0], api.EventTransportSCTPStateChange) {
				if e.Body.(*api.TransportSCTPStateChangeNotification).SCTPState == api.SCTPStateConnected {
					return true
				}
			}
			return false
		})
	}
	a.says("one")
	a.says("for others", 8)
	a.says("two", 7)
	a.says("three")
	for _, consumer := range []string{"all", "back0", "back1"} {
		b.hears(consumer, "one", "three")
	}
	b.hears("seven", "one", "two", "three")
	b.must(api.MethodDataConsumerSetSubchannels, "seven", &api.DataConsumerSetSubchannelsRequest{Subchannels: []uint16{8}})
	a.says("four", 8)
	a.says("for others", 7)
	a.says("five")
	b.hears("all", "one", "three", "five")
	b.hears("seven", "one", "two", "three", "four", "five")

	stats := b.must(api.MethodDataProducerGetStats, imp.ID, nil).(*api.DataProducerGetStatsResponse)
	require.EqualValues(t, 7, stats.MessagesReceived, "as its home counts")
	require.EqualValues(t, 3, b.must(api.MethodDataConsumerGetStats, "all", nil).(*api.DataConsumerGetStatsResponse).MessagesSent)
	require.Equal(t, imp.dump(), b.must(api.MethodDataProducerDump, imp.ID, nil))
	imp.close()
	require.Equal(t, front.ImportClosed, imp.next())
	for _, consumer := range []string{"all", "seven", "out0", "out1"} {
		b.awaitEvent(consumer, api.EventDataConsumerDataProducerClose)
	}
	n.nothingLeft(a, b)
	require.Empty(t, b.front().Homes())
}

// What the owner does with its data producer the importer hears, in order. When it closes it, data consumers of the import are closed.
func TestOriginalDataIsPausedResumedAndClosed(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	a.talks()
	a.must(api.MethodDataProducerPause, "dp", nil)
	imp := b.importsData("dp")
	require.True(t, imp.Paused)
	b.direct("d")
	imp.listen("d", "c")
	a.must(api.MethodDataProducerResume, "dp", nil)
	require.Equal(t, front.ImportResumed, imp.next())
	b.must(api.MethodDataProducerResume, imp.ID, nil)
	a.says("one")
	b.hears("c", "one")
	a.must(api.MethodDataProducerPause, "dp", nil)
	a.must(api.MethodDataProducerResume, "dp", nil)
	require.Equal(t, front.ImportPaused, imp.next())
	require.Equal(t, front.ImportResumed, imp.next())
	unused := b.tryImportData("dp")

	a.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "talk"})
	require.Equal(t, front.ImportClosed, imp.next())
	require.Equal(t, front.ImportClosed, unused.next())
	b.awaitEvent("c", api.EventDataConsumerDataProducerClose)
	b.refused("the data producer is gone", api.MethodTransportConsumeData, "d", &api.TransportConsumeDataRequest{
		DataConsumerID: "c2", DataProducerID: imp.ID, Type: api.DataConsumerTypeDirect,
	})
	b.must(api.MethodDataProducerDump, imp.ID, nil)
	imp.close()
	n.nothingLeft(a, b)
}

// What the importer does with its data producer is its own business. While it is paused, no message crosses.
func TestImportOfDataIsPausedAlone(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	a.talks()
	a.direct("d")
	a.must(api.MethodTransportConsumeData, "d", &api.TransportConsumeDataRequest{DataConsumerID: "own", DataProducerID: "dp", Type: api.DataConsumerTypeDirect})
	imp := b.importsData("dp")
	b.must(api.MethodDataProducerPause, imp.ID, nil)
	b.direct("d")
	imp.listen("d", "c")
	a.says("unheard")
	a.hears("own", "unheard")
	b.must(api.MethodDataProducerResume, imp.ID, nil)
	b.awaitEvent("c", api.EventDataConsumerDataProducerResume)
	a.says("heard")
	b.hears("c", "heard")
	b.must(api.MethodDataProducerPause, imp.ID, nil)
	b.awaitEvent("c", api.EventDataConsumerDataProducerPause)
	require.True(t, b.must(api.MethodDataProducerDump, imp.ID, nil).(*api.DataProducerDumpResponse).Paused)
	require.False(t, a.must(api.MethodDataProducerDump, "dp", nil).(*api.DataProducerDumpResponse).Paused)
	a.says("unheard again")
	a.hears("own", "unheard", "heard", "unheard again")
	b.must(api.MethodDataProducerResume, imp.ID, nil)
	a.says("last")
	b.hears("c", "heard", "last")
	require.Empty(t, imp.events, "the original did not change")
	require.Empty(t, a.seen("own", api.EventDataConsumerDataProducerPause))
}

// Nothing of what others use is to be seen by the owner.
func TestOwnerOfDataSeesNothing(t *testing.T) {
	n := newTown(t, 1)
	a, b := n.app(""), n.app("")
	a.talks()
	look := func() string {
		return normal(t, []any{a.must(api.MethodWorkerDump, "", nil), a.must(api.MethodRouterDump, "r", nil), a.must(api.MethodTransportDump, "talk", nil)})
	}
	before, load := look(), a.worker.Load()
	events := len(a.told())
	imp := b.importsData("dp")
	b.direct("d")
	imp.listen("d", "c")
	a.says("one")
	b.hears("c", "one")
	require.Equal(t, before, look())
	counts := a.worker.Load()
	counts.CPU = load.CPU
	require.Equal(t, load, counts)
	require.Empty(t, a.told()[events:])
}

// Why an import is refused: also a data producer that is asked for as a producer, and the other way round.
func TestImportsOfDataThatAreRefused(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	a.talks()
	newPublisher(a.app, t, simple)
	refused := func(r *room, producer string, code front.ImportCode, text string) {
		t.Helper()
		imp := r.tryImportData(producer)
		require.NotNil(t, imp.err)
		require.Equal(t, code, imp.err.Code)
		require.ErrorContains(t, imp.err, text)
		imp.stop()
	}
	refused(b, "nobody's", front.ImportProducerNotFound, "no application of this tenant has a DataProducer with ID nobody's")
	refused(b, simple, front.ImportProducerNotFound, simple)
	require.Equal(t, front.ImportProducerNotFound, b.tryImport("dp", simple).err.Code)
	refused(n.app("other tenant"), "dp", front.ImportProducerNotFound, "dp")
	refused(restartable(t, 1, nil), "dp", front.ImportUnsupported, "cluster")
	b.must(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: "r"})
	refused(b, "dp", front.ImportRouterNotFound, "no Router with ID r")
	b.worker.Close()
	refused(b, "dp", front.ImportFailed, "closed")
}

// A data producer of an import is produced as one, once, where it was imported to, and takes no messages of the application.
func TestProducingDataThatWasNotImported(t *testing.T) {
	n := newTown(t, 1)
	a := n.app("")
	var log logged
	b := n.appWith("", func(o *front.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	a.talks()
	newPublisher(a.app, t, simple)
	b.transport("t0")
	media, data := b.tryImport(simple, "p8"), b.tryImportData("dp")
	wrong := data.produceRequest()
	wrong.DataProducerID = media.ID
	b.refused("in this Router", api.MethodTransportProduceData, "t0", wrong)
	b.must(api.MethodTransportProduceData, "t0", data.produceRequest())
	b.refused("already exists", api.MethodTransportProduceData, "t0", data.produceRequest())
	b.sendMessage(data.ID, &api.DataProducerSendNotification{Data: []byte("x")})
	b.must(api.MethodDataProducerDump, data.ID, nil)
	require.Equal(t, 1, log.take("another application's"))
	b.must(api.MethodTransportCloseDataProducer, "t0", &api.TransportCloseDataProducerRequest{DataProducerID: data.ID})
	require.Equal(t, front.ImportClosed, data.next())
	stopped := b.tryImportData("dp")
	stopped.stop()
	b.refused("it has ended", api.MethodTransportProduceData, "t0", stopped.produceRequest())
	n.nothingLeft(a)
}

// An import of an import leads to the original. Media and data of one Router share its home.
func TestImportOfImportedData(t *testing.T) {
	n := newTown(t, 2)
	a, b, c := n.app(""), n.app(""), n.app("")
	a.talks()
	newPublisher(a.app, t, simple)
	a.must(api.MethodTransportProduceData, "talk", &api.TransportProduceDataRequest{
		DataProducerID: "dp2", SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 2},
	})
	first := b.importsData("dp")
	second := c.importsData(first.ID)
	third := c.importsData("dp2")
	media := c.imports(simple, "p15")
	b.worker.Close()
	c.direct("d")
	second.listen("d", "c2")
	third.listen("d", "c3")
	p, ssrc := media.view(t, "c300")
	c.await("media", func() bool { return len(p.received(ssrc)) > 5 })
	a.says("one")
	c.hears("c2", "one")
	second.close()
	require.Len(t, c.front().Homes(), 2, "the publisher is on another node")
	a.sendMessage("dp2", &api.DataProducerSendNotification{PPID: 51, Data: []byte("two")})
	c.hears("c3", "two")
	third.close()
	media.close()
	n.nothingLeft(a, c)
}

// An import may go on by a pipe to a Router of another worker, under its id. One that has ended is not taken for a producer of the application's own.
func TestImportsGoOnByPipes(t *testing.T) {
	n := newTown(t, 1)
	a, b, c := n.app(""), n.app(""), n.app("")
	a.talks()
	newPublisher(a.app, t, simple)
	media, data := b.imports(simple, "p8"), b.importsData("dp")
	c.transport("t0")
	c.must(api.MethodTransportProduce, "t0", media.produceRequest())
	c.must(api.MethodTransportProduceData, "t0", data.produceRequest())
	media.close()
	data.close()
	b.refused("it has ended", api.MethodTransportProduce, "via-"+media.ID, media.produceRequest())
	b.refused("it has ended", api.MethodTransportProduceData, "via-"+data.ID, data.produceRequest())
	n.nothingLeft(a, b)
}

// The node of an original restarts, for all applications or for its owner's worker alone. The owner's front brings the data producer
// back, and data consumers of the import go on. One that its owner has closed before is not looked for.
func TestNodeOfTheOriginalDataRestarts(t *testing.T) {
	for name, both := range map[string]bool{"node": true, "worker": false} {
		t.Run(name, func(t *testing.T) {
			n := newTown(t, 2)
			a, b := n.app(""), n.app("")
			a.talks()
			imp := b.importsData("dp")
			b.direct("d")
			imp.listen("d", "c")
			b.returning("t0")
			b.returning("t1")
			for i := range 2 {
				b.must(api.MethodTransportConsumeData, fmt.Sprint("t", i), dataConsumerRequest(fmt.Sprint("c", i), imp.ID))
			}
			a.says("one")
			b.hears("c", "one")
			a.must(api.MethodTransportProduceData, "talk", &api.TransportProduceDataRequest{
				DataProducerID: "dp2", SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 2},
			})
			over := b.importsData("dp2")
			a.must(api.MethodTransportCloseDataProducer, "talk", &api.TransportCloseDataProducerRequest{DataProducerID: "dp2"})
			require.Equal(t, front.ImportClosed, over.next())
			a.kill(0)
			if both {
				b.kill(0)
			}
			b.lookAgain()
			b.refused("is gone", api.MethodDataProducerGetStats, imp.ID, nil)
			a.revive()
			b.comesBack()
			b.lookAgain()
			b.await("the original is found again", func() bool {
				b.lookAgain()
				return b.try(api.MethodDataProducerGetStats, imp.ID, nil).err == nil
			})
			b.must(api.MethodRouterDump, "r", nil) // when it is restored
			a.says("two")
			b.hears("c", "one", "two")
			require.Empty(t, imp.events)
			for _, c := range []string{"c", "c0", "c1"} {
				require.Empty(t, b.seen(c, api.EventDataConsumerDataProducerClose))
				b.must(api.MethodDataConsumerDump, c, nil)
			}
			over.close()
			imp.close()
			n.nothingLeft(a, b)
		})
	}
}

// An original that does not come back is closed after ten seconds.
func TestOriginalDataThatDoesNotComeBack(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app(""), n.app("")
	a.talks()
	imp := b.importsData("dp")
	b.direct("d")
	imp.listen("d", "c")
	a.nodes[0].never()
	a.kill(0)
	b.await("the loss is known", func() bool { return len(b.front().Homes()) == 0 })
	for range 40 {
		require.Empty(t, imp.events)
		b.lookAgain()
	}
	require.Equal(t, front.ImportClosed, imp.next())
	b.awaitEvent("c", api.EventDataConsumerDataProducerClose)
	imp.close()
	n.nothingLeft(b)
}

// linkedApp is app for nodes that links can reach, but the last one.
func (n *town) linkedApp() *room {
	return n.appWith("", func(o *front.Options) {
		for i := range len(o.Nodes) - 1 {
			o.Nodes[i].Link = o.Nodes[i].Name + ":7000"
		}
	})
}

// The far end of a link calls the data producer as this application does, and the home's node as it calls the import.
func TestImportsOfDataByLinks(t *testing.T) {
	n := newTown(t, 3)
	a, b := n.app(""), n.linkedApp()
	var asked asked
	asked.listen(b.nodes)
	a.talks()
	imp := b.importsData("dp")
	for i := range 2 {
		b.transport(fmt.Sprint("t", i))
		b.must(api.MethodTransportConsumeData, fmt.Sprint("t", i), dataConsumerRequest(fmt.Sprint("c", i), imp.ID))
		require.Equal(t, imp.ID, asked.home[i].LinkProducerID)
		require.NotEqual(t, imp.ID, asked.home[i].DataProducerID)
		require.Equal(t, imp.ID, asked.far[i].DataProducerID)
		require.Equal(t, asked.far[i].LinkToken, asked.home[i].LinkToken)
		require.True(t, asked.home[i].LinkUnreliable)
		require.Equal(t, fmt.Sprint("node", i+1, ":7000"), asked.home[i].LinkAddress)
	}
	require.Len(t, asked.home[0].LinkToken, 16)
	imp.close()
	n.nothingLeft(a, b)
}

// An original that comes back on a node without a link: its messages go through the front.
func TestImportOfDataLosesItsLink(t *testing.T) {
	n := newTown(t, 3)
	a, b, c := n.app(""), n.linkedApp(), n.app("")
	var asked asked
	asked.listen(b.nodes)
	a.talks()
	imp := b.importsData("dp")
	b.transport("t0")
	b.must(api.MethodTransportConsumeData, "t0", dataConsumerRequest("c0", imp.ID))
	require.Len(t, asked.home[0].LinkToken, 16)
	a.nodes[0].never()
	a.kill(0)
	b.await("the loss is known", func() bool { return len(b.front().Homes()) == 0 })
	c.transport("t0")
	c.transport("t1")
	c.talks() // on the third node
	b.lookAgain()
	b.await("it is found again", func() bool { return len(b.front().Homes()) == 1 })
	b.must(api.MethodRouterDump, "r", nil) // when it is restored
	require.Len(t, asked.home, 2)
	require.Empty(t, asked.home[1].LinkToken)
	require.Empty(t, b.seen("c0", api.EventDataConsumerDataProducerClose))
	require.Empty(t, imp.events)
	imp.close()
	n.nothingLeft(b, c)
}
