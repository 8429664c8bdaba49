package fbs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// What workers tell each other survives the dialect of sessions, and no application ever sees it.
func TestSessionCarriesWhatIsInternal(t *testing.T) {
	request := &api.Request{
		ID: 1, Method: api.MethodRouterCreateDirectTransport, HandlerID: "router",
		Body: &api.RouterCreateDirectTransportRequest{
			TransportID: "t", Options: &api.DirectTransportOptions{Base: &api.TransportOptions{
				Direct: true, Internal: true, Restore: &api.TransportRestore{
					ICEParameters:  &api.ICEParameters{UsernameFragment: "fragment", Password: "password", ICELite: true},
					SRTPParameters: &api.SRTPParameters{CryptoSuite: api.SRTPCryptoSuiteAEADAES128GCM, KeyBase64: "key"},
					Tuple:          &api.TransportTuple{LocalAddress: "192.0.2.1", LocalPort: 1, RemoteIP: "192.0.2.2", RemotePort: 2, Protocol: api.ProtocolUDP},
					RTCPTuple:      &api.TransportTuple{LocalAddress: "192.0.2.1", LocalPort: 3, RemoteIP: "192.0.2.2", RemotePort: 4, Protocol: api.ProtocolUDP},
				},
			}},
		},
	}
	message := &api.Notification{
		HandlerID: "d", Event: api.EventDataConsumerMessage,
		Body: &api.DataConsumerMessageNotification{
			PPID: 51, Data: []byte("x"), Subchannels: []uint16{1, 2}, RequiredSubchannel: new(uint16(3)), IgnoredSubchannel: new(uint16(4)),
		},
	}
	for _, m := range []api.MessageBody{request, message} {
		require.Equal(t, m, roundTrip(t, fbs.Session(), m))
		d, err := fbs.Load(fbs.Newest())
		require.NoError(t, err)
		require.NotEqual(t, m, roundTrip(t, d, m))
	}
}

func roundTrip(t *testing.T, d *fbs.Dialect, m api.MessageBody) api.MessageBody {
	t.Helper()
	frame, err := d.NewEncoder().AppendMessage(nil, m)
	require.NoError(t, err)
	out, err := d.DecodeMessage(frame[4:])
	require.NoError(t, err)
	return out
}
