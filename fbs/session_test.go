package fbs_test

import (
	"errors"
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
				Direct: true, Internal: true, LoadLimit: 55, LoadReserved: true, Restore: &api.TransportRestore{
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
	importing := &api.Request{
		ID: 2, Method: api.MethodWorkerCreateRouter, Body: &api.WorkerCreateRouterRequest{RouterID: "import", ProducerID: "p"},
	}
	found := &api.Response{ID: 2, Accepted: true, Body: &api.ProducerDumpResponse{
		ID: "import", Home: "1/r", RTPParameters: &api.RTPParameters{RTCP: &api.RTCPParameters{CNAME: "cname"}}, RTPMapping: &api.RTPMapping{},
	}}
	importingData := &api.Request{
		ID: 3, Method: api.MethodWorkerCreateRouter, Body: &api.WorkerCreateRouterRequest{RouterID: "import", DataProducerID: "dp"},
	}
	foundData := &api.Response{ID: 3, Accepted: true, Body: &api.DataProducerDumpResponse{ID: "import", Home: "1/r"}}
	linked := &api.Request{
		ID: 4, Method: api.MethodTransportConsumeData, HandlerID: "t", Body: &api.TransportConsumeDataRequest{
			DataConsumerID: "c", DataProducerID: "import", Type: api.DataConsumerTypeDirect,
			LinkAddress: "192.0.2.1:1", LinkToken: []byte("token"), LinkUnreliable: true, LinkProducerID: "p",
		},
	}
	for _, m := range []api.MessageBody{request, message, importing, found, importingData, foundData, linked} {
		require.Equal(t, m, roundTrip(t, fbs.Session(), m))
		d, err := fbs.Load(fbs.Newest())
		require.NoError(t, err)
		require.NotEqual(t, m, roundTrip(t, d, m))
	}
}

// A front passes on to its nodes whatever an application of any release may ask for, and tells it what they answer.
func TestSessionCarriesWhatOldApplicationsSayAndHear(t *testing.T) {
	dialects := map[string]bool{}
	for _, r := range fbs.Releases() {
		if dialects[r.Dialect] {
			continue
		}
		dialects[r.Dialect] = true
		old, err := fbs.Load(r.Version)
		require.NoError(t, err)
		for _, m := range everyMessage(1) {
			_, err := old.NewEncoder().AppendMessage(nil, m)
			if errors.Is(err, fbs.ErrNotInDialect) {
				continue
			}
			require.NoError(t, err)
			said := roundTrip(t, old, m)
			require.Equal(t, said, roundTrip(t, old, roundTrip(t, fbs.Session(), said)), "%s: %T", r.Version, m)
			require.Equal(t, said, roundTrip(t, old, roundTrip(t, fbs.Session(), m)), "%s: %T", r.Version, m)
		}
	}
	require.Greater(t, len(dialects), 10)
}

func roundTrip(t *testing.T, d *fbs.Dialect, m api.MessageBody) api.MessageBody {
	t.Helper()
	frame, err := d.NewEncoder().AppendMessage(nil, m)
	require.NoError(t, err)
	out, err := d.DecodeMessage(frame[4:])
	require.NoError(t, err)
	return out
}
