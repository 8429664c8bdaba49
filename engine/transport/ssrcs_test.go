package transport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/srtp"
)

// A transport sees any number of producers come and go, each with SSRCs of its own, as a pipe between hosts does in days.
func TestASecuredTransportOutlivesAnyNumberOfSSRCs(t *testing.T) {
	r := newFixture(t)
	suite := api.SRTPCryptoSuiteAEADAES128GCM
	s := r.secure(suite, suite, srtp.AEADAES128GCM, false)
	lasting := r.produce(s.Transport, "lasting", api.MediaKindVideo, 10)
	const others = 3 * srtp.MaxSSRCs
	for i := range uint32(others) {
		p := r.produce(s.Transport, "passing", api.MediaKindVideo, 1000+2*i)
		r.receive(s.Plain, 0, peerAddr, r.protect(s, keyFrame(1000+2*i, 1)))
		require.Len(t, p.Stats(r.now).Stats, 1, "producer %d receives", i)
		s.CloseProducer(p)
		r.receive(s.Plain, 0, peerAddr, r.protect(s, keyFrame(10, uint16(i)-100)))
	}
	require.Zero(t, s.Drops())
	require.EqualValues(t, others, lasting.Stats(r.now).Stats[0].Data.(*api.RTPStreamRecvStats).PacketCount)
}
