package remote_test

import (
	"bytes"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
	"gazpacho/scaling/front"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/remote"
)

// town is nodes with certificates that several applications use. Each listens on a unix socket, too.
type town struct {
	t       *testing.T
	dir     string
	members []*member
	sockets []string
}

func newTown(t *testing.T, nodes int) *town {
	n := &town{t: t, dir: filepath.Join(t.TempDir(), "tls")}
	require.NoError(t, identity.CreateAuthority(n.dir, time.Now()))
	for i := range nodes {
		name := fmt.Sprint("node", i)
		_, _, err := identity.Issue(n.dir, identity.Identity{Role: identity.Node, Name: name}, time.Now())
		require.NoError(t, err)
		n.sockets = append(n.sockets, "unix:"+filepath.Join(t.TempDir(), "node.sock"))
		n.members = append(n.members, startMember(t, n.dir, name, "127.0.0.1:0", n.sockets[i]))
	}
	return n
}

// resident is an application with a Router that is spread over all nodes.
type resident struct {
	*spread
	front *front.Front
}

// app returns an application that comes by certificates of a tenant.
func (n *town) app(name, tenant string) *resident {
	_, _, err := identity.Issue(n.dir, identity.Identity{Role: identity.Application, Name: name, Tenant: tenant}, time.Now())
	require.NoError(n.t, err)
	credentials, err := identity.Load(n.dir, identity.Application, name)
	require.NoError(n.t, err)
	o := remote.Options{TLS: credentials.Client(identity.Node)}
	return n.join(o, func(i int) string { return n.members[i].address() })
}

// local returns an application of the nodes' host, which says itself which tenant it belongs to.
func (n *town) local(tenant string) *resident {
	return n.join(remote.Options{Opening: remote.Opening{Tenant: tenant}}, func(i int) string { return n.sockets[i] })
}

func (n *town) join(o remote.Options, address func(node int) string) *resident {
	s := newApplication(n.t)
	f := front.Options{
		Emit: s.emit, Placement: placement.Spread{},
		Own: front.NodeOptions{Name: "own", SameHost: true, Pipe: loopback(), Worker: func(emit api.Emitter) (api.Worker, error) {
			return engine.New(engine.Options{Emit: emit, Shards: 1})
		}},
	}
	for i := range n.members {
		f.Nodes = append(f.Nodes, front.NodeOptions{
			Name: fmt.Sprint("node", i), SameHost: true, Pipe: loopback(), Link: address(i), Worker: func(emit api.Emitter) (api.Worker, error) {
				o := o
				o.Address, o.Emit = address(i), emit
				return remote.Dial(o)
			},
		})
	}
	r := &resident{spread: s}
	var err error
	r.front, err = front.New(f)
	require.NoError(n.t, err)
	r.worker = r.front
	n.t.Cleanup(r.front.Close)
	r.must(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: "r"})
	return r
}

// plain makes a PlainTransport that is connected with a socket, and returns where it listens.
func (r *resident) plain(id string, peer *net.UDPConn) *net.UDPAddr {
	r.t.Helper()
	info := loopback()
	answer := r.must(api.MethodRouterCreatePlainTransport, "r", &api.RouterCreatePlainTransportRequest{
		TransportID: id, Options: &api.PlainTransportOptions{ListenInfo: &info, RTCPMux: true, Base: &api.TransportOptions{}},
	})
	port := uint16(peer.LocalAddr().(*net.UDPAddr).Port)
	r.must(api.MethodPlainTransportConnect, id, &api.PlainTransportConnectRequest{IP: "127.0.0.1", Port: &port})
	return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(answer.(*api.PlainTransportDumpResponse).Tuple.LocalPort)}
}

func newSocket(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

const soundSSRC, soundPayloadType = 1000, 100

// speak makes a producer of sound, and sends packets until the test ends.
func (r *resident) speak(t *testing.T, id string) {
	t.Helper()
	c := newSocket(t)
	to := r.plain("in-"+id, c)
	r.must(api.MethodTransportProduce, "in-"+id, &api.TransportProduceRequest{
		ProducerID: id, Kind: api.MediaKindAudio, RTPParameters: sound(soundPayloadType, soundSSRC),
		RTPMapping: mapped(soundPayloadType, 101, soundSSRC, 2000),
	})
	stop, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			b := rtp.AppendHeader(nil, rtp.Header{
				PayloadType: soundPayloadType, SequenceNumber: unit.SeqNo(n), Timestamp: unit.Timestamp(960 * n), SSRC: soundSSRC,
			}, nil)
			_, _ = c.WriteToUDP(append(b, 1, 2, 3), to)
		}
	}()
}

func sound(payloadType uint8, ssrc uint32) *api.RTPParameters {
	return &api.RTPParameters{
		Codecs:    []api.RTPCodecParameters{{MimeType: "audio/opus", PayloadType: payloadType, ClockRate: 48000, Channels: new(uint8(2))}},
		Encodings: []api.RTPEncodingParameters{{SSRC: &ssrc}},
		RTCP:      &api.RTCPParameters{CNAME: "cname", ReducedSize: true},
	}
}

