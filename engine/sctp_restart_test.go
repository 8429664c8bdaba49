package engine_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

// talk runs a process that speaks SCTP at the peer's address, sends one message on stream 7, and returns the first one it gets.
// Then it is gone, without a word.
func (p *peer) talk(to *api.TransportTuple, text string) (heard string) {
	p.t.Helper()
	a := sctp.New(sctp.Config{})
	defer a.Close() // what that produces is not sent
	clock := func() unit.Time { return unit.Time(time.Now().UnixNano()) }
	packets, done := make(chan []byte, 100), make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 65536)
		for {
			n, err := p.conn.Read(b)
			if err != nil {
				return
			}
			packets <- append([]byte(nil), b[:n]...)
		}
	}()
	a.MayConnect(clock())
	require.NoError(p.t, a.Send(clock(), sctp.Message{StreamID: 7, PPID: 51, Data: []byte(text)}, sctp.SendOptions{Ordered: true}))
	deadline := time.After(patience)
	var out sctp.Output
	for heard == "" {
		a.Poll(&out)
		for _, packet := range out.Packets {
			p.send(to, packet)
		}
		if len(out.Messages) > 0 {
			heard = string(out.Messages[0].Data)
			break
		}
		select {
		case packet := <-packets:
			a.HandlePacket(clock(), packet)
		case <-time.After(a.NextTimeout().Sub(clock())):
			a.HandleTimeout(clock())
		case <-deadline:
			require.FailNow(p.t, "nothing is heard", "%s %+v", a.State(), a.Counters())
		}
	}
	require.NoError(p.t, p.conn.SetReadDeadline(time.Unix(1, 0)))
	<-done
	require.NoError(p.t, p.conn.SetReadDeadline(time.Now().Add(patience)))
	return heard
}

// The process behind a plain transport is replaced, as GStreamer's or a bot's is: the data channels go on.
func TestThePeerOfAPlainTransportRestarts(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.router("router")
	options := plainOptions()
	options.Base = &api.TransportOptions{EnableSCTP: true, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144}
	transport := a.plain("router", "plain", options)
	p := newPeer(t)
	a.connect("plain", netip.AddrPortFrom(p.addr().Addr(), p.addr().Port()))
	a.must("plain", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "received", Type: api.DataProducerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 7, Ordered: new(true)},
	})
	a.must("plain", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: "echo", DataProducerID: "received", Type: api.DataConsumerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 8, Ordered: new(true)},
	})
	for _, text := range []string{"first", "second", "third"} {
		require.Equal(t, text, p.talk(transport.Tuple, text))
	}
	states := a.notifications("plain", api.EventTransportSCTPStateChange)
	require.Len(t, states, 2, "connecting and connected")
}
