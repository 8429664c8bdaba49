package transport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/transport"
	"gazpacho/engine/wire/stun"
)

// The report of a closed transport has what peers did wrong: from each machine, and only what happened.
func TestReport(t *testing.T) {
	b := newBrowser(t, func(o *api.WebRtcTransportOptions) { o.Base.EnableSCTP = true })
	require.Equal(t, "drops:{} ice:{} dtls:{} sctp:{}", b.w.Report())
	require.Equal(t, stun.ErrorResponse, b.check("wrong", true).Class)
	b.deliver([]byte("hello"))
	b.deliver([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}) // DTLS, before there is a tuple
	b.w.Close()
	require.Equal(t, "drops:{Unrecognized:1 ForeignSender:1} ice:{Unauthorized:1} dtls:{} sctp:{}", b.w.Report())

	r := newFixture(t)
	d, err := transport.NewDirect(r.now, "d", &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}, r.env)
	require.NoError(t, err)
	d.HandleProducerSend(r.now, []byte("hello"))
	require.Equal(t, "drops:{RTPMalformed:1}", d.Report())
}