func mapped(from, to uint8, ssrc, mapped uint32) *api.RTPMapping {
	return &api.RTPMapping{
		Codecs:    []api.CodecMapping{{PayloadType: from, MappedPayloadType: to}},
		Encodings: []api.EncodingMapping{{SSRC: &ssrc, MappedSSRC: mapped}},
	}
}

// try imports a producer.
func (r *resident) try(producer string) (got front.Import, events chan front.ImportEvent, refused *front.ImportError) {
	r.t.Helper()
	done := make(chan struct{})
	events = make(chan front.ImportEvent, 100)
	r.front.Import("r", producer, func(imp front.Import, err *front.ImportError) {
		got, refused = imp, err
		close(done)
	}, func(e front.ImportEvent) { events <- e })
	<-done
	return got, events, refused
}

// hear imports a producer of sound and consumes it on the next node. What arrives comes by the socket.
func (r *resident) hear(t *testing.T, producer, consumer string) (events chan front.ImportEvent, c *net.UDPConn) {
	t.Helper()
	imp, events, err := r.try(producer)
	require.Nil(t, err)
	info := loopback()
	r.must(api.MethodRouterCreatePipeTransport, "r", &api.RouterCreatePipeTransportRequest{
		TransportID: "via-" + consumer, Options: &api.PipeTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info},
	})
	r.must(api.MethodTransportProduce, "via-"+consumer, &api.TransportProduceRequest{
		ProducerID: imp.ID, Kind: imp.Kind, RTPParameters: imp.RTPParameters, Paused: imp.Paused,
		RTPMapping: mapped(soundPayloadType, 111, soundSSRC, 3000),
	})
	c = newSocket(t)
	r.plain("out-"+consumer, c)
	encoding := uint32(3000)
	r.must(api.MethodTransportConsume, "out-"+consumer, &api.TransportConsumeRequest{
		ConsumerID: consumer, ProducerID: imp.ID, Kind: imp.Kind, Type: api.RTPTypeSimple, RTPParameters: sound(111, 4000),
		ConsumableRTPEncodings: []api.RTPEncodingParameters{{SSRC: &encoding}},
	})
	return events, c
}

// hears waits for packets.
func hears(t *testing.T, c *net.UDPConn, count int) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(longest)))
	for b := make([]byte, 1500); count > 0; {
		n, err := c.Read(b)
		require.NoError(t, err)
		var p rtp.Packet
		if p.Parse(b[:n]) != nil || p.SSRC != 4000 {
			continue // a report
		}
		require.EqualValues(t, 111, p.PayloadType)
		count--
	}
}

// Two applications on other hosts than the nodes: what one says is heard by the other, on the speaker's node and on another one, and what
// the first does with its producer the second hears of. It ends with the producer.
func TestImportBetweenApplications(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app("a", "acme"), n.app("b", "acme")
	a.speak(t, "voice")
	for i := range 2 {
		events, c := b.hear(t, "voice", fmt.Sprint("c", i))
		hears(t, c, 20)
		a.must(api.MethodProducerPause, "voice", nil)
		require.Equal(t, front.ImportPaused, <-events)
		a.must(api.MethodProducerResume, "voice", nil)
		require.Equal(t, front.ImportResumed, <-events)
		hears(t, c, 20)
		if i == 1 {
			a.must(api.MethodTransportCloseProducer, "in-voice", &api.TransportCloseProducerRequest{ProducerID: "voice"})
			require.Equal(t, front.ImportClosed, <-events)
		}
	}
}

// What a foreign tenant has is as if it were not there. Who comes by a unix socket belongs to the tenant that it says.
func TestTenants(t *testing.T) {
	n := newTown(t, 1)
	owner := n.app("a", "acme")
	owner.speak(t, "voice")
	owner.talk()
	for who, app := range map[string]struct {
		*resident
		found bool
	}{
		"same":           {n.app("b", "acme"), true},
		"other":          {n.app("c", "other"), false},
		"none":           {n.app("d", ""), false}, // a tenant of its own
		"socket":         {n.local("acme"), true},
		"foreign socket": {n.local(""), false},
	} {
		data, _, noData := app.tryData("talk")
		require.Equal(t, app.found, noData == nil, who)
		if app.found {
			require.Contains(t, data.ID, "talk", who)
		} else {
			_, _, absent := app.tryData("nothing")
			require.Equal(t, front.ImportProducerNotFound, noData.Code, who)
			require.Equal(t, strings.ReplaceAll(absent.Reason, "nothing", "talk"), noData.Reason, who)
		}
		imp, _, err := app.try("voice")
		_, _, absent := app.try("nothing")
		require.Equal(t, front.ImportProducerNotFound, absent.Code, who)
		if app.found {
			require.Nil(t, err, who)
			require.Contains(t, imp.ID, "voice", who)
			continue
		}
		require.Equal(t, absent.Code, err.Code, who)
		require.Equal(t, strings.ReplaceAll(absent.Reason, "nothing", "voice"), err.Reason, who)
	}
}

