package engine_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

// talk runs a process that speaks SCTP at the peer's address, sends one message on stream 7, and returns the first one it gets.
// Then it is gone, without a word.
func talk(p *enginetest.Peer, to *api.TransportTuple, text string) (heard string) {
	p.T.Helper()
	a := sctp.New(sctp.Config{})
	defer a.Close() // what that produces is not sent
	clock := func() unit.Time { return unit.Time(time.Now().UnixNano()) }
	packets, done := make(chan []byte, 100), make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 65536)
		for {
			n, err := p.Conn.Read(b)
			if err != nil {
				return
			}
			packets <- append([]byte(nil), b[:n]...)
		}
	}()
	a.MayConnect(clock())
	require.NoError(p.T, a.Send(clock(), sctp.Message{StreamID: 7, PPID: 51, Data: []byte(text)}, sctp.SendOptions{Ordered: true}))
	deadline := time.After(enginetest.Patience)
	var out sctp.Output
	for heard == "" {
		a.Poll(&out)
		for _, packet := range out.Packets {
			p.Send(to, packet)
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
			require.FailNow(p.T, "nothing is heard", "%s %+v", a.State(), a.Counters())
		}
	}
	require.NoError(p.T, p.Conn.SetReadDeadline(time.Unix(1, 0)))
	<-done
	require.NoError(p.T, p.Conn.SetReadDeadline(time.Now().Add(enginetest.Patience)))
	return heard
}

// The process behind a plain transport is replaced, as GStreamer's or a bot's is: the data channels go on.
func TestThePeerOfAPlainTransportRestarts(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 2})
	a.CreateRouter("router")
	options := plainOptions()
	options.Base = &api.TransportOptions{EnableSCTP: true, MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144}
	transport := a.CreatePlain("router", "plain", options)
	p := enginetest.NewPeer(t)
	a.ConnectPlain("plain", netip.AddrPortFrom(p.Addr().Addr(), p.Addr().Port()))
	a.Must("plain", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
		DataProducerID: "received", Type: api.DataProducerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 7, Ordered: new(true)},
	})
	a.Must("plain", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: "echo", DataProducerID: "received", Type: api.DataConsumerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 8, Ordered: new(true)},
	})
	for _, text := range []string{"first", "second", "third"} {
		require.Equal(t, text, talk(p, transport.Tuple, text))
	}
	states := a.About("plain", api.EventTransportSCTPStateChange)
	require.Len(t, states, 2, "connecting and connected")
}
