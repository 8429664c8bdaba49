package transport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/srtp"
	"gazpacho/engine/unit"
)

// A transport sees any number of producers come and go, each with SSRCs of its own, as a pipe between hosts does in days.
func TestASecuredTransportOutlivesAnyNumberOfSSRCs(t *testing.T) {
	r := newFixture(t)
	suite := api.SRTPCryptoSuiteAEADAES128GCM
	s := r.secure(suite, suite, srtp.AEADAES128GCM, false)
	lasting := r.produce(s.Transport, "lasting", enginetest.Video(10))
	const others = 3 * srtp.MaxSSRCs
	for i := range unit.SSRC(others) {
		p := r.produce(s.Transport, "passing", enginetest.Video(1000+2*i))
		r.receive(s.Plain, 0, peerAddr, r.protect(s, enginetest.KeyFrame(1000+2*i, 1)))
		require.Len(t, p.Stats(r.now).Stats, 1, "producer %d receives", i)
		s.CloseProducer(p)
		r.receive(s.Plain, 0, peerAddr, r.protect(s, enginetest.KeyFrame(10, unit.SeqNo(i)-100)))
	}
	require.Zero(t, s.Drops())
	require.EqualValues(t, others, lasting.Stats(r.now).Stats[0].Data.(*api.RTPStreamRecvStats).PacketCount)
}