// An application that says goodbye has nothing that comes back. What others had of it is over at once.
func TestOwnerSaysGoodbye(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app("a", "acme"), n.app("b", "acme")
	a.speak(t, "voice")
	events, c := b.hear(t, "voice", "c")
	hears(t, c, 5)
	a.front.Close()
	require.Equal(t, front.ImportClosed, <-events)
}

// talk makes a data producer on the first node.
func (r *resident) talk() {
	r.t.Helper()
	r.sctpPair("talk0", "idle1")
	r.must(api.MethodTransportProduceData, "talk0", &api.TransportProduceDataRequest{
		DataProducerID: "talk", SCTPStreamParameters: onStream(1), Label: "chat", Protocol: "json",
	})
}

// tryData imports a data producer.
func (r *resident) tryData(dataProducer string) (got front.ImportedData, events chan front.ImportEvent, refused *front.ImportError) {
	r.t.Helper()
	done := make(chan struct{})
	events = make(chan front.ImportEvent, 100)
	r.front.ImportData("r", dataProducer, func(imp front.ImportedData, err *front.ImportError) {
		got, refused = imp, err
		close(done)
	}, func(e front.ImportEvent) { events <- e })
	<-done
	return got, events, refused
}

// Messages of one application come to the other one, over SCTP on the node of the data producer and on another one, by links, and to its
// own process: all of them, in order.
func TestImportOfDataBetweenApplications(t *testing.T) {
	n := newTown(t, 2)
	a, b := n.app("a", "acme"), n.app("b", "acme")
	a.talk()
	imp, events, refused := b.tryData("talk")
	require.Nil(t, refused)
	require.Equal(t, "chat", imp.Label)
	require.Equal(t, "json", imp.Protocol)
	b.direct("d")
	b.must(api.MethodTransportProduceData, "d", &api.TransportProduceDataRequest{
		DataProducerID: imp.ID, Type: api.DataProducerTypeDirect, Label: imp.Label, Protocol: imp.Protocol,
	})
	b.sctpPair("x0", "y1") // the digit is the node
	listen := func(consumer, producer string) {
		b.must(api.MethodTransportConsumeData, "d", &api.TransportConsumeDataRequest{
			DataConsumerID: consumer, DataProducerID: producer, Type: api.DataConsumerTypeDirect,
		})
	}
	for i, pair := range [][2]string{{"x0", "y1"}, {"y1", "x0"}} {
		b.must(api.MethodTransportConsumeData, pair[0], &api.TransportConsumeDataRequest{
			DataConsumerID: fmt.Sprint("c", i), DataProducerID: imp.ID, SCTPStreamParameters: onStream(1),
		})
		b.must(api.MethodTransportProduceData, pair[1], &api.TransportProduceDataRequest{
			DataProducerID: fmt.Sprint("p", i), SCTPStreamParameters: onStream(1),
		})
		listen(fmt.Sprint("out", i), fmt.Sprint("p", i))
	}
	listen("own", imp.ID)
	b.await("SCTP", func() bool { return b.sctp["x0"] && b.sctp["y1"] })
	heard := func(count int) {
		for _, consumer := range []string{"out0", "out1", "own"} {
			b.await(consumer, func() bool { return len(b.messages[consumer]) == count })
		}
	}
	total := 0
	for _, load := range []struct{ count, size int }{{500, 1 << 10}, {10, 200 << 10}} {
		for range load.count {
			a.send("talk", &api.DataProducerSendNotification{PPID: 53, Data: filled(total, load.size)})
			total++
		}
		heard(total)
	}
	for _, consumer := range []string{"out0", "out1", "own"} {
		for i, m := range b.messages[consumer] {
			require.True(t, bytes.Equal(filled(i, len(m)), m), "message %d of %s", i, consumer)
		}
	}
	links := func() (all []remote.LinkStatus) {
		for _, m := range n.members {
			all = append(all, m.Status().Links...)
		}
		return all
	}
	require.Len(t, links(), 4, "a link from the first node to each, as both of its ends see it")
	for _, l := range links() {
		require.EqualValues(t, total, l.Messages)
		require.Zero(t, l.Lost)
	}

	// A transport of others is closed: that has nothing to do with it.
	b.sctpPair("extra0", "extra1")
	b.must(api.MethodRouterCloseTransport, "r", &api.RouterCloseTransportRequest{TransportID: "extra0"})
	a.must(api.MethodDataProducerPause, "talk", nil)
	require.Equal(t, front.ImportPaused, <-events)
	a.must(api.MethodDataProducerResume, "talk", nil)
	require.Equal(t, front.ImportResumed, <-events)
	a.send("talk", &api.DataProducerSendNotification{PPID: 53, Data: filled(total, 10)})
	heard(total + 1)

	a.must(api.MethodTransportCloseDataProducer, "talk0", &api.TransportCloseDataProducerRequest{DataProducerID: "talk"})
	require.Equal(t, front.ImportClosed, <-events)
	require.Eventually(t, func() bool { return len(links()) == 0 }, longest, time.Millisecond, "links end with what they are for")
}
