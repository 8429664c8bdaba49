package engine_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// pipe creates a router with a direct transport "direct", and a pipe transport "pipe" that has data channels.
func (a *app) pipe() *api.TransportTuple {
	a.T.Helper()
	a.CreateRouter("router")
	a.Must("router", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
		TransportID: "direct", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{
			Direct: true, MaxSendMessageSize: 1000, MaxReceiveMessageSize: 1000,
		}},
	})
	info := loopback(api.ProtocolUDP)
	return a.Must("router", api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{
		TransportID: "pipe", Options: &api.PipeTransportOptions{ListenInfo: &info, Base: &api.TransportOptions{
			EnableSCTP: true, MaxSendMessageSize: 1000, MaxReceiveMessageSize: 1000, SCTPSendBufferSize: 1 << 16,
			SCTPPerStreamSendQueueLimit: 1 << 16, SCTPMaxReceiverWindowBufferSize: 1 << 16,
		}},
	}).(*api.PipeTransportDumpResponse).Tuple
}

func (a *app) connectPipe(to *api.TransportTuple) {
	a.T.Helper()
	peer := netip.MustParseAddr(to.LocalAddress)
	a.Must("pipe", api.MethodPipeTransportConnect, &api.PipeTransportConnectRequest{IP: peer.String(), Port: new(to.LocalPort)})
}

// TestSubchannelsOverPipes pipes messages from a worker that serves some release to one that serves another.
func TestSubchannelsOverPipes(t *testing.T) {
	old := api.Compat{PlainPipes: true}
	for name, c := range map[string]struct {
		near, far api.Compat
		listens   []uint16 // on the pipe
		want      []string // what a consumer of subchannel 3 gets at the far end
	}{
		"new to new":                     {want: []string{"for all", "for 3", "needs 3", "end"}},
		"new to new, pipe listens to 3":  {listens: []uint16{3}, want: []string{"for all", "for 3", "needs 3", "end"}},
		"old to old":                     {near: old, far: old, want: []string{"for all", "end"}},
		"old to new":                     {near: old, want: []string{"for all", "end"}},
		"old to new, pipe listens to 3":  {near: old, listens: []uint16{3}, want: []string{"for all", "for 3", "needs 3", "end"}},
		"old to new, pipe listens to 3+": {near: old, listens: []uint16{3, 4}, want: []string{"for all", "for 3", "for 4", "needs 3", "end"}},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := newApp(t, engine.Options{Compat: c.near}), newApp(t, engine.Options{Compat: c.far})
			nearTuple, farTuple := near.pipe(), far.pipe()
			near.connectPipe(farTuple)
			far.connectPipe(nearTuple)
			stream := &api.SCTPStreamParameters{StreamID: 1, Ordered: new(true)}
			near.Must("direct", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
				DataProducerID: "producer", Type: api.DataProducerTypeDirect,
			})
			far.Must("pipe", api.MethodTransportProduceData, &api.TransportProduceDataRequest{
				DataProducerID: "producer", Type: api.DataProducerTypeSCTP, SCTPStreamParameters: stream,
			})
			far.Must("direct", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
				DataConsumerID: "consumer", DataProducerID: "producer", Type: api.DataConsumerTypeDirect, Subchannels: []uint16{3},
			})
			near.Must("pipe", api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
				DataConsumerID: "consumer", DataProducerID: "producer", Type: api.DataConsumerTypeSCTP, SCTPStreamParameters: stream,
				Subchannels: c.listens,
			})
			near.Await("pipe", api.EventTransportSCTPStateChange)
			send := func(text string, required *uint16, subchannels ...uint16) {
				require.NoError(t, near.worker.HandleNotification(&api.Notification{
					HandlerID: "producer", Event: api.EventDataProducerSend, Body: &api.DataProducerSendNotification{
						PPID: 51, Data: []byte(text), Subchannels: subchannels, RequiredSubchannel: required,
					},
				}))
			}
			send("for all", nil)
			send("for 3", nil, 3)
			send("for 4", nil, 4)
			send("needs 3", new(uint16(3)))
			send("needs 5", new(uint16(5)))
			send("end", nil)
			var got []string
			for _, n := range far.AwaitCount("consumer", api.EventDataConsumerMessage, len(c.want)) {
				got = append(got, string(n.Body.(*api.DataConsumerMessageNotification).Data))
			}
			require.Equal(t, c.want, got)
		})
	}
}
