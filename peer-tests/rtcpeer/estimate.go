package rtcpeer

import (
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

// TransportCCID is the id of the header extension with transport-wide numbers.
const TransportCCID = 5

const transportCCURI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

// startBitrate is where browsers begin, in bits per second.
const startBitrate = 300_000

// estimate has pion's congestion control estimate what can be sent.
func (p *Peer) estimate(media *webrtc.MediaEngine, interceptors *interceptor.Registry) {
	p.t.Helper()
	control, err := cc.NewInterceptor(func() (cc.BandwidthEstimator, error) {
		return gcc.NewSendSideBWE(
			gcc.SendSideBWEInitialBitrate(startBitrate), gcc.SendSideBWEMaxBitrate(p.options.MaxBitrate), gcc.SendSideBWEPacer(gcc.NewNoOpPacer()))
	})
	require.NoError(p.t, err)
	control.OnNewPeerConnection(func(_ string, e cc.BandwidthEstimator) { e.OnTargetBitrateChange(p.Target.Add) })
	p.Target.Add(startBitrate)
	interceptors.Add(control)
	require.NoError(p.t, webrtc.ConfigureTWCCHeaderExtensionSender(media, interceptors))
}
