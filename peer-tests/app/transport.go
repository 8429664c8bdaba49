package app

import (
	"cmp"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// ids numbers all objects of the application.
var ids atomic.Uint32

func newID(kind string) string { return fmt.Sprintf("%s-%d", kind, ids.Add(1)) }

// Router is a router of a worker.
type Router struct {
	*Worker
	ID string
}

// NewRouter creates a router.
func (w *Worker) NewRouter() *Router {
	w.t.Helper()
	r := &Router{w, newID("router")}
	w.Do(api.MethodWorkerCreateRouter, "", &api.WorkerCreateRouterRequest{RouterID: r.ID})
	return r
}

// Listen returns listen infos for 127.0.0.1, one for each protocol.
func Listen(protocols ...api.Protocol) []api.ListenInfo { return ListenOn("127.0.0.1", protocols...) }

// ListenOn returns listen infos for an address, one for each protocol.
func ListenOn(ip string, protocols ...api.Protocol) []api.ListenInfo {
	infos := make([]api.ListenInfo, len(protocols))
	for i, p := range protocols {
		infos[i] = api.ListenInfo{Protocol: p, IP: ip, PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
	}
	return infos
}

// NewServer creates a WebRtcServer and returns its id.
func (w *Worker) NewServer(infos []api.ListenInfo) string {
	w.t.Helper()
	id := newID("server")
	w.Do(api.MethodWorkerCreateWebRtcServer, "", &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: id, ListenInfos: infos})
	return id
}

// Options are those of a WebRtcTransport that tests vary.
type Options struct {
	Server         string           // the WebRtcServer whose ports it uses; if empty, Infos
	Infos          []api.ListenInfo // its own ports
	ConsentTimeout uint8            // seconds, 0 = none
	MaxMessageSize uint32           // bytes of a message of its data channels, and of their buffers; 0 = maxMessageSize
}

// Transport is a WebRtcTransport.
type Transport struct {
	*Router
	ID         string
	ICE        api.ICEParameters
	Candidates []api.ICECandidate
	DTLS       api.DTLSParameters
}

const maxMessageSize = 256 << 10

// NewTransport creates a WebRtcTransport for media and data.
func (r *Router) NewTransport(o Options) *Transport {
	r.t.Helper()
	size := cmp.Or(o.MaxMessageSize, maxMessageSize)
	req := &api.RouterCreateWebRtcTransportRequest{
		TransportID: newID("transport"),
		Options: &api.WebRtcTransportOptions{
			Base: &api.TransportOptions{
				EnableSCTP: true, IsDataChannel: true, MaxSendMessageSize: size, MaxReceiveMessageSize: size,
				SCTPSendBufferSize: size, SCTPPerStreamSendQueueLimit: size, SCTPMaxReceiverWindowBufferSize: size,
			},
			EnableUDP: true, EnableTCP: true, ICEConsentTimeout: o.ConsentTimeout,
		},
	}
	method := api.MethodRouterCreateWebRtcTransport
	if o.Server != "" {
		method = api.MethodRouterCreateWebRtcTransportWithServer
		req.Options.Listen = &api.ListenServer{WebRtcServerID: o.Server}
	} else {
		req.Options.Listen = &api.ListenIndividual{ListenInfos: o.Infos}
	}
	d := r.Do(method, r.ID, req).(*api.WebRtcTransportDumpResponse)
	return &Transport{r, req.TransportID, *d.ICEParameters, d.ICECandidates, *d.DTLSParameters}
}

// Candidate returns the first candidate of a protocol.
func (t *Transport) Candidate(p api.Protocol) api.ICECandidate {
	t.t.Helper()
	for _, c := range t.Candidates {
		if c.Protocol == p {
			return c
		}
	}
	require.FailNow(t.t, "no candidate", "%s", p)
	return api.ICECandidate{}
}

// Connect passes the peer's role and certificate fingerprints to the transport.
func (t *Transport) Connect(role api.DTLSRole, fingerprints ...api.Fingerprint) {
	t.t.Helper()
	t.Do(api.MethodWebRtcTransportConnect, t.ID, &api.WebRtcTransportConnectRequest{
		DTLSParameters: &api.DTLSParameters{Role: role, Fingerprints: fingerprints},
	})
}

// RestartICE restarts ICE and updates t.ICE with the new credentials.
func (t *Transport) RestartICE() {
	t.t.Helper()
	r := t.Do(api.MethodTransportRestartICE, t.ID, nil).(*api.TransportRestartICEResponse)
	t.ICE.UsernameFragment, t.ICE.Password = r.UsernameFragment, r.Password
}

// Dump returns the transport's state.
func (t *Transport) Dump() *api.WebRtcTransportDumpResponse {
	t.t.Helper()
	return t.Do(api.MethodTransportDump, t.ID, nil).(*api.WebRtcTransportDumpResponse)
}

// Stats returns the transport's statistics.
func (t *Transport) Stats() *api.WebRtcTransportGetStatsResponse {
	t.t.Helper()
	return t.Do(api.MethodTransportGetStats, t.ID, nil).(*api.WebRtcTransportGetStatsResponse)
}

// Close closes the transport.
func (t *Transport) Close() {
	t.t.Helper()
	t.Do(api.MethodRouterCloseTransport, t.Router.ID, &api.RouterCloseTransportRequest{TransportID: t.ID})
}

// WaitICE waits until ICE is in a state.
func (t *Transport) WaitICE(state api.ICEState) {
	t.t.Helper()
	t.WaitLast(t.ID, api.EventWebRtcTransportICEStateChange, func(b api.NotificationBody) bool {
		return b.(*api.WebRtcTransportICEStateChangeNotification).ICEState == state
	})
}

// WaitDTLS waits until DTLS is in a state.
func (t *Transport) WaitDTLS(state api.DTLSState) {
	t.t.Helper()
	t.WaitLast(t.ID, api.EventWebRtcTransportDTLSStateChange, func(b api.NotificationBody) bool {
		return b.(*api.WebRtcTransportDTLSStateChangeNotification).DTLSState == state
	})
}

// WaitSCTP waits until SCTP is in a state.
func (t *Transport) WaitSCTP(state api.SCTPState) {
	t.t.Helper()
	t.WaitLast(t.ID, api.EventTransportSCTPStateChange, func(b api.NotificationBody) bool {
		return b.(*api.TransportSCTPStateChangeNotification).SCTPState == state
	})
}

// ICEStates returns the states that ICE has been in so far.
func (t *Transport) ICEStates() (states []api.ICEState) {
	for _, b := range t.Notifications(t.ID, api.EventWebRtcTransportICEStateChange) {
		states = append(states, b.(*api.WebRtcTransportICEStateChangeNotification).ICEState)
	}
	return states
}

// DTLSStates returns the states that DTLS has been in so far.
func (t *Transport) DTLSStates() (states []api.DTLSState) {
	for _, b := range t.Notifications(t.ID, api.EventWebRtcTransportDTLSStateChange) {
		states = append(states, b.(*api.WebRtcTransportDTLSStateChangeNotification).DTLSState)
	}
	return states
}

// Tuples returns the tuples that ICE has selected so far.
func (t *Transport) Tuples() (tuples []*api.TransportTuple) {
	for _, b := range t.Notifications(t.ID, api.EventWebRtcTransportICESelectedTupleChange) {
		tuples = append(tuples, b.(*api.WebRtcTransportICESelectedTupleChangeNotification).Tuple)
	}
	return tuples
}

// TB returns the test that the worker belongs to.
func (w *Worker) TB() testing.TB { return w.t }
