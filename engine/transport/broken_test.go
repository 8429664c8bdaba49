package transport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
)

// The application hears of a WebRtcTransport that is out of service what it would hear of one whose peer is gone.
func TestAWebRtcTransportOutOfServiceIsDisconnectedAndFailed(t *testing.T) {
	b := established(t, func(o *api.WebRtcTransportOptions) { o.Base.EnableSCTP = true })
	b.notifications.Reset()
	b.w.Break()
	b.w.Break()
	require.Equal(t, []string{"ice DISCONNECTED", "dtls FAILED"}, eventNames(b.notifications.All()))
	require.Equal(t, []api.SCTPState{api.SCTPStateFailed}, b.sctpStates())
	require.Len(t, b.notifications.Of(api.EventTransportOutOfService), 1)
	b.w.Close()
	require.Len(t, b.notifications.All(), 4, "closing it says nothing more")
}

// What the application knows already is not said again.
func TestAWebRtcTransportThatFailedBeforeItBroke(t *testing.T) {
	b := established(t, nil)
	b.dtls.Close()
	b.pump()
	b.notifications.Reset()
	b.w.Break()
	require.Equal(t, []string{"ice DISCONNECTED"}, eventNames(b.notifications.All()))
}

// Of a transport of another kind the application hears that its SCTP failed. mediasoup has no notification for the rest, and
// nothing is said that is not so: producers and consumers live on until the transport is closed.
func TestOtherTransportsOutOfService(t *testing.T) {
	for name, enabled := range map[string]bool{"SCTP": true, "no SCTP": false} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t)
			r.env.Wake = func() {}
			withSCTP := &api.TransportOptions{EnableSCTP: enabled, MaxSendMessageSize: 1000, MaxReceiveMessageSize: 1000}
			plain := r.plain(func(o *api.PlainTransportOptions) { o.Base = withSCTP })
			pipe, err := transport.NewPipe("pipe", &api.PipeTransportOptions{Base: withSCTP, ListenInfo: plainOptions().ListenInfo}, r.env)
			require.NoError(t, err)
			p := r.produce(plain.Transport, "p", enginetest.Video(10))
			r.attach(pipe.Transport, p, r.consume(pipe.Transport, p, "c", 20, &feedbackRecorder{}))
			r.notifications.Reset()
			plain.Break()
			pipe.Break()
			want := []api.Event{api.EventTransportOutOfService, api.EventTransportOutOfService}
			if enabled {
				want = []api.Event{
					api.EventTransportOutOfService, api.EventTransportSCTPStateChange,
					api.EventTransportOutOfService, api.EventTransportSCTPStateChange,
				}
				require.Equal(t, []api.SCTPState{api.SCTPStateFailed, api.SCTPStateFailed}, r.sctpStates())
			}
			require.Equal(t, want, enginetest.Events(r.notifications.All()))
		})
	}
}

func (r *fixture) sctpStates() (states []api.SCTPState) {
	for _, n := range r.notifications.Of(api.EventTransportSCTPStateChange) {
		states = append(states, n.Body.(*api.TransportSCTPStateChangeNotification).SCTPState)
	}
	return states
}
