package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/engine/dtls"
	"gazpacho/engine/internal/enginetest"
)

func newHost(t *testing.T) *engine.Host {
	host, err := engine.NewHost(engine.HostOptions{Shards: 2})
	require.NoError(t, err)
	t.Cleanup(host.Close)
	return host
}

// newAppOn starts a worker on a host that may carry others.
func newAppOn(t *testing.T, host *engine.Host, o engine.Options) *app {
	return newAppBy(t, host.NewWorker, o)
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
	sender := enginetest.NewPeer(t)
	var in [2]*api.TransportTuple
	for i, w := range []*app{a, b} {
		w.CreateRouter("r")
		options := plainOptions()
		options.Comedia = true
		in[i] = w.CreatePlain("r", "in", options).Tuple
		w.Produce("in", "p", enginetest.Video(10))
		w.CreateDirect("r", "out")
		w.Consume("out", "c", "p", 20)
	}
	sender.Send(in[0], keyFrame(10, 1, 100))
	a.Await("c", api.EventConsumerRTP)
	require.Empty(t, b.About("c", api.EventConsumerRTP))
	load := a.worker.Load()
	require.Equal(t, 1, load.Routers)
	require.Equal(t, 2, load.Transports)

	a.worker.Close()
	require.Equal(t, api.Load{}, a.worker.Load())
	sender.Send(in[1], keyFrame(10, 1, 100))
	b.Await("c", api.EventConsumerRTP)
	require.Len(t, a.About("c", api.EventConsumerRTP), 1)
	require.NoError(t, b.worker.Err())
	again := newAppOn(t, host, engine.Options{})
	again.CreateRouter("r")
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
		w.Must("", api.MethodWorkerCreateWebRtcServer, &api.WorkerCreateWebRtcServerRequest{
			WebRtcServerID: "s", ListenInfos: []api.ListenInfo{*plainOptions().ListenInfo},
		})
		w.CreateRouter("r")
		dump := w.Must("r", api.MethodRouterCreateWebRtcTransportWithServer, &api.RouterCreateWebRtcTransportRequest{
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
	a.Must("", api.MethodWorkerWebRtcServerClose, &api.WorkerCloseWebRtcServerRequest{WebRtcServerID: "s"})
	require.Empty(t, a.Must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse).WebRtcServerIDs)
	b.Must("t", api.MethodTransportDump, nil)
	require.Equal(t, []string{"s"}, b.Must("", api.MethodWorkerDump, nil).(*api.WorkerDumpResponse).WebRtcServerIDs)
}
