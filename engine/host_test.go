package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/engine/dtls"
)

func newHost(t *testing.T) *engine.Host {
	host, err := engine.NewHost(engine.HostOptions{Shards: 2})
	require.NoError(t, err)
	t.Cleanup(host.Close)
	return host
}

// newAppOn starts a worker on a host that may carry others.
func newAppOn(t *testing.T, host *engine.Host, o engine.Options) *app {
	a := &app{t: t, news: make(chan struct{}, 1)}
	o.Emit = a.take
	var err error
	a.worker, err = host.NewWorker(o)
	require.NoError(t, err)
	t.Cleanup(a.worker.Close)
	return a
}

// Two workers on one set of shards keep the contract at the same time, with the same ids.
func TestWorkersThatShareShardsKeepTheContract(t *testing.T) {
	host := newHost(t)
	start := func(t testing.TB, emit api.Emitter) api.Worker {
		w, err := host.NewWorker(engine.Options{Emit: emit})
		require.NoError(t, err)
		return w
	}
	t.Run("AtTheSameTime", func(t *testing.T) {
		for i := range 2 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for range 3 {
					apitest.Run(t, start)
				}
			})
		}
	})
}

// One worker's media, objects and end are nothing to another on the same shards.
func TestWorkersThatShareShardsAreApart(t *testing.T) {
	host := newHost(t)
	a, b := newAppOn(t, host, engine.Options{}), newAppOn(t, host, engine.Options{})
	sender := newPeer(t)
	var in [2]*api.TransportTuple
	for i, w := range []*app{a, b} {
		w.router("r")
		options := plainOptions()
		options.Comedia = true
		in[i] = w.plain("r", "in", options).Tuple
		w.produce("in", "p", api.MediaKindVideo, video(10))
		w.direct("r", "out")
		w.consume("out", "c", "p", api.MediaKindVideo, 10, 20)
	}
	sender.send(in[0], packetOf(10, 1, 100))
	a.await("c", api.EventConsumerRTP)
	require.Empty(t, b.notifications("c", api.EventConsumerRTP))
	load := a.worker.Load()
	require.Equal(t, 1, load.Routers)
	require.Equal(t, 2, load.Transports)

	a.worker.Close()
	require.Equal(t, api.Load{}, a.worker.Load())
	sender.send(in[1], packetOf(10, 1, 100))
	b.await("c", api.EventConsumerRTP)
	require.Len(t, a.notifications("c", api.EventConsumerRTP), 1)
	require.NoError(t, b.worker.Err())
	again := newAppOn(t, host, engine.Options{})
	again.router("r")
}

// Settings are each worker's: port range, certificate, release and WebRtcServers.
func TestWorkersThatShareShardsHaveSettingsOfTheirOwn(t *testing.T) {
	host := newHost(t)
	certificate, err := dtls.GenerateCertificate()
	require.NoError(t, err)
	a := newAppOn(t, host, engine.Options{RTCMinPort: 41000, RTCMaxPort: 41499})
	b := newAppOn(t, host, engine.Options{RTCMinPort: 41500, RTCMaxPort: 41999, Certificate: certificate})
	fingerprints := map[string]bool{}
	for _, w := range []*app{a, b} {
		w.must("", api.MethodWorkerCreateWebRtcServer, &api.WorkerCreateWebRtcServerRequest{
			WebRtcServerID: "s", ListenInfos: []api.ListenInfo{*plainOptions().ListenInfo},
		})
		w.router("r")
		dump := w.must("r", api.MethodRouterCreateWebRtcTransportWithServer, &api.RouterCreateWebRtcTransportRequest{
			TransportID: "t", Options: &api.WebRtcTransportOptions{
				Base: &api.TransportOptions{}, Listen: &api.ListenServer{WebRtcServerID: "s"}, EnableUDP: true,
			},
		}).(*api.WebRtcTransportDumpResponse)
		port := dump.ICECandidates[0].Port
		if w == a {
			require.Less(t, port, uint16(41500))
		} else {
			require.GreaterOrEqual(t, port, uint16(41500))
		}
		fingerprints[dump.DTLSParameters.Fingerprints[0].Value] = true
	}
	require.Len(t, fingerprints, 2)
	a.must("", api.MethodWorkerWebRtcServerClose, &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
	require.Empty(t, a.must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse).WebRtcServerIDs)
	b.must("t", api.MethodTransportDump, nil)
	require.Equal(t, []string{"s"}, b.must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse).WebRtcServerIDs)
}
